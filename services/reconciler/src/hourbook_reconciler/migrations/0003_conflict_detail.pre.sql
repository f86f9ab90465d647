-- Of a refusal: in a sentence what is in the way and what to change.
ALTER TABLE conflicts ADD COLUMN detail text;

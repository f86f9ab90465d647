-- What answers of a Kimai have taught, as the control topic tells it.
ALTER TABLE connections ADD COLUMN learned jsonb NOT NULL DEFAULT 'null';

-- The newest first, and when the last one came.
CREATE INDEX deliveries_by_last ON deliveries (last_at);

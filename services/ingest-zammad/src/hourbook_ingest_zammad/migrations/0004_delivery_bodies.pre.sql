-- What the last body of a delivery was, without keeping it.
ALTER TABLE deliveries ADD COLUMN body_sha256 text, ADD COLUMN body_bytes bigint;

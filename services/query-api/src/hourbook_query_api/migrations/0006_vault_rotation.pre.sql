-- Under which vault key a row is wrapped: its fingerprint; NULL: nobody has looked yet.
ALTER TABLE vault.subject_keys ADD COLUMN under text;
ALTER TABLE vault.secrets ADD COLUMN under text;
CREATE INDEX subject_keys_under ON vault.subject_keys (under);
CREATE INDEX secrets_under ON vault.secrets (under);

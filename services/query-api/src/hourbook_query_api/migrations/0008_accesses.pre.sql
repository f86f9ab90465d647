-- Who looked at whose hours, by the hour; ids only, and dropped after its retention.
CREATE TABLE accesses (
    looked_by text NOT NULL,
    whose text NOT NULL,  -- an identity: of the agent who booked them
    what text NOT NULL,
    hour timestamptz NOT NULL,
    times int NOT NULL,
    PRIMARY KEY (hour, whose, looked_by, what)
);
CREATE INDEX accesses_whose ON accesses (whose, hour);
GRANT SELECT, INSERT, UPDATE, DELETE ON accesses TO {role};

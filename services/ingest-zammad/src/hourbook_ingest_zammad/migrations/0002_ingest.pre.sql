-- What ingest remembers: of each record the last reading, numbered; how often a delivery came; where
-- each source and the ledger's tail stand. All of it comes back by itself when it is lost (F17, F18).

-- One number for all readings. It begins at the clock, so that it is higher than any number given
-- before the schema was lost.
CREATE TABLE counter (
    single boolean PRIMARY KEY DEFAULT true CHECK (single),
    no bigint NOT NULL
);
INSERT INTO counter (no) VALUES (0);

CREATE TABLE readings (
    kind text NOT NULL CHECK (kind IN ('entry', 'ticket')),  -- a ticket and an entry may have one id
    record text NOT NULL,
    book text NOT NULL,
    connection text NOT NULL,
    no bigint NOT NULL,
    value jsonb,  -- NULL: known from the ledger only, not yet read; {"gone": true}: retracted
    PRIMARY KEY (kind, record)
);
CREATE INDEX readings_of_book ON readings (book);
CREATE INDEX readings_of_connection ON readings (connection) WHERE kind = 'entry';

CREATE TABLE deliveries (
    connection text NOT NULL,
    delivery text NOT NULL,
    ticket_id bigint NOT NULL,
    first_at timestamptz NOT NULL,
    last_at timestamptz NOT NULL,
    times int NOT NULL,
    last_offset bigint NOT NULL,  -- in the inbox: what was counted is not counted again
    PRIMARY KEY (connection, delivery)
);
CREATE INDEX deliveries_by_age ON deliveries (first_at);

CREATE TABLE sources (
    connection text PRIMARY KEY,
    cursor timestamptz,  -- the latest updated_at a finished poll has seen
    polled_at timestamptz,
    swept_at timestamptz,
    alarmed_at timestamptz,  -- since when it is suddenly empty
    believed text  -- the last answer to an alarm that a sweep has used up
);

CREATE TABLE ledger_tail (
    partition int PRIMARY KEY,
    next_offset bigint NOT NULL,
    last_ce_id text
);

GRANT SELECT, UPDATE ON counter TO {role};
GRANT SELECT, INSERT, UPDATE, DELETE ON readings, deliveries, sources, ledger_tail TO {role};

GRANT USAGE ON SCHEMA ingest TO hourbook_query;
GRANT SELECT ON deliveries, sources TO hourbook_query;

-- How far tickets were looked through, what Zammad calls a unit, what stands in a source's way, and
-- which days are being read again. All of it comes back by itself when it is lost.

ALTER TABLE sources
    ADD COLUMN tickets_cursor timestamptz,  -- the latest updated_at of a ticket a finished poll has seen
    ADD COLUMN unit_said text,  -- as Zammad's settings had it when last seen; NULL: we are not told
    ADD COLUMN unit_seen_at timestamptz,
    ADD COLUMN switched_on boolean;  -- whether agents can book time at all

-- Since when, in a sentence for people.
CREATE TABLE obstacles (
    connection text NOT NULL,
    name text NOT NULL,
    since timestamptz NOT NULL DEFAULT now(),
    sentence text NOT NULL,
    PRIMARY KEY (connection, name)
);

CREATE TABLE backfills (
    connection text NOT NULL,
    id bigint NOT NULL,  -- the place of its wish on the control topic, + 1
    first_on date NOT NULL,
    last_on date NOT NULL,
    requested_at timestamptz NOT NULL,
    listed_at timestamptz,  -- since when it is known which tickets are to be read
    finished_at timestamptz,
    tickets int NOT NULL DEFAULT 0,
    tickets_read int NOT NULL DEFAULT 0,  -- once it is finished; until then they are counted
    tickets_failed int NOT NULL DEFAULT 0,
    PRIMARY KEY (connection, id)
);

-- Of those that are not finished.
CREATE TABLE backfill_tickets (
    connection text NOT NULL,
    backfill bigint NOT NULL,
    ticket_id bigint NOT NULL,
    asked_at timestamptz,
    read_at timestamptz,
    failed boolean NOT NULL DEFAULT false,  -- it was parked
    PRIMARY KEY (connection, ticket_id, backfill)
);

GRANT SELECT, INSERT, UPDATE, DELETE ON obstacles, backfills, backfill_tickets TO {role};
GRANT SELECT ON obstacles, backfills, backfill_tickets TO hourbook_query;

-- Where we stand in each partition of the ledger, and which log it was.
CREATE TABLE checkpoint (
    partition int PRIMARY KEY,
    cluster_id text NOT NULL,
    next_offset bigint NOT NULL DEFAULT 0,
    last_ce_id text,
    rebuilt_to bigint NOT NULL DEFAULT 0  -- requests before it come back as uncertain: our memory of them was lost
);

-- The last decision of any type that counted for a posting.
CREATE TABLE heads (
    posting text PRIMARY KEY,
    gen int NOT NULL,
    policy bigint NOT NULL
);

-- The effect ledger: one row a request, and what became of it.
CREATE TABLE effects (
    posting text NOT NULL,
    gen int NOT NULL,
    seq bigint GENERATED ALWAYS AS IDENTITY,
    book text NOT NULL,
    target text NOT NULL,
    user_id int NOT NULL,
    day date NOT NULL,
    op text NOT NULL,
    request text NOT NULL,
    traceparent text,
    state text NOT NULL CHECK (state IN ('queued', 'sent', 'uncertain', 'done')),
    attempt int NOT NULL DEFAULT 0,
    tries int NOT NULL DEFAULT 0,  -- attempts that may have reached Kimai
    server_errors int NOT NULL DEFAULT 0,
    claimed_at timestamptz,
    create_code text,  -- of a create or adopt: what its row's marker names
    rebuilt boolean NOT NULL DEFAULT false,
    released boolean NOT NULL DEFAULT false,  -- a person let it go beyond the cap
    queued_at timestamptz NOT NULL DEFAULT now(),
    done_at timestamptz,
    PRIMARY KEY (posting, gen)
);
CREATE INDEX effects_open ON effects (target, user_id, seq) WHERE state <> 'done';
CREATE INDEX effects_in_flight ON effects (posting) WHERE state IN ('sent', 'uncertain');
CREATE INDEX effects_created ON effects (create_code) WHERE op IN ('create', 'adopt');

-- Which posting a timesheet answers: written by answers only.
CREATE TABLE tied (
    sheet text PRIMARY KEY,
    posting text NOT NULL,
    book text NOT NULL,
    create_code text NOT NULL
);

-- The last reading of each timesheet; value NULL: gone, '{}': known from the ledger, not read since our
-- memory was lost. No text stands here, only its digest under the ticket's key.
CREATE TABLE timesheets (
    sheet text PRIMARY KEY,
    target text NOT NULL,
    no bigint NOT NULL,
    book text,  -- NULL: another person's, said to nobody
    value jsonb
);
CREATE INDEX timesheets_ours ON timesheets (target) WHERE book IS NOT NULL AND value IS NOT NULL;

CREATE TABLE counter (
    one boolean PRIMARY KEY DEFAULT true CHECK (one),
    no bigint NOT NULL
);
INSERT INTO counter (no) VALUES (0);

-- Records we could not read; nothing is written for their books until we can.
CREATE TABLE unreadable (
    partition int NOT NULL,
    at_offset bigint NOT NULL,
    book text NOT NULL,
    error text NOT NULL,
    seen_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (partition, at_offset)
);
CREATE INDEX unreadable_book ON unreadable (book);

-- How far a Kimai has been observed.
CREATE TABLE observed (
    target text PRIMARY KEY,
    cursor_at timestamptz,
    polled_at timestamptz,
    swept_at timestamptz,
    released bigint NOT NULL DEFAULT 0
);

-- What stands in the way of a target, since when, in a sentence for people.
CREATE TABLE obstacles (
    target text NOT NULL,
    name text NOT NULL,
    since timestamptz NOT NULL DEFAULT now(),
    sentence text NOT NULL,
    PRIMARY KEY (target, name)
);

-- Kimai's own names of what people map to.
CREATE TABLE directory (
    target text NOT NULL,
    kind text NOT NULL,  -- user, customer, project, activity
    id int NOT NULL,
    name text NOT NULL,
    parent_id int,
    visible boolean NOT NULL,
    time_zone text,
    PRIMARY KEY (target, kind, id)
);

GRANT SELECT, INSERT, UPDATE, DELETE ON checkpoint, heads, effects, tied, timesheets, counter, unreadable,
    observed, obstacles, directory TO {role};
GRANT USAGE ON SCHEMA push TO hourbook_query;
GRANT SELECT ON checkpoint, effects, tied, timesheets, unreadable, observed, obstacles, directory TO hourbook_query;

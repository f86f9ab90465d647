-- What people set, as the control topic adds up to (rebuilt whenever its place or its log is another one),
-- the answers to requests that may come twice, and the operator's token, of which only the digest is kept.

CREATE TABLE checkpoint (
    one boolean PRIMARY KEY DEFAULT true CHECK (one),
    next_offset bigint NOT NULL,
    cluster_id text NOT NULL,
    version int NOT NULL  -- of the shape of these tables' rows
);

CREATE TABLE connections (
    name text PRIMARY KEY,
    kind text NOT NULL,
    configured jsonb NOT NULL,
    units jsonb NOT NULL,
    alarms jsonb NOT NULL,
    closed jsonb NOT NULL,
    writing boolean NOT NULL,
    start_on date,
    changed_at timestamptz NOT NULL,
    changed_by text NOT NULL,
    offset_ bigint NOT NULL
);

CREATE TABLE mappings (
    mapping text PRIMARY KEY,
    kind text NOT NULL,
    source text NOT NULL,
    source_key text NOT NULL,
    target text NOT NULL,
    target_id bigint NOT NULL,
    time_zone text,
    changed_at timestamptz NOT NULL,
    changed_by text NOT NULL,
    offset_ bigint NOT NULL,
    UNIQUE (kind, source, source_key)
);

CREATE TABLE events (
    offset_ bigint PRIMARY KEY,
    type text NOT NULL,
    subject text NOT NULL,
    observed_at timestamptz NOT NULL,
    said_by text NOT NULL,
    message jsonb NOT NULL
);

CREATE TABLE idempotency (
    key text PRIMARY KEY,
    request_digest bytea NOT NULL,  -- HMAC of method, path and body
    claimed_at timestamptz NOT NULL DEFAULT now(),
    status int,  -- NULL: being answered
    answer bytea,
    location text
);

GRANT SELECT, INSERT, UPDATE, DELETE ON checkpoint, connections, mappings, events, idempotency TO {role};

CREATE TABLE vault.operator_token (
    one boolean PRIMARY KEY DEFAULT true CHECK (one),
    digest bytea NOT NULL,  -- SHA-256 of 256 random bits
    made_at timestamptz NOT NULL DEFAULT now()
);
GRANT SELECT, INSERT, DELETE ON vault.operator_token TO {role};

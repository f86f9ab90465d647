-- The books: state, read model, and where on the ledger they stand. All of it can be rebuilt from the
-- ledger (outbox and proposals without harm), so every time in it comes from a message, never from a clock.

CREATE TABLE checkpoint (
    partition int PRIMARY KEY,
    next_offset bigint NOT NULL,
    policy_version bigint NOT NULL,  -- of the newest policy that decided here: an older one cannot commit
    revision bigint NOT NULL,  -- of transactions, also those that read nothing
    last_ce_id text,  -- of the message before next_offset
    cluster_id text  -- of the Kafka that holds this log
);

CREATE TABLE books (
    book text PRIMARY KEY,
    partition int NOT NULL,
    state text NOT NULL,  -- JSON; text, because nobody asks it anything
    digest text NOT NULL,
    halted text,  -- why nothing is folded into it any more; what came since is in quarantine
    proposed jsonb NOT NULL  -- {subject: generation} in the outbox, not yet read back
);
CREATE INDEX books_halted ON books (book) WHERE halted IS NOT NULL;

CREATE TABLE tickets (
    book text PRIMARY KEY,
    number text NOT NULL,
    title jsonb,  -- sealed
    organization_id bigint,
    customer_id bigint,
    group_id bigint,
    tags text[] NOT NULL,
    merged_into text
);
CREATE INDEX tickets_number ON tickets USING hash (number);
CREATE INDEX tickets_organization ON tickets (organization_id);
CREATE INDEX tickets_customer ON tickets (customer_id);

CREATE TABLE entries (
    entry text PRIMARY KEY,
    book text NOT NULL,
    posting text NOT NULL,
    connection text NOT NULL,
    ticket_number text NOT NULL,
    agent_id bigint NOT NULL,
    activity_type_id bigint,
    raw_units text NOT NULL,
    seconds_per_unit bigint NOT NULL,
    duration_seconds bigint NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    retracted boolean NOT NULL,
    net_seconds bigint NOT NULL,  -- after netting; of a negative entry what nobody could bear, negative
    state text NOT NULL CHECK (state IN ('held_back', 'requested', 'asks', 'settled', 'retracted')),
    reason text,
    gen int NOT NULL,
    want jsonb,
    held jsonb,
    agreed_want jsonb,
    agreed_held jsonb,
    agreed_by text,
    sheet text,
    target text,
    user_id bigint,
    day date NOT NULL,
    changed_at timestamptz NOT NULL,
    partition int NOT NULL
);
CREATE INDEX entries_book ON entries (book);
CREATE INDEX entries_changed ON entries (changed_at, entry);
CREATE INDEX entries_day ON entries (day, entry);
CREATE INDEX entries_state ON entries (state, changed_at);
CREATE INDEX entries_agent ON entries (agent_id, day);
CREATE INDEX entries_user ON entries (target, user_id, day);
CREATE INDEX entries_sheet ON entries (sheet) WHERE sheet IS NOT NULL;
CREATE INDEX entries_ticket ON entries USING hash (ticket_number);

CREATE TABLE conflicts (
    subject text PRIMARY KEY,
    book text NOT NULL,
    entry text,  -- NULL: a copy or orphan in Kimai
    gen int NOT NULL,
    reason text NOT NULL,
    want jsonb,
    held jsonb,
    candidates jsonb NOT NULL,
    trace jsonb,
    opened_at timestamptz NOT NULL,
    open boolean NOT NULL,
    resolution text,  -- a person's choice, or `withdrawn` when its ground was gone
    resolved_by text,
    resolved_at timestamptz
);
CREATE INDEX conflicts_open ON conflicts (opened_at, subject) WHERE open;
CREATE INDEX conflicts_reason ON conflicts (reason, open);
CREATE INDEX conflicts_book ON conflicts (book);
CREATE INDEX conflicts_entry ON conflicts (entry) WHERE entry IS NOT NULL;

CREATE TABLE history (
    partition int NOT NULL,
    offset_ bigint NOT NULL,
    book text NOT NULL,
    subject text NOT NULL,
    type text NOT NULL,
    ce_id text NOT NULL,
    observed_at timestamptz NOT NULL,
    message jsonb NOT NULL,
    traceparent text,
    PRIMARY KEY (partition, offset_)
);
CREATE INDEX history_book ON history (book, offset_);
CREATE INDEX history_subject ON history (subject, offset_);
CREATE INDEX history_observed ON history (observed_at);

-- What could not be folded, and what waits behind it in its order.
CREATE TABLE quarantine (
    partition int NOT NULL,
    offset_ bigint NOT NULL,
    book text,  -- NULL: the record has no key that names one
    key bytea,
    value bytea,
    headers jsonb NOT NULL,  -- [[name, value in base64], …]
    type text,
    error text NOT NULL,
    kind text NOT NULL CHECK (kind IN ('poison', 'parked')),
    at timestamptz,  -- the record's own time in Kafka
    PRIMARY KEY (partition, offset_)
);
CREATE INDEX quarantine_book ON quarantine (book, offset_);

-- How far all books have been decided by which policy and fold; one row.
CREATE TABLE assessment (
    one boolean PRIMARY KEY DEFAULT true CHECK (one),
    policy_version bigint NOT NULL,
    fold_version int NOT NULL,
    after_book text NOT NULL,
    finished boolean NOT NULL
);
INSERT INTO assessment (policy_version, fold_version, after_book, finished) VALUES (0, 0, '', false);

GRANT SELECT, INSERT, UPDATE, DELETE
    ON checkpoint, books, tickets, entries, conflicts, history, quarantine, assessment TO {role};
GRANT USAGE ON SCHEMA book TO hourbook_query;
GRANT SELECT
    ON checkpoint, books, tickets, entries, conflicts, history, quarantine, assessment TO hourbook_query;

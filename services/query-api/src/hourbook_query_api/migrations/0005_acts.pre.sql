-- Answers that are held before they are said, the schedule and its runs, and what was seen over time.

-- What a person answered, at once and to how many questions.
CREATE TABLE resolutions (
    resolution_id text PRIMARY KEY,
    said_by text NOT NULL,
    choice text NOT NULL CHECK (choice IN ('zammad', 'kimai', 'adopt', 'anyway')),
    comment text,
    idempotency_key text,
    made_at timestamptz NOT NULL DEFAULT now(),
    undo_until timestamptz NOT NULL,
    undone_at timestamptz,
    undone_by text
);
CREATE INDEX resolutions_made ON resolutions (made_at);

-- To which question, and what became of it. `sent`: it stands on the ledger, at its place.
CREATE TABLE resolved (
    resolution_id text NOT NULL REFERENCES resolutions ON DELETE CASCADE,
    subject text NOT NULL,
    book text NOT NULL,
    gen int NOT NULL,
    sheet text,  -- of `adopt`: which timesheet
    state text NOT NULL CHECK (state IN ('held', 'undone', 'sent', 'overtaken')),
    undo_until timestamptz NOT NULL,
    partition int,
    offset_ bigint,
    PRIMARY KEY (resolution_id, subject)
);
CREATE UNIQUE INDEX resolved_once ON resolved (subject, gen) WHERE state IN ('held', 'sent');
CREATE INDEX resolved_due ON resolved (undo_until) WHERE state = 'held';

-- As the control topic says; one row.
CREATE TABLE schedule (
    one boolean PRIMARY KEY DEFAULT true CHECK (one),
    switched_on boolean NOT NULL,
    cron text NOT NULL,
    time_zone text NOT NULL,
    what text NOT NULL,
    overlap text NOT NULL,
    changed_at timestamptz NOT NULL,
    changed_by text NOT NULL,
    offset_ bigint NOT NULL
);

-- As the control topic says; `missed`: runs that were due and did not begin.
CREATE TABLE runs (
    run text PRIMARY KEY,
    asked_at timestamptz NOT NULL,
    asked_by text NOT NULL,
    what text,
    due_at timestamptz,
    connections text[] NOT NULL,
    outcome text NOT NULL,  -- running, done, given_up, missed
    why text,
    missed int NOT NULL DEFAULT 0,
    seconds double precision,
    waited_for text[] NOT NULL DEFAULT '{}',
    offset_ bigint NOT NULL
);
CREATE INDEX runs_asked ON runs (asked_at, run);
CREATE INDEX runs_running ON runs (asked_at) WHERE outcome = 'running';

-- Up to which moment the schedule has been carried out or what was missed has been told.
CREATE TABLE scheduler (
    one boolean PRIMARY KEY DEFAULT true CHECK (one),
    handled_until timestamptz NOT NULL,
    queued_due_at timestamptz  -- a run that waits for the one before it
);

-- What was seen every minute, for charts; nothing rests on it.
CREATE TABLE samples (
    at timestamptz NOT NULL,
    of text NOT NULL,  -- a connection, or `questions`
    value double precision NOT NULL,
    PRIMARY KEY (of, at)
);

CREATE INDEX events_observed ON events (observed_at, offset_);

GRANT SELECT, INSERT, UPDATE, DELETE
    ON resolutions, resolved, schedule, runs, scheduler, samples TO {role};

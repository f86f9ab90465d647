-- Work that takes its time: asked here, done by `hourbook jobs`, which has an owner's rights.
CREATE TABLE jobs (
    job text PRIMARY KEY,
    kind text NOT NULL,
    parameters jsonb NOT NULL,
    asked_by text NOT NULL,
    asked_at timestamptz NOT NULL DEFAULT now(),
    state text NOT NULL DEFAULT 'waiting'
        CHECK (state IN ('waiting', 'running', 'done', 'failed', 'cancelled')),
    cancel_by text,  -- who wants it to end
    begun_at timestamptz,
    ended_at timestamptz,
    attempt int NOT NULL DEFAULT 0,  -- whose writes count: a worker that was taken for dead has an older one
    alive_until timestamptz,  -- then its worker is taken for dead
    done bigint NOT NULL DEFAULT 0,
    total bigint,
    sentence text,  -- what it is at
    result jsonb,  -- bounded; sealed text stays sealed
    failure text,  -- in a sentence
    CHECK ((ended_at IS NOT NULL) = (state IN ('done', 'failed', 'cancelled')))
);
CREATE INDEX jobs_asked ON jobs (asked_at, job);
CREATE INDEX jobs_open ON jobs (asked_at, job) WHERE ended_at IS NULL;
GRANT SELECT, DELETE, INSERT (job, kind, parameters, asked_by) ON jobs TO {role};
GRANT UPDATE (state, cancel_by, ended_at) ON jobs TO {role};

-- What is done of one that goes on, so that whoever takes it up need not do it again.
CREATE TABLE job_parts (
    job text NOT NULL REFERENCES jobs ON DELETE CASCADE,
    name text NOT NULL,
    done bytea NOT NULL,
    PRIMARY KEY (job, name)
);

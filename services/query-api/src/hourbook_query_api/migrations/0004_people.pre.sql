-- Who may come in. Names stand here and nowhere else; of passwords and tokens only what cannot be
-- turned back; addresses only in `visits`, and there only for a while.

CREATE TABLE vault.users (
    user_id text PRIMARY KEY,  -- random: what events, rows and answers name a person by
    name text NOT NULL,
    role text NOT NULL CHECK (role IN ('viewer', 'operator', 'admin')),
    password_hash text,  -- argon2id; NULL until the invitation is taken
    active boolean NOT NULL DEFAULT true,
    made_at timestamptz NOT NULL DEFAULT now(),
    preferences jsonb NOT NULL DEFAULT '{}'
);
CREATE UNIQUE INDEX users_name ON vault.users (lower(name));

CREATE TABLE vault.invitations (
    digest bytea PRIMARY KEY,  -- SHA-256 of 256 random bits
    user_id text REFERENCES vault.users ON DELETE CASCADE,  -- NULL: it makes the first administrator
    expires_at timestamptz NOT NULL
);
CREATE INDEX invitations_user ON vault.invitations (user_id);

CREATE TABLE vault.sessions (
    session text PRIMARY KEY,
    user_id text NOT NULL REFERENCES vault.users ON DELETE CASCADE,
    made_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz NOT NULL,
    ended_at timestamptz
);
CREATE INDEX sessions_user ON vault.sessions (user_id);
CREATE INDEX sessions_expiry ON vault.sessions (expires_at);

CREATE TABLE vault.refresh_tokens (
    digest bytea PRIMARY KEY,  -- SHA-256 of 256 random bits
    session text NOT NULL REFERENCES vault.sessions ON DELETE CASCADE,
    made_at timestamptz NOT NULL DEFAULT now(),
    used_at timestamptz
);
CREATE INDEX refresh_tokens_session ON vault.refresh_tokens (session);

CREATE TABLE vault.visits (
    visit uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    at timestamptz NOT NULL DEFAULT now(),
    what text NOT NULL CHECK (what IN ('signed_in', 'refused', 'signed_out', 'reused')),
    user_id text,
    name_digest bytea,  -- HMAC of the name that was given, for counting
    address text  -- NULL after its retention
);
CREATE INDEX visits_address ON vault.visits (address, at) WHERE what = 'refused';
CREATE INDEX visits_name ON vault.visits (name_digest, at);
CREATE INDEX visits_at ON vault.visits (at) WHERE address IS NOT NULL;

GRANT SELECT, INSERT, UPDATE, DELETE
    ON vault.users, vault.invitations, vault.sessions, vault.refresh_tokens, vault.visits TO {role};

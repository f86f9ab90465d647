GRANT USAGE ON SCHEMA vault TO {role};
GRANT EXECUTE ON FUNCTION vault.ensure_keys(text[], bytea[]), vault.keys_of(text[]), vault.secret_of(text, text, int) TO {role};

CREATE TABLE outbox (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    topic text NOT NULL,
    key text,
    value bytea NOT NULL,
    headers jsonb NOT NULL
);
GRANT SELECT, INSERT, UPDATE, DELETE ON outbox TO {role};

-- The vault: what must be backed up. Every service reaches it through these functions only; what is
-- stored is encrypted before it comes here (Fernet), so no dump and no server log holds a secret.

CREATE TABLE vault.subject_keys (
    subject text PRIMARY KEY,
    wrapped bytea,  -- NULL: destroyed, and never made again
    made_at timestamptz NOT NULL DEFAULT now(),
    destroyed_at timestamptz
);

CREATE TABLE vault.secrets (
    connection text NOT NULL,
    name text NOT NULL,
    version int NOT NULL,
    wrapped bytea NOT NULL,
    made_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (connection, name, version)
);

GRANT SELECT, INSERT, UPDATE, DELETE ON vault.subject_keys, vault.secrets TO {role};

CREATE FUNCTION vault.ensure_keys(subjects text[], proposed bytea[])
RETURNS TABLE (subject text, wrapped bytea)
LANGUAGE sql SECURITY DEFINER SET search_path = vault, pg_temp
AS $$
    INSERT INTO vault.subject_keys (subject, wrapped)
    SELECT * FROM unnest(subjects, proposed) ORDER BY 1
    ON CONFLICT (subject) DO NOTHING;
    SELECT k.subject, k.wrapped FROM vault.subject_keys AS k WHERE k.subject = ANY (subjects);
$$;

CREATE FUNCTION vault.keys_of(subjects text[])
RETURNS TABLE (subject text, wrapped bytea)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = vault, pg_temp
AS $$
    SELECT k.subject, k.wrapped FROM vault.subject_keys AS k WHERE k.subject = ANY (subjects);
$$;

CREATE FUNCTION vault.secret_of(of_connection text, of_name text, of_version int)
RETURNS bytea
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = vault, pg_temp
AS $$
    SELECT s.wrapped FROM vault.secrets AS s
    WHERE s.connection = of_connection AND s.name = of_name AND s.version = of_version;
$$;

REVOKE ALL ON FUNCTION vault.ensure_keys(text[], bytea[]) FROM PUBLIC;
REVOKE ALL ON FUNCTION vault.keys_of(text[]) FROM PUBLIC;
REVOKE ALL ON FUNCTION vault.secret_of(text, text, int) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION vault.ensure_keys(text[], bytea[]) TO {role};
GRANT EXECUTE ON FUNCTION vault.keys_of(text[]) TO {role};
GRANT EXECUTE ON FUNCTION vault.secret_of(text, text, int) TO {role};

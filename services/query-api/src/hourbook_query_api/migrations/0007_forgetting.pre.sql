-- A destroyed key: its row stays, without the key, so that none is ever made for that subject again.
-- Not even this service can bring one back.

UPDATE vault.subject_keys SET destroyed_at = now() WHERE wrapped IS NULL AND destroyed_at IS NULL;
ALTER TABLE vault.subject_keys
    ADD CONSTRAINT destroyed_is_without_key CHECK ((wrapped IS NULL) = (destroyed_at IS NOT NULL));

CREATE FUNCTION vault.destroy_keys(subjects text[])
RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = vault, pg_temp
AS $$
    INSERT INTO vault.subject_keys AS k (subject, destroyed_at)
    SELECT s, now() FROM unnest(subjects) AS s ORDER BY 1
    ON CONFLICT (subject) DO UPDATE SET wrapped = NULL, destroyed_at = excluded.destroyed_at
    WHERE k.destroyed_at IS NULL;
$$;
REVOKE ALL ON FUNCTION vault.destroy_keys(text[]) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION vault.destroy_keys(text[]) TO {role};

CREATE FUNCTION vault.refuse_to_bring_back()
RETURNS trigger
LANGUAGE plpgsql
AS $$
BEGIN
    RAISE EXCEPTION 'the key of % was destroyed, which nobody can undo', OLD.subject;
END $$;
CREATE TRIGGER destroyed_is_for_ever BEFORE UPDATE OR DELETE ON vault.subject_keys
    FOR EACH ROW WHEN (OLD.destroyed_at IS NOT NULL) EXECUTE FUNCTION vault.refuse_to_bring_back();

-- As the control topic says: who was to be forgotten, and whether it was done.
CREATE TABLE erasures (
    erasure text PRIMARY KEY,
    identities text[] NOT NULL,
    state text NOT NULL CHECK (state IN ('asked', 'withdrawn', 'erased')),
    asked_at timestamptz NOT NULL,
    asked_by text NOT NULL,
    ended_at timestamptz,
    ended_by text,
    keys int NOT NULL DEFAULT 0  -- destroyed by it
);
CREATE INDEX erasures_asked ON erasures (asked_at);
GRANT SELECT, INSERT, UPDATE, DELETE ON erasures TO {role};

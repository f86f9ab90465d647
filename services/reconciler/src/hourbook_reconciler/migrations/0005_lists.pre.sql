-- What lists are narrowed and counted by beside their order: an index that holds it answers without the rows.
CREATE INDEX entries_by_created ON entries (created_at, entry) INCLUDE (day);
CREATE INDEX entries_of_agent ON entries (agent_id, created_at, entry) INCLUDE (day, duration_seconds, changed_at);
CREATE INDEX entries_of_state ON entries (state, created_at, entry) INCLUDE (day, duration_seconds, changed_at);
-- Of the few entries that ask, what their questions are narrowed by.
CREATE INDEX entries_asking ON entries (entry) INCLUDE (agent_id, target, day, duration_seconds, ticket_number)
    WHERE state = 'asks';
ALTER TABLE conflicts ADD COLUMN held_target text GENERATED ALWAYS AS (held->'place'->>'target') STORED;
CREATE INDEX conflicts_asking ON conflicts (reason, subject) INCLUDE (entry, book, gen, opened_at, held_target)
    WHERE open;

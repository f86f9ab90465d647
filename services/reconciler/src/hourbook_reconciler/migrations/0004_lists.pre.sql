-- What lists are sorted by, in the order of their pages; numbers of tickets by their bytes, so that how one begins is
-- a range of it, whatever the database's own collation is.
CREATE INDEX entries_created ON entries (created_at, entry);
CREATE INDEX entries_duration ON entries (duration_seconds, entry);
CREATE INDEX entries_number ON entries (ticket_number COLLATE "C", entry);
CREATE INDEX entries_in_state ON entries (state, created_at, entry);
CREATE INDEX entries_by_agent ON entries (agent_id, created_at, entry);
CREATE INDEX tickets_by_number ON tickets (number COLLATE "C", book);
CREATE INDEX conflicts_open_reason ON conflicts (reason, subject) WHERE open;
CREATE INDEX conflicts_resolved ON conflicts ((coalesce(resolved_at, opened_at)), subject) WHERE NOT open;
-- Of the few answers and refusals among all messages.
CREATE INDEX history_resolved ON history (observed_at) WHERE type = 'hourbook.conflict_resolved.v1';
CREATE INDEX history_resolved_by ON history ((message->>'by'), observed_at) WHERE type = 'hourbook.conflict_resolved.v1';
CREATE INDEX history_refused ON history (subject) WHERE type = 'hourbook.push_refused.v1';

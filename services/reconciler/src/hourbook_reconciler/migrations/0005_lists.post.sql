-- The indexes of 0005_lists.pre.sql do what these did.
DROP INDEX entries_created;
DROP INDEX entries_by_agent;
DROP INDEX entries_in_state;
DROP INDEX conflicts_open_reason;

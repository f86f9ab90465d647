-- The indexes of 0004_lists.pre.sql do what these did.
DROP INDEX entries_ticket;
DROP INDEX entries_state;
DROP INDEX entries_agent;
DROP INDEX tickets_number;

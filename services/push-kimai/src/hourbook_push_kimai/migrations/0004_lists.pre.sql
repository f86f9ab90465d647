-- In the order they were queued, and of one ticket.
CREATE UNIQUE INDEX effects_queued ON effects (seq);
CREATE INDEX effects_book ON effects (book);

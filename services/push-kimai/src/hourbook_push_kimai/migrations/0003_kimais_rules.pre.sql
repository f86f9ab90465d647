-- A begin that was chosen for a Kimai which forbids overlap, and from when on Kimai takes a request at all.
ALTER TABLE effects ADD COLUMN begin_at timestamptz, ADD COLUMN not_before timestamptz;

-- What a Kimai's refusals and silences have taught: up to when it is locked, when it was suddenly empty,
-- and which answer about that a sweep has used up.
ALTER TABLE observed ADD COLUMN locked_until timestamptz, ADD COLUMN alarmed_at timestamptz,
    ADD COLUMN believed text;

-- Steps and directions of Kimai's rounding that agree with all it has answered so far, by the weekday (ISO)
-- on which a timesheet ends.
CREATE TABLE rounding (
    target text NOT NULL,
    weekday int NOT NULL,
    guesses jsonb NOT NULL,
    PRIMARY KEY (target, weekday)
);
GRANT SELECT, INSERT, UPDATE, DELETE ON rounding TO {role};

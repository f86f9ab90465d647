-- A read model of a million entries but for the tickets, as three years of sixty agents leave it. Every number
-- follows from the entry's own, and the seed makes chance the same each time.

SELECT setseed(0.42);

INSERT INTO book.entries
SELECT 'zammad:desk:' || n AS entry, 'zammad:desk:' || ticket AS book, 'zammad:desk:' || ticket || '/' || n AS posting,
    'desk' AS connection, '48' || lpad(ticket::text, 6, '0') AS ticket_number, agent AS agent_id,
    CASE WHEN n % 3 > 0 THEN n % 5 END AS activity_type_id, (seconds / 60)::text || '.0' AS raw_units,
    60 AS seconds_per_unit, seconds AS duration_seconds, at AS created_at, at AS updated_at,
    state = 'retracted' AS retracted, seconds AS net_seconds, state,
    CASE WHEN state = 'asks' THEN reasons[1 + n / 100 % cardinality(reasons)] END AS reason, 1 AS gen, work AS want,
    CASE WHEN told THEN work END AS held, CASE WHEN told THEN work END AS agreed_want,
    CASE WHEN told THEN work END AS agreed_held, CASE WHEN told THEN 'kimai' END AS agreed_by,
    CASE WHEN told THEN 'kimai:hours:' || n END AS sheet, 'hours' AS target, agent AS user_id, at::date AS day,
    at + age AS changed_at, ticket % 24 AS partition
FROM (
    SELECT drawn.*, state IN ('settled', 'asks') AS told,
        ARRAY['changed_in_kimai', 'closed_period', 'overlap', 'locked_in_kimai', 'unmapped_customer'] AS reasons,
        jsonb_build_object('place', jsonb_build_object('target', 'hours', 'user_id', agent, 'project_id', ticket % 400,
            'activity_id', n % 5), 'began_at', to_json(at - seconds * interval '1 second'), 'duration_seconds', seconds) AS work
    FROM (
        SELECT n, ticket, 3 + (60 * power(random(), 2))::int AS agent, random() * interval '2 days' AS age,
            CASE WHEN n % 97 = 0 THEN -300 ELSE 300 END * (1 + (60 * power(random(), 3))::int) AS seconds,
            date_trunc('second', now() - interval '3 years' * (1 - ticket / 250000.0) - random() * interval '4 days') AS at,
            CASE WHEN n % 83 = 0 THEN 'asks' WHEN n % 70 = 0 THEN 'retracted' WHEN n % 200 = 1 THEN 'held_back'
                WHEN n % 2000 = 3 THEN 'requested' ELSE 'settled' END AS state
        FROM (SELECT n, 1 + (n - 1) / 4 AS ticket FROM generate_series(1, 1000000) AS n) AS numbered
    ) AS drawn
) AS worked;

-- 12,000 open ones, and one was answered for every seventeenth entry.
INSERT INTO book.conflicts (subject, book, entry, gen, reason, want, held, candidates, opened_at, open, resolution,
    resolved_by, resolved_at)
SELECT posting, book, entry, gen, coalesce(reason, 'changed_in_kimai'), want, held, '[]', changed_at, state = 'asks',
    CASE WHEN state <> 'asks' THEN 'kimai' END, CASE WHEN state <> 'asks' THEN 'user:bench' END,
    CASE WHEN state <> 'asks' THEN changed_at + interval '1 hour' END
FROM book.entries WHERE state = 'asks' OR split_part(entry, ':', 3)::int % 17 = 0;

INSERT INTO push.timesheets (sheet, target, no, book, value)
SELECT sheet, target, 1, book, jsonb_build_object('locked', false) FROM book.entries WHERE sheet IS NOT NULL;

INSERT INTO book.history (partition, offset_, book, subject, type, ce_id, observed_at, message)
SELECT partition, row_number() OVER (PARTITION BY partition ORDER BY at, place), book, subject, type, subject || place, at, message
FROM (
    SELECT partition, 1 AS place, book, entry AS subject, 'hourbook.entry_recorded.v1' AS type, created_at AS at,
        jsonb_build_object('book', book, 'entry', entry, 'no', 1, 'agent_id', agent_id, 'raw_units', raw_units,
            'seconds_per_unit', 60, 'duration_seconds', duration_seconds, 'connection', 'desk', 'observed_at', created_at) AS message
    FROM book.entries
    UNION ALL
    SELECT partition, 2, book, posting, 'hourbook.timesheet_written.v1', changed_at,
        jsonb_build_object('book', book, 'posting', posting, 'gen', 1, 'no', 2, 'sheet', sheet, 'asked', want, 'stored', held,
            'sure', true, 'locked', false, 'connection', 'hours', 'observed_at', changed_at)
    FROM book.entries WHERE sheet IS NOT NULL
    UNION ALL
    SELECT 0, 3, book, subject, 'hourbook.conflict_resolved.v1', resolved_at,
        jsonb_build_object('book', book, 'posting', subject, 'gen', gen, 'choice', resolution, 'by', resolved_by,
            'want', want, 'held', held, 'connection', 'hours', 'observed_at', resolved_at)
    FROM book.conflicts WHERE NOT open
) AS told;

INSERT INTO ingest.deliveries (connection, delivery, ticket_id, first_at, last_at, times, last_offset, body_bytes)
SELECT 'desk', md5(n::text), 1 + n % 250000, at, at, 1, n, 900
FROM (SELECT n, now() - n * interval '50 seconds' AS at FROM generate_series(1, 50000) AS n) AS came;

INSERT INTO push.effects (posting, gen, book, target, user_id, day, op, request, state, attempt, tries, queued_at, done_at)
SELECT posting, gen, book, target, user_id, day, 'create', '{}', CASE WHEN sheet IS NULL THEN 'queued' ELSE 'done' END, 1, 1,
    changed_at, CASE WHEN sheet IS NOT NULL THEN changed_at END
FROM book.entries WHERE sheet IS NOT NULL OR state = 'requested' ORDER BY changed_at;

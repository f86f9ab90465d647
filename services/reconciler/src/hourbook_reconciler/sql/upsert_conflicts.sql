INSERT INTO book.conflicts (
    subject, book, entry, gen, reason, want, held, candidates, trace, opened_at, open,
    resolution, resolved_by, resolved_at, detail
)
SELECT * FROM unnest(
    $1::text[], $2::text[], $3::text[], $4::int[], $5::text[], $6::jsonb[], $7::jsonb[],
    $8::jsonb[], $9::jsonb[], $10::timestamptz[], $11::boolean[], $12::text[], $13::text[],
    $14::timestamptz[], $15::text[]
)
ON CONFLICT (subject) DO UPDATE SET
    book = excluded.book, entry = excluded.entry, gen = excluded.gen, reason = excluded.reason,
    want = excluded.want, held = excluded.held, candidates = excluded.candidates, trace =
    excluded.trace, opened_at = excluded.opened_at, open = excluded.open, resolution =
    excluded.resolution, resolved_by = excluded.resolved_by, resolved_at = excluded.resolved_at,
    detail = excluded.detail

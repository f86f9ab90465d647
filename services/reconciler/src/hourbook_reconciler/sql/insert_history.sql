INSERT INTO book.history (
    partition, offset_, book, subject, type, ce_id, observed_at, message, traceparent
)
SELECT * FROM unnest(
    $1::int[], $2::bigint[], $3::text[], $4::text[], $5::text[], $6::text[], $7::timestamptz[],
    $8::jsonb[], $9::text[]
)

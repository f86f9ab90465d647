INSERT INTO book.quarantine (
    partition, offset_, book, key, value, headers, type, error, kind, at
)
SELECT * FROM unnest(
    $1::int[], $2::bigint[], $3::text[], $4::bytea[], $5::bytea[], $6::jsonb[], $7::text[],
    $8::text[], $9::text[], $10::timestamptz[]
)

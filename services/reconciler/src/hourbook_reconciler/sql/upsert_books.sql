INSERT INTO book.books (
    book, partition, state, digest, halted, proposed
)
SELECT * FROM unnest(
    $1::text[], $2::int[], $3::text[], $4::text[], $5::text[], $6::jsonb[]
)
ON CONFLICT (book) DO UPDATE SET
    partition = excluded.partition, state = excluded.state, digest = excluded.digest, halted =
    excluded.halted, proposed = excluded.proposed

-- Of every table that a rebuild must give again: how many rows, and a sum over their hashes, which
-- no order of rows can change. A record's hash is a sum over its columns: hashed once more, what two
-- rows have exchanged changes it too. Proposals, revision and outbox are not part of it.
SELECT 'books' AS name, count(*) AS rows, sum(hashtextextended(hash_record_extended(t, 0)::text, 0)) AS hash
FROM (SELECT book, partition, state, digest, halted FROM book.books) AS t
UNION ALL
SELECT 'tickets', count(*), sum(hashtextextended(hash_record_extended(t, 0)::text, 0)) FROM book.tickets AS t
UNION ALL
SELECT 'entries', count(*), sum(hashtextextended(hash_record_extended(t, 0)::text, 0)) FROM book.entries AS t
UNION ALL
SELECT 'conflicts', count(*), sum(hashtextextended(hash_record_extended(t, 0)::text, 0)) FROM book.conflicts AS t
UNION ALL
SELECT 'history', count(*), sum(hashtextextended(hash_record_extended(t, 0)::text, 0)) FROM book.history AS t
UNION ALL
SELECT 'checkpoint', count(*), sum(hashtextextended(hash_record_extended(t, 0)::text, 0))
FROM (SELECT partition, next_offset, last_ce_id FROM book.checkpoint WHERE next_offset > 0) AS t

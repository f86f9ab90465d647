INSERT INTO book.checkpoint (partition, next_offset, policy_version, revision)
SELECT partition, 0, 0, 0 FROM unnest($1::int[]) AS missing (partition)
ORDER BY partition
ON CONFLICT (partition) DO NOTHING

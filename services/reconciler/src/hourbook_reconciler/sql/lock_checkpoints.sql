SELECT partition, next_offset, policy_version, last_ce_id
FROM book.checkpoint
WHERE partition = ANY ($1::int[])
ORDER BY partition
FOR UPDATE

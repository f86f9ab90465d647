UPDATE book.checkpoint AS c
SET next_offset = moved.next_offset,
    last_ce_id = moved.last_ce_id,
    policy_version = $4,
    cluster_id = coalesce($5, c.cluster_id),
    revision = c.revision + 1
FROM unnest($1::int[], $2::bigint[], $3::text[]) AS moved (partition, next_offset, last_ce_id)
WHERE c.partition = moved.partition

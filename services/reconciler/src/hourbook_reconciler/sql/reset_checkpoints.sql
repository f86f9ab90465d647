INSERT INTO book.checkpoint (
    partition, next_offset, policy_version, revision, last_ce_id, cluster_id
)
SELECT partition, next_offset, 0, 1, last_ce_id, $4
FROM unnest($1::int[], $2::bigint[], $3::text[]) AS read (partition, next_offset, last_ce_id)
ON CONFLICT (partition) DO UPDATE SET
    next_offset = excluded.next_offset,
    last_ce_id = excluded.last_ce_id,
    cluster_id = excluded.cluster_id,
    policy_version = CASE WHEN $5 THEN 0 ELSE checkpoint.policy_version END,
    revision = checkpoint.revision + 1

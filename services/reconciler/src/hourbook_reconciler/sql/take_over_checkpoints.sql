INSERT INTO book_next.checkpoint AS n (
    partition, next_offset, policy_version, revision, last_ce_id, cluster_id
)
SELECT partition, next_offset, policy_version, revision + 1, last_ce_id, cluster_id
FROM book.checkpoint
ON CONFLICT (partition) DO UPDATE SET
    policy_version = excluded.policy_version, revision = excluded.revision

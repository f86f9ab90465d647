SELECT partition, next_offset, last_ce_id, cluster_id
FROM book.checkpoint
ORDER BY partition

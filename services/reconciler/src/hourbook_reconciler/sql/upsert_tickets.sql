INSERT INTO book.tickets (
    book, number, title, organization_id, customer_id, group_id, tags, merged_into
)
SELECT book, number, title, organization_id, customer_id, group_id,
    ARRAY(SELECT jsonb_array_elements_text(tags)), merged_into
FROM unnest(
    $1::text[], $2::text[], $3::jsonb[], $4::bigint[], $5::bigint[], $6::bigint[], $7::jsonb[],
    $8::text[]
) AS read (book, number, title, organization_id, customer_id, group_id, tags, merged_into)
ON CONFLICT (book) DO UPDATE SET
    number = excluded.number, title = excluded.title,
    organization_id = excluded.organization_id, customer_id = excluded.customer_id,
    group_id = excluded.group_id, tags = excluded.tags, merged_into = excluded.merged_into

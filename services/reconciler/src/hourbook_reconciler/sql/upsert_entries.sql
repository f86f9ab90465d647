INSERT INTO book.entries (
    entry, book, posting, connection, ticket_number, agent_id, activity_type_id, raw_units,
    seconds_per_unit, duration_seconds, created_at, updated_at, retracted, net_seconds, state,
    reason, gen, want, held, agreed_want, agreed_held, agreed_by, sheet, target, user_id, day,
    changed_at, partition
)
SELECT * FROM unnest(
    $1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::bigint[], $7::bigint[],
    $8::text[], $9::bigint[], $10::bigint[], $11::timestamptz[], $12::timestamptz[],
    $13::boolean[], $14::bigint[], $15::text[], $16::text[], $17::int[], $18::jsonb[],
    $19::jsonb[], $20::jsonb[], $21::jsonb[], $22::text[], $23::text[], $24::text[],
    $25::bigint[], $26::date[], $27::timestamptz[], $28::int[]
)
ON CONFLICT (entry) DO UPDATE SET
    book = excluded.book, posting = excluded.posting, connection = excluded.connection,
    ticket_number = excluded.ticket_number, agent_id = excluded.agent_id, activity_type_id =
    excluded.activity_type_id, raw_units = excluded.raw_units, seconds_per_unit =
    excluded.seconds_per_unit, duration_seconds = excluded.duration_seconds, created_at =
    excluded.created_at, updated_at = excluded.updated_at, retracted = excluded.retracted,
    net_seconds = excluded.net_seconds, state = excluded.state, reason = excluded.reason, gen =
    excluded.gen, want = excluded.want, held = excluded.held, agreed_want =
    excluded.agreed_want, agreed_held = excluded.agreed_held, agreed_by = excluded.agreed_by,
    sheet = excluded.sheet, target = excluded.target, user_id = excluded.user_id, day =
    excluded.day, changed_at = excluded.changed_at, partition = excluded.partition

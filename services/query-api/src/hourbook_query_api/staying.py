"""What stays of a person after an erasure, how much of it, and why."""

from collections.abc import Sequence

import asyncpg

from hourbook_query_api.shown import Shown
from hourbook_query_api.whose import Identities

Connection = asyncpg.Connection | asyncpg.pool.PoolConnectionProxy

_BILLED = (
    "Durations, days and ids are what invoices rest on: law on accounting records keeps them for years"
    " (in Germany § 147 AO and § 257 HGB, which Article 17 (3) (b) GDPR respects). No name stands by them."
)
_WHY = {
    "time_booked": _BILLED,
    "time_spent_for": _BILLED,
    "tickets": "Numbers and ids of tickets, without their titles: they tell for what was billed.",
    "answers": "Who decided is part of the explanation of each billed minute; by an id, without the comment.",
    "acts": "What was set and when, by an id: without it nobody could tell why something was billed.",
    "comments_of_others": "They are sealed under their authors' keys: erase those, or leave them.",
    "rules": "Rules of the policy hold ids; remove them under Mappings when nobody books there any more.",
}
_ALWAYS = {
    "other_systems": (
        "Zammad and Kimai keep what they hold, descriptions of timesheets too: erase the person there as well."
    ),
    "backups": "Backups made before hold the keys: keep them no longer than you must.",
}
_COUNTS = """
SELECT
    (SELECT count(*) FROM book.entries
        WHERE (connection, agent_id) IN (SELECT * FROM unnest($1::text[], $2::bigint[]))
        OR (target, user_id) IN (SELECT * FROM unnest($3::text[], $4::bigint[]))) AS time_booked,
    (SELECT count(*) FROM book.entries WHERE book = ANY ($6)) AS time_spent_for,
    (SELECT count(*) FROM book.tickets WHERE book = ANY ($6)) AS tickets,
    (SELECT count(*) FROM book.history WHERE type = 'hourbook.conflict_resolved.v1'
        AND message->>'by' = ANY ($5)) AS answers,
    (SELECT count(*) FROM control.events WHERE said_by = ANY ($5)) AS acts,
    (SELECT count(*) FROM book.history WHERE type = 'hourbook.conflict_resolved.v1'
        AND book = ANY ($6) AND NOT message->>'by' = ANY ($5)
        AND jsonb_typeof(message->'comment') = 'object') AS comments_of_others,
    (SELECT count(*) FROM control.mappings
        WHERE (kind = 'worker' AND ((source, source_key) IN (
                SELECT c, id::text FROM unnest($1::text[], $2::bigint[]) AS p (c, id))
            OR (target, target_id) IN (SELECT * FROM unnest($3::text[], $4::bigint[]))))
        OR (kind = 'customer' AND (source, source_key) IN (
            SELECT c, 'customer:' || id FROM unnest($1::text[], $2::bigint[]) AS p (c, id)))) AS rules
"""


class Stay(Shown):
    what: str
    """An open string: `time_booked`, `tickets`, `other_systems` and the like."""
    count: int | None
    """Null where it cannot be counted here."""
    why: str


async def stays(connection: Connection, theirs: Identities, books: Sequence[str]) -> list[Stay]:
    (row,) = await connection.fetch(_COUNTS, *theirs, list(books))
    counted = [Stay(what=what, count=row[what], why=why) for what, why in _WHY.items() if row[what]]
    return [*counted, *(Stay(what=what, count=None, why=why) for what, why in _ALWAYS.items())]

"""Whose text a ticket's is: all books of which the person is, or ever was, the customer."""

import asyncpg

from hourbook_query_api.whose import Identities

Connection = asyncpg.Connection | asyncpg.pool.PoolConnectionProxy

PATIENCE = "SET LOCAL statement_timeout = '15min'"
"""All of history is looked through: seconds for a million facts."""

_ALL = """
WITH people AS (SELECT * FROM unnest($1::text[], $2::bigint[]) AS p (connection, id)),
kimais AS (SELECT * FROM unnest($3::text[], $4::bigint[]) AS p (connection, id)),
theirs AS (
    SELECT t.book FROM book.tickets AS t JOIN people AS p
        ON t.customer_id = p.id AND split_part(t.book, ':', 2) = p.connection
    UNION
    SELECT h.book FROM book.history AS h JOIN people AS p
        ON (h.message #>> '{ticket,customer_id}')::bigint = p.id
        AND split_part(h.book, ':', 2) = p.connection
        WHERE h.type IN ('hourbook.ticket_observed.v1', 'hourbook.entry_recorded.v1')
    UNION
    SELECT h.book FROM book.history AS h JOIN kimais AS p
        ON (h.message #>> '{work,place,user_id}')::bigint = p.id
        AND split_part(h.book, ':', 2) = p.connection
        WHERE h.type = 'hourbook.timesheet_observed.v1' AND h.book LIKE 'kimai:%'
),
merged AS (
    SELECT DISTINCT book, message->>'merged_into' AS into_book FROM book.history
    WHERE type = 'hourbook.ticket_observed.v1' AND message->>'merged_into' IS NOT NULL
)
SELECT book FROM theirs
UNION SELECT m.book FROM merged AS m WHERE m.into_book IN (SELECT book FROM theirs)
UNION SELECT m.into_book FROM merged AS m WHERE m.book IN (SELECT book FROM theirs)
    AND NOT EXISTS (SELECT FROM book.tickets AS t WHERE t.book = m.into_book)
"""
"""Titles travel by merges: a ticket's timesheets name the one it went into, and that one may have no book."""

_NEW = """
SELECT t.book FROM book.tickets AS t
    JOIN unnest($1::text[], $2::bigint[]) AS p (connection, id)
        ON t.customer_id = p.id AND split_part(t.book, ':', 2) = p.connection
    LEFT JOIN vault.subject_keys AS k ON k.subject = t.book
WHERE k.destroyed_at IS NULL
"""


async def books_of(connection: Connection, theirs: Identities) -> list[str]:
    """In a transaction of its own."""
    await connection.execute(PATIENCE)
    rows = await connection.fetch(
        _ALL,
        theirs.sources,
        theirs.source_users,
        theirs.kimai_connections,
        theirs.kimai_users,
    )
    return sorted(row["book"] for row in rows)


async def late_books(connection: Connection, theirs: Identities) -> list[str]:
    """Tickets of people who were erased that came afterwards, and whose keys are there still."""
    rows = await connection.fetch(_NEW, theirs.sources, theirs.source_users)
    return sorted({row["book"] for row in rows})

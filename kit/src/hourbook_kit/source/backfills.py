"""What ingest remembers of backfills: which tickets are to be read again, and which were."""

from collections.abc import Collection
from dataclasses import dataclass

import asyncpg

from hourbook_contracts.installation import Backfill

_TICKETS = """
INSERT INTO ingest.backfill_tickets (connection, backfill, ticket_id)
SELECT $1, $2, ticket_id FROM unnest($3::bigint[]) AS listed (ticket_id)
ON CONFLICT DO NOTHING
"""
_NEXT = """
UPDATE ingest.backfill_tickets AS t SET asked_at = clock_timestamp()
FROM (
    SELECT ticket_id FROM ingest.backfill_tickets
    WHERE connection = $1 AND backfill = $2 AND read_at IS NULL
        AND (asked_at IS NULL OR asked_at < clock_timestamp() - $4 * interval '1 second')
    ORDER BY ticket_id LIMIT $3
) AS next
WHERE t.connection = $1 AND t.backfill = $2 AND t.ticket_id = next.ticket_id
RETURNING t.ticket_id
"""
_FINISH = """
UPDATE ingest.backfills AS b SET finished_at = clock_timestamp(), tickets_read = done.read,
    tickets_failed = done.failed
FROM (
    SELECT count(*) AS read, count(*) FILTER (WHERE failed) AS failed FROM ingest.backfill_tickets
    WHERE connection = $1 AND backfill = $2
) AS done
WHERE b.connection = $1 AND b.id = $2
"""


@dataclass(frozen=True, slots=True)
class Progress:
    listed: bool
    finished: bool


class Backfills:
    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool

    async def begin(self, connection: str, backfill: Backfill) -> Progress:
        """Note it, if it is not yet; gives how far it is."""
        (row,) = await self._pool.fetch(
            "INSERT INTO ingest.backfills AS b (connection, id, first_on, last_on, requested_at)"
            " VALUES ($1, $2, $3, $4, $5) ON CONFLICT (connection, id) DO UPDATE SET id = b.id"
            " RETURNING listed_at IS NOT NULL AS listed, finished_at IS NOT NULL AS finished",
            connection,
            backfill.id,
            *backfill.days,
            backfill.requested.observed_at,
        )
        return Progress(listed=row["listed"], finished=row["finished"])

    async def listed(self, connection: str, backfill: int, tickets: Collection[int]) -> None:
        async with self._pool.acquire() as held, held.transaction():
            await held.execute(_TICKETS, connection, backfill, sorted(tickets))
            await held.execute(
                "UPDATE ingest.backfills SET listed_at = clock_timestamp(), tickets = $3"
                " WHERE connection = $1 AND id = $2",
                connection,
                backfill,
                len(tickets),
            )

    async def ask_anew(self, connection: str, backfill: int) -> None:
        """Whoever takes it up cannot know whether what was noted as asked for reached the inbox."""
        await self._pool.execute(
            "UPDATE ingest.backfill_tickets SET asked_at = NULL"
            " WHERE connection = $1 AND backfill = $2 AND read_at IS NULL",
            connection,
            backfill,
        )

    async def next(
        self, connection: str, backfill: int, *, rows: int, again_after_seconds: float
    ) -> list[int]:
        """The next tickets to ask for; what was asked for and not read is asked for once more."""
        found = await self._pool.fetch(_NEXT, connection, backfill, rows, again_after_seconds)
        return [row["ticket_id"] for row in found]

    async def unread(self, connection: str, backfill: int) -> int:
        """How many are asked for and not yet read."""
        found = await self._pool.fetchval(
            "SELECT count(*) FROM ingest.backfill_tickets"
            " WHERE connection = $1 AND backfill = $2 AND read_at IS NULL AND asked_at IS NOT NULL",
            connection,
            backfill,
        )
        return int(found)

    async def was_read(self, connection: str, ticket_id: int, *, failed: bool) -> None:
        """By the inbox; in whatever backfills it is asked for."""
        await self._pool.execute(
            "UPDATE ingest.backfill_tickets SET read_at = clock_timestamp(), failed = $3"
            " WHERE connection = $1 AND ticket_id = $2 AND read_at IS NULL AND asked_at IS NOT NULL",
            connection,
            ticket_id,
            failed,
        )

    async def finished(self, connection: str, backfill: int) -> None:
        async with self._pool.acquire() as held, held.transaction():
            await held.execute(_FINISH, connection, backfill)
            await held.execute(
                "DELETE FROM ingest.backfill_tickets WHERE connection = $1 AND backfill = $2",
                connection,
                backfill,
            )

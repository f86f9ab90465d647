"""Where the watching of each source stands: its cursors, its alarms, what it calls a unit."""

from dataclasses import dataclass
from datetime import datetime

import asyncpg

from hourbook_contracts.codec import encode
from hourbook_contracts.control import AlarmAnswered, AlarmRaised
from hourbook_contracts.topics import CONTROL
from hourbook_contracts.zammad.units import SaidUnit
from hourbook_kit import outbox
from hourbook_kit.source.store import SCHEMA

_SAID = """
INSERT INTO ingest.sources (connection, unit_said, switched_on, unit_seen_at)
VALUES ($1, $2, $3, clock_timestamp()) ON CONFLICT (connection) DO UPDATE SET
    unit_said = excluded.unit_said, switched_on = excluded.switched_on,
    unit_seen_at = excluded.unit_seen_at
"""


@dataclass(frozen=True, slots=True)
class Standing:
    """Where the watching of a source stands."""

    cursor: datetime | None = None
    tickets_cursor: datetime | None = None
    alarmed_at: datetime | None = None
    believed: str | None = None


@dataclass(frozen=True, slots=True)
class UnitSeen:
    """What it called a unit, and when it was last seen to."""

    text: str
    seen_at: datetime


class Sources:
    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool

    async def standing(self, connection: str) -> Standing:
        row = await self._pool.fetchrow(
            "SELECT cursor, tickets_cursor, alarmed_at, believed FROM ingest.sources WHERE connection = $1",
            connection,
        )
        return Standing(**row) if row else Standing()

    async def polled(
        self, connection: str, cursor: datetime | None, tickets_cursor: datetime | None
    ) -> None:
        await self._pool.execute(
            "INSERT INTO ingest.sources AS s (connection, cursor, tickets_cursor, polled_at)"
            " VALUES ($1, $2, $3, clock_timestamp()) ON CONFLICT (connection) DO UPDATE SET"
            " cursor = greatest(s.cursor, excluded.cursor),"
            " tickets_cursor = greatest(s.tickets_cursor, excluded.tickets_cursor),"
            " polled_at = excluded.polled_at",
            connection,
            cursor,
            tickets_cursor,
        )

    async def swept(
        self, connection: str, believed: str | None, withdrawn: AlarmAnswered | None
    ) -> None:
        """A sweep has ended well: no alarm stands, and the answer that let it through is used up."""
        async with self._pool.acquire() as held, held.transaction():
            await held.execute(
                "INSERT INTO ingest.sources AS s (connection, swept_at, believed)"
                " VALUES ($1, clock_timestamp(), $2) ON CONFLICT (connection) DO UPDATE SET"
                " swept_at = excluded.swept_at, alarmed_at = NULL,"
                " believed = coalesce(excluded.believed, s.believed)",
                connection,
                believed,
            )
            if withdrawn is not None:
                await outbox.put(held, SCHEMA, CONTROL.name, [encode(withdrawn)])

    async def alarm(self, alarm: AlarmRaised) -> bool:
        """Raise it, once an episode; gives whether this was the first time."""
        async with self._pool.acquire() as held, held.transaction():
            first = await held.fetchval(
                "INSERT INTO ingest.sources AS s (connection, alarmed_at) VALUES ($1, $2)"
                " ON CONFLICT (connection) DO UPDATE SET alarmed_at = excluded.alarmed_at"
                " WHERE s.alarmed_at IS NULL RETURNING true",
                alarm.connection,
                alarm.observed_at,
            )
            if first:
                await outbox.put(held, SCHEMA, CONTROL.name, [encode(alarm)])
        return bool(first)

    async def unit_said(self, connection: str) -> UnitSeen | None:
        row = await self._pool.fetchrow(
            "SELECT unit_said AS text, unit_seen_at AS seen_at FROM ingest.sources"
            " WHERE connection = $1 AND unit_said IS NOT NULL AND unit_seen_at IS NOT NULL",
            connection,
        )
        return UnitSeen(**row) if row else None

    async def unit_seen(self, connection: str, said: SaidUnit | None) -> None:
        """None: we are not told, and keep what we were told last."""
        if said is not None:
            await self._pool.execute(_SAID, connection, said.text, said.switched_on)

    async def unit_alarm(self, alarm: AlarmRaised, said: SaidUnit) -> None:
        async with self._pool.acquire() as held, held.transaction():
            await held.execute(_SAID, alarm.connection, said.text, said.switched_on)
            await outbox.put(held, SCHEMA, CONTROL.name, [encode(alarm)])

"""The control topic as rows of the schema `control`: rebuilt from it whenever they are not its own.

Rows are written from the installation that every service folds (`hourbook_contracts.installation`),
so this API shows exactly what the others go by.
"""

import asyncio
import json
from typing import Any

import asyncpg
import structlog

from hourbook_contracts.control import (
    ConnectionEvent,
    ControlEvent,
    MappingRemoved,
    MappingSet,
    SyncRequested,
)
from hourbook_contracts.house import RunEnded, RunMissed, ScheduleSet
from hourbook_contracts.installation import Installation, Source, Target
from hourbook_contracts.privacy import ErasureEvent
from hourbook_kit.postgres import TRANSIENT
from hourbook_query_api.forgetting import forget
from hourbook_query_api.run_rows import write_run

log = structlog.get_logger()

VERSION = 4
"""Of the rows' shape; another one than the stored makes them anew."""

Connection = asyncpg.Connection | asyncpg.pool.PoolConnectionProxy


class _MadeAnewError(Exception):
    """The rows end before what this process has seen written."""


PASSING: tuple[type[BaseException], ...] = (*TRANSIENT, _MadeAnewError)


class Projection:
    """Writes each event once, wherever a start begins to read; tells who waits for an offset."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool
        self.next_offset = 0
        self._moved = asyncio.Event()

    async def begin(self, cluster_id: str, end: int) -> None:
        """Go on where the rows end, or from the beginning where they are another log's."""
        async with self._pool.acquire() as connection, connection.transaction():
            row = await connection.fetchrow("SELECT * FROM control.checkpoint FOR UPDATE")
            ours = (
                row is not None
                and (row["cluster_id"], row["version"]) == (cluster_id, VERSION)
                and row["next_offset"] <= end
            )
            self.next_offset = row["next_offset"] if row is not None and ours else 0
            if not ours:
                log.info("control_projection_begins_anew", cluster_id=cluster_id)
                await _forget(connection, cluster_id)

    async def learn(self, event: ControlEvent, offset: int, known: Installation) -> None:
        """Write what this event changed; nothing may be skipped.

        So it waits while the database is away, and while another process makes the rows anew: that
        one comes to this event too.
        """
        while offset >= self.next_offset:
            try:
                await self._write(event, offset, known)
            except PASSING as error:
                log.warning("control_projection_waits", error=type(error).__name__)
                await asyncio.sleep(0.5)
            else:
                self.next_offset = offset + 1
        moved, self._moved = self._moved, asyncio.Event()
        moved.set()

    async def until(self, offset: int, *, seconds: float) -> bool:
        """Whether the rows hold the event at this offset within that time."""
        try:
            async with asyncio.timeout(seconds):
                while self.next_offset <= offset:
                    await self._moved.wait()
        except TimeoutError:
            return False
        return True

    async def _write(self, event: ControlEvent, offset: int, known: Installation) -> None:
        async with self._pool.acquire() as connection, connection.transaction():
            stored = await connection.fetchval(
                "SELECT next_offset FROM control.checkpoint FOR UPDATE"
            )
            if stored > offset:  # another process wrote it
                return
            if stored < self.next_offset:
                raise _MadeAnewError
            await connection.execute("UPDATE control.checkpoint SET next_offset = $1", offset + 1)
            await _write_event(connection, event, offset)
            if isinstance(event, ConnectionEvent):
                await _write_connection(connection, event, offset, known)
            if isinstance(event, MappingSet | MappingRemoved):
                await _write_mapping(connection, event, offset)
            if isinstance(event, ScheduleSet | SyncRequested | RunMissed | RunEnded):
                await write_run(connection, event, offset)
            if isinstance(event, ErasureEvent):
                await forget(connection, event)


async def _forget(connection: Connection, cluster_id: str) -> None:
    for table in (
        "checkpoint",
        "connections",
        "mappings",
        "events",
        "schedule",
        "runs",
        "erasures",
    ):
        await connection.execute(f"DELETE FROM control.{table}")  # noqa: S608 -- names from the line above
    await connection.execute(
        "INSERT INTO control.checkpoint (next_offset, cluster_id, version) VALUES (0, $1, $2)",
        cluster_id,
        VERSION,
    )


async def _write_event(connection: Connection, event: ControlEvent, offset: int) -> None:
    await connection.execute(
        "INSERT INTO control.events (offset_, type, subject, observed_at, said_by, message)"
        " VALUES ($1, $2, $3, $4, $5, $6)",
        offset,
        event.TYPE,
        event.subject,
        event.observed_at,
        event.by,
        event.model_dump_json(),
    )


async def _write_connection(
    connection: Connection, event: ConnectionEvent, offset: int, known: Installation
) -> None:
    row = connection_row(known, event.connection)
    if row is None:
        await connection.execute(
            "DELETE FROM control.connections WHERE name = $1", event.connection
        )
        return
    columns = {
        **row,
        "name": event.connection,
        "changed_at": event.observed_at,
        "changed_by": event.by,
        "offset_": offset,
    }
    names = ", ".join(columns)
    places = ", ".join(f"${number + 1}" for number in range(len(columns)))
    updates = ", ".join(f"{name} = EXCLUDED.{name}" for name in columns if name != "name")
    await connection.execute(
        f"INSERT INTO control.connections ({names}) VALUES ({places})"  # noqa: S608 -- our own columns' names
        f" ON CONFLICT (name) DO UPDATE SET {updates}",
        *columns.values(),
    )


def connection_row(known: Installation, name: str) -> dict[str, Any] | None:
    """What stands of this connection now; None where it is no longer, or never was, configured."""
    if source := known.sources.get(name):
        return _source_row(source)
    if target := known.targets.get(name):
        return _target_row(target)
    return None


def _source_row(source: Source) -> dict[str, Any]:
    return {
        "kind": source.configured.kind,
        "configured": source.configured.model_dump_json(),
        "units": json.dumps([unit.model_dump(mode="json") for unit in source.units]),
        "alarms": json.dumps([alarm.model_dump(mode="json") for alarm in source.alarms]),
        "closed": "[]",
        "learned": "null",
        "writing": False,
        "start_on": None,
    }


def _target_row(target: Target) -> dict[str, Any]:
    closed = [
        {"first_on": first.isoformat(), "last_on": last.isoformat()}
        for first, last in target.closed
    ]
    return {
        "kind": target.configured.kind,
        "configured": target.configured.model_dump_json(),
        "units": "[]",
        "alarms": json.dumps([alarm.model_dump(mode="json") for alarm in target.alarms]),
        "closed": json.dumps(closed),
        "learned": "null" if target.learned is None else target.learned.model_dump_json(),
        "writing": target.writing,
        "start_on": target.start_on,
    }


async def _write_mapping(
    connection: Connection, event: MappingSet | MappingRemoved, offset: int
) -> None:
    await connection.execute("DELETE FROM control.mappings WHERE mapping = $1", event.mapping)
    if isinstance(event, MappingRemoved):
        return
    await connection.execute(
        "DELETE FROM control.mappings WHERE (kind, source, source_key) = ($1, $2, $3)",
        event.kind,
        event.source,
        event.source_key,
    )
    await connection.execute(
        "INSERT INTO control.mappings VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
        event.mapping,
        event.kind,
        event.source,
        event.source_key,
        event.target,
        event.target_id,
        event.time_zone,
        event.observed_at,
        event.by,
        offset,
    )

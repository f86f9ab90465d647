"""A first sync of 300 entries, and a look that finds nothing new, with peers that take 20 ms to answer."""

import asyncio
from datetime import datetime
from pathlib import Path
from statistics import median

import asyncpg

from bench.figures import Figure, less_is_better
from bench.world import World, eventually, world
from hourbook_cli.demo_setup import let_begin
from hourbook_kit import clock

ENTRIES, LATENCY_SECONDS, LOOKS = 300, 0.02, 5
NEVER_SECONDS = 86_400
FIRST_SECONDS, CALLS_PER_ENTRY = 3.0, 1.5
UNCHANGED_SECONDS, UNCHANGED_CALLS = 0.2, 3
POLLED = "SELECT polled_at FROM ingest.sources UNION ALL SELECT polled_at FROM push.observed"


async def measure(folder: Path) -> list[Figure]:
    async with world(folder, seed="bench", stage="connected") as here:
        await here.poll_every(NEVER_SECONDS)
        await here.slow_down(LATENCY_SECONDS)
        await asyncio.sleep(2)  # what was just set is read by the services
        await here.forget_calls()
        seconds = await _first_sync(here)
        calls = await here.calls(here.kimai)
        return [
            less_is_better("first_sync", seconds, "s", FIRST_SECONDS),
            less_is_better("calls_per_entry", calls / ENTRIES, "calls", CALLS_PER_ENTRY),
            *await _unchanged(here),
        ]


async def _first_sync(here: World) -> float:
    """From the word that lets it begin until the last of the timesheets stands."""
    began = clock.now()
    await let_begin(here.api)

    connection = await asyncpg.connect(here.stack.admin_dsn)  # one: each costs what is measured

    async def all_written() -> bool:
        done = await connection.fetchval("SELECT count(*) FROM push.effects WHERE state = 'done'")
        return int(done) >= ENTRIES

    try:
        await eventually(all_written, seconds=60, what="300 timesheets")
    finally:
        await connection.close()
    rows = await here.timesheets()
    assert len(rows) == ENTRIES, len(rows)  # noqa: S101 -- else something else was measured
    return (max(map(_committed, rows)) - began).total_seconds()


def _committed(row: dict[str, str]) -> datetime:
    return datetime.fromisoformat(row["committed_at"])


async def _unchanged(here: World) -> list[Figure]:
    """The median look, and the most calls that one took."""
    await eventually(here.is_quiet, seconds=30, what="quiet")
    seconds, calls = [], []
    connection = await asyncpg.connect(here.stack.admin_dsn)
    try:
        for _ in range(LOOKS + 1):
            await asyncio.sleep(1)
            await here.forget_calls()
            seconds.append(await _look(here, connection))
            await asyncio.sleep(0.3)  # a call that came late counts as well
            calls.append(await here.calls(here.zammad, here.kimai))
    finally:
        await connection.close()
    return [
        less_is_better("unchanged_sync", median(seconds[1:]), "s", UNCHANGED_SECONDS),
        less_is_better("calls_unchanged", max(calls), "calls", UNCHANGED_CALLS),
    ]


async def _look(here: World, connection: asyncpg.Connection) -> float:
    """From the wish for a look until both sides were looked at."""
    began = clock.now()
    await here.api.post("/api/sync/manual", {"what": "poll"})

    async def both() -> bool:
        return min(await _polled(connection)) >= began

    await eventually(both, what="a look at both sides")
    return (max(await _polled(connection)) - began).total_seconds()


async def _polled(connection: asyncpg.Connection) -> list[datetime]:
    return [row["polled_at"] for row in await connection.fetch(POLLED)]

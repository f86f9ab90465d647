"""Observes a Kimai: what its rows hold, whoever wrote them, and which of ours are gone.

A poll follows what was modified; a sweep reads a window whole and finds deletions and rows that were
exported in bulk, neither of which leaves a trace in a poll (kimai-api.md 7).
"""

import asyncio
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

import structlog

from hourbook_contracts.installation import Target
from hourbook_kit import clock
from hourbook_kit.postgres import TRANSIENT
from hourbook_kit.target.protocol import BrokenWorldError
from hourbook_push_kimai import readings
from hourbook_push_kimai.missing import Missing
from hourbook_push_kimai.observe import belief, is_suddenly_empty, missing
from hourbook_push_kimai.taking import Taking
from hourbook_push_kimai.world import World

log = structlog.get_logger()

OVERLAP = timedelta(minutes=5)
"""Kimai stamps a change before it commits it, with its own clock."""
LOOKBACK = timedelta(days=45)
EVERYTHING_SINCE = datetime(2000, 1, 1, tzinfo=UTC)


@dataclass
class Asked:
    """The last wishes that were seen to: offsets of control events, and whether writing was on."""

    sync: int = -1
    sweep: int = -1
    writing: bool = False


class Since(NamedTuple):
    """Seconds since the last poll and the last sweep, and the answer to an alarm that one used up."""

    polled: float | None = None
    swept: float | None = None
    believed: str | None = None


@dataclass
class Observer:
    world: World
    taking: Taking
    missing: Missing

    async def run(self) -> None:
        await self.world.caught_up.wait()
        asked = Asked()
        while True:
            await self.world.well.wait()
            changed = (
                self.world.control.changed
            )  # first: what is told while we look is not slept over
            pause = 1.0
            try:
                pause = await self._observe(asked)
            except BrokenWorldError as error:
                await self.world.broken(str(error))
            except TRANSIENT as error:
                log.warning("observer_waits_for_database", error=type(error).__name__)
            with suppress(TimeoutError):
                async with asyncio.timeout(pause):
                    await changed.wait()

    async def _observe(self, asked: Asked) -> float:
        """Poll or sweep where it is time to, or somebody asks; gives the seconds until the next."""
        target = self.world.target
        if target is None:
            return 5.0
        settings = target.configured
        since = await self._since()
        wished = target.sync_asked > asked.sync or (target.writing and not asked.writing)
        sweep = (
            since.swept is None
            or since.swept >= settings.sweep_seconds
            or target.sweep_asked > asked.sweep >= 0
            or belief(target, since.believed) is not None
        )
        if sweep or wished or since.polled is None or since.polled >= settings.poll_seconds:
            rules = await (self.world.learn_rules() if sweep else self.world.known_rules())
            if rules.unfit is not None:
                return 1.0
            if sweep:
                await self.sweep(target, since.believed)
            else:
                await self.poll()
        asked.sync, asked.sweep, asked.writing = (
            target.sync_asked,
            target.sweep_asked,
            target.writing,
        )
        polled = (await self._since()).polled
        return max(0.05, settings.poll_seconds - (polled or 0.0))

    async def _since(self) -> Since:
        """By the database's clock."""
        row = await self.world.pool.fetchrow(
            "SELECT extract(epoch FROM clock_timestamp() - polled_at)::float8 AS polled,"
            " extract(epoch FROM clock_timestamp() - swept_at)::float8 AS swept, believed"
            " FROM push.observed WHERE target = $1",
            self.world.name,
        )
        return Since(row["polled"], row["swept"], row["believed"]) if row else Since()

    async def poll(self) -> None:
        """What was modified since the last one; a row that waits for its answer is read again."""
        pool, name = self.world.pool, self.world.name
        cursor = await pool.fetchval("SELECT cursor_at FROM push.observed WHERE target = $1", name)
        no, began_at = await readings.next_no(pool), clock.now()
        seen = await self.world.kimai.modified_since((cursor or began_at - LOOKBACK) - OVERLAP)
        await self.world.saw(seen.rows)
        held_back = await self.taking.take(seen.rows, no)
        await pool.execute(
            "INSERT INTO push.observed (target, cursor_at, polled_at) VALUES ($1, $2, clock_timestamp())"
            " ON CONFLICT (target) DO UPDATE SET polled_at = excluded.polled_at,"
            " cursor_at = coalesce(excluded.cursor_at, observed.cursor_at)",
            name,
            cursor if held_back else min(began_at, seen.asked_at or began_at),
        )

    async def sweep(self, target: Target, believed: str | None) -> None:
        """All rows since the oldest of ours; what is missing among ours is asked for by its id."""
        world, pool, name = self.world, self.world.pool, self.world.name
        caller = await world.kimai.me()
        known = await readings.known_to_live(pool, name)
        no, began_at = await readings.next_no(pool), clock.now()
        since = await self._oldest(began_at - LOOKBACK)
        rows = await world.kimai.begun_since(since, caller)
        await world.saw(rows)
        held_back = await self.taking.take(rows, no)
        word = belief(target, believed)
        gone = missing(known, [row.sheet(name) for row in rows])
        empty = is_suddenly_empty(missing=len(gone), known=len(known), shown=len(rows))
        if empty and word is None:
            await self.missing.alarm(missing=len(gone), known=len(known))
        else:
            await self.missing.ask({sheet: known[sheet] for sheet in gone})
            await self.missing.well_again(target, word)
        await world.directory.refresh()
        await world.check_lock()
        await pool.execute(
            "INSERT INTO push.observed (target, cursor_at, polled_at, swept_at)"
            " VALUES ($1, $2, clock_timestamp(), clock_timestamp())"
            " ON CONFLICT (target) DO UPDATE SET polled_at = excluded.polled_at, swept_at = excluded.swept_at,"
            " cursor_at = coalesce(observed.cursor_at, excluded.cursor_at)",
            name,
            None if held_back else began_at,
        )

    async def _oldest(self, otherwise: datetime) -> datetime:
        """When the oldest row of ours begins; where one was not read since our memory was lost, all."""
        row = await self.world.pool.fetchrow(
            "SELECT bool_or(value = '{}') AS unread, min((value->'work'->>'began_at')::timestamptz) AS oldest"
            " FROM push.timesheets WHERE target = $1 AND book IS NOT NULL AND value IS NOT NULL",
            self.world.name,
        )
        if row is None or row["oldest"] is None:
            return EVERYTHING_SINCE if row and row["unread"] else otherwise
        return EVERYTHING_SINCE if row["unread"] else min(row["oldest"], otherwise)


def observer(world: World) -> Observer:
    taking = Taking(world)
    return Observer(world, taking, Missing(world, taking))

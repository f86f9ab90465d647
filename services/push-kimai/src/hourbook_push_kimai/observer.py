"""Observes a Kimai: what its rows hold, whoever wrote them, and which of ours are gone.

A poll follows what was modified; a sweep reads a window whole and finds deletions and rows that were
exported in bulk, neither of which leaves a trace in a poll (kimai-api.md 7).
"""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import structlog

from hourbook_contracts.codec import encode
from hourbook_contracts.ids import BookId, SheetId, number_of
from hourbook_contracts.ledger import TimesheetVanished
from hourbook_contracts.topics import LEDGER
from hourbook_kit import clock, outbox
from hourbook_kit.postgres import TRANSIENT
from hourbook_push_kimai import directory, readings
from hourbook_push_kimai.kimai import BrokenWorldError, NotReadableError
from hourbook_push_kimai.observe import Belongs, Reading, belongs, missing
from hourbook_push_kimai.timesheet import Timesheet
from hourbook_push_kimai.world import World

log = structlog.get_logger()

OVERLAP = timedelta(minutes=5)
"""Kimai stamps a change before it commits it, with its own clock."""
LOOKBACK = timedelta(days=45)
CHUNK = 500
EVERYTHING_SINCE = datetime(2000, 1, 1, tzinfo=UTC)


@dataclass
class Asked:
    """The last wishes that were seen to: offsets of control events, and whether writing was on."""

    sync: int = -1
    sweep: int = -1
    writing: bool = False


@dataclass
class Observer:
    world: World

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
        polled, swept = await self._since()
        wished = target.sync_asked > asked.sync or (target.writing and not asked.writing)
        if (
            swept is None
            or swept >= settings.sweep_seconds
            or target.sweep_asked > asked.sweep >= 0
        ):
            await self.sweep()
        elif wished or polled is None or polled >= settings.poll_seconds:
            await self.poll()
        asked.sync, asked.sweep, asked.writing = (
            target.sync_asked,
            target.sweep_asked,
            target.writing,
        )
        polled, _ = await self._since()
        return max(0.05, settings.poll_seconds - (polled or 0.0))

    async def _since(self) -> tuple[float | None, float | None]:
        """Seconds since the last poll and the last sweep, by the database's clock."""
        row = await self.world.pool.fetchrow(
            "SELECT extract(epoch FROM clock_timestamp() - polled_at)::float8 AS polled,"
            " extract(epoch FROM clock_timestamp() - swept_at)::float8 AS swept"
            " FROM push.observed WHERE target = $1",
            self.world.name,
        )
        return (row["polled"], row["swept"]) if row else (None, None)

    async def poll(self) -> None:
        """What was modified since the last one; a row that waits for its answer is read again."""
        pool, name = self.world.pool, self.world.name
        cursor = await pool.fetchval("SELECT cursor_at FROM push.observed WHERE target = $1", name)
        no, began_at = await readings.next_no(pool), clock.now()
        rows = await self.world.kimai.modified_since((cursor or began_at - LOOKBACK) - OVERLAP)
        held_back = await self._take(rows, no)
        await pool.execute(
            "INSERT INTO push.observed (target, cursor_at, polled_at) VALUES ($1, $2, clock_timestamp())"
            " ON CONFLICT (target) DO UPDATE SET polled_at = excluded.polled_at,"
            " cursor_at = coalesce(excluded.cursor_at, observed.cursor_at)",
            name,
            cursor if held_back else began_at,
        )

    async def sweep(self) -> None:
        """All rows since the oldest of ours; what is missing among ours is asked for by its id."""
        world, pool, name = self.world, self.world.pool, self.world.name
        caller = await world.kimai.me()
        known = await readings.known_to_live(pool, name)
        no, began_at = await readings.next_no(pool), clock.now()
        since = await self._oldest(began_at - LOOKBACK)
        rows = await world.kimai.begun_since(since, caller)
        held_back = await self._take(rows, no)
        for sheet in missing(known, [row.sheet(name) for row in rows]):
            await self._ask_for(sheet, known[sheet])
        await directory.refresh(pool, name, await world.kimai.directory())
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

    async def _ask_for(self, sheet: SheetId, book: BookId) -> None:
        """Gone is what Kimai itself says is not there, while it answers about what must be."""
        no = await readings.next_no(self.world.pool)
        try:
            row = await self.world.kimai.read(number_of(sheet))
        except NotReadableError:
            log.warning("timesheet_not_readable", sheet=sheet)
            return
        if row is not None:
            await self._take([row], no)
            return
        await self.world.kimai.me()
        await self._vanished(sheet, book, no)

    async def _vanished(self, sheet: SheetId, book: BookId, no: int) -> None:
        gone = TimesheetVanished(
            observed_at=clock.now(), book=book, connection=self.world.name, sheet=sheet, no=no
        )
        async with self.world.pool.acquire() as connection, connection.transaction():
            if await readings.keep(connection, self.world.name, no, [(sheet, book, None)]):
                await outbox.put(connection, "push", LEDGER.name, [encode(gone)])
                log.info("timesheet_vanished", book=book, sheet=sheet)

    async def _take(self, rows: Sequence[Timesheet], no: int) -> bool:
        """Store readings and say those that are news; whether one must wait for its request's answer."""
        held_back = False
        for start in range(0, len(rows), CHUNK):
            held_back |= await self._take_chunk(rows[start : start + CHUNK], no)
        return held_back

    async def _take_chunk(self, rows: Sequence[Timesheet], no: int) -> bool:
        pool, name = self.world.pool, self.world.name
        tied = await readings.tied_books(pool, [row.sheet(name) for row in rows])
        codes = [row.marker.create for row in rows if row.marker is not None]
        creates = await readings.creates(pool, codes)
        placed = [(row, belongs(row, name, tied, creates)) for row in rows]
        news = await self._news(placed)
        async with pool.acquire() as connection, connection.transaction():
            told = [(reading.sheet, book, reading.value) for reading, book in news]
            fresh = await readings.keep(connection, name, no, told) if told else set()
            at = clock.now()
            records = [
                encode(reading.observed(book=book, connection=name, no=no, at=at))
                for reading, book in news
                if book is not None and reading.sheet in fresh
            ]
            await outbox.put(connection, "push", LEDGER.name, records)
        if records:
            log.info("timesheets_observed", target=name, count=len(records))
        return any(where.held_back for _, where in placed)

    async def _news(
        self, placed: Sequence[tuple[Timesheet, Belongs]]
    ) -> list[tuple[Reading, BookId | None]]:
        """Those that differ from their last reading."""
        pool, vault, name = self.world.pool, self.world.vault, self.world.name
        books = {where.book for _, where in placed if where.book is not None}
        if books:
            await vault.ensure_keys(books)
        known = await readings.cached(pool, [row.sheet(name) for row, _ in placed])
        read = [
            (await readings.describe(vault, row, name, where.book), where.book)
            for row, where in placed
            if not where.held_back
        ]
        return [
            (reading, book)
            for reading, book in read
            if reading.sheet not in known or known[reading.sheet] != reading.value
        ]

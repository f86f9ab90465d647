"""Takes what Kimai shows: whose it is, whether it is news, and what of it goes on the ledger."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import structlog

from hourbook_contracts.codec import encode
from hourbook_contracts.ids import BookId, SheetId
from hourbook_contracts.topics import LEDGER
from hourbook_kit import clock, outbox
from hourbook_kit.target.protocol import Timesheet
from hourbook_push_kimai import readings
from hourbook_push_kimai.observe import Belongs, Reading, after, belongs
from hourbook_push_kimai.world import World

log = structlog.get_logger()

CHUNK = 500


@dataclass(frozen=True, slots=True)
class Taking:
    world: World

    async def take(self, rows: Sequence[Timesheet], no: int) -> bool:
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
            (await self._reading(row, where.book, known), where.book)
            for row, where in placed
            if not where.held_back
        ]
        return [
            (reading, book)
            for reading, book in read
            if reading.sheet not in known or known[reading.sheet] != reading.value
        ]

    async def _reading(
        self, row: Timesheet, book: BookId | None, known: Mapping[SheetId, Any]
    ) -> Reading:
        """With what Kimai has only rounded anew told apart from what somebody changed."""
        world = self.world
        reading = await readings.describe(world.vault, row, world.name, book)
        return after(known.get(reading.sheet), reading, world.guesses_of(row))

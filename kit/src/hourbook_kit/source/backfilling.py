"""Reads days of the past again, a few tickets at a time, so that what happens now is not held up.

Which tickets hold time of these days is listed once, from a proven pull; then they are asked for in the
inbox like any other. Where it stands is stored, so that a stop costs nothing.
"""

import asyncio
from contextlib import aclosing, suppress
from datetime import date, datetime
from zoneinfo import ZoneInfo

import structlog
from aiokafka.errors import KafkaError

from hourbook_contracts.installation import Backfill, Source
from hourbook_kit.postgres import TRANSIENT
from hourbook_kit.source import protocol
from hourbook_kit.source.backfills import Backfills
from hourbook_kit.source.backoff import Backoff
from hourbook_kit.source.connections import Connections
from hourbook_kit.source.obstacles import Obstacles
from hourbook_kit.source.protocol import SourceError, UnreadableError
from hourbook_kit.source.requests import Requests
from hourbook_kit.vault import VaultKeyError

log = structlog.get_logger()

WHY = "backfill"
AT_ONCE = 40
"""On their way at a time: a delivery waits for no more than these."""
ASK_AGAIN_SECONDS = 600
LOOK_SECONDS = 0.25
OBSTACLE = "backfill"


class Backfilling:
    """The backfills of one source, one after the other."""

    def __init__(
        self,
        name: str,
        connections: Connections,
        backfills: Backfills,
        requests: Requests,
        obstacles: Obstacles,
    ) -> None:
        self._name, self._connections = name, connections
        self._backfills, self._requests, self._obstacles = backfills, requests, obstacles

    async def run(self) -> None:
        """Ends when the source is removed."""
        backoff = Backoff(first_seconds=0.5)
        while True:
            changed = self._connections.changed
            source = self._connections.source(self._name)
            if source is None:
                await self._obstacles.clear(self._name, OBSTACLE)
                return
            seconds = await self._try(source, backoff) if source.units else None
            with suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    await changed.wait()

    async def _try(self, source: Source, backoff: Backoff) -> float | None:
        """All there are to do; gives when to try again, None when all are done."""
        try:
            for backfill in source.backfills:
                await self._work(source, backfill)
        except (SourceError, UnreadableError, VaultKeyError, KafkaError, *TRANSIENT) as error:
            await self._obstacles.hinder(
                self._name,
                OBSTACLE,
                f"The days to be read again wait: {str(error) or type(error).__name__}",
            )
            return backoff.next_seconds()
        backoff.reset()
        await self._obstacles.clear(self._name, OBSTACLE)
        return None

    async def _work(self, source: Source, backfill: Backfill) -> None:
        progress = await self._backfills.begin(source.name, backfill)
        if progress.finished:
            return
        if not progress.listed:
            system = await self._connections.client(source)
            listed = await tickets_of(system, backfill, ZoneInfo(source.configured.time_zone))
            await self._backfills.listed(source.name, backfill.id, listed)
            log.info("backfill_begins", source=source.name, tickets=len(listed))
        await self._backfills.ask_anew(source.name, backfill.id)
        while self._connections.source(source.name) is not None:
            await self._obstacles.clear(self._name, OBSTACLE)
            under_way = await self._backfills.unread(source.name, backfill.id)
            tickets = await self._backfills.next(
                source.name,
                backfill.id,
                rows=max(0, AT_ONCE - under_way),
                again_after_seconds=ASK_AGAIN_SECONDS,
            )
            await self._requests.ask(source.name, tickets, WHY)
            if not tickets and not under_way:
                await self._backfills.finished(source.name, backfill.id)
                log.info("backfill_finished", source=source.name)
                return
            await asyncio.sleep(LOOK_SECONDS)


async def tickets_of(system: protocol.Source, backfill: Backfill, zone: ZoneInfo) -> set[int]:
    """Those with time that was booked on these days, as the clock on the source's wall has them."""
    first, last = backfill.days
    found: set[int] = set()
    async with aclosing(system.everything()) as pages:
        async for page in pages:
            found |= page.unreadable
            found |= {
                a.ticket_id for a in page.bookings if first <= _day(a.created_at, zone) <= last
            }
    return found


def _day(moment: datetime, zone: ZoneInfo) -> date:
    return moment.astimezone(zone).date()

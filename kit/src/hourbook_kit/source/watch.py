"""Watching one source: what no webhook told is found by a poll, what no poll can see by a sweep.

Neither reads a ticket; both ask for it in the inbox, so that each ticket has one reader at a time.
"""

import asyncio
import time
from contextlib import aclosing, suppress
from datetime import datetime

import structlog
from aiokafka.errors import KafkaError

from hourbook_contracts.codec import ce_id
from hourbook_contracts.control import UNIT_CHANGED, AlarmAnswered, AlarmRaised
from hourbook_contracts.ids import EntryId, number_of
from hourbook_contracts.installation import Source
from hourbook_kit import clock
from hourbook_kit.postgres import TRANSIENT
from hourbook_kit.source import protocol
from hourbook_kit.source.backoff import Backoff
from hourbook_kit.source.bad_records import OBSTACLE as RECORDS
from hourbook_kit.source.bad_records import BadRecords
from hourbook_kit.source.connections import Connections
from hourbook_kit.source.metrics import PULLS
from hourbook_kit.source.obstacles import Obstacles
from hourbook_kit.source.protocol import IncompletePullError, Page, SourceError, UnreadableError
from hourbook_kit.source.requests import Requests
from hourbook_kit.source.schedule import Schedule, believing
from hourbook_kit.source.sources import Sources, Standing
from hourbook_kit.source.store import Store
from hourbook_kit.source.survey import ALARM, Differences, differing, is_suddenly_empty
from hourbook_kit.source.ticket_watch import TicketWatch
from hourbook_kit.source.unit_watch import BY, look_at_unit
from hourbook_kit.vault import VaultKeyError

log = structlog.get_logger()

SWEEP_TRIES = 3
ASK_AGAIN_SECONDS = 600
"""The same difference is asked for once in this time: the inbox does not lose what was asked."""
OBSTACLES = ("unit", "watching", "sorting", "tickets", RECORDS, UNIT_CHANGED, ALARM)


class Watch:
    """Polls and sweeps one source as long as it is configured and its unit confirmed."""

    def __init__(
        self,
        name: str,
        connections: Connections,
        store: Store,
        sources: Sources,
        requests: Requests,
        obstacles: Obstacles,
        bad_records: BadRecords,
        *,
        overlap_seconds: float,
    ) -> None:
        self._name, self._connections = name, connections
        self._store, self._sources = store, sources
        self._requests, self._obstacles = requests, obstacles
        self._bad_records = bad_records
        self._schedule = Schedule(overlap_seconds)
        self._tickets = TicketWatch(store, requests, obstacles)
        self._asked: dict[int, tuple[frozenset[object], float]] = {}
        self._believed: set[EntryId] = set()

    async def run(self) -> None:
        backoff = Backoff(first_seconds=0.5)
        while True:
            changed = self._connections.changed
            source = self._connections.source(self._name)
            if source is None:
                await self._obstacles.clear(self._name, *OBSTACLES)
                return
            if not source.units:
                await self._obstacles.hinder(
                    self._name,
                    "unit",
                    f"Nobody has confirmed what one unit of {self._name} is worth: it is not read.",
                )
                await changed.wait()
                continue
            await self._obstacles.clear(self._name, "unit")
            seconds = await self._look(source, backoff)
            with suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    await changed.wait()

    async def _look(self, source: Source, backoff: Backoff) -> float:
        """Look, poll and sweep if it is time to; gives how long there is nothing to do."""
        try:
            if self._schedule.changed(source):
                self._asked.clear()
            await self._about_the_unit(source)
            if self._schedule.unit_is_due(source):
                system = await self._connections.client(source)
                if await look_at_unit(source, system, self._sources):
                    return 1  # until the alarm holds what it is about
                self._schedule.unit_was_seen(source)
            if self._schedule.poll_is_due(source):
                await self.poll(source, await self._connections.client(source))
                self._schedule.polled(source)
            if self._schedule.sweep_is_due(source):
                await self.sweep(source, await self._connections.client(source))
                self._schedule.swept(source)
        except (SourceError, UnreadableError, VaultKeyError, KafkaError, *TRANSIENT) as error:
            await self._obstacles.hinder(
                self._name,
                "watching",
                f"{self._name} cannot be watched: {str(error) or type(error).__name__}",
            )
            log.warning("watching_waits", source=self._name, error=type(error).__name__)
            return backoff.next_seconds()
        backoff.reset()
        await self._obstacles.clear(self._name, "watching")
        return self._schedule.seconds_left(source)

    async def _about_the_unit(self, source: Source) -> None:
        for alarm in source.alarms:
            if alarm.alarm == UNIT_CHANGED:
                await self._obstacles.hinder(
                    source.name,
                    UNIT_CHANGED,
                    f"{alarm.detail} Time booked since is not read before a person confirms what a"
                    " unit is worth, and from when on.",
                )
                return
        await self._obstacles.clear(source.name, UNIT_CHANGED)

    # --------------------------------------------------------------------------------------- poll
    async def poll(self, source: Source, system: protocol.Source) -> None:
        """Ask for the tickets of everything that changed since the cursors; two calls if nothing did."""
        standing = await self._sources.standing(source.name)
        begun = standing.tickets_cursor or await self._tickets.begin(source, system)
        newest, asked = await self._poll_time(source, system, standing)
        since = self._schedule.overlapping(standing.tickets_cursor)
        if since is not None:
            begun = await self._tickets.poll(source, system, since, asked)
        await self._bad_records.seen(await system.bad_records())
        await self._sources.polled(source.name, newest, begun)
        PULLS.labels("poll").inc()

    async def _poll_time(
        self, source: Source, system: protocol.Source, standing: Standing
    ) -> tuple[datetime | None, set[int]]:
        """When the last booking changed, and the tickets that were asked for."""
        newest, asked = standing.cursor, set[int]()
        async with aclosing(system.latest(self._schedule.overlapping(newest))) as pages:
            async for page in pages:
                asked |= await self._ask(source, await self._differing(source, page), "poll")
                moments = [booking.updated_at for booking in page.bookings]
                newest = max([*moments, *([newest] if newest else [])], default=None)
        if system.walks:
            await self._obstacles.hinder(source.name, "sorting", system.walks)
        else:
            await self._obstacles.clear(source.name, "sorting")
        return newest, asked

    # -------------------------------------------------------------------------------------- sweep
    async def sweep(self, source: Source, system: protocol.Source) -> None:
        """Ask for the tickets of everything that is new, changed or missing, unless too much is."""
        known = await self._store.living(source.name)
        missing = known.keys() - await self._shown(source, system) - self._believed
        standing = await self._sources.standing(source.name)
        belief = believing(source, standing.believed)
        if belief is None and is_suddenly_empty(missing=len(missing), known=len(known)):
            await self._raise_alarm(source, missing=len(missing), known=len(known))
            return
        lost = {number_of(known[entry]) for entry in missing}
        await self._requests.ask(source.name, lost, "sweep")
        if belief is not None:
            self._believed |= missing
        withdrawn = self._withdrawn(source) if standing.alarmed_at else None
        await self._sources.swept(source.name, ce_id(belief) if belief else None, withdrawn)
        await self._store.forget_deliveries()
        await self._obstacles.clear(source.name, ALARM)
        PULLS.labels("sweep").inc()
        log.info("source_swept", source=source.name, known=len(known), missing=len(missing))

    async def _shown(self, source: Source, system: protocol.Source) -> set[EntryId]:
        """The ids of all entries the source has, proven; what differs on the way is asked for at once."""
        for tries_left in reversed(range(SWEEP_TRIES)):
            shown: set[EntryId] = set()
            try:
                async with aclosing(system.everything()) as pages:
                    async for page in pages:
                        await self._ask(source, await self._differing(source, page), "sweep")
                        shown |= {source.entry(b.id) for b in page.bookings}
                        shown |= {source.entry(number) for number in page.kept}
            except IncompletePullError:
                if not tries_left:
                    raise
            else:
                break
        return shown

    async def _raise_alarm(self, source: Source, *, missing: int, known: int) -> None:
        alarm = AlarmRaised(
            observed_at=clock.now(),
            by=BY,
            connection=source.name,
            alarm=ALARM,
            missing=missing,
            known=known,
        )
        await self._obstacles.hinder(
            source.name,
            ALARM,
            f"{source.name} shows {missing} of {known} entries no longer: nothing of that is believed"
            " until a person says so.",
        )
        if await self._sources.alarm(alarm):
            log.error("suddenly_empty", source=source.name, missing=missing, known=known)

    def _withdrawn(self, source: Source) -> AlarmAnswered | None:
        """Where nobody answered and the source is well again, the alarm is over by itself."""
        if not any(alarm.alarm == ALARM for alarm in source.alarms):
            return None
        return AlarmAnswered(
            observed_at=clock.now(), by=BY, connection=source.name, alarm=ALARM, choice="wait"
        )

    # ----------------------------------------------------------------------------------- plumbing
    async def _differing(self, source: Source, page: Page) -> Differences:
        entries = [source.entry(booking.id) for booking in page.bookings]
        return differing(page, source, await self._store.known_entries(entries))

    async def _ask(self, source: Source, differences: Differences, why: str) -> set[int]:
        """Ask for each of these tickets, unless just these differences were asked for lately."""
        at = time.monotonic()
        nothing: tuple[frozenset[object], float] = (frozenset(), -ASK_AGAIN_SECONDS)
        fresh = [
            ticket_id
            for ticket_id, difference in differences.items()
            for before, asked_at in [self._asked.get(ticket_id, nothing)]
            if not difference <= before or at - asked_at > ASK_AGAIN_SECONDS
        ]
        await self._requests.ask(source.name, fresh, why)
        for ticket_id in fresh:
            self._asked[ticket_id] = (differences[ticket_id], at)
        return set(differences)

"""Watching one source: what no webhook told is found by a poll, what no poll can see by a sweep.

Neither reads a ticket; both ask for it in the inbox, so that each ticket has one reader at a time.
"""

import asyncio
import time
from collections.abc import Iterable
from contextlib import aclosing, suppress

import structlog
from aiokafka.errors import KafkaError

from hourbook_contracts.codec import ce_id
from hourbook_contracts.control import AlarmAnswered, AlarmRaised
from hourbook_contracts.ids import EntryId, entry_of, number_of
from hourbook_contracts.inbox import RereadRequested
from hourbook_contracts.installation import Source
from hourbook_ingest_zammad.backoff import Backoff
from hourbook_ingest_zammad.connections import Connections
from hourbook_ingest_zammad.metrics import PULLS
from hourbook_ingest_zammad.normalise import Page, UnreadableError
from hourbook_ingest_zammad.requests import Requests
from hourbook_ingest_zammad.schedule import Schedule, believing
from hourbook_ingest_zammad.store import Store
from hourbook_ingest_zammad.survey import ALARM, Differences, differing, is_suddenly_empty
from hourbook_ingest_zammad.zammad import IncompletePullError, Zammad, ZammadError
from hourbook_kit import clock
from hourbook_kit.health import Health
from hourbook_kit.postgres import TRANSIENT
from hourbook_kit.vault import VaultKeyError

log = structlog.get_logger()

BY = "ingest-zammad"
SWEEP_TRIES = 3
ASK_AGAIN_SECONDS = 600
"""The same difference is asked for once in this time: the inbox does not lose what was asked."""


class Watch:
    """Polls and sweeps one source as long as it is configured and its unit confirmed."""

    def __init__(
        self,
        name: str,
        connections: Connections,
        store: Store,
        requests: Requests,
        health: Health,
        *,
        overlap_seconds: float,
    ) -> None:
        self._name, self._connections, self._store = name, connections, store
        self._requests, self._health = requests, health
        self._schedule = Schedule(overlap_seconds)
        self._asked: dict[int, tuple[frozenset[object], float]] = {}
        self._believed: set[EntryId] = set()

    async def run(self) -> None:
        backoff = Backoff(first_seconds=0.5)
        while True:
            changed = self._connections.changed
            source = self._connections.source(self._name)
            if source is None:
                for obstacle in ("unit", "watching", ALARM):
                    self._health.clear(f"{obstacle} {self._name}")
                return
            if not source.units:
                self._health.hinder(
                    f"unit {self._name}",
                    f"Nobody has confirmed what one unit of {self._name} is worth: it is not read.",
                )
                await changed.wait()
                continue
            self._health.clear(f"unit {self._name}")
            seconds = await self._look(source, backoff)
            with suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    await changed.wait()

    async def _look(self, source: Source, backoff: Backoff) -> float:
        """Poll and sweep if it is time to; gives how long there is nothing to do."""
        try:
            if self._schedule.changed(source):
                self._asked.clear()
            if self._schedule.poll_is_due(source):
                await self.poll(source, await self._connections.client(source))
                self._schedule.polled(source)
            if self._schedule.sweep_is_due(source):
                await self.sweep(source, await self._connections.client(source))
                self._schedule.swept(source)
        except (ZammadError, UnreadableError, VaultKeyError, KafkaError, *TRANSIENT) as error:
            self._health.hinder(
                f"watching {self._name}",
                f"{self._name} cannot be watched: {str(error) or type(error).__name__}",
            )
            log.warning("watching_waits", source=self._name, error=type(error).__name__)
            return backoff.next_seconds()
        backoff.reset()
        self._health.clear(f"watching {self._name}")
        return self._schedule.seconds_left(source)

    # --------------------------------------------------------------------------------------- poll
    async def poll(self, source: Source, zammad: Zammad) -> None:
        """Ask for the tickets of everything that changed since the cursor; one call if nothing did."""
        cursor = (await self._store.standing(source.name)).cursor
        newest, until = cursor, self._schedule.overlapping(cursor)
        async with aclosing(zammad.latest()) as pages:
            async for page in pages:
                await self._ask(source, await self._differing(source, page), "poll")
                moments = [accounting.updated_at for accounting in page.accountings]
                newest = max([*moments, *([newest] if newest else [])], default=None)
                if until is not None and moments and min(moments) < until:
                    break
        await self._store.polled(source.name, newest)
        PULLS.labels("poll").inc()

    # -------------------------------------------------------------------------------------- sweep
    async def sweep(self, source: Source, zammad: Zammad) -> None:
        """Ask for the tickets of everything that is new, changed or missing, unless too much is."""
        known = await self._store.living(source.name)
        missing = known.keys() - await self._shown(source, zammad) - self._believed
        standing = await self._store.standing(source.name)
        belief = believing(source, standing.believed)
        if belief is None and is_suddenly_empty(missing=len(missing), known=len(known)):
            await self._raise_alarm(source, missing=len(missing), known=len(known))
            return
        await self._request(source, {number_of(known[entry]) for entry in missing}, "sweep")
        if belief is not None:
            self._believed |= missing
        withdrawn = self._withdrawn(source) if standing.alarmed_at else None
        await self._store.swept(source.name, ce_id(belief) if belief else None, withdrawn)
        await self._store.forget_deliveries()
        self._health.clear(_suddenly_empty(source.name))
        PULLS.labels("sweep").inc()
        log.info("source_swept", source=source.name, known=len(known), missing=len(missing))

    async def _shown(self, source: Source, zammad: Zammad) -> set[EntryId]:
        """The ids of all entries Zammad has, proven; what differs on the way is asked for at once."""
        for tries_left in reversed(range(SWEEP_TRIES)):
            shown: set[EntryId] = set()
            try:
                async with aclosing(zammad.everything()) as pages:
                    async for page in pages:
                        await self._ask(source, await self._differing(source, page), "sweep")
                        shown |= {entry_of(source.name, a.id) for a in page.accountings}
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
        self._health.hinder(
            _suddenly_empty(source.name),
            f"{source.name} shows {missing} of {known} entries no longer: nothing of that is believed"
            " until a person says so.",
        )
        if await self._store.alarm(alarm):
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
        entries = [entry_of(source.name, accounting.id) for accounting in page.accountings]
        return differing(page, source, await self._store.known_entries(entries))

    async def _ask(self, source: Source, differences: Differences, why: str) -> None:
        """Ask for each of these tickets, unless just these differences were asked for lately."""
        at = time.monotonic()
        nothing: tuple[frozenset[object], float] = (frozenset(), -ASK_AGAIN_SECONDS)
        fresh = [
            ticket_id
            for ticket_id, difference in differences.items()
            for before, asked_at in [self._asked.get(ticket_id, nothing)]
            if not difference <= before or at - asked_at > ASK_AGAIN_SECONDS
        ]
        await self._request(source, fresh, why)
        for ticket_id in fresh:
            self._asked[ticket_id] = (differences[ticket_id], at)

    async def _request(self, source: Source, tickets: Iterable[int], why: str) -> None:
        await self._requests.put_all(
            RereadRequested(
                observed_at=clock.now(), connection=source.name, ticket_id=ticket_id, why=why
            )
            for ticket_id in tickets
        )


def _suddenly_empty(name: str) -> str:
    return f"{ALARM} {name}"

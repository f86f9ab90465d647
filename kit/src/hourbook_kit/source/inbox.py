"""The inbox's reader: many requests, one reading for each ticket; its place moves when all are read.

Reading is level-triggered: what is asked for while a ticket is being read comes with the next batch
and reads it once more. A broken world is waited for; a ticket that cannot be read though its source
is well is parked, because it must not hold up the others.
"""

import asyncio
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from weakref import WeakValueDictionary

import structlog
from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.errors import KafkaError

from hourbook_contracts.codec import UndecodableError, decode
from hourbook_contracts.inbox import RereadRequested
from hourbook_contracts.privacy import unreadable_on
from hourbook_kit import clock
from hourbook_kit.health import Health
from hourbook_kit.postgres import TRANSIENT
from hourbook_kit.source import protocol
from hourbook_kit.source.backfilling import WHY as BACKFILL
from hourbook_kit.source.backfills import Backfills
from hourbook_kit.source.backoff import Backoff
from hourbook_kit.source.connections import Connections
from hourbook_kit.source.obstacles import Obstacles
from hourbook_kit.source.parking import Parking
from hourbook_kit.source.protocol import (
    BadCredentialsError,
    RetriableError,
    SourceError,
    UnreadableError,
)
from hourbook_kit.source.reading import Reader
from hourbook_kit.source.store import Delivery, Store
from hourbook_kit.telemetry import handling
from hourbook_kit.vault import VaultKeyError

log = structlog.get_logger()

GROUP = "hourbook-ingest-zammad"
BATCH = 5000
BATCHES_AT_ONCE = 3
PAUSE_SECONDS_A_RECORD = 0.005
PAUSE_SECONDS_MAX = 1
"""Between batches: the more comes, the more of it is read together, and deliveries have the room."""
TRIES = 3
TRIES_WITHOUT_ANSWER = 6
"""A source may fail now and then for one ticket and be well otherwise."""
OBSTACLE = "reading"


@dataclass(frozen=True, slots=True)
class Asked:
    """A ticket to read, and the last record that asks for it."""

    connection: str
    ticket_id: int
    record: ConsumerRecord
    backfill: bool = False
    """Whether a backfill waits for it."""


Batches = dict[TopicPartition, list[ConsumerRecord]]


@dataclass(frozen=True, slots=True)
class Failure:
    """A reading that did not come about, and whether it counts against its ticket."""

    error: BaseException
    counts: bool

    @property
    def tries(self) -> int:
        if not self.counts:
            return 2**31
        return TRIES_WITHOUT_ANSWER if isinstance(self.error, RetriableError) else TRIES


class Inbox:
    def __init__(
        self,
        connections: Connections,
        reader: Reader,
        store: Store,
        backfills: Backfills,
        parking: Parking,
        health: Health,
        obstacles: Obstacles,
        *,
        at_once: int,
    ) -> None:
        self._connections, self._reader = connections, reader
        self._store, self._backfills = store, backfills
        self._parking, self._health, self._obstacles = parking, health, obstacles
        self._room = asyncio.Semaphore(at_once)
        self._turns: WeakValueDictionary[tuple[str, int], asyncio.Lock] = WeakValueDictionary()
        self._counting = asyncio.Lock()
        """In the order of batches: the last one says up to where a delivery was counted."""

    async def run(self, consumer: AIOKafkaConsumer) -> None:
        """What comes while one batch is read need not wait for its end; offsets follow in their order."""
        room, before = asyncio.Semaphore(BATCHES_AT_ONCE), None
        async with asyncio.TaskGroup() as group:
            while True:
                await room.acquire()
                batches = await _some(consumer)
                before = group.create_task(self._batch(consumer, batches, before, room))
                pause = PAUSE_SECONDS_A_RECORD * sum(map(len, batches.values()))
                await asyncio.sleep(min(PAUSE_SECONDS_MAX, pause))

    async def _batch(
        self,
        consumer: AIOKafkaConsumer,
        batches: Batches,
        before: asyncio.Task[None] | None,
        room: asyncio.Semaphore,
    ) -> None:
        await self.work(record for batch in batches.values() for record in batch)
        if before is not None:
            await asyncio.wait([before])  # whoever stops us stops it as well, once
            before.result()
        await _commit(consumer, {at: batch[-1].offset + 1 for at, batch in batches.items()})
        room.release()

    async def work(self, records: Iterable[ConsumerRecord]) -> None:
        """Returns when every ticket these ask for was read after they were written, or is parked."""
        asked: dict[tuple[str, int], Asked] = {}
        deliveries: list[Delivery] = []
        for record in records:
            request = await self._request(record)
            if request is None:
                continue
            connection, ticket_id = request.connection, request.ticket_id
            before = asked.get((connection, ticket_id))
            backfill = request.why == BACKFILL or (before is not None and before.backfill)
            asked[connection, ticket_id] = Asked(connection, ticket_id, record, backfill)
            if request.delivery is not None:
                deliveries.append(
                    Delivery(
                        connection,
                        request.delivery,
                        ticket_id,
                        request.observed_at,
                        record.offset,
                        request.body_sha256,
                        request.body_bytes,
                    )
                )
        await asyncio.gather(
            self._counted(deliveries), *(self._until_read(ticket) for ticket in asked.values())
        )

    async def _request(self, record: ConsumerRecord) -> RereadRequested | None:
        try:
            message = decode(record.headers, record.value)
            if isinstance(message, RereadRequested):
                return message
            problem: UndecodableError = UndecodableError(f"{message.TYPE} stands in the inbox")
        except UndecodableError as error:
            problem = error
        await self._until_parked(record, _nobodys(), problem)
        return None

    async def _counted(self, deliveries: list[Delivery]) -> None:
        backoff = Backoff()
        async with self._counting:
            while True:
                try:
                    await self._store.count(deliveries)
                except TRANSIENT:
                    self._database_is_away()
                    await backoff.wait()
                else:
                    self._health.clear("database")
                    return

    async def _until_read(self, asked: Asked) -> None:
        """A ticket is read by one at a time: two who meet it first would both tell of it."""
        turn = self._turns.setdefault((asked.connection, asked.ticket_id), asyncio.Lock())
        async with turn, self._room:
            with handling(asked.record.topic, asked.record.headers):
                backoff, failures = Backoff(), 0
                while True:
                    failure = await self._read(asked)
                    if failure is None:
                        await self._tell_backfill(asked, failed=False)
                        return
                    failures += failure.counts
                    if failures >= failure.tries and await self._parked(
                        asked.record, self._book(asked), failure.error
                    ):
                        await self._tell_backfill(asked, failed=True)
                        return
                    await self._connections.changed_or(backoff.next_seconds())

    async def _tell_backfill(self, asked: Asked, *, failed: bool) -> None:
        """Where that is lost, it asks once more."""
        if asked.backfill:
            with suppress(*TRANSIENT):
                await self._backfills.was_read(asked.connection, asked.ticket_id, failed=failed)

    async def _read(self, asked: Asked) -> Failure | None:
        """Read a ticket once; None where that is done, also because nobody wants it read."""
        name = asked.connection
        source = self._connections.source(name)
        if source is None or not source.units:
            log.info("ticket_not_read", source=name, why="unknown source or unconfirmed unit")
            return None
        system: protocol.Source | None = None
        try:
            system = await self._connections.client(source)
            await self._reader.read(source, system, asked.ticket_id)
        except TRANSIENT as error:
            self._database_is_away()
            return Failure(error, counts=False)
        except (BadCredentialsError, VaultKeyError) as error:
            return await self._world_is_broken(name, error)
        except (SourceError, UnreadableError) as error:
            return await self._whose_fault(name, system, error)
        self._health.clear("database")
        await self._obstacles.clear(name, OBSTACLE)
        self._parking.has_room()
        return None

    def _book(self, asked: Asked) -> str:
        source = self._connections.source(asked.connection)
        return source.book(asked.ticket_id) if source else _nobodys()

    async def _whose_fault(
        self, name: str, system: protocol.Source | None, error: Exception
    ) -> Failure:
        """The world's, where the source does not even answer a control read; else this ticket's own."""
        try:
            if system is not None:
                await system.control()
        except (SourceError, UnreadableError) as also:
            return await self._world_is_broken(name, also)
        await self._obstacles.clear(name, OBSTACLE)
        log.warning("ticket_not_readable", error=f"{type(error).__name__}: {error}")
        return Failure(error, counts=True)

    async def _world_is_broken(self, name: str, error: Exception) -> Failure:
        await self._obstacles.hinder(name, OBSTACLE, f"{name} cannot be read: {error}")
        return Failure(error, counts=False)

    def _database_is_away(self) -> None:
        self._health.hinder("database", "The database does not answer.")

    async def _until_parked(
        self, record: ConsumerRecord, subject: str, error: BaseException
    ) -> None:
        backoff = Backoff()
        while not await self._parked(record, subject, error):
            await backoff.wait()

    async def _parked(self, record: ConsumerRecord, subject: str, error: BaseException) -> bool:
        try:
            return await self._parking.park(record, subject, error)
        except (*TRANSIENT, KafkaError) as away:
            log.warning("parking_waits", error=type(away).__name__)
            return False


async def _some(consumer: AIOKafkaConsumer) -> Batches:
    while True:
        found: Batches = await consumer.getmany(timeout_ms=1000, max_records=BATCH)
        if found:
            return found


async def _commit(consumer: AIOKafkaConsumer, places: dict[TopicPartition, int]) -> None:
    """Comes to its end also when we are cancelled: aiokafka shields it, and then nobody hears it fail."""
    committing = asyncio.ensure_future(consumer.commit(places))
    try:
        await asyncio.shield(committing)
    except KafkaError as error:  # we shall read them again, which is harmless
        log.warning("inbox_commit_failed", error=type(error).__name__)
    except asyncio.CancelledError:
        with suppress(KafkaError):
            await committing
        raise


def _nobodys() -> str:
    """Under whose key a message is parked that names no ticket we know."""
    return unreadable_on(clock.now().date())

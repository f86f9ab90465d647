"""The ledger's live reader: a Faust agent made safe (streaming.md 1.4).

Faust commits what user code has not finished (streaming.md 1.2), so it is not believed: PostgreSQL says
where to go on after every assignment, a batch is acknowledged after its transaction, a gap or any
unexpected error ends the process, and Kafka's own offsets only inform people.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Any, Protocol, cast

import faust
import structlog
from aiokafka import AIOKafkaConsumer
from faust.transport.drivers import aiokafka as driver
from faust.types import TP

from hourbook_contracts.codec import header
from hourbook_contracts.ledger import ConflictOpened, Settled, TimesheetRequested, TimesheetWritten
from hourbook_contracts.topics import LEDGER
from hourbook_kit.crash import spawn
from hourbook_kit.kafka import AnotherLogError
from hourbook_kit.kafka import connection as kafka_connection
from hourbook_kit.settings import KafkaSettings
from hourbook_reconciler.lanes import Lanes
from hourbook_reconciler.record import Record

log = structlog.get_logger()

PATIENT = frozenset(
    kind.TYPE for kind in (TimesheetRequested, Settled, ConflictOpened, TimesheetWritten)
)
"""Our own decisions, read back, and what became of a write."""

DELIVERY = 2
"""What Faust's consumer waits for with each message: that its stream has it, or that the flow is suspended."""

FETCH_WAIT_MILLISECONDS = 100

SEEK_SECONDS_MAX = 90
"""Longer than the authority's patience, which ends the process; below Kafka's `max_poll_interval`."""

Commit = Callable[[list[Record]], Awaitable[None]]
"""Applies a batch in one transaction, or ends the process."""


class Offsets(Protocol):
    """Says where to go on."""

    async def offsets(self, partitions: set[int]) -> dict[int, int]: ...


class FetchingThread(driver.AIOKafkaConsumerThread):
    """Faust's, with a shorter wait for news.

    aiokafka asks a broker for one thing at a time, and leaves out partitions of which it still holds messages. Behind a
    backlog they would be asked for when the others have news, or after the 1.5 s that Faust lets the broker wait.
    """

    def _create_worker_consumer(self, transport: driver.Transport) -> AIOKafkaConsumer:
        consumer = super()._create_worker_consumer(transport)
        consumer._fetch_max_wait_ms = FETCH_WAIT_MILLISECONDS  # noqa: SLF001 -- Faust has no setting for it
        return consumer


class PostgresConsumer(driver.Consumer):
    """Faust's consumer, which begins where PostgreSQL says."""

    def _new_consumer_thread(self) -> driver.AIOKafkaConsumerThread:
        return FetchingThread(self, loop=self.loop, beacon=self.beacon)

    async def on_started(self) -> None:
        """Faust waits for a seek as long as for one request, and takes a longer one for its own end.

        Then it reads nothing ever after and says nothing. Kafka's client is made by now: its requests keep their 10 s.
        """
        await super().on_started()
        self.app.conf.broker_request_timeout = SEEK_SECONDS_MAX

    async def wait_first(self, *coros: Any, timeout: Any = None) -> Any:  # noqa: ASYNC109 -- Faust's
        """Faust makes four tasks a message, to stop waiting for room when the flow is suspended.

        While there is room and the flow goes on, nothing is waited for; its caller asks for no result.
        """
        if len(coros) != DELIVERY or not cast("PostgresTransport", self.transport).agent.has_room:
            return await super().wait_first(*coros, timeout=timeout)
        delivery, suspension = coros
        suspension.close()
        await delivery
        return None

    async def seek_to_committed(self) -> Mapping[TP, int]:
        """Faust calls this after every (re)assignment, and nothing is fetched before it returns.

        Kafka is not asked for offsets of its own: that would be a request for each partition, one after the other.
        """
        ours = {tp for tp in self.assignment() if tp.topic == LEDGER.name}
        transport = cast("PostgresTransport", self.transport)
        found = await transport.agent.where({tp.partition for tp in ours})
        over = {tp: found[tp.partition] for tp in ours}
        if over:
            await self.seek_wait(over)
        return over


class PostgresTransport(driver.Transport):
    Consumer = PostgresConsumer
    agent: "Agent"


class Agent:
    """Reads the ledger and gives it to `commits`: while PostgreSQL stores for one, another one folds."""

    def __init__(
        self,
        app: faust.App,
        authority: Offsets,
        commits: Sequence[Commit],
        *,
        batch: int,
        refuse: Callable[[str], None],
    ) -> None:
        """A commit is of a `batch` at most; `refuse` is told why nothing is read, where the ledger is another one."""
        self.app = app
        self.assigned: set[int] = set()
        self.ready = asyncio.Event()
        """Set at the first assignment."""
        self._lanes = Lanes(
            [partial(self._store, commit) for commit in commits],
            _partition,
            _is_patient,
            most=batch,
        )
        self._authority, self._refuse = authority, refuse
        self._stream: Any = None
        self._queue: asyncio.Queue[Any] | None = None
        app.finalize()
        transport = PostgresTransport(app.conf.broker_consumer, app)
        transport.agent = self
        app.transport = transport
        topic = app.topic(
            LEDGER.name,
            key_type=bytes,
            value_type=bytes,
            key_serializer="raw",
            value_serializer="raw",
        )
        app.agent(topic, name="reconcile")(self._reconcile)  # concurrency=1

    @property
    def has_work(self) -> bool:
        """Whether something is being stored, or waits for it."""
        return bool(self._lanes.storing or self._lanes.waiting)

    @property
    def has_room(self) -> bool:
        """Whether one more message is taken at once."""
        return (
            self._queue is not None and not self._queue.full() and self.app.flow_control.is_active()
        )

    async def run(self) -> None:
        """Read until cancelled; raises what made Faust stop."""
        await self.app.start()
        await self.app.wait_until_stopped()
        raise RuntimeError("Faust stopped by itself") from self.app.crash_reason

    async def where(self, partitions: set[int]) -> dict[int, int]:
        """Where to go on; never returns where the ledger is another one."""
        try:
            found = await self._authority.offsets(partitions)
        except AnotherLogError as error:
            log.critical("another_ledger", error=str(error))
            self._refuse(str(error))
            await asyncio.Event().wait()
            raise
        log.info("partitions_assigned", partitions=sorted(partitions))
        self.assigned = partitions
        self.ready.set()
        return found

    async def _reconcile(self, stream: Any) -> None:
        self._stream, self._queue = stream, stream.channel.queue
        lanes = [spawn(loop, "lane") for loop in self._lanes.loops()]
        try:
            async for event in stream.noack().events():
                await self._lanes.put(event)
        finally:
            for lane in lanes:
                lane.cancel()

    async def _store(self, commit: Commit, events: list[faust.EventT[bytes]]) -> None:
        await commit([_record(event.message) for event in events])
        for event in events:
            await self._stream.ack(event)  # after the commit; only informs people


def _partition(event: faust.EventT[bytes]) -> int:
    return event.message.partition


def _is_patient(event: faust.EventT[bytes]) -> bool:
    return header(_headers(event.message), "ce_type") in PATIENT


def _headers(message: Any) -> Iterable[tuple[str, bytes | None]]:
    headers = message.headers or ()
    return headers.items() if isinstance(headers, Mapping) else headers


def _record(message: Any) -> Record:
    return Record(
        partition=message.partition,
        offset=message.offset,
        key=message.key,
        value=message.value,
        headers=tuple(_headers(message)),
        milliseconds=int(message.timestamp * 1000) if message.timestamp else None,
    )


def make_app(settings: KafkaSettings, group: str, instance: str | None, folder: str) -> faust.App:
    """The session's 6 s are how long a dead worker's partitions wait; Faust's defaults are a minute."""
    return faust.App(
        group,
        broker=[f"kafka://{address}" for address in settings.kafka_bootstrap.split(",")],
        broker_credentials=_credentials(settings),
        store="memory://",
        datadir=folder,
        web_enabled=False,
        topic_allow_declare=False,
        topic_disable_leader=True,
        key_serializer="raw",
        value_serializer="raw",
        consumer_auto_offset_reset="earliest",
        consumer_group_instance_id=instance,
        consumer_metadata_max_age_ms=2000,
        broker_commit_interval=1.0,
        broker_session_timeout=6.0,
        broker_heartbeat_interval=1.0,
        broker_request_timeout=10.0,
        broker_rebalance_timeout=10.0,
        broker_max_poll_interval=120.0,  # from the client's making to the first fetch, the seek between them
        stream_wait_empty=True,
        stream_buffer_maxsize=4096,
    )


def _credentials(settings: KafkaSettings) -> Any:
    """As Faust wants them: None where nobody asks for any."""
    context = kafka_connection(settings).get("ssl_context")
    if settings.kafka_security_protocol.startswith("SASL"):
        password = settings.kafka_sasl_password
        return faust.SASLCredentials(
            username=settings.kafka_sasl_username,
            password=password.get_secret_value() if password else None,
            ssl_context=context,
            mechanism=settings.kafka_sasl_mechanism,
        )
    return faust.SSLCredentials(context=context) if context else None

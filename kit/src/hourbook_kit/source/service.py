"""The process around connectors of sources: starts everything in order, and works until cancelled."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from functools import partial
from importlib.metadata import entry_points
from socket import gethostname

import asyncpg
import structlog
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.errors import KafkaError
from pydantic import Field

from hourbook_contracts.topics import INBOX
from hourbook_kit import kafka, postgres
from hourbook_kit.control import ControlTail
from hourbook_kit.health import Health
from hourbook_kit.outbox import Relay
from hourbook_kit.settings import ServiceSettings
from hourbook_kit.source.backfilling import Backfilling
from hourbook_kit.source.backfills import Backfills
from hourbook_kit.source.backoff import Backoff
from hourbook_kit.source.bad_records import BadRecords
from hourbook_kit.source.connections import Connections
from hourbook_kit.source.inbox import GROUP, Inbox
from hourbook_kit.source.leader import lead
from hourbook_kit.source.obstacles import Obstacles
from hourbook_kit.source.parking import Parking
from hourbook_kit.source.protocol import Connector
from hourbook_kit.source.reading import Reader
from hourbook_kit.source.requests import Requests
from hourbook_kit.source.sources import Sources
from hourbook_kit.source.store import SCHEMA, Store
from hourbook_kit.source.tail import LedgerTail
from hourbook_kit.source.watch import Watch
from hourbook_kit.source.watching import Beside, watch_all
from hourbook_kit.vault import Vault

log = structlog.get_logger()

CONNECTORS = "hourbook.sources"
"""The entry points by which an installed package says which kinds of source it knows."""


class SourceSettings(ServiceSettings):
    database_pool: int = 10
    instance: str = Field(default_factory=gethostname)
    """With the port, the name of this process among its kind; the same one after a restart, so that
    Kafka gives it back its partitions at once instead of waiting for a dead member's session."""
    tickets_at_once: int = 16
    """Read at the same time."""
    poll_overlap_seconds: float = 60
    """A poll looks this far behind its cursor: a row is visible only when its transaction commits."""


def connectors() -> dict[str, Connector]:
    """By kind, of every package that is installed here."""
    return {found.name: found.load() for found in entry_points(group=CONNECTORS)}


@dataclass(frozen=True, slots=True)
class _Ground:
    """What every loop stands on: it has answered, but for the consumer, which starts with its reader."""

    pool: asyncpg.Pool
    producer: AIOKafkaProducer
    control: ControlTail
    vault: Vault
    consumer: AIOKafkaConsumer


async def run(
    settings: SourceSettings,
    health: Health,
    known: Mapping[str, Connector],
    started: Callable[[Connections, Requests], None],
) -> None:
    """Tells when it has started, with what deliveries need."""
    dsn = settings.database_url.get_secret_value()
    async with AsyncExitStack() as stack:
        ground = await _ground(settings, health, stack)
        pool, producer = ground.pool, ground.producer
        store, sources, backfills = Store(pool), Sources(pool), Backfills(pool)
        requests, obstacles = Requests(producer), Obstacles(pool, health)
        connections = Connections(ground.control, ground.vault, known)
        stack.push_async_callback(connections.close)
        inbox = Inbox(
            connections,
            Reader(store, ground.vault, ground.control),
            store,
            backfills,
            Parking(producer, ground.vault, health),
            health,
            obstacles,
            at_once=settings.tickets_at_once,
        )

        def watch(name: str) -> Beside:
            return Beside(
                Watch(
                    name,
                    connections,
                    store,
                    sources,
                    requests,
                    obstacles,
                    BadRecords(name, producer, obstacles),
                    overlap_seconds=settings.poll_overlap_seconds,
                ),
                Backfilling(name, connections, backfills, requests, obstacles),
            )

        started(connections, requests)
        health.started = True
        log.info("started", sources=connections.names)

        async def read_inbox() -> None:
            await _when_kafka_answers(ground.consumer.start, health)  # it has partitions then
            await inbox.run(ground.consumer)

        async with asyncio.TaskGroup() as work:
            work.create_task(ground.control.run())
            work.create_task(read_inbox())
            work.create_task(Relay(dsn, SCHEMA, producer).run())
            work.create_task(lead(dsn, "ingest watch", partial(watch_all, connections, watch)))
            work.create_task(lead(dsn, "ingest tail", LedgerTail(settings, pool, health).run))


async def _ground(settings: SourceSettings, health: Health, stack: AsyncExitStack) -> _Ground:
    """Waits for the database and for Kafka as long as it takes; the stack ends what was begun."""
    health.hinder("database", "The database does not answer.")
    pool = await postgres.pool(
        settings.database_url.get_secret_value(),
        size=settings.database_pool,
        patience_seconds=float("inf"),
    )
    stack.push_async_callback(pool.close)
    health.clear("database")
    producer = kafka.producer(settings)
    stack.push_async_callback(producer.stop)
    await _when_kafka_answers(producer.start, health)
    vault = Vault(pool, settings.vault_key.get_secret_value())
    control = ControlTail(settings, vault.hear)
    stack.push_async_callback(control.stop)
    await _when_kafka_answers(partial(_started, control), health)
    consumer = kafka.consumer(
        settings,
        INBOX.name,
        group=GROUP,
        group_instance_id=f"{settings.instance}-{settings.port}",
        max_poll_interval_ms=1_800_000,  # while the world is broken nothing is asked for
        session_timeout_ms=10_000,
    )
    stack.push_async_callback(consumer.stop)
    return _Ground(pool, producer, control, vault, consumer)


async def _started(control: ControlTail) -> None:
    """Start it afresh: a consumer that did not come up is no longer of use."""
    await control.stop()
    await control.start()


async def _when_kafka_answers(start: Callable[[], Awaitable[None]], health: Health) -> None:
    backoff = Backoff(most_seconds=5)
    while True:
        try:
            await start()
        except (KafkaError, OSError) as error:
            health.hinder("kafka", "Kafka does not answer.")
            log.info("waiting_for_kafka", error=type(error).__name__)
            await backoff.wait()
        else:
            health.clear("kafka")
            return

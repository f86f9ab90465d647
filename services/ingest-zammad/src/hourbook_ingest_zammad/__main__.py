"""`python -m hourbook_ingest_zammad`: the only place that builds things."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from functools import partial

import structlog
from aiokafka.errors import KafkaError

from hourbook_contracts.topics import INBOX
from hourbook_ingest_zammad.backfilling import Backfilling
from hourbook_ingest_zammad.backfills import Backfills
from hourbook_ingest_zammad.backoff import Backoff
from hourbook_ingest_zammad.connections import Connect, Connections
from hourbook_ingest_zammad.inbox import GROUP, Inbox
from hourbook_ingest_zammad.leader import lead
from hourbook_ingest_zammad.obstacles import Obstacles
from hourbook_ingest_zammad.parking import Parking
from hourbook_ingest_zammad.reading import Reader
from hourbook_ingest_zammad.requests import Requests
from hourbook_ingest_zammad.settings import Settings
from hourbook_ingest_zammad.sources import Sources
from hourbook_ingest_zammad.store import SCHEMA, Store
from hourbook_ingest_zammad.tail import LedgerTail
from hourbook_ingest_zammad.watch import Watch
from hourbook_ingest_zammad.watching import Beside, watch_all
from hourbook_ingest_zammad.webhook import Door, application
from hourbook_ingest_zammad.zammad import Zammad
from hourbook_kit import kafka, postgres
from hourbook_kit.control import ControlTail
from hourbook_kit.crash import spawn
from hourbook_kit.health import Health, serve_until_stopped
from hourbook_kit.outbox import Relay
from hourbook_kit.settings import from_environment
from hourbook_kit.telemetry import start_logging, start_tracing
from hourbook_kit.vault import Vault

log = structlog.get_logger()

NAME = "ingest-zammad"


async def run(door: Door, connect: Connect = Zammad) -> None:
    """Everything but the webhook's server: start it in order, open the door, work until cancelled."""
    settings, health = door.settings, door.health
    dsn = settings.database_url.get_secret_value()
    async with AsyncExitStack() as stack:
        health.hinder("database", "The database does not answer.")
        pool = await postgres.pool(dsn, size=settings.database_pool, patience_seconds=float("inf"))
        stack.push_async_callback(pool.close)
        health.clear("database")

        producer = kafka.producer(settings)
        stack.push_async_callback(producer.stop)
        await _when_kafka_answers(producer.start, health)
        control = ControlTail(settings)
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

        vault = Vault(pool, settings.vault_key.get_secret_value())
        store, sources, backfills = Store(pool), Sources(pool), Backfills(pool)
        requests, obstacles = Requests(producer), Obstacles(pool, health)
        connections = Connections(control, vault, connect)
        stack.push_async_callback(connections.close)
        inbox = Inbox(
            connections,
            Reader(store, vault),
            store,
            backfills,
            Parking(producer, vault, health),
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
                    overlap_seconds=settings.poll_overlap_seconds,
                ),
                Backfilling(name, connections, backfills, requests, obstacles),
            )

        door.connections, door.requests = connections, requests
        health.started = True
        log.info("started", sources=connections.names)

        async def read_inbox() -> None:
            await _when_kafka_answers(consumer.start, health)  # returns when it has partitions
            await inbox.run(consumer)

        async with asyncio.TaskGroup() as work:
            work.create_task(control.run())
            work.create_task(read_inbox())
            work.create_task(Relay(dsn, SCHEMA, producer).run())
            work.create_task(lead(dsn, "ingest watch", partial(watch_all, connections, watch)))
            work.create_task(lead(dsn, "ingest tail", LedgerTail(settings, pool, health).run))


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


async def main() -> None:
    settings = from_environment(Settings)
    start_logging(NAME, level=logging.getLevelNamesMapping()[settings.log_level])
    logging.getLogger("httpx").setLevel(logging.WARNING)  # it tells of every request
    start_tracing(NAME)
    door = Door(settings, Health())
    work = spawn(run(door), NAME)
    await serve_until_stopped(application(door), settings.host, settings.port, work)


if __name__ == "__main__":
    asyncio.run(main())

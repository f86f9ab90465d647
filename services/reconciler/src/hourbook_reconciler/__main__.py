"""The reconciler: reads the ledger, decides what brings Kimai in line, and keeps the read model."""

import asyncio
import logging
import os
import tempfile
from contextlib import AsyncExitStack

import structlog
from aiokafka.errors import KafkaError

from hourbook_kit import kafka
from hourbook_kit.control import ControlTail
from hourbook_kit.crash import die, spawn
from hourbook_kit.health import Health, health_app, serve
from hourbook_kit.memory import search_rarely
from hourbook_kit.outbox import Relay
from hourbook_kit.settings import from_environment
from hourbook_kit.telemetry import start_logging, start_tracing
from hourbook_reconciler.agent import Agent, make_app
from hourbook_reconciler.assess import Assessor
from hourbook_reconciler.authority import Authority
from hourbook_reconciler.commit import Commit
from hourbook_reconciler.session import Session
from hourbook_reconciler.settings import Settings
from hourbook_reconciler.watch import Watch

log = structlog.get_logger()

STOP_SECONDS = 4
"""For leaving the group in good order; whoever stops us kills us some time later."""
KAFKA_PATIENCE_SECONDS = 60
BEGIN_SECONDS = 120
"""Joining the group and the seek, which has an end of its own; what lasts longer will not end by itself."""
LANES = 2
"""Transactions side by side: more would only wait for the one Python that folds."""


async def run(settings: Settings) -> None:
    """Health from the first moment, everything else as soon as Kafka and PostgreSQL are there."""
    health = Health()
    work = spawn(reconcile(settings, health), "reconciler")
    await serve(health_app(health), settings.host, settings.port)
    log.info("stopping")
    work.cancel()
    _, running = await asyncio.wait([work], timeout=STOP_SECONDS)
    if running:
        log.warning("stopped_without_farewell")
        logging.shutdown()
        os._exit(0)  # crash-only: PostgreSQL knows where we stand


async def reconcile(settings: Settings, health: Health) -> None:
    """All loops of the service, until cancelled; any of them that ends, ends the process."""
    dsn = settings.database_url.get_secret_value()
    async with AsyncExitStack() as running:
        tail = await _control(settings)
        running.push_async_callback(tail.stop)
        cluster_id = await kafka.cluster_id(settings)
        producer = kafka.producer(settings)
        await producer.start()
        running.push_async_callback(producer.stop)
        folder = running.enter_context(tempfile.TemporaryDirectory(prefix="hourbook-reconciler-"))
        app = make_app(settings, settings.consumer_group, settings.instance, folder)
        running.push_async_callback(app.stop)
        agent = Agent(
            app,
            Authority(settings, dsn),
            [Commit(Session(dsn, health), tail, health, cluster_id) for _ in range(LANES)],
            batch=settings.batch_messages,
            refuse=lambda sentence: health.hinder("ledger", sentence),
        )
        watch = Watch(
            settings, agent, Session(dsn, health), stalled_seconds=settings.stalled_seconds
        )
        for name, loop in {
            "control": tail.run(),
            "outbox": Relay(dsn, "book", producer).run(),
            "assessment": Assessor(dsn, tail, health).run(),
            "watch": watch.run(),
            "agent": agent.run(),
        }.items():
            running.callback(spawn(loop, name).cancel)
        await begun(agent.ready, health, seconds=BEGIN_SECONDS)
        health.started = True
        log.info("ready", policy=tail.installation.policy.version)
        await asyncio.Event().wait()


async def begun(ready: asyncio.Event, health: Health, *, seconds: float) -> None:
    """Back at the first partitions; where none come and nothing says why, the process ends."""
    try:
        async with asyncio.timeout(seconds):
            await ready.wait()
    except TimeoutError:
        if not health.obstacles:
            die("no partition was assigned", seconds=seconds)
        await ready.wait()


async def _control(settings: Settings) -> ControlTail:
    """The control topic, read to its end; waits for a broker that is still starting."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + KAFKA_PATIENCE_SECONDS
    while True:
        tail = ControlTail(settings)
        try:
            await tail.start()
        except (KafkaError, OSError) as error:
            await tail.stop()
            log.warning("kafka_waits", error=type(error).__name__)
            if loop.time() > deadline:
                die("Kafka stayed away")
            await asyncio.sleep(1)
        else:
            return tail


def main() -> None:
    settings = from_environment(Settings)
    start_logging("reconciler", level=logging.getLevelNamesMapping()[settings.log_level])
    for noisy in ("faust", "mode", "aiokafka"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
    if os.environ.get("OTEL_EXPORTER_OTLP_ENDPOINT"):
        start_tracing("reconciler")
    search_rarely()
    asyncio.run(run(settings))


if __name__ == "__main__":
    main()

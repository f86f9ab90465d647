"""Starts push-kimai: the only place that builds things."""

import asyncio
import logging
import os

from hourbook_kit import postgres
from hourbook_kit.crash import spawn
from hourbook_kit.health import Health, health_app, serve_until_stopped
from hourbook_kit.memory import search_rarely
from hourbook_kit.outbox import Relay
from hourbook_kit.settings import from_environment
from hourbook_kit.telemetry import start_logging, start_tracing
from hourbook_kit.vault import Vault
from hourbook_push_kimai import patience
from hourbook_push_kimai.active import Active
from hourbook_push_kimai.forgetting import forget_names
from hourbook_push_kimai.settings import Settings

NAME = "push-kimai"


async def main(settings: Settings) -> None:
    dsn = settings.database_url.get_secret_value()
    health = Health()
    pool = await postgres.pool(dsn, size=max(settings.database_pool, 12))
    producer = await patience.started_producer(settings)
    vault = Vault(pool, settings.vault_key.get_secret_value())
    control = await patience.started_control(settings, vault.hear)
    active = Active(settings, dsn, pool, control, vault, health)
    health.started = True
    work = [
        spawn(control.run(), "control"),
        spawn(Relay(dsn, "push", producer).run(), "relay"),
        spawn(active.run(), "active"),
        spawn(forget_names(pool, control), "forgetting"),
    ]
    try:
        await serve_until_stopped(health_app(health), settings.host, settings.port, *work)
    finally:
        await control.stop()
        await producer.stop()
        await pool.close()


if __name__ == "__main__":
    settings = from_environment(Settings)
    start_logging(NAME, level=logging.getLevelNamesMapping()[settings.log_level])
    if os.environ.get("OTEL_EXPORTER_OTLP_ENDPOINT"):
        start_tracing(NAME)
    search_rarely()
    asyncio.run(main(settings))

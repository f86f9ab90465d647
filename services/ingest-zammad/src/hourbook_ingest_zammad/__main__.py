"""`python -m hourbook_ingest_zammad`: the only place that builds things."""

import asyncio
import logging
from collections.abc import Mapping

from hourbook_ingest_zammad.settings import Settings
from hourbook_ingest_zammad.webhook import Door, application
from hourbook_kit.crash import spawn
from hourbook_kit.health import Health, serve_until_stopped
from hourbook_kit.memory import search_rarely
from hourbook_kit.settings import from_environment
from hourbook_kit.source import service
from hourbook_kit.source.protocol import Connector
from hourbook_kit.source.service import connectors
from hourbook_kit.telemetry import start_logging, start_tracing

NAME = "ingest-zammad"


async def run(door: Door, known: Mapping[str, Connector] | None = None) -> None:
    """Everything but the webhook's server; it opens the door when it has started."""
    found = connectors() if known is None else known
    await service.run(door.settings, door.health, found, door.open)


async def main() -> None:
    settings = from_environment(Settings)
    start_logging(NAME, level=logging.getLevelNamesMapping()[settings.log_level])
    logging.getLogger("httpx").setLevel(logging.WARNING)  # it tells of every request
    start_tracing(NAME)
    door = Door(settings, Health())
    work = spawn(run(door), NAME)
    await serve_until_stopped(application(door), settings.host, settings.port, work)


if __name__ == "__main__":
    search_rarely()
    asyncio.run(main())

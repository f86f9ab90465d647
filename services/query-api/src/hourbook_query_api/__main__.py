"""The only place that builds things."""

import asyncio
import logging
import os

from opentelemetry.instrumentation.fastapi import FastAPIInstrumentor

from hourbook_kit.health import Health, serve_until_stopped
from hourbook_kit.memory import search_rarely
from hourbook_kit.settings import from_environment
from hourbook_kit.telemetry import start_logging, start_tracing
from hourbook_query_api.app import create_app
from hourbook_query_api.desk import Desk
from hourbook_query_api.pages import Pages
from hourbook_query_api.settings import Settings

SERVICE = "query-api"


def main() -> None:
    settings = from_environment(Settings)
    start_logging(SERVICE, level=logging.getLevelNamesMapping()[settings.log_level])
    app = create_app(Desk(settings, Health()))
    if "OTEL_EXPORTER_OTLP_ENDPOINT" in os.environ:
        start_tracing(SERVICE)
        FastAPIInstrumentor.instrument_app(app, exclude_spans=["send", "receive"])
    if settings.ui_folder is not None:
        app.add_middleware(Pages, folder=settings.ui_folder)
    search_rarely()
    asyncio.run(serve_until_stopped(app, settings.host, settings.port))


if __name__ == "__main__":
    main()

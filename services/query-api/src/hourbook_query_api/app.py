"""The HTTP application: its routers, its problems."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from fastapi import FastAPI
from fastapi.routing import APIRoute

from hourbook_kit.crash import spawn
from hourbook_kit.health import Readiness, routes
from hourbook_query_api import (
    accesses,
    audit,
    backfills,
    catalogue,
    conflicts,
    connector_acts,
    connector_tests,
    connectors,
    deliveries,
    entries,
    export,
    figures,
    jobs,
    live,
    login,
    looking,
    mappings,
    overview,
    previews,
    privacy,
    problems,
    resolving,
    retention,
    schedule,
    sync,
    unmapped,
    users,
    vault_keys,
)
from hourbook_query_api.caretaking import LOOPS
from hourbook_query_api.desk import Desk
from hourbook_query_api.documenting import DESCRIPTION, document

ROUTED = (
    *(login, users),
    *(overview, entries, resolving, conflicts),
    *(connectors, connector_acts, connector_tests, catalogue, previews),
    *(unmapped, mappings),
    *(sync, backfills, looking, schedule, deliveries),
    *(audit, export, live, vault_keys, jobs),
    *(privacy, accesses, retention),
)


def create_app(desk: Desk) -> FastAPI:
    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        work = [spawn(desk.work(*LOOPS), "desk"), spawn(figures.keep_true(desk), "figures")]
        try:
            yield
        finally:
            for task in work:
                task.cancel()
            await asyncio.gather(*work, return_exceptions=True)

    app = FastAPI(
        title="Hourbook",
        version="1",
        description=DESCRIPTION,
        lifespan=lifespan,
        openapi_url="/api/openapi.json",
        docs_url="/api/docs",
        redoc_url=None,
        redirect_slashes=False,
        generate_unique_id_function=_operation,
    )
    app.state.desk = desk
    problems.install(app)
    not_ready: dict[int | str, dict[str, Any]] = {503: {"model": Readiness}}
    app.include_router(
        routes(desk.health), prefix="/api/health", tags=["health"], responses=not_ready
    )
    for module in ROUTED:
        app.include_router(module.router)
    app.openapi = lambda: document(app)  # type: ignore[method-assign]  # as FastAPI documents it
    return app


def _operation(route: APIRoute) -> str:
    """What generated clients call it, and what its role hangs on: the function's name."""
    return route.name

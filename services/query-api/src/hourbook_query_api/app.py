"""The HTTP application: its routers, its problems, its document."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from hourbook_kit.crash import spawn
from hourbook_kit.health import Readiness, routes
from hourbook_query_api import (
    backfills,
    catalogue,
    conflicts,
    connector_acts,
    connector_tests,
    connectors,
    entries,
    figures,
    mappings,
    problems,
    sync,
)
from hourbook_query_api.desk import Desk

DESCRIPTION = (
    "The read model of Hourbook, and what people decide. Durations are seconds, moments are UTC, ids"
    " are ours (`zammad:desk:72`). Every route but health asks for the operator's token. What a person"
    " does is published and then awaited: 200 or 201 when it is seen, else 202 with where to look."
)


def create_app(desk: Desk) -> FastAPI:
    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        work = [spawn(desk.work(), "desk"), spawn(figures.keep_true(desk), "figures")]
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
    )
    app.state.desk = desk
    problems.install(app)
    not_ready: dict[int | str, dict[str, Any]] = {503: {"model": Readiness}}
    app.include_router(
        routes(desk.health), prefix="/api/health", tags=["health"], responses=not_ready
    )
    for module in (
        *(entries, conflicts, connectors, connector_acts, connector_tests),
        *(catalogue, mappings, sync, backfills),
    ):
        app.include_router(module.router)
    app.openapi = lambda: document(app)  # type: ignore[method-assign]  # as FastAPI documents it
    return app


def document(app: FastAPI) -> dict[str, Any]:
    """The OpenAPI document; every problem, validation's too, has the one shape."""
    if app.openapi_schema:
        return app.openapi_schema
    made = get_openapi(
        title=app.title, version=app.version, description=app.description, routes=app.routes
    )
    invalid = problems.described(422)[422]
    for operations in made["paths"].values():
        for operation in operations.values():
            if "422" in operation["responses"]:
                operation["responses"]["422"] = invalid
    schemas = made["components"]["schemas"]
    for name in ("HTTPValidationError", "ValidationError"):
        schemas.pop(name, None)
    problem = problems.Problem.model_json_schema(ref_template="#/components/schemas/{model}")
    schemas |= problem.pop("$defs") | {"Problem": problem}
    app.openapi_schema = made
    return made

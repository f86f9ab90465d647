"""The whole twin as one application around a memory."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
from fastapi import FastAPI, Request
from fastapi.responses import Response
from starlette.exceptions import HTTPException

from hourbook_simulators import faults
from hourbook_simulators.state import Keeper
from hourbook_simulators.zammad import accountings, control, directory, page, searching, tickets
from hourbook_simulators.zammad.etags import Etags
from hourbook_simulators.zammad.memory import Memory
from hourbook_simulators.zammad.refusals import Refusal, no_route, refused
from hourbook_simulators.zammad.webhooks import Courier

API = "/api/v1"


def build(
    memory: Memory,
    *,
    state: Path | None = None,
    webhook_transport: httpx.AsyncBaseTransport | None = None,
) -> FastAPI:
    """Webhooks go out and the state is kept while the application's lifespan lasts."""
    keeper = Keeper(state, memory.picture)
    courier = Courier(memory, webhook_transport)
    memory.on_write.append(keeper.changed)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        memory.on_change.append(courier.ticket_changed)
        courier.resume()
        keeper.changed()  # a new memory is kept from the start
        keeping = asyncio.create_task(keeper.run())
        yield
        memory.on_change.remove(courier.ticket_changed)
        await courier.close()
        keeping.cancel()
        keeper.save()

    app = FastAPI(lifespan=lifespan, openapi_url=None, redirect_slashes=False)
    app.state.memory, app.state.courier = memory, courier
    for router in (accountings.router, searching.router, tickets.router, directory.router):
        app.include_router(router, prefix=API)
    switchboard = faults.Switchboard()
    app.include_router(faults.control(switchboard))
    app.include_router(control.router)
    app.include_router(page.router)
    app.add_middleware(Etags, memory=memory)
    app.add_middleware(faults.Faulty, switchboard=switchboard)
    app.add_exception_handler(Refusal, _on_refusal)
    app.add_exception_handler(HTTPException, _on_no_route)
    return app


async def _on_refusal(request: Request, error: Exception) -> Response:
    if not isinstance(error, Refusal):
        raise error
    return refused(request, error)


async def _on_no_route(request: Request, error: Exception) -> Response:
    if not isinstance(error, HTTPException):
        raise error
    if not request.url.path.startswith("/api"):
        return refused(request, Refusal(error.status_code, str(error.detail)))
    return refused(request, no_route(request.app.state.memory, request.method, request.url.path))

"""Kimai's routes over a memory: who asks, what is asked, what is answered.

Plain routes rather than path operations: Kimai reads bodies and parameters in its own way, and
nothing of that is worth a schema.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from datetime import datetime

from fastapi import FastAPI
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from hourbook_kit.clock import now as real_now
from hourbook_simulators.faults import Faulty, Switchboard, control
from hourbook_simulators.kimai.answers import CORS, of_no_route, refused
from hourbook_simulators.kimai.catalogue_api import CatalogueApi
from hourbook_simulators.kimai.control import twin_router
from hourbook_simulators.kimai.memory import Memory
from hourbook_simulators.kimai.pages import pages
from hourbook_simulators.kimai.permissions import Caller, permissions_of
from hourbook_simulators.kimai.refusals import Refusal, invalid_token, masked
from hourbook_simulators.kimai.teams import teams_of
from hourbook_simulators.kimai.timesheet_api import TimesheetApi
from hourbook_simulators.state import Keeper

Endpoint = Callable[[Request, Caller], Awaitable[Response]]


def build(
    memory: Memory, keeper: Keeper | None = None, switchboard: Switchboard | None = None
) -> FastAPI:
    """Without a keeper nothing is kept: the twin of a test."""
    board = switchboard or Switchboard()

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        if keeper is None:
            yield
            return
        memory.changed = keeper.changed
        keeping = asyncio.create_task(keeper.run())
        yield
        keeping.cancel()
        with suppress(asyncio.CancelledError):
            await keeping
        keeper.save()

    app = FastAPI(title="Kimai twin", lifespan=lifespan, openapi_url=None, redirect_slashes=False)
    _add_routes(app, memory)  # first: routes are tried in their order
    app.include_router(control(board))
    app.include_router(twin_router(memory))
    app.include_router(pages(memory))
    app.add_exception_handler(HTTPException, of_no_route)
    app.add_middleware(Faulty, switchboard=board)
    return app


def _add_routes(app: FastAPI, memory: Memory) -> None:
    guard = Guard(memory)
    timesheets, others = TimesheetApi(memory, guard.now), CatalogueApi(memory, guard.now)
    one = "/api/timesheets/{id:int}"
    routes: list[tuple[str, str, Endpoint]] = [
        ("GET", "/api/timesheets", timesheets.timesheets),
        ("POST", "/api/timesheets", timesheets.create),
        ("GET", one, timesheets.timesheet),
        ("PATCH", one, timesheets.change),
        ("DELETE", one, timesheets.delete),
        ("PATCH", one + "/stop", timesheets.stop),
        ("GET", "/api/timesheets/active", timesheets.active),
        ("GET", "/api/timesheets/recent", timesheets.recent),
        ("PATCH", one + "/restart", timesheets.restart),
        ("PATCH", one + "/duplicate", timesheets.duplicate),
        ("PATCH", one + "/export", timesheets.export),
        ("GET", "/api/ping", others.ping),
        ("GET", "/api/version", others.version),
        ("GET", "/api/plugins", others.plugins),
        ("GET", "/api/config/timesheet", others.config),
        ("GET", "/api/users", others.users),
        ("GET", "/api/users/me", others.me),
        ("GET", "/api/users/{id:int}", others.user),
        ("GET", "/api/customers", others.customers),
        ("GET", "/api/customers/{id:int}", others.customer),
        ("GET", "/api/projects", others.projects),
        ("GET", "/api/projects/{id:int}", others.project),
        ("GET", "/api/activities", others.activities),
        ("GET", "/api/activities/{id:int}", others.activity),
        ("POST", "/api/customers", others.create_in_catalogue),
        ("POST", "/api/projects", others.create_in_catalogue),
        ("POST", "/api/activities", others.create_in_catalogue),
        ("GET", "/api/tags", others.tag_names),
        ("POST", "/api/tags", others.create_tag),
        ("GET", "/api/tags/find", others.find_tags),
        ("DELETE", "/api/tags/{id:int}", others.delete_tag),
    ]
    for method, path, endpoint in routes:
        app.add_route(path, guard.before(endpoint), methods=[method])


class Guard:
    """Finds out who calls before an endpoint is asked, and turns refusals into answers."""

    def __init__(self, memory: Memory) -> None:
        self.memory = memory

    def now(self) -> datetime:
        return self.memory.now(real_now())

    def before(self, endpoint: Endpoint) -> Callable[[Request], Awaitable[Response]]:
        async def guarded_endpoint(request: Request) -> Response:
            try:
                given = await endpoint(request, self._caller(request))
            except Refusal as refusal:
                given = refused(refusal)
            if "origin" in request.headers:
                given.headers.update(CORS)
            return given

        return guarded_endpoint

    def _caller(self, request: Request) -> Caller:
        """The legacy header credentials always fail here (kimai-api.md 1.2, 1.3)."""
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if scheme != "Bearer" or not token:
            if {"x-auth-user", "x-auth-token"} <= set(request.headers.keys()):
                raise Refusal(403, {"message": "Invalid credentials"})
            raise masked(401)
        user = self.memory.user_of(token, self.now())
        if user is None:
            raise invalid_token()
        caller = Caller(
            user.id,
            user.timezone,
            permissions_of(user.roles, self.memory.roles),
            user.language,
            *teams_of(self.memory, user.id),
        )
        if not caller.may("api_access"):
            raise masked(403)
        return caller

"""Kimai's routes over a memory: who asks, what is asked, what is answered.

Plain routes rather than path operations: Kimai reads bodies and parameters in its own way, and
nothing of that is worth a schema.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from datetime import datetime
from typing import Any, TypeVar

from fastapi import FastAPI
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from hourbook_kit.clock import now as real_now
from hourbook_simulators.faults import Faulty, Switchboard, control
from hourbook_simulators.kimai import catalogue, listing, shapes, writing
from hourbook_simulators.kimai.control import twin_router
from hourbook_simulators.kimai.forms import decode
from hourbook_simulators.kimai.listing import Query
from hourbook_simulators.kimai.memory import Memory, Timesheet
from hourbook_simulators.kimai.pages import pages
from hourbook_simulators.kimai.permissions import Caller, permissions_of
from hourbook_simulators.kimai.refusals import Refusal, invalid_token, masked
from hourbook_simulators.kimai.settings import is_on
from hourbook_simulators.state import Keeper

HEADERS = {
    "Content-Language": "en",
    "X-Robots-Tag": "noindex",
    "Cache-Control": "max-age=0, must-revalidate, private",
}
VERSION = {
    "version": "2.66.0",
    "versionId": 26600,
    "copyright": "Kimai 2.66.0 by Kevin Papst.",
}
Row = TypeVar("Row")
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
    _add_routes(app, Api(memory))  # first: routes are tried in their order
    app.include_router(control(board))
    app.include_router(twin_router(memory))
    app.include_router(pages(memory))
    app.add_exception_handler(HTTPException, _masked_answer)
    app.add_middleware(Faulty, switchboard=board)
    return app


async def _masked_answer(_: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 500
    return _refused(masked(status))


def _refused(refusal: Refusal) -> Response:
    if refusal.body is None:
        return Response(status_code=refusal.status, headers=HEADERS | refusal.headers)
    return answer(refusal.body, refusal.status, refusal.headers)


def answer(body: Any, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    return _raw(shapes.as_json(body), status, headers)


def _raw(text: str, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    more = HEADERS | (headers or {})
    return Response(text, status_code=status, media_type="application/json", headers=more)


def _add_routes(app: FastAPI, api: "Api") -> None:
    one = "/api/timesheets/{id:int}"
    routes: list[tuple[str, str, Endpoint]] = [
        ("GET", "/api/timesheets", api.timesheets),
        ("POST", "/api/timesheets", api.create),
        ("GET", one, api.timesheet),
        ("PATCH", one, api.change),
        ("DELETE", one, api.delete),
        ("PATCH", one + "/stop", api.stop),
        ("GET", "/api/timesheets/active", api.active),
        ("GET", "/api/timesheets/recent", api.recent),
        ("PATCH", one + "/restart", api.restart),
        ("PATCH", one + "/duplicate", api.duplicate),
        ("PATCH", one + "/export", api.export),
        ("GET", "/api/ping", api.ping),
        ("GET", "/api/version", api.version),
        ("GET", "/api/plugins", api.plugins),
        ("GET", "/api/config/timesheet", api.config),
        ("GET", "/api/users", api.users),
        ("GET", "/api/users/me", api.me),
        ("GET", "/api/users/{id:int}", api.user),
        ("GET", "/api/customers", api.customers),
        ("GET", "/api/customers/{id:int}", api.customer),
        ("GET", "/api/projects", api.projects),
        ("GET", "/api/projects/{id:int}", api.project),
        ("GET", "/api/activities", api.activities),
        ("GET", "/api/activities/{id:int}", api.activity),
        ("POST", "/api/customers", api.create_in_catalogue),
        ("POST", "/api/projects", api.create_in_catalogue),
        ("POST", "/api/activities", api.create_in_catalogue),
        ("GET", "/api/tags", api.tag_names),
        ("POST", "/api/tags", api.create_tag),
        ("GET", "/api/tags/find", api.find_tags),
    ]
    for method, path, endpoint in routes:
        app.add_route(path, api.guarded(endpoint), methods=[method])


class Api:
    """One method an endpoint; `guarded` has found out who calls before it is asked."""

    def __init__(self, memory: Memory) -> None:
        self.memory = memory

    def guarded(self, endpoint: Endpoint) -> Callable[[Request], Awaitable[Response]]:
        async def guarded_endpoint(request: Request) -> Response:
            try:
                return await endpoint(request, self._caller(request))
            except Refusal as refusal:
                return _refused(refusal)

        return guarded_endpoint

    def _caller(self, request: Request) -> Caller:
        """The legacy header credentials always fail here (kimai-api.md 1.2, 1.3)."""
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if scheme != "Bearer" or not token:
            if {"x-auth-user", "x-auth-token"} <= set(request.headers.keys()):
                raise Refusal(403, {"message": "Invalid credentials"})
            raise masked(401)
        user = self.memory.user_of(token, self._now())
        if user is None:
            raise invalid_token()
        caller = Caller(user.id, user.timezone, permissions_of(user.roles, self.memory.roles))
        if not caller.may("api_access"):
            raise masked(403)
        return caller

    def _now(self) -> datetime:
        return self.memory.now(real_now())

    # Status and configuration

    async def ping(self, _: Request, __: Caller) -> Response:
        return answer({"message": "pong"})

    async def version(self, _: Request, __: Caller) -> Response:
        return answer(VERSION)

    async def plugins(self, _: Request, __: Caller) -> Response:
        return answer([])

    async def config(self, _: Request, __: Caller) -> Response:
        setting = self.memory.setting
        rule = "timesheet.rules."
        return answer(
            {
                "trackingMode": setting("timesheet.mode"),
                "defaultBeginTime": setting("timesheet.default_begin"),
                "activeEntriesHardLimit": int(setting("timesheet.active_entries.hard_limit")),
                "isAllowFutureTimes": is_on(setting(rule + "allow_future_times")),
                "isAllowOverlapping": is_on(setting(rule + "allow_overlapping_records")),
            }
        )

    # Users, customers, projects, activities, tags

    async def users(self, request: Request, caller: Caller) -> Response:
        return answer(catalogue.users(_query(request, catalogue.USERS), self.memory, caller))

    async def me(self, _: Request, caller: Caller) -> Response:
        return answer(shapes.user_entity(self.memory.users[caller.user_id]))

    async def user(self, request: Request, caller: Caller) -> Response:
        user = _found(self.memory.users, request)
        if user.id != caller.user_id and not caller.may("view_other_profile"):
            raise masked(403)
        return answer(shapes.user_entity(user))

    async def customers(self, request: Request, caller: Caller) -> Response:
        query = _query(request, catalogue.CUSTOMERS)
        return answer(catalogue.customers(query, self.memory, caller))

    async def customer(self, request: Request, caller: Caller) -> Response:
        customer = _found(self.memory.customers, request)
        if not caller.may("view_customer"):
            raise masked(403)
        return answer(shapes.customer_entity(customer, caller))

    async def projects(self, request: Request, caller: Caller) -> Response:
        query = _query(request, catalogue.PROJECTS)
        return answer(catalogue.projects(query, self.memory, caller, self._now()))

    async def project(self, request: Request, caller: Caller) -> Response:
        project = _found(self.memory.projects, request)
        if not caller.may("view_project"):
            raise masked(403)
        return answer(shapes.project_row(project, self.memory, caller))

    async def activities(self, request: Request, caller: Caller) -> Response:
        query = _query(request, catalogue.ACTIVITIES)
        return answer(catalogue.activities(query, self.memory, caller))

    async def activity(self, request: Request, caller: Caller) -> Response:
        activity = _found(self.memory.activities, request)
        if not caller.may("view_activity"):
            raise masked(403)
        return answer(shapes.activity_row(activity, self.memory, caller))

    async def create_in_catalogue(self, request: Request, caller: Caller) -> Response:
        """Hourbook must not, and is told so; others use /_twin."""
        kinds = {"customers": "customer", "projects": "project", "activities": "activity"}
        kind = kinds[request.url.path.rpartition("/")[2]]
        raise masked(501 if caller.may(f"create_{kind}") else 403)

    async def tag_names(self, request: Request, _: Caller) -> Response:
        part = request.query_params.get("name", "")
        return answer([tag.name for tag in catalogue.tags(self.memory, part)])

    async def find_tags(self, request: Request, _: Caller) -> Response:
        part = request.query_params.get("name")
        found = [] if part is None else catalogue.tags(self.memory, part)
        return answer([shapes.tag_row(tag) for tag in found])

    async def create_tag(self, request: Request, caller: Caller) -> Response:
        tag = catalogue.create_tag(self.memory, caller, await _submitted(request))
        return answer(shapes.tag_row(tag))

    # Timesheets

    async def timesheets(self, request: Request, caller: Caller) -> Response:
        if not caller.may("view_own_timesheet") and not caller.may("view_other_timesheet"):
            raise masked(403)
        query = _query(request, listing.PATTERNS)
        page = listing.page_of(query, self.memory, caller, self._now())
        if query.get("full") in {"1", "true"}:
            expanded = [shapes.timesheet_expanded(row, self.memory, caller) for row in page.rows]
            return answer(expanded, headers=page.headers)
        rows = (shapes.timesheet_row(row, self.memory, caller) for row in page.rows)
        return _raw("[" + ",".join(rows) + "]", headers=page.headers)

    async def timesheet(self, request: Request, caller: Caller) -> Response:
        held = _found(self.memory.timesheets, request)
        if not caller.may_on("view", held.user_id):
            raise masked(403)
        return self._entity(held, caller)

    async def create(self, request: Request, caller: Caller) -> Response:
        submitted = await _submitted(request)
        held = writing.create(self.memory, caller, submitted, self._now())
        if "full" not in request.query_params:
            return self._entity(held, caller, caller.timezone)
        return answer(
            shapes.timesheet_expanded(
                held, self.memory, caller, shown_in=caller.timezone, is_entity=True
            )
        )

    async def change(self, request: Request, caller: Caller) -> Response:
        submitted = await _submitted(request)
        held = _found(self.memory.timesheets, request)
        shown_in = writing.change(self.memory, caller, held, submitted, self._now())
        return self._entity(held, caller, shown_in)

    async def delete(self, request: Request, caller: Caller) -> Response:
        held = _found(self.memory.timesheets, request)
        writing.delete(self.memory, caller, held, self._now())
        return Response(status_code=204, headers=HEADERS)

    async def stop(self, request: Request, caller: Caller) -> Response:
        held = _found(self.memory.timesheets, request)
        return self._entity(held, caller, writing.stop(self.memory, caller, held, self._now()))

    async def active(self, _: Request, caller: Caller) -> Response:
        """The caller's own; the last started one first."""
        if not caller.may("view_own_timesheet"):
            raise masked(403)
        rows = reversed(self.memory.running(caller.user_id))
        return answer([shapes.timesheet_expanded(row, self.memory, caller) for row in rows])

    async def recent(self, request: Request, caller: Caller) -> Response:
        if not caller.may("view_own_timesheet"):
            raise masked(403)
        query = _query(request, listing.RECENT)
        rows = listing.recent(query, self.memory, caller)
        return answer([shapes.timesheet_expanded(row, self.memory, caller) for row in rows])

    async def restart(self, request: Request, caller: Caller) -> Response:
        submitted = await _submitted(request)
        held = _found(self.memory.timesheets, request)
        started = writing.restart(self.memory, caller, held, submitted, self._now())
        return self._entity(started, caller, caller.timezone)

    async def duplicate(self, request: Request, caller: Caller) -> Response:
        held = _found(self.memory.timesheets, request)
        copy, shown_in = writing.duplicate(self.memory, caller, held, self._now())
        return self._entity(copy, caller, shown_in)

    async def export(self, request: Request, caller: Caller) -> Response:
        held = _found(self.memory.timesheets, request)
        shown_in = writing.toggle_export(self.memory, caller, held, self._now())
        return self._entity(held, caller, shown_in)

    def _entity(self, held: Timesheet, caller: Caller, shown_in: str | None = None) -> Response:
        return answer(shapes.timesheet_entity(held, self.memory, caller, shown_in))


def _query(request: Request, patterns: dict[str, str]) -> Query:
    return Query(request.query_params.multi_items(), patterns)


def _found(records: dict[int, Row], request: Request) -> Row:
    record = records.get(request.path_params["id"])
    if record is None:
        raise masked(404)
    return record


async def _submitted(request: Request) -> dict[str, Any]:
    return decode(await request.body(), request.headers.get("content-type", ""))

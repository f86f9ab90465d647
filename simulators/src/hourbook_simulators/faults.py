"""What a test may do to a twin's API from outside: slow it, break it, count its calls.

`Switchboard` holds the wishes, `Faulty` (pure ASGI, the outermost layer) carries them out, and
`control(switchboard)` is the router under `/_twin`. Only paths under /api are ever touched.

    switchboard = Switchboard()
    app = FastAPI()
    app.include_router(control(switchboard))
    app.add_middleware(Faulty, switchboard=switchboard)  # the last one added is the outermost

A reset is a real one under `serving.run`; in process (ASGITransport) the caller gets a
ConnectionResetError instead.
"""

import asyncio
import random
import re
from collections import Counter
from enum import StrEnum
from http.client import responses
from typing import Any

from fastapi import APIRouter
from fastapi.responses import HTMLResponse, JSONResponse, Response
from pydantic import BaseModel, ConfigDict, Field
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from hourbook_simulators.serving import reset

NGINX_502 = (
    "<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n<body>\r\n<center><h1>502 Bad Gateway"
    "</h1></center>\r\n<hr><center>nginx</center>\r\n</body>\r\n</html>\r\n"
)
NUMBERS = re.compile(r"/\d+(?=/|$)")


class Kind(StrEnum):
    STATUS = "status"
    """Answers `status` and does nothing."""
    STATUS_AFTER = "status_after"
    """Does it, and answers `status` all the same."""
    HTML_502 = "html_502"
    """As a proxy answers for a server that is away; nothing is done."""
    RESET_BEFORE = "reset_before"
    """Drops the connection before anything is done."""
    RESET_AFTER = "reset_after"
    """Does it, then drops the connection without an answer."""
    SLOW_COMMIT = "slow_commit"
    """Does it `seconds` later, whether the caller still waits or not, and never answers."""
    SLOW_ANSWER = "slow_answer"
    """Does it at once and answers `seconds` later."""


class Fault(BaseModel):
    """`path` is a regular expression for the whole URL path; `times` null: until cleared."""

    model_config = ConfigDict(extra="forbid")

    kind: Kind
    method: str | None = None
    path: str = ".*"
    times: int | None = Field(default=1, ge=1)
    status: int = 503
    seconds: float = Field(default=0.0, ge=0)
    probability: float = Field(default=1.0, ge=0, le=1)
    body: Any = None
    headers: dict[str, str] = {}

    def is_for(self, method: str, path: str) -> bool:
        return self.method in {None, method} and re.fullmatch(self.path, path) is not None


class Latency(BaseModel):
    seconds: float = Field(ge=0)


class Switchboard:
    """What the twin's API is told to do wrong now, and what was asked of it."""

    def __init__(self) -> None:
        self.latency_seconds = 0.0
        self.faults: list[Fault] = []
        self.calls: Counter[str] = Counter()
        self._dice = random.Random(4711)  # noqa: S311 -- repeatable on purpose

    def next_fault(self, method: str, path: str) -> Fault | None:
        """The first one that is for this request; it has then happened once more."""
        for index, fault in enumerate(self.faults):
            if fault.is_for(method, path) and self._dice.random() < fault.probability:
                if fault.times == 1:
                    del self.faults[index]
                elif fault.times is not None:
                    self.faults[index] = fault.model_copy(update={"times": fault.times - 1})
                return fault
        return None

    def count(self, method: str, path: str) -> None:
        """Numbers in a path are ids: `PATCH /api/timesheets/{id}/stop`."""
        self.calls[f"{method} {NUMBERS.sub('/{id}', path)}"] += 1


class Faulty:
    """The outermost layer: counts, delays, and does what the switchboard says."""

    def __init__(self, app: ASGIApp, switchboard: Switchboard, prefix: str = "/api") -> None:
        self.app = app
        self.switchboard = switchboard
        self.prefix = prefix
        self._late: set[asyncio.Task[None]] = set()  # else a running commit could be collected

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not scope["path"].startswith(self.prefix):
            await self.app(scope, receive, send)
            return
        board = self.switchboard
        board.count(scope["method"], scope["path"])
        fault = board.next_fault(scope["method"], scope["path"]) if board.faults else None
        if board.latency_seconds:
            await asyncio.sleep(board.latency_seconds)
        if fault is None:
            await self.app(scope, receive, send)
        else:
            await self._break(fault, scope, receive, send)

    async def _break(self, fault: Fault, scope: Scope, receive: Receive, send: Send) -> None:
        match fault.kind:
            case Kind.STATUS:
                await _answer(fault)(scope, receive, send)
            case Kind.STATUS_AFTER:
                await self.app(scope, receive, _to_nobody)
                await _answer(fault)(scope, receive, send)
            case Kind.HTML_502:
                await HTMLResponse(NGINX_502, status_code=502)(scope, receive, send)
            case Kind.RESET_BEFORE:
                await reset(scope, receive)
            case Kind.RESET_AFTER:
                await self.app(scope, receive, _to_nobody)
                await reset(scope, receive)
            case Kind.SLOW_COMMIT:
                await self._commit_later(fault.seconds, scope, receive)
            case Kind.SLOW_ANSWER:
                messages = _Kept()
                await self.app(scope, receive, messages.keep)
                await asyncio.sleep(fault.seconds)
                await messages.pass_on(send)

    async def _commit_later(self, seconds: float, scope: Scope, receive: Receive) -> None:
        """The commit is a task of its own: it must outlive a caller that gives up."""
        body = await _whole_body(receive)
        commit = asyncio.create_task(self._commit(seconds, scope, body))
        self._late.add(commit)
        commit.add_done_callback(self._late.discard)
        gone = asyncio.ensure_future(_until_gone(receive))
        await asyncio.wait({commit, gone}, return_when=asyncio.FIRST_COMPLETED)
        if not gone.done():
            gone.cancel()
            await reset(scope, receive)

    async def _commit(self, seconds: float, scope: Scope, body: bytes) -> None:
        await asyncio.sleep(seconds)
        messages: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

        async def replay() -> Message:
            return messages.pop() if messages else {"type": "http.disconnect"}

        await self.app(scope, replay, _to_nobody)


class _Kept:
    def __init__(self) -> None:
        self.messages: list[Message] = []

    async def keep(self, message: Message) -> None:
        self.messages.append(message)

    async def pass_on(self, send: Send) -> None:
        for message in self.messages:
            await send(message)


async def _to_nobody(message: Message) -> None:
    """An answer that is never sent."""


async def _until_gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _whole_body(receive: Receive) -> bytes:
    body = bytearray()
    while True:
        message = await receive()
        body.extend(message.get("body", b""))
        if not message.get("more_body", False):
            return bytes(body)


def _answer(fault: Fault) -> Response:
    """Kimai's masked form unless the fault brings a body of its own (kimai-api.md 6)."""
    body = fault.body or {"code": fault.status, "message": responses.get(fault.status, "Error")}
    return JSONResponse(body, status_code=fault.status, headers=fault.headers)


def control(switchboard: Switchboard) -> APIRouter:
    """The routes both twins have under /_twin, without authentication."""
    router = APIRouter(prefix="/_twin", include_in_schema=False)

    @router.post("/latency")
    async def set_latency(wish: Latency) -> Latency:
        switchboard.latency_seconds = wish.seconds
        return wish

    @router.get("/faults")
    async def list_faults() -> list[Fault]:
        return switchboard.faults

    @router.post("/faults")
    async def add_fault(fault: Fault) -> list[Fault]:
        switchboard.faults.append(fault)
        return switchboard.faults

    @router.delete("/faults")
    async def clear_faults() -> list[Fault]:
        switchboard.faults.clear()
        return switchboard.faults

    @router.get("/calls")
    async def count_calls() -> dict[str, Any]:
        return {"total": switchboard.calls.total(), "by_route": dict(switchboard.calls)}

    @router.delete("/calls")
    async def forget_calls() -> dict[str, Any]:
        switchboard.calls.clear()
        return {"total": 0, "by_route": {}}

    return router

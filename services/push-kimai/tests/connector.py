"""Kimai's connector at Kimai's twin, for `pytest --connector`."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from unittest.mock import patch

import httpx

import hourbook_push_kimai.wire
from hourbook_contracts.ledger import Place
from hourbook_kit.conformance.twins import Failure, LostAnswer, Targets
from hourbook_kit.target.protocol import Target
from hourbook_push_kimai.kimai import connected
from hourbook_simulators.kimai.app import build
from hourbook_simulators.kimai.in_process import ADMIN, ANNA, EMMA
from hourbook_simulators.kimai.seeds import seeded

URL = "http://kimai.test"


class Wrapped(httpx.AsyncBaseTransport):
    """The way to the twin, which a test may break."""

    def __init__(self, transport: httpx.AsyncBaseTransport) -> None:
        self.transport = transport
        self.how: Failure | LostAnswer | None = None

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if self.how == "silent":
            raise httpx.ConnectError("refused", request=request)
        if self.how == "broken":
            return httpx.Response(500, json={"code": 500})
        if self.how == "nonsense":
            return httpx.Response(200, html="<h1>Welcome to nginx!</h1>")
        answer = await self.transport.handle_async_request(request)
        if self.how == "lost":
            raise httpx.ReadError("reset", request=request)
        return httpx.Response(502, html="<h1>Bad gateway</h1>") if self.how == "late" else answer


def _place(user_id: int) -> Place:
    return Place(target="hours", user_id=user_id, project_id=1, activity_id=1)


class KimaiTwin:
    def __init__(self, http: httpx.AsyncClient, wire: Wrapped, target: Target) -> None:
        self.http, self.wire, self.target = http, wire, target
        self.places = (_place(ANNA), _place(EMMA))

    async def rows(self) -> list[int]:
        state = (await self.http.get("/_twin/state")).raise_for_status().json()
        return [row["id"] for row in state["timesheets"]]

    async def write(self, place: Place, began_at: datetime, seconds: int, text: str) -> int:
        body = {
            "user": place.user_id,
            "project": place.project_id,
            "activity": place.activity_id,
            "begin": began_at.isoformat(),
            "end": (began_at + timedelta(seconds=seconds)).isoformat(),
            "description": text,
        }
        answer = await self.http.post("/api/timesheets", json=body)
        return int(answer.raise_for_status().json()["id"])

    async def edit(self, timesheet_id: int, text: str) -> None:
        path = f"/api/timesheets/{timesheet_id}"
        (await self.http.patch(path, json={"description": text})).raise_for_status()

    async def delete(self, timesheet_id: int) -> None:
        (await self.http.delete(f"/api/timesheets/{timesheet_id}")).raise_for_status()

    async def fail(self, how: Failure | LostAnswer) -> None:
        self.wire.how = how

    async def heal(self) -> None:
        self.wire.how = None

    async def set_clock(self, ahead: timedelta) -> None:
        wish = {"offset_seconds": ahead.total_seconds()}
        (await self.http.post("/_twin/clock", json=wish)).raise_for_status()


@asynccontextmanager
async def kimai() -> AsyncIterator[KimaiTwin]:
    memory = seeded("demo")
    for row in list(memory.timesheets):
        memory.forget(row)
    transport = httpx.ASGITransport(build(memory))
    wire = Wrapped(transport)
    small = patch.object(hourbook_push_kimai.wire, "PAGE", 50)
    client = httpx.AsyncClient(transport=transport, base_url=URL, headers=ADMIN)
    opened = connected(URL, "kimai-demo-token", timeout_seconds=5, transport=wire)
    with small:
        async with client as http, opened as target:
            yield KimaiTwin(http, wire, target)


TARGETS: Targets = {"kimai": kimai}

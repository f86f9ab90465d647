"""A twin without a socket, and the words in which tests speak to it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx

from hourbook_simulators.kimai.app import build
from hourbook_simulators.kimai.memory import Memory
from hourbook_simulators.kimai.records import Token
from hourbook_simulators.kimai.seeds import seeded

ANNA, BEN, EMMA = 3, 4, 7
"""Workers of the demo; Emma lives in New York."""


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


BOT, ADMIN = bearer("kimai-demo-token"), bearer("kimai-admin-token")
ANNA_HERSELF, TEAMLEAD, NEW_YORKER = bearer("anna"), bearer("lead"), bearer("emma")


def demo() -> Memory:
    """The demo, in which three workers have tokens and Ben is a teamlead."""
    memory = seeded("demo")
    memory.users[BEN].roles = ["ROLE_TEAMLEAD"]
    for token, user_id in (("anna", ANNA), ("lead", BEN), ("emma", EMMA)):
        memory.add_token(Token(token, user_id))
    return memory


def client(memory: Memory | None = None, headers: dict[str, str] = BOT) -> httpx.AsyncClient:
    """In process; who calls is the bot unless a request says otherwise."""
    transport = httpx.ASGITransport(build(memory or demo()))
    return httpx.AsyncClient(transport=transport, base_url="http://kimai.test", headers=headers)


def work(**changes: Any) -> dict[str, Any]:
    """A quarter of an hour of Anna's."""
    usual: dict[str, Any] = {
        "project": 1,
        "activity": 1,
        "user": ANNA,
        "begin": "2026-03-16T09:00:00+01:00",
        "end": "2026-03-16T09:15:00+01:00",
        "description": "Ticket#65001 Printer [zammad-4711-22]",
    }
    return {name: value for name, value in (usual | changes).items() if value is not ...}


async def booked(kimai: httpx.AsyncClient, **changes: Any) -> dict[str, Any]:
    answer = await kimai.post("/api/timesheets", json=work(**changes))
    answer.raise_for_status()
    held: dict[str, Any] = answer.json()
    return held


async def ids(kimai: httpx.AsyncClient, query: str, headers: dict[str, str] = BOT) -> list[int]:
    answer = await kimai.get(f"/api/timesheets?orderBy=id&order=ASC&{query}", headers=headers)
    answer.raise_for_status()
    return [row["id"] for row in answer.json()]


@asynccontextmanager
async def rules(kimai: httpx.AsyncClient, **settings: Any) -> AsyncIterator[None]:
    """`begin=15` means timesheet.rounding.default.begin; the rest are timesheet.rules.*."""
    rounding = {"begin", "end", "duration", "mode"}
    named = {
        f"timesheet.rounding.default.{key}" if key in rounding else f"timesheet.rules.{key}": value
        for key, value in settings.items()
    }
    await kimai.put("/_twin/settings", json=named)
    yield
    await kimai.put("/_twin/settings", json={})

"""The twin in process, for tests: the whole application without a socket."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx

from hourbook_simulators.zammad.app import build
from hourbook_simulators.zammad.memory import Memory
from hourbook_simulators.zammad.records import Token
from hourbook_simulators.zammad.seeds import DEMO_TOKEN, plant


class Twin:
    """A client of the twin's API with an administrator's token, beside its memory."""

    def __init__(self, memory: Memory, http: httpx.AsyncClient) -> None:
        self.memory = memory
        self.http = http

    async def ask(self, method: str, path: str, body: Any = None, **headers: str) -> httpx.Response:
        """`path` under /api/v1; a header's name with underscores."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return await self.http.request(method, f"/api/v1{path}", json=body, headers=named)

    async def get(self, path: str, **headers: str) -> Any:
        """The body of a success."""
        answer = await self.ask("GET", path, **headers)
        assert answer.status_code == httpx.codes.OK, answer.text  # noqa: S101 -- for tests
        return answer.json()

    async def book(self, ticket_id: int, time_unit: Any, **wish: Any) -> Any:
        """As the administrator; the new entry."""
        path = f"/tickets/{ticket_id}/time_accountings"
        answer = await self.ask("POST", path, {"time_unit": time_unit, **wish})
        assert answer.status_code == httpx.codes.CREATED, answer.text  # noqa: S101 -- for tests
        return answer.json()

    async def control(self, method: str, path: str, body: Any = None) -> Any:
        answer = await self.http.request(method, f"/_twin{path}", json=body)
        return answer.raise_for_status().json()

    def token(self, user_id: int, *permissions: str) -> str:
        """The header of a new token of that user."""
        name = f"token-{len(self.memory.books.tokens)}"
        self.memory.books.tokens[name] = Token(user_id, list(permissions))
        return f"Token token={name}"


@asynccontextmanager
async def opened(
    seed: str = "demo",
    *,
    memory: Memory | None = None,
    state: Path | None = None,
    webhook_transport: httpx.AsyncBaseTransport | None = None,
) -> AsyncIterator[Twin]:
    memory = memory or Memory(plant(seed))
    app = build(memory, state=state, webhook_transport=webhook_transport)
    headers = {"Authorization": f"Token token={DEMO_TOKEN}", "Accept": "application/json"}
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(
            transport=httpx.ASGITransport(app), base_url="http://zammad.test", headers=headers
        ) as http,
    ):
        yield Twin(memory, http)

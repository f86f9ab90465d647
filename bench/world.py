"""Everything at once, for tests and benches: the local stack, both twins, and who uses them."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import asyncpg
import httpx

from hourbook_cli.api import Api, opened
from hourbook_cli.demo_setup import DESK, HOURS, Twins, connect, first_administrator, let_begin
from hourbook_cli.settings import DEMO_PASSWORD, DEMO_USER, DemoSettings
from hourbook_local.settings import LocalSettings
from hourbook_local.stack import Parts, Stack

Json = dict[str, Any]
MARKER = "[hb-"
TABLES = ("tickets", "entries", "conflicts", "books")
"""Of the read model, beside the history, which is the ledger itself."""


@dataclass
class World:
    """A stack that is up; an administrator has connected, mapped and switched on."""

    stack: Stack
    api: Api
    zammad: httpx.AsyncClient
    """As the twin's token: an administrator of Zammad."""
    kimai: httpx.AsyncClient
    """As an administrator of Kimai, not as Hourbook."""

    # ---------------------------------------------------------------- what people do in Zammad
    async def tickets(self) -> list[Json]:
        return list(await _json(self.zammad.get("/_twin/state"), "tickets"))

    async def time_accountings(self) -> list[Json]:
        return list(await _json(self.zammad.get("/_twin/state"), "time_accountings"))

    async def new_ticket(self, title: str = "Printer on fire", *, organization: int = 2) -> int:
        body = {"title": title, "organization_id": organization}
        made = await _json(self.zammad.post("/_twin/tickets", json=body))
        return int(made["id"])

    async def book(
        self, ticket: int, minutes: float, *, agent: int = 3, type_id: int | None = None
    ) -> int:
        """Time on a ticket, as this agent; gives the time accounting's id."""
        body = {
            "ticket_id": ticket,
            "agent_id": agent,
            "time_unit": str(minutes),
            "type_id": type_id,
        }
        made = await _json(self.zammad.post("/_twin/book", json=body))
        return int(made["id"])

    async def edit(self, time_accounting: int, minutes: float) -> None:
        path = f"/api/v1/time_accountings/{time_accounting}"
        (await self.zammad.put(path, json={"time_unit": str(minutes)})).raise_for_status()

    async def delete(self, time_accounting: int) -> None:
        (await self.zammad.delete(f"/api/v1/time_accountings/{time_accounting}")).raise_for_status()

    # ---------------------------------------------------------------- what stands in Kimai
    async def timesheets(self) -> list[Json]:
        """Those that carry a marker of ours."""
        rows = await _json(self.kimai.get("/_twin/state"), "timesheets")
        return [row for row in rows if MARKER in (row["description"] or "")]

    async def of_entry(self, time_accounting: int) -> Json:
        return await self.api.find(f"/api/entries/zammad:desk:{time_accounting}") or {}

    async def sheet_of(self, time_accounting: int) -> Json | None:
        """The live timesheet that answers this time accounting."""
        sheet = (await self.of_entry(time_accounting)).get("sheet")
        if sheet is None:
            return None
        rows = await self.timesheets()
        return next((row for row in rows if row["id"] == int(sheet.rsplit(":", 1)[1])), None)

    async def settled(
        self, time_accounting: int, holds: Callable[[Json], bool] = lambda _: True
    ) -> Json:
        """The timesheet of an hour that both sides agree on, once this holds of it."""
        row: Json | None = None

        async def is_so() -> bool:
            nonlocal row
            if (await self.of_entry(time_accounting)).get("state") != "settled":
                return False
            row = await self.sheet_of(time_accounting)  # read after both had agreed
            return row is not None and holds(row)

        await eventually(is_so, seconds=30, what=f"time accounting {time_accounting} in Kimai")
        return row or {}

    async def asked(self, time_accounting: int, reason: str) -> Json:
        """The open question about an hour, with this reason."""
        entry: Json = {}

        async def is_asked() -> bool:
            nonlocal entry
            entry = await self.of_entry(time_accounting)
            return entry.get("reason") == reason

        await eventually(is_asked, what=f"the question {reason}")
        conflict: Json = entry["conflict"]
        return conflict

    async def writes(self) -> int:
        """Calls to Kimai that change something."""
        calls = (await _json(self.kimai.get("/_twin/calls")))["by_route"]
        return sum(n for route, n in calls.items() if not route.startswith("GET"))

    async def fault(self, twin: str, **fault: Any) -> None:
        client = self.kimai if twin == "kimai" else self.zammad
        (await client.post("/_twin/faults", json=fault)).raise_for_status()

    async def heal(self) -> None:
        for client in (self.kimai, self.zammad):
            (await client.delete("/_twin/faults")).raise_for_status()

    # ---------------------------------------------------------------- what both sides are told
    async def slow_down(self, seconds: float) -> None:
        """Every call to a twin's API takes so long from now on."""
        for twin in (self.zammad, self.kimai):
            (await twin.post("/_twin/latency", json={"seconds": seconds})).raise_for_status()

    async def poll_every(self, seconds: float) -> None:
        """Both connections, which are otherwise as new ones are, not as the demo sets them."""
        for name, twin in ((DESK, "zammad"), (HOURS, "kimai")):
            body = {"kind": twin, "base_url": self.stack.url(twin), "poll_seconds": seconds}
            await self.api.put(f"/api/connectors/{name}", body)

    async def calls(self, *twins: httpx.AsyncClient) -> int:
        """To the API of these, since they were forgotten."""
        return sum([int(await _json(twin.get("/_twin/calls"), "total")) for twin in twins])

    async def forget_calls(self) -> None:
        for twin in (self.zammad, self.kimai):
            (await twin.delete("/_twin/calls")).raise_for_status()

    # ---------------------------------------------------------------- what stands in the read model
    async def rows(self, statement: str, *arguments: object) -> list[asyncpg.Record]:
        connection = await asyncpg.connect(self.stack.admin_dsn)
        try:
            return await connection.fetch(statement, *arguments)
        finally:
            await connection.close()

    async def read_model(self) -> dict[str, str]:
        """A digest of each table, whatever the order of its rows."""
        digests = {}
        for table in TABLES:
            columns = "book, state::text, halted" if table == "books" else "t.*"
            statement = f"SELECT md5(string_agg(row_text, '|' ORDER BY row_text)) FROM (SELECT ROW({columns})::text AS row_text FROM book.{table} AS t) AS rows"  # noqa: S608, E501 -- our own tables' names
            digests[table] = str((await self.rows(statement))[0][0])
        return digests

    async def is_quiet(self) -> bool:
        """Nothing is on its way: all of Zammad is read, the ledger to its end, no request is open."""
        booked = await _json(self.zammad.get("/_twin/state"), "time_accountings")
        known = await self.rows("SELECT entry FROM book.entries")
        if not {f"zammad:{DESK}:{row['id']}" for row in booked} <= {row["entry"] for row in known}:
            return False
        open_requests = await self.rows("SELECT count(*) FROM push.effects WHERE state <> 'done'")
        waiting = await self.rows(
            "SELECT (SELECT count(*) FROM book.outbox) + (SELECT count(*) FROM push.outbox)"
            " + (SELECT count(*) FROM ingest.outbox)"
        )
        status = await self.api.get("/api/sync/status")
        lag = sum(lag["lag"] for lag in status["lags"])
        return (open_requests[0][0], waiting[0][0], lag) == (0, 0, 0)

    async def command(self, *arguments: str) -> tuple[int, str]:
        """`hourbook …` on this stack; its exit code and what it said."""
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "hourbook_cli", *arguments),
            env=os.environ
            | self.stack.environment("reconciler")
            | self.stack.for_the_command
            | {"HOURBOOK_USER": DEMO_USER, "HOURBOOK_PASSWORD": DEMO_PASSWORD},
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        said, _ = await process.communicate()
        return process.returncode or 0, said.decode()


async def _json(asked: Awaitable[httpx.Response], part: str | None = None) -> Any:
    answer = await asked
    answer.raise_for_status()
    found = answer.json()
    return found if part is None else found[part]


async def eventually(
    holds: Callable[[], Awaitable[bool]], *, seconds: float = 20, what: str = "it"
) -> None:
    """Wait until it holds; an API or twin that is just away does not count as an answer."""
    deadline = asyncio.get_running_loop().time() + seconds
    while True:
        try:
            if await holds():
                return
            error: Exception | None = None
        except (httpx.HTTPError, OSError, asyncpg.PostgresError, RuntimeError) as caught:
            error = caught
        if asyncio.get_running_loop().time() > deadline:
            raise AssertionError(f"{what} did not come true within {seconds} s") from error
        await asyncio.sleep(0.1)


@asynccontextmanager
async def world(
    folder: Path,
    parts: Parts = Parts(),  # noqa: B008 -- frozen
    *,
    seed: str = "demo",
    stage: Literal["fresh", "connected", "begun"] = "begun",
) -> AsyncIterator[World]:
    """A stack of its own in this folder, with the demo's people; nothing was booked by us yet.

    Fresh: nobody can sign in, `stack.setup_token_file` lets the first one in. Connected: Hourbook reads
    nothing before `hourbook_cli.demo_setup.let_begin`.
    """
    async with Stack(LocalSettings.for_test(folder), parts) as stack:
        settings = _settings(stack)
        zammad = {"Authorization": "Token token=zammad-demo-token"}
        kimai = {"Authorization": "Bearer kimai-admin-token"}
        hourbook = {"Authorization": "Bearer kimai-demo-token"}
        async with (
            _client(settings.zammad_url, zammad) as at_zammad,
            _client(settings.kimai_url, kimai) as at_kimai,
            _client(settings.kimai_url, hourbook) as as_hourbook,
            opened(settings) as api,
        ):
            for twin in (at_zammad, at_kimai):
                (await twin.post("/_twin/reset", json={"seed": seed})).raise_for_status()
            if stage != "fresh":
                await first_administrator(api, settings)
                await connect(api, Twins(at_zammad, as_hourbook), settings)
            if stage == "begun":
                await let_begin(api)
            yield World(stack, api, at_zammad, at_kimai)


def _settings(stack: Stack) -> DemoSettings:
    told = stack.for_the_command
    return DemoSettings(
        api_url=told["HOURBOOK_API_URL"],
        setup_token_file=Path(told["HOURBOOK_SETUP_TOKEN_FILE"]),
        zammad_url=told["HOURBOOK_ZAMMAD_URL"],
        kimai_url=told["HOURBOOK_KIMAI_URL"],
        ingest_url=told["HOURBOOK_INGEST_URL"],
    )


def _client(url: str, headers: dict[str, str]) -> httpx.AsyncClient:
    return httpx.AsyncClient(base_url=url, headers=headers, timeout=30, trust_env=False)

"""Trying a connection: what it answers, and in sentences what is missing."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from http import HTTPStatus
from typing import Any

import httpx
from fastapi import APIRouter, Depends
from pydantic import BaseModel

from hourbook_query_api.connector_models import KimaiConnector, ZammadConnector
from hourbook_query_api.connectors import Name, Open, connector_of
from hourbook_query_api.desk import Desk
from hourbook_query_api.guard import GuardedRoute, documented
from hourbook_query_api.problems import described

router = APIRouter(
    prefix="/api/connectors/{name}",
    tags=["connectors"],
    route_class=GuardedRoute,
    dependencies=[Depends(documented)],
    responses=described(401, 404, 422, 503),
)

SECONDS_OF_UNIT = {"minute": 60, "quarter": 900, "hour": 3600}
_FIRST_BEARER_VERSION = 21400
"""Kimai 2.14 has API tokens (kimai-api.md 1.2)."""


class TestStep(BaseModel):
    __test__ = False  # not pytest's

    step: str
    ok: bool
    sentence: str
    milliseconds: int


class TestReport(BaseModel):
    """What was tried, in order; where a step fails, those that need it are left out."""

    __test__ = False  # not pytest's

    ok: bool
    steps: list[TestStep]
    unit: str | None = None
    """Of a Zammad: as its settings have it."""
    seconds_per_unit: int | None = None
    """What that unit would be worth; a person confirms it."""
    version: str | None = None


class Peer:
    """One system being tried: each question becomes a step."""

    def __init__(self, client: httpx.AsyncClient, name: str) -> None:
        self._client, self._name = client, name
        self.steps: list[TestStep] = []

    async def ask(self, step: str, path: str, refused: str) -> Any:
        """The JSON it answers with, or None; `refused` says what is missing where it may not be read."""
        began = time.monotonic()
        answer, sentence = await self._get(path, refused)
        took = int((time.monotonic() - began) * 1000)
        self.steps.append(
            TestStep(step=step, ok=answer is not None, sentence=sentence, milliseconds=took)
        )
        return answer

    def note(self, step: str, *, ok: bool, sentence: str) -> None:
        self.steps.append(TestStep(step=step, ok=ok, sentence=sentence, milliseconds=0))

    async def _get(self, path: str, refused: str) -> tuple[Any, str]:
        try:
            answer = await self._client.get(path)
        except httpx.TimeoutException:
            return None, f"{self._name} does not answer in time: look at its address and load."
        except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
            what = type(error).__name__
            return (
                None,
                f"{self._name} cannot be reached ({what}): look at its address and firewall.",
            )
        if answer.status_code == HTTPStatus.UNAUTHORIZED:
            return None, f"{self._name} does not take this token: make a new one and store it here."
        if answer.status_code == HTTPStatus.FORBIDDEN:
            return None, refused
        if answer.status_code != HTTPStatus.OK:
            return None, (
                f"{self._name} answers {answer.status_code} at {path}: look whether the address is right."
            )
        try:
            return answer.json(), "Answered."
        except ValueError:
            return (
                None,
                f"{self._name} answers with something else than JSON at {path}: is it the right address?",
            )


@router.post("/test")
async def try_connection(desk: Open, name: Name) -> TestReport:
    """Reads only, with the stored secret; changes nothing on either side."""
    found = await connector_of(desk, name)
    if isinstance(found, ZammadConnector):
        return await _try_zammad(desk, found)
    return await _try_kimai(desk, found)


_NO_TOKEN = TestReport(
    ok=False,
    steps=[
        TestStep(
            step="token",
            ok=False,
            sentence="The vault holds no token of this connection: store one with PUT.",
            milliseconds=0,
        )
    ],
)


async def _token(desk: Desk, found: ZammadConnector | KimaiConnector) -> str | None:
    return await desk.vault.secret_of(found.name, "token", found.secret_version)


async def _try_zammad(desk: Desk, found: ZammadConnector) -> TestReport:
    token = await _token(desk, found)
    if token is None:
        return _NO_TOKEN
    headers = {"Authorization": f"Token token={token}"}
    async with _client(desk, f"{found.base_url}/api/v1", headers) as client:
        peer = Peer(client, "Zammad")
        if await peer.ask("who", "/users/me", "This token may do nothing: switch on API tokens."):
            await peer.ask(
                "time_accountings",
                "/time_accountings?per_page=1",
                "This token may not read time accountings: give its account `admin.time_accounting`.",
            )
            await peer.ask(
                "tickets",
                "/tickets?per_page=1",
                "This token may not read tickets: give its account `ticket.agent` with `read` on the groups.",
            )
            settings = await peer.ask(
                "settings",
                "/settings",
                "This token may not read the settings: give it `admin.time_accounting`, or confirm the unit by hand.",
            )
            return _zammad_report(peer, settings, found)
    return TestReport(ok=False, steps=peer.steps)


def _zammad_report(peer: Peer, settings: Any, found: ZammadConnector) -> TestReport:
    values = _settings(settings)
    unit = values.get("time_accounting_unit") or None
    seconds = SECONDS_OF_UNIT.get(str(unit))
    if settings is not None:
        on = bool(values.get("time_accounting"))
        peer.note(
            "switched_on",
            ok=on,
            sentence="Time accounting is on."
            if on
            else "Time accounting is off: switch it on in Zammad, or agents cannot book.",
        )
    confirmed = bool(found.units)
    says = f"Zammad says one unit is a {unit}" if unit else "Zammad does not say what a unit is"
    sentence = "Its unit is confirmed." if confirmed else f"{says}: confirm what a unit is worth."
    peer.note("unit", ok=confirmed, sentence=sentence)
    return TestReport(
        ok=all(step.ok for step in peer.steps),
        steps=peer.steps,
        unit=unit,
        seconds_per_unit=seconds,
    )


def _settings(rows: Any) -> dict[str, Any]:
    """Zammad's settings by name (zammad-api.md 2.5)."""
    if not isinstance(rows, list):
        return {}
    return {
        row["name"]: (row.get("state_current") or {}).get("value")
        for row in rows
        if isinstance(row, dict) and "name" in row
    }


async def _try_kimai(desk: Desk, found: KimaiConnector) -> TestReport:
    token = await _token(desk, found)
    if token is None:
        return _NO_TOKEN
    headers = {"Authorization": f"Bearer {token}"}
    async with _client(desk, f"{found.base_url}/api", headers) as client:
        peer = Peer(client, "Kimai")
        nothing = "This token may not use the API: give its role `api_access`."
        version = await peer.ask("version", "/version", nothing)
        if not isinstance(version, dict):
            return TestReport(ok=False, steps=peer.steps)
        if int(version.get("versionId", 0)) < _FIRST_BEARER_VERSION:
            peer.note(
                "version",
                ok=False,
                sentence="This Kimai is older than 2.14: update it, it has no API tokens.",
            )
        await asyncio.gather(
            peer.ask("who", "/users/me", nothing),
            peer.ask("configuration", "/config/timesheet", nothing),
            peer.ask("users", "/users", "Give its role `view_user`: workers are mapped by it."),
            peer.ask("projects", "/projects", "Give its role `view_project`."),
            peer.ask("activities", "/activities", "Give its role `view_activity`."),
            peer.ask(
                "timesheets",
                "/timesheets?user=all&size=1",
                "Give its role `view_other_timesheet`: we write for others.",
            ),
        )
    return TestReport(
        ok=all(step.ok for step in peer.steps),
        steps=peer.steps,
        version=str(version.get("version")),
    )


@asynccontextmanager
async def _client(
    desk: Desk, base_url: str, headers: dict[str, str]
) -> AsyncIterator[httpx.AsyncClient]:
    """Follows no redirect: it would carry the token elsewhere."""
    async with httpx.AsyncClient(
        base_url=base_url,
        headers={**headers, "Accept": "application/json"},
        timeout=desk.settings.peer_timeout_seconds,
        trust_env=False,
    ) as client:
        yield client

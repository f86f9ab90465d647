"""The only module that knows Kimai's HTTP: read, list, find by marker, write, observe, directory."""

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import httpx

from hourbook_push_kimai.outcome import UNAUTHORIZED, NotSent, Outcome, Unknown, outcome_of
from hourbook_push_kimai.payload import Payload
from hourbook_push_kimai.timesheet import NotATimesheetError, Timesheet, timesheet_of

sys.modules.setdefault("sniffio", None)  # type: ignore[arg-type]  # how Python is told that there is none
"""httpcore asks for it five times a request, and a search that finds nothing costs 0.6 ms each time."""

PAGE = 500
"""More is clamped (kimai-api.md 2.4)."""
_TRIES = 3
_NOT_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.UnsupportedProtocol)

OK, NOT_FOUND, UNAUTHORIZED_STATUS, FORBIDDEN, SERVER_ERROR = 200, 404, 401, 403, 500


class BrokenWorldError(Exception):
    """Kimai cannot be read as things stand; its text is a sentence for people."""


class NotReadableError(Exception):
    """403: this row, or this user's rows, are there, and the token may not see them."""


class Caller(NamedTuple):
    """Whom the token belongs to; naive times in queries are read in this zone."""

    id: int
    zone: ZoneInfo


class Named(NamedTuple):
    """A user, customer, project or activity, as people know it."""

    kind: str
    id: int
    name: str
    parent_id: int | None
    visible: bool
    time_zone: str | None


@dataclass(frozen=True, slots=True)
class Kimai:
    """One Kimai, through one token."""

    transport: httpx.AsyncBaseTransport
    """Without httpx's client around it: its cookies, redirects and URLs cost as much as the request."""
    base_url: str
    headers: Mapping[str, str]
    timeout_seconds: float

    # -------------------------------------------------------------------------------------- reading
    async def me(self) -> Caller:
        """Also the control read: it is always allowed and always there."""
        shown = await self._json("/users/me")
        try:
            return Caller(int(shown["id"]), ZoneInfo(str(shown["timezone"])))
        except (KeyError, TypeError, ValueError) as error:
            raise BrokenWorldError("Kimai does not say who we are.") from error

    async def read(self, timesheet_id: int) -> Timesheet | None:
        """None: Kimai itself says that it does not exist."""
        answer = await self._get(f"/timesheets/{timesheet_id}")
        if answer.status_code == NOT_FOUND and _says_not_found(answer):
            return None
        if answer.status_code == FORBIDDEN:
            raise NotReadableError
        return _timesheet(_decoded(answer))

    async def of_day(
        self, user_id: int, first: datetime, last: datetime, caller: Caller
    ) -> list[Timesheet]:
        """A user's rows that begin in the span; an hour more on each side is listed and left out.

        The filter takes naive times of the caller's zone, which an hour may have twice. An unknown
        user is answered with our own rows (kimai-api.md 0.4), so the user is compared too.
        """
        hour = timedelta(hours=1)
        rows = await self._all(
            user=user_id,
            begin=_naive(first - hour, caller.zone),
            end=_naive(last + hour, caller.zone),
        )
        return [row for row in rows if row.user_id == user_id and first <= row.began_at < last]

    async def with_marker(self, code: str) -> list[Timesheet]:
        """Rows whose marker names this create, oldest first; the search itself finds substrings."""
        rows = await self._all(user="all", term=f"hb-{code}")
        return [row for row in rows if row.marker is not None and row.marker.create == code]

    async def modified_since(self, moment: datetime) -> list[Timesheet]:
        """In UTC and inclusive; bulk exports and deletions leave no trace here (kimai-api.md 7)."""
        return await self._all(user="all", modified_after=_naive(moment, ZoneInfo("UTC")))

    async def begun_since(self, moment: datetime, caller: Caller) -> list[Timesheet]:
        return await self._all(user="all", begin=_naive(moment, caller.zone))

    async def directory(self) -> list[Named]:
        """What this token may list."""
        found: list[Named] = []
        for kind, path in _DIRECTORY.items():
            answer = await self._get(path, visible=3)
            if answer.status_code == FORBIDDEN:
                continue
            found += [_named(kind, shown) for shown in _decoded(answer)]
        return found

    # -------------------------------------------------------------------------------------- writing
    async def create(self, payload: Payload) -> Outcome:
        return await self._write("POST", "/timesheets", payload)

    async def change(self, timesheet_id: int, payload: Payload) -> Outcome:
        return await self._write("PATCH", f"/timesheets/{timesheet_id}", payload)

    async def delete(self, timesheet_id: int) -> Outcome:
        return await self._write("DELETE", f"/timesheets/{timesheet_id}", None)

    async def _write(self, method: str, path: str, payload: Payload | None) -> Outcome:
        try:
            async with asyncio.timeout(self.timeout_seconds):
                answer = await self._exchange(method, path, payload=payload)
        except _NOT_SENT as error:
            return NotSent(f"Kimai cannot be reached ({type(error).__name__}).")
        except TimeoutError:
            return Unknown(f"Kimai did not answer within {self.timeout_seconds:g} seconds.")
        except httpx.HTTPError as error:
            return Unknown(f"The connection to Kimai broke ({type(error).__name__}).")
        return outcome_of(method, answer.status_code, answer.content)

    # ------------------------------------------------------------------------------------- plumbing
    async def _exchange(
        self,
        method: str,
        path: str,
        *,
        query: dict[str, str | int] | None = None,
        payload: Payload | None = None,
    ) -> httpx.Response:
        """One request and its whole answer; the body's connection is free again afterwards."""
        timeout = httpx.Timeout(self.timeout_seconds, connect=self.timeout_seconds / 2)
        answer = await self.transport.handle_async_request(
            httpx.Request(
                method,
                httpx.URL(f"{self.base_url}{path}", params=query),
                headers=self.headers,
                json=payload,
                extensions={"timeout": timeout.as_dict()},
            )
        )
        try:
            await answer.aread()
        finally:
            await answer.aclose()
        return answer

    async def _get(self, path: str, **query: str | int) -> httpx.Response:
        try:
            async with asyncio.timeout(self.timeout_seconds):
                answer = await self._exchange("GET", path, query=query)
        except TimeoutError as error:
            raise BrokenWorldError(
                f"Kimai did not answer within {self.timeout_seconds:g} seconds."
            ) from error
        except httpx.HTTPError as error:
            raise BrokenWorldError(f"Kimai cannot be reached ({type(error).__name__}).") from error
        if answer.status_code == UNAUTHORIZED_STATUS:
            raise BrokenWorldError(UNAUTHORIZED)
        if answer.status_code >= SERVER_ERROR:
            raise BrokenWorldError(f"Kimai answers {answer.status_code}.")
        return answer

    async def _json(self, path: str, **query: str | int) -> Any:
        return _decoded(await self._get(path, **query))

    async def _all(self, **query: str | int) -> list[Timesheet]:
        """A list proven complete: as many different rows as X-Total-Count says, and it held still."""
        for _ in range(_TRIES):
            try:
                rows = await self._pages(query)
            except NotReadableError as error:
                if query["user"] != "all":
                    raise
                raise BrokenWorldError("The token may not list timesheets (403).") from error
            if rows is not None:
                return rows
        raise BrokenWorldError("Kimai's list changed under our hands three times.")

    async def _pages(self, query: dict[str, str | int]) -> list[Timesheet] | None:
        rows: dict[int, Timesheet] = {}
        total, page = None, 1
        while total is None or len(rows) < total:
            answer = await self._get(
                "/timesheets", **query, orderBy="id", order="ASC", size=PAGE, page=page
            )
            if answer.status_code == FORBIDDEN:
                raise NotReadableError
            if page > 1 and answer.status_code == NOT_FOUND:
                return None  # fewer than a moment ago
            shown = [_timesheet(each) for each in _decoded(answer)]
            count = int(answer.headers.get("X-Total-Count", len(shown)))
            if total not in (None, count) or (not shown and len(rows) < count):
                return None
            total, page = count, page + 1
            rows |= {row.id: row for row in shown}
        return list(rows.values()) if len(rows) == total else None


@asynccontextmanager
async def connected(
    base_url: str,
    token: str,
    *,
    timeout_seconds: float,
    transport: httpx.AsyncBaseTransport | None = None,
) -> AsyncIterator[Kimai]:
    """Keep-alive connections; the token is in the headers and nowhere else."""
    limits = httpx.Limits(max_connections=32, max_keepalive_connections=32)
    async with transport or httpx.AsyncHTTPTransport(limits=limits) as opened:
        headers = {"Authorization": f"Bearer {token}", "Accept": "application/json"}
        yield Kimai(opened, f"{base_url}/api", headers, timeout_seconds)


_DIRECTORY = {
    "user": "/users",
    "customer": "/customers",
    "project": "/projects",
    "activity": "/activities",
}


def _named(kind: str, shown: dict[str, Any]) -> Named:
    name = shown.get("alias") or shown.get("username") if kind == "user" else shown["name"]
    visible = shown.get("enabled" if kind == "user" else "visible", True)
    parent = shown.get({"project": "customer", "activity": "project"}.get(kind, ""))
    zone = shown.get("timezone") if kind == "user" else None
    return Named(kind, int(shown["id"]), str(name), parent, bool(visible), zone)


def _decoded(answer: httpx.Response) -> Any:
    if answer.status_code != OK:
        raise BrokenWorldError(
            f"Kimai answers {answer.status_code}: is the address that of a Kimai, and may the token read?"
        )
    try:
        return json.loads(answer.content)
    except ValueError as error:
        raise BrokenWorldError("What answers is not a Kimai: it does not speak JSON.") from error


def _timesheet(shown: Any) -> Timesheet:
    try:
        return timesheet_of(shown)
    except NotATimesheetError as error:
        raise BrokenWorldError(f"Kimai shows a timesheet we cannot read: {error}.") from error


def _says_not_found(answer: httpx.Response) -> bool:
    """Its own 404, not that of a proxy before it."""
    try:
        said = json.loads(answer.content)
    except ValueError:
        return False
    return isinstance(said, dict) and said.get("code") == NOT_FOUND


def _naive(moment: datetime, zone: ZoneInfo) -> str:
    """Query parameters take no offset (kimai-api.md 0.5)."""
    return moment.astimezone(zone).replace(tzinfo=None).isoformat(timespec="seconds")

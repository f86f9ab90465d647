"""The only module that knows Kimai's API: read, list, find by marker, write, observe, directory."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import httpx

from hourbook_contracts.kimai.names import Named, named_of
from hourbook_contracts.kimai.rules import Rules, rules_of
from hourbook_contracts.kimai.violations import Violations, violations_of
from hourbook_contracts.ledger import DescriptionParts, Work
from hourbook_contracts.marker import Marker
from hourbook_kit.http import Transport
from hourbook_kit.target.protocol import (
    BrokenWorldError,
    Caller,
    NotReadableError,
    NotSent,
    Outcome,
    Seen,
    Timesheet,
    Unknown,
)
from hourbook_push_kimai.outcome import outcome_of
from hourbook_push_kimai.payload import Payload, to_create, to_update
from hourbook_push_kimai.timesheet import NotATimesheetError, timesheet_of
from hourbook_push_kimai.wire import FORBIDDEN, INVALID, PAGE, Wire, decoded, says_not_found

_NOT_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.UnsupportedProtocol)


@dataclass(frozen=True, slots=True)
class Kimai:
    """One Kimai, through one token."""

    wire: Wire

    # -------------------------------------------------------------------------------------- reading
    async def me(self) -> Caller:
        """Also the control read: it is always allowed and always there."""
        shown = await self.wire.json("/users/me")
        try:
            return Caller(int(shown["id"]), ZoneInfo(str(shown["timezone"])))
        except (KeyError, TypeError, ValueError) as error:
            raise BrokenWorldError("Kimai does not say who we are.") from error

    async def rules(self, known: Rules | None = None) -> Rules:
        """As it is set now; its version is asked for once, as long as it is one that we work with."""
        config = await self.wire.json("/config/timesheet")
        if known is not None and known.unfit is None:
            version = {"version": known.version, "versionId": known.version_id}
        else:
            version = await self.wire.json("/version")
        try:
            return rules_of(version, config)
        except (KeyError, TypeError, ValueError) as error:
            raise BrokenWorldError("Kimai does not say how it is set.") from error

    async def read(self, timesheet_id: int) -> Timesheet | None:
        """None: Kimai itself says that it does not exist."""
        answer = await self.wire.get(f"/timesheets/{timesheet_id}")
        if says_not_found(answer):
            return None
        if answer.status_code == FORBIDDEN:
            raise NotReadableError
        return _timesheet(decoded(answer))

    async def begun_in(
        self, user_id: int, first: datetime, last: datetime, caller: Caller
    ) -> list[Timesheet]:
        """A user's rows that begin in the span; an hour more on each side is listed and left out.

        The filter takes naive times of the caller's zone, which an hour may have twice. An unknown
        user, or any without view_other_timesheet, is answered with our own rows (kimai-api.md 0.4).
        """
        hour = timedelta(hours=1)
        rows, _ = await self._all(
            user=user_id,
            begin=_naive(first - hour, caller.zone),
            end=_naive(last + hour, caller.zone),
        )
        if any(row.user_id != user_id for row in rows):
            raise NotReadableError
        return [row for row in rows if first <= row.began_at < last]

    async def with_marker(self, code: str) -> list[Timesheet]:
        """Rows whose marker names this create, oldest first; the search itself finds substrings."""
        rows, _ = await self._all(user="all", term=f"hb-{code}")
        return [row for row in rows if row.marker is not None and row.marker.create == code]

    async def modified_since(self, moment: datetime) -> Seen:
        """In UTC and inclusive; bulk exports and deletions leave no trace here (kimai-api.md 7)."""
        return await self._all(user="all", modified_after=_naive(moment, ZoneInfo("UTC")))

    async def begun_since(self, moment: datetime, caller: Caller) -> list[Timesheet]:
        return (await self._all(user="all", begin=_naive(moment, caller.zone))).rows

    async def directory(self) -> list[Named]:
        """What this token may list, hidden ones too; a kind it may not list is left out."""
        found: list[Named] = []
        for kind, (path, query) in _DIRECTORY.items():
            page, pages = 1, 1
            while page <= pages:
                answer = await self.wire.get(path, **query, size=PAGE, page=page)
                if answer.status_code == FORBIDDEN:
                    break
                found += [_named(kind, shown) for shown in decoded(answer)]
                # all there is comes at once (kimai-api.md 2.3), unless a version pages them after all
                pages, page = int(answer.headers.get("X-Total-Pages", 1)), page + 1
        return found

    async def form(self, **fields: str | int) -> Violations | None:
        """What Kimai says to a new timesheet that names no project: all is judged, and nothing is written.

        It lists the fields this token may send, and whether a user may be booked on or a period is
        locked. None: the token may create nothing at all.
        """
        answer = await self.wire.send("POST", "/timesheets", payload=fields)
        if answer.status_code == FORBIDDEN:
            return None
        if answer.status_code != INVALID:
            raise BrokenWorldError(
                f"Kimai answers {answer.status_code} to a timesheet that names no project."
            )
        return violations_of(answer.content)

    # -------------------------------------------------------------------------------------- writing
    async def create(self, want: Work, text: str) -> Outcome:
        return await self._write("POST", "/timesheets", to_create(want, text))

    async def change(
        self, row: Timesheet, want: Work, marker: Marker, parts: DescriptionParts | None = None
    ) -> Outcome:
        changes = to_update(want, row, marker, parts)
        return await self._write("PATCH", f"/timesheets/{row.id}", changes)

    async def delete(self, timesheet_id: int) -> Outcome:
        return await self._write("DELETE", f"/timesheets/{timesheet_id}", None)

    async def _write(self, method: str, path: str, payload: Payload | None) -> Outcome:
        try:
            answer = await self.wire.exchange(method, path, payload=payload)
        except _NOT_SENT as error:
            return NotSent(f"Kimai cannot be reached ({type(error).__name__}).")
        except TimeoutError:
            return Unknown(f"Kimai did not answer within {self.wire.timeout_seconds:g} seconds.")
        except httpx.HTTPError as error:
            return Unknown(f"The connection to Kimai broke ({type(error).__name__}).")
        return outcome_of(method, answer.status_code, answer.content)

    async def _all(self, **query: str | int) -> Seen:
        """Timesheets by id, proven complete."""
        try:
            rows, asked_at = await self.wire.complete(
                "/timesheets", {**query, "orderBy": "id", "order": "ASC"}
            )
        except NotReadableError as error:
            if query["user"] != "all":
                raise
            raise BrokenWorldError("The token may not list timesheets (403).") from error
        return Seen([_timesheet(row) for row in rows], asked_at)


@asynccontextmanager
async def connected(
    base_url: str,
    token: str,
    *,
    timeout_seconds: float,
    transport: httpx.AsyncBaseTransport | None = None,
) -> AsyncIterator[Kimai]:
    """Keep-alive connections; the token is in the headers and nowhere else."""
    async with transport or Transport(base_url) as opened:
        headers = {"Authorization": f"Bearer {token}", "Accept": "application/json"}
        yield Kimai(Wire(opened, f"{base_url}/api", headers, timeout_seconds))


_DIRECTORY: dict[str, tuple[str, dict[str, str | int]]] = {
    "user": ("/users", {"visible": 3}),
    "customer": ("/customers", {"visible": 3}),
    "project": ("/projects", {"visible": 3, "ignoreDates": 1}),
    "activity": ("/activities", {"visible": 3}),
}


def _named(kind: str, shown: Any) -> Named:
    try:
        return named_of(kind, shown)
    except (KeyError, TypeError, ValueError) as error:
        raise BrokenWorldError(f"Kimai shows a {kind} we cannot read.") from error


def _timesheet(shown: Any) -> Timesheet:
    try:
        return timesheet_of(shown)
    except NotATimesheetError as error:
        raise BrokenWorldError(f"Kimai shows a timesheet we cannot read: {error}.") from error


def _naive(moment: datetime, zone: ZoneInfo) -> str:
    """Query parameters take no offset (kimai-api.md 0.5)."""
    return moment.astimezone(zone).replace(tzinfo=None).isoformat(timespec="seconds")

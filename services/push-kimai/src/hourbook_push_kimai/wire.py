"""Requests to Kimai, their answers, and lists that are proven complete: HTTP and nothing of its words."""

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, NamedTuple

import httpx

from hourbook_kit.target.protocol import BrokenWorldError, NotReadableError
from hourbook_push_kimai.outcome import REDIRECTED, UNAUTHORIZED

PAGE = 500
"""More is clamped (kimai-api.md 2.4)."""
TRIES = 3
OK, INVALID, UNAUTHORIZED_STATUS, FORBIDDEN, NOT_FOUND, SERVER_ERROR = 200, 400, 401, 403, 404, 500
UNCOUNTED = (
    "Kimai's list comes without X-Total-Count, so that nobody can tell whether it is complete:"
    " let the proxy before Kimai pass on its X-… headers."
)


Query = Mapping[str, str | int]


class Listed(NamedTuple):
    rows: list[Any]
    asked_at: datetime | None
    """By Kimai's own clock; None where it does not tell."""


@dataclass(frozen=True, slots=True)
class Wire:
    """One Kimai, through one token."""

    transport: httpx.AsyncBaseTransport
    """Without httpx's client around it: its cookies, redirects and URLs cost as much as the request."""
    base_url: str
    headers: Mapping[str, str]
    timeout_seconds: float

    async def exchange(
        self, method: str, path: str, *, query: Query | None = None, payload: Any = None
    ) -> httpx.Response:
        """One request and its whole answer; the body's connection is free again afterwards."""
        timeout = httpx.Timeout(self.timeout_seconds, connect=self.timeout_seconds / 2)
        async with asyncio.timeout(self.timeout_seconds):
            answer = await self.transport.handle_async_request(
                httpx.Request(
                    method,
                    httpx.URL(f"{self.base_url}{path}", params=query),
                    headers=self.headers,
                    json=payload,
                    extensions={"timeout": timeout.as_dict()},
                )
            )
            await answer.aread()
        return answer

    async def send(
        self, method: str, path: str, *, query: Query | None = None, payload: Any = None
    ) -> httpx.Response:
        """An answer that Kimai itself gave; raises `BrokenWorldError` where it gave none."""
        try:
            answer = await self.exchange(method, path, query=query, payload=payload)
        except TimeoutError as error:
            raise BrokenWorldError(
                f"Kimai did not answer within {self.timeout_seconds:g} seconds."
            ) from error
        except httpx.HTTPError as error:
            raise BrokenWorldError(f"Kimai cannot be reached ({type(error).__name__}).") from error
        if answer.status_code == UNAUTHORIZED_STATUS:
            raise BrokenWorldError(UNAUTHORIZED)
        if answer.status_code >= SERVER_ERROR:
            raise BrokenWorldError(f"Kimai, or a proxy before it, answers {answer.status_code}.")
        return answer

    async def get(self, path: str, **query: str | int) -> httpx.Response:
        return await self.send("GET", path, query=query)

    async def json(self, path: str, **query: str | int) -> Any:
        return decoded(await self.get(path, **query))

    async def complete(self, path: str, query: Query) -> Listed:
        """A list proven complete: as many different ids as X-Total-Count says, and it held still."""
        for _ in range(TRIES):
            rows = await self._pages(path, query)
            if rows is not None:
                return rows
        raise BrokenWorldError("Kimai's list changed under our hands three times.")

    async def _pages(self, path: str, query: Query) -> Listed | None:
        rows: dict[Any, Any] = {}
        total, page, asked_at = None, 1, None
        while total is None or len(rows) < total:
            answer = await self.send("GET", path, query={**query, "size": PAGE, "page": page})
            if answer.status_code == FORBIDDEN:
                raise NotReadableError
            if page > 1 and answer.status_code == NOT_FOUND:
                return None  # fewer than a moment ago
            shown, asked_at = decoded(answer), asked_at or _date(answer)
            if "X-Total-Count" not in answer.headers:
                raise BrokenWorldError(UNCOUNTED)
            count = int(answer.headers["X-Total-Count"])
            if total not in (None, count) or (not shown and len(rows) < count):
                return None
            total, page = count, page + 1
            rows |= {row.get("id"): row for row in shown}
        return Listed(list(rows.values()), asked_at) if len(rows) == total else None


def decoded(answer: httpx.Response) -> Any:
    if OK < answer.status_code < INVALID:
        raise BrokenWorldError(REDIRECTED.format(answer.status_code))
    if answer.status_code != OK:
        raise BrokenWorldError(
            f"Kimai answers {answer.status_code}: is the address that of a Kimai, and may the token read?"
        )
    try:
        return json.loads(answer.content)
    except ValueError as error:
        raise BrokenWorldError("What answers is not a Kimai: it does not speak JSON.") from error


def says_not_found(answer: httpx.Response) -> bool:
    """Its own 404, not that of a proxy before it."""
    if answer.status_code != NOT_FOUND:
        return False
    try:
        said = json.loads(answer.content)
    except ValueError:
        return False
    return isinstance(said, dict) and said.get("code") == NOT_FOUND


def _date(answer: httpx.Response) -> datetime | None:
    try:
        return parsedate_to_datetime(answer.headers["Date"]).astimezone(UTC)
    except (KeyError, ValueError):
        return None

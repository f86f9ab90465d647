"""Zammad over HTTP: the only module that knows its addresses, its paging and its errors.

The loops around it ask five things: read a ticket's time, what changed since, all entries with proof,
is this one really gone, is this delivery genuine. Facts: zammad-api.md.
"""

import asyncio
import hmac
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable
from dataclasses import dataclass
from typing import Any

import httpx

from hourbook_ingest_zammad import normalise
from hourbook_ingest_zammad.metrics import CALLS
from hourbook_ingest_zammad.normalise import Page, Ticket, TimeAccounting, UnreadableError
from hourbook_ingest_zammad.survey import PAGE_ROWS, window
from hourbook_ingest_zammad.wire import Wire

PULL_TRIES = 3
ASSETS = "TicketTimeAccounting"


class ZammadError(Exception):
    """Zammad did not give what it was asked for."""


class RetriableError(ZammadError):
    """Zammad does not answer, or not as itself: we ask again until it does."""


class BadCredentialsError(ZammadError):
    """Zammad refuses our token (401): give the connection a new one."""


class MissingPermissionError(ZammadError):
    """Our token may not read this (403): it needs `admin.time_accounting`, `ticket.agent` and read on the group."""


class GoneError(ZammadError):
    """Zammad says that it does not have this (404)."""


class IncompletePullError(ZammadError):
    """A list changed under our hands as often as we read it: it proves nothing."""


@dataclass(frozen=True, slots=True)
class TicketRead:
    """A ticket with all its time accountings; without a ticket, Zammad says it does not have it."""

    ticket: Ticket | None
    accountings: tuple[TimeAccounting, ...]


class Zammad:
    """One Zammad, as a source of entries."""

    def __init__(
        self,
        base_url: str,
        token: str,
        webhook_secret: str | None,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self._secret = webhook_secret.encode() if webhook_secret else None
        headers = {"Authorization": f"Token token={token}", "Accept": "application/json"}
        self._wire = Wire(f"{base_url}/api/v1", headers, transport)

    async def close(self) -> None:
        await self._wire.close()

    # ------------------------------------------------------------------------- what the loops ask
    def verifies(self, body: bytes, signature: str | None) -> bool:
        """Whether this delivery was signed with our secret, over exactly these bytes; in constant time."""
        if self._secret is None or signature is None:
            return False
        ours = f"sha1={hmac.digest(self._secret, body, 'sha1').hex()}"
        return hmac.compare_digest(ours.encode(), signature.encode(errors="replace"))

    async def read_ticket(self, ticket_id: int) -> TicketRead:
        """Both at once; the entries are proven to be all of them."""
        ticket, rows = await _both(
            self._get(f"/tickets/{ticket_id}"),
            self._all_rows(f"/tickets/{ticket_id}/time_accountings"),
        )
        if isinstance(ticket, GoneError):
            return TicketRead(None, ())
        if isinstance(rows, GoneError):  # it went between the two
            raise RetriableError(f"ticket {ticket_id} is there and its time is not") from rows
        accountings = tuple(normalise.time_accounting(row) for row in rows)
        if any(accounting.ticket_id != ticket_id for accounting in accountings):
            raise UnreadableError(f"the time of ticket {ticket_id} holds another ticket's")
        return TicketRead(normalise.ticket(ticket), accountings)

    async def latest(self) -> AsyncGenerator[Page, None]:
        """All time accountings, the last changed first: stop where they are old enough.

        A row that changes meanwhile is shown twice or on the next poll; a deleted one may hide its
        neighbour, which only a sweep can rule out.
        """
        page = 1
        while True:
            rows = await self._get(
                "/time_accountings",
                sort_by="updated_at,id",
                order_by="desc,desc",
                page=page,
                per_page=PAGE_ROWS,
            )
            if not isinstance(rows, list):
                raise UnreadableError("the list of time accountings is no list")
            yield normalise.page(rows)
            if len(rows) < PAGE_ROWS:
                return
            page += 1

    async def everything(self) -> AsyncGenerator[Page, None]:
        """All time accountings by id; raises `IncompletePullError` at the end unless these were all."""
        async for rows in self._proven("/time_accountings"):
            yield normalise.page(rows)

    async def is_gone(self, accounting_id: int) -> bool:
        """Whether Zammad says that it has no such time accounting; a proxy's error page says nothing."""
        try:
            await self._get(f"/time_accountings/{accounting_id}")
        except GoneError:
            return True
        return False

    async def control(self) -> None:
        """A read that a healthy Zammad answers to our token; raises what keeps it from that."""
        try:
            await self._get("/users/me")
        except GoneError as error:
            raise RetriableError("even our own user is not found: this is not Zammad") from error

    async def time_control(self) -> None:
        """The same, of what we are here for: the list of time accountings."""
        try:
            await self._get("/time_accountings", page=1, per_page=1)
        except GoneError as error:
            raise RetriableError("it has no time accountings at all: this is not Zammad") from error

    # ----------------------------------------------------------------------------------- plumbing
    async def _all_rows(self, path: str) -> list[object]:
        for _ in range(PULL_TRIES - 1):
            try:
                return [row async for rows in self._proven(path) for row in rows]
            except IncompletePullError:
                continue
        return [row async for rows in self._proven(path) for row in rows]

    async def _proven(self, path: str) -> AsyncIterator[list[object]]:
        seen: set[int] = set()
        last: int | None = None
        while True:
            asked = window(len(seen))
            body = await self._get(
                path, full="true", sort_by="id", order_by="asc", **asked._asdict()
            )
            ids, rows, total = _full(body)
            if last is not None and last not in rows:
                raise IncompletePullError(IncompletePullError.__doc__)
            yield [rows[row_id] for row_id in ids if row_id not in seen]
            seen.update(ids)
            if asked.begins + len(ids) >= total or len(ids) < asked.per_page:
                break
            last = ids[-1]
        if len(seen) != total:
            raise IncompletePullError(IncompletePullError.__doc__)

    async def _get(self, path: str, **params: str | int) -> Any:
        try:
            answer = await self._wire.get(path, params)
        except httpx.HTTPError as error:
            CALLS.labels("none").inc()
            raise RetriableError(f"no answer ({type(error).__name__})") from error
        CALLS.labels(answer.status_code).inc()
        return _body(answer)


def _body(answer: httpx.Response) -> Any:
    """The JSON of a 200; everything else as what it means. Bodies are not repeated: they hold names."""
    status = answer.status_code
    if status == httpx.codes.UNAUTHORIZED:
        raise BadCredentialsError(BadCredentialsError.__doc__)
    if status == httpx.codes.FORBIDDEN:
        raise MissingPermissionError(MissingPermissionError.__doc__)
    if "json" not in answer.headers.get("content-type", ""):
        raise RetriableError(f"status {status} with something that is not JSON: is this Zammad?")
    if status == httpx.codes.NOT_FOUND:
        raise GoneError(GoneError.__doc__)
    if status >= httpx.codes.INTERNAL_SERVER_ERROR or status == httpx.codes.TOO_MANY_REQUESTS:
        raise RetriableError(f"status {status}")
    if status != httpx.codes.OK:
        raise UnreadableError(f"status {status}")
    try:
        return answer.json()
    except ValueError as error:
        raise RetriableError("a body that breaks off") from error


def _full(body: object) -> tuple[list[int], dict[int, object], int]:
    """The ids in their order, the rows by id, and how many there are in all."""
    match body:
        case {"record_ids": [*ids], "assets": dict(assets), "total_count": int(total)}:
            rows = assets.get(ASSETS) or {}
        case _:
            raise UnreadableError("a full list without record_ids, assets and total_count")
    try:
        return ids, {row_id: rows[str(row_id)] for row_id in ids}, total
    except (KeyError, TypeError, AttributeError):
        raise UnreadableError("a full list whose rows are not among its assets") from None


async def _both(
    first: Awaitable[object], second: Awaitable[list[object]]
) -> tuple[object, list[object] | GoneError]:
    """Both answers, where 404 is one; any other error ends both, the first one's before the second's."""
    one, two = await asyncio.gather(first, second, return_exceptions=True)
    for answer in (one, two):
        if isinstance(answer, BaseException) and not isinstance(answer, GoneError):
            raise answer
    return one, two  # type: ignore[return-value]  # what else it may be was raised above

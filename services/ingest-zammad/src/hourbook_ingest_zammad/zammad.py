"""Zammad over HTTP: the only module that knows its addresses.

The loops around it ask: read a ticket's time, what changed since, all entries with proof, is this one
really gone, is this delivery genuine, what is a unit called, are you new enough. Facts: zammad-api.md.
"""

import asyncio
import hmac
from collections.abc import AsyncGenerator, Awaitable, Mapping
from contextlib import aclosing
from datetime import datetime

import httpx

from hourbook_contracts.zammad.units import SaidUnit, said_in_settings, said_in_signshow
from hourbook_ingest_zammad import normalise
from hourbook_ingest_zammad.calls import UNFIT, Calls
from hourbook_ingest_zammad.pulls import (
    TIME,
    ByChange,
    all_time,
    changed_tickets,
    newest_ticket,
    proven,
)
from hourbook_ingest_zammad.wire import Wire
from hourbook_kit.source.protocol import (
    BadRecord,
    Connector,
    GoneError,
    IncompletePullError,
    MissingPermissionError,
    Page,
    RetriableError,
    Ticket,
    TicketRead,
    TicketSeen,
    UnfitError,
    UnreadableError,
)

PULL_TRIES = 3


WALKS = (
    "This Zammad does not sort time accountings by their change: each poll reads the whole list, so"
    " poll it less often."
)


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
        self._calls = Calls(self._wire)
        self._by_change = ByChange(self._calls)
        self._merged_states: frozenset[int] | None = None
        self._asking_for_states = asyncio.Lock()

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
        found, rows = await _both(
            self._calls.get(f"/tickets/{ticket_id}"),
            self._all_rows(f"/tickets/{ticket_id}/time_accountings"),
        )
        if isinstance(found, GoneError):
            return TicketRead(None, ())
        if isinstance(rows, GoneError):  # it went between the two
            raise RetriableError(f"Ticket {ticket_id} is there and its time is not.") from rows
        bookings = tuple(normalise.time_accounting(row) for row in rows)
        if any(booking.ticket_id != ticket_id for booking in bookings):
            raise UnreadableError(f"the time of ticket {ticket_id} holds another ticket's")
        ticket = normalise.ticket(found)
        return TicketRead(ticket.ticket, bookings, await self._merged_into(ticket))

    async def _merged_into(self, ticket: normalise.TicketRow) -> Ticket | None:
        async with self._asking_for_states:
            if self._merged_states is None:
                states = await self._calls.get("/ticket_states", per_page=1000)
                self._merged_states = normalise.merged_states(states)
        if ticket.state_id not in self._merged_states:
            return None
        links = await self._calls.get("/links", link_object="Ticket", link_object_value=ticket.id)
        return normalise.parent(links)

    def latest(self, since: datetime | None) -> AsyncGenerator[Page, None]:
        """Time accountings that changed since then, and perhaps more; None: all of them."""
        return self._by_change.since(since)

    @property
    def walks(self) -> str | None:
        return WALKS if self._by_change.walked else None

    def tickets_changed(self, since: datetime) -> AsyncGenerator[list[TicketSeen], None]:
        """Also those whose customer, title or merging changed and whose time did not."""
        return changed_tickets(self._calls, since)

    async def newest_ticket(self) -> datetime | None:
        """When the last one changed; None where there is none."""
        return await newest_ticket(self._calls)

    async def everything(self) -> AsyncGenerator[Page, None]:
        """All time accountings by id; raises `IncompletePullError` at the end unless these were all."""
        async with aclosing(all_time(self._calls)) as pages:
            async for rows in pages:
                yield normalise.page(rows)

    async def is_gone(self, accounting_id: int) -> bool:
        """Whether Zammad says that it has no such time accounting; a proxy's error page says nothing."""
        try:
            await self._calls.get(f"{TIME}/{accounting_id}")
        except GoneError:
            return True
        return False

    async def control(self) -> None:
        """A read that a healthy Zammad answers to our token; raises what keeps it from that."""
        try:
            await self._calls.get(TIME, page=1, per_page=1)
        except GoneError as error:
            raise UnfitError(UNFIT) from error

    async def said_unit(self) -> SaidUnit | None:
        """What it calls a unit; None where our token is not told (zammad-api.md 2.5)."""
        try:
            said = said_in_settings(await self._calls.get("/settings", per_page=1000))
        except MissingPermissionError:
            said = None
        return said or said_in_signshow(await self._calls.get("/signshow"))

    async def bad_records(self) -> tuple[BadRecord, ...]:
        """None: a row that cannot be read fails the reading of its ticket."""
        return ()

    # ----------------------------------------------------------------------------------- plumbing
    async def _all_rows(self, path: str) -> list[object]:
        for _ in range(PULL_TRIES - 1):
            try:
                return [row async for rows in proven(self._calls, path) for row in rows]
            except IncompletePullError:
                continue
        return [row async for rows in proven(self._calls, path) for row in rows]


async def _both(
    first: Awaitable[object], second: Awaitable[list[object]]
) -> tuple[object, list[object] | GoneError]:
    """Both answers, where 404 is one; any other error ends both, the first one's before the second's."""
    one, two = await asyncio.gather(first, second, return_exceptions=True)
    for answer in (one, two):
        if isinstance(answer, BaseException) and not isinstance(answer, GoneError):
            raise answer
    return one, two  # type: ignore[return-value]  # what else it may be was raised above


def _connect(base_url: str, secrets: Mapping[str, str]) -> Zammad:
    return Zammad(base_url, secrets["token"], secrets.get("webhook_secret"))


CONNECTOR = Connector(_connect, needs=("token",), takes=("webhook_secret",))

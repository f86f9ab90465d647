"""Zammad's connector at Zammad's twin, for `pytest --connector`."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import httpx

from hourbook_ingest_zammad.paging import PAGE_ROWS_LEAST
from hourbook_ingest_zammad.zammad import Zammad
from hourbook_kit.conformance.twins import Failure, Sources
from hourbook_simulators.zammad.in_process import Twin, opened
from hourbook_simulators.zammad.seeds import DEMO_TOKEN


class Wrapped(httpx.AsyncBaseTransport):
    """The way to the twin, which a test may break."""

    def __init__(self, transport: httpx.AsyncBaseTransport) -> None:
        self.transport = transport
        self.how: Failure | None = None

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if self.how == "silent":
            raise httpx.ConnectError("refused", request=request)
        if self.how == "broken":
            return httpx.Response(500, json={"error": "database"})
        if self.how == "nonsense":
            return httpx.Response(200, html="<h1>Welcome to nginx!</h1>")
        return await self.transport.handle_async_request(request)


class ZammadTwin:
    def __init__(self, twin: Twin, wire: Wrapped, source: Zammad) -> None:
        self.twin, self.wire, self.source = twin, wire, source
        self.tickets = (1, 2)
        self._whole: dict[int, Any] = {}

    async def book(self, ticket_id: int, units: str) -> int:
        return int((await self.twin.book(ticket_id, units))["id"])

    async def edit(self, booking_id: int, units: str) -> None:
        answer = await self.twin.ask("PUT", f"/time_accountings/{booking_id}", {"time_unit": units})
        answer.raise_for_status()

    async def delete(self, booking_id: int) -> None:
        (await self.twin.ask("DELETE", f"/time_accountings/{booking_id}")).raise_for_status()

    async def delete_ticket(self, ticket_id: int) -> None:
        (await self.twin.ask("DELETE", f"/tickets/{ticket_id}")).raise_for_status()

    async def spoil(self, booking_id: int) -> None:
        row = self.twin.memory.books.accountings[booking_id]
        self._whole[booking_id], row.created_by_id = row.created_by_id, None  # type: ignore[assignment]  # that is the point

    async def mend(self, booking_id: int) -> None:
        self.twin.memory.books.accountings[booking_id].created_by_id = self._whole[booking_id]

    async def fail(self, how: Failure) -> None:
        self.wire.how = how

    async def heal(self) -> None:
        self.wire.how = None

    async def set_clock(self, ahead: timedelta) -> None:
        await self.twin.control("POST", "/clock", {"offset_seconds": ahead.total_seconds()})


@asynccontextmanager
async def zammad() -> AsyncIterator[ZammadTwin]:
    async with opened() as twin:
        for booked in list(twin.memory.books.accountings):
            await twin.ask("DELETE", f"/time_accountings/{booked}")
        wire = Wrapped(twin.http._transport)
        source = Zammad("http://zammad.test", DEMO_TOKEN, "secret", wire)
        source._calls.page_rows = PAGE_ROWS_LEAST
        try:
            yield ZammadTwin(twin, wire, source)
        finally:
            await source.close()


SOURCES: Sources = {"zammad": zammad}

"""The same questions asked of the Zammad twin, which knows more of Zammad's quirks than our fake."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import pytest

from hourbook_ingest_zammad.zammad import Zammad
from hourbook_kit.source.protocol import BadCredentialsError, MissingPermissionError
from hourbook_simulators.zammad.app import build
from hourbook_simulators.zammad.in_process import opened
from hourbook_simulators.zammad.memory import Memory
from hourbook_simulators.zammad.seeds import DEMO_TOKEN, plant

pytestmark = pytest.mark.anyio

SECRET = "s3"


@asynccontextmanager
async def client_of(memory: Memory, token: str = DEMO_TOKEN) -> AsyncIterator[Zammad]:
    zammad = Zammad("http://zammad.test", token, SECRET, httpx.ASGITransport(build(memory)))
    try:
        yield zammad
    finally:
        await zammad.close()


async def test_a_ticket_is_read_as_it_is() -> None:
    async with opened() as twin, client_of(twin.memory) as zammad:
        entry = await twin.book(1, "12.5")
        read = await zammad.read_ticket(1)
    assert read.ticket is not None
    assert read.ticket.attributes.number == twin.memory.books.tickets[1].number
    assert read.bookings[-1].id == entry["id"]
    assert read.bookings[-1].raw_units == "12.5"


async def test_polls_and_sweeps_see_the_same_entries() -> None:
    async with client_of(Memory(plant("bench"))) as zammad:
        polled = [a async for page in zammad.latest(None) for a in page.bookings]
        swept = [a async for page in zammad.everything() for a in page.bookings]
    assert len(swept) == 300
    assert {a.id: a for a in polled} == {a.id: a for a in swept}
    assert [a.updated_at for a in polled] == sorted((a.updated_at for a in polled), reverse=True)


async def test_what_is_deleted_is_gone() -> None:
    async with opened() as twin, client_of(twin.memory) as zammad:
        entry = await twin.book(1, "12.5")
        assert not await zammad.is_gone(entry["id"])
        await twin.ask("DELETE", f"/time_accountings/{entry['id']}")
        assert await zammad.is_gone(entry["id"])
        await twin.ask("DELETE", "/tickets/1")
        assert (await zammad.read_ticket(1)).ticket is None
        await zammad.control()


async def test_a_token_that_is_unknown_or_too_weak_is_told_apart() -> None:
    memory = Memory(plant("demo"))
    async with client_of(memory, "unknown") as zammad:
        with pytest.raises(BadCredentialsError):
            await zammad.control()
    async with opened(memory=memory) as twin:
        weak = twin.token(2, "ticket.agent").removeprefix("Token token=")
        async with client_of(memory, weak) as zammad:
            with pytest.raises(MissingPermissionError):
                await zammad.control()


async def test_its_deliveries_are_genuine() -> None:
    received: list[tuple[bytes, str | None]] = []
    heard = asyncio.Event()

    def listen(request: httpx.Request) -> httpx.Response:
        received.append((request.content, request.headers.get("x-hub-signature")))
        heard.set()
        return httpx.Response(202)

    async with opened(webhook_transport=httpx.MockTransport(listen)) as twin:
        hook = {"url": "http://hourbook.test/api/webhook/zammad", "secret": SECRET}
        await twin.control("PUT", "/webhook", hook)
        await twin.book(1, "12.5")
        async with asyncio.timeout(10):
            await heard.wait()
    async with client_of(Memory(plant("empty"))) as zammad:
        assert [zammad.verifies(body, signature) for body, signature in received] == [True]

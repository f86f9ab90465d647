"""What a broken connection is called decides whether a write may be repeated."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import httpx
import pytest

from hourbook_kit.http import Transport

pytestmark = pytest.mark.anyio
OK = b"HTTP/1.1 200 OK\r\nSet-Cookie: session=1\r\nContent-Length: 2\r\n\r\nok"
TIMEOUT = {"timeout": httpx.Timeout(0.5).as_dict()}
Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def serving(serve: Serve) -> AsyncIterator[str]:
    async def handled(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await serve(reader, writer)
        writer.close()

    async with await asyncio.start_server(handled, "127.0.0.1", 0) as server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"


async def asked(url: str, transport: Transport | None = None) -> httpx.Response:
    request = httpx.Request("POST", f"{url}/api", content=b"{}", extensions=TIMEOUT)
    if transport is not None:
        return await transport.handle_async_request(request)
    async with Transport(url) as own:
        return await own.handle_async_request(request)


def answering(raw: bytes) -> Serve:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"{}")
        writer.write(raw)

    return serve


async def silent(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
    await reader.read()


async def test_nothing_was_sent_to_a_server_that_does_not_listen() -> None:
    async with serving(answering(OK)) as url:
        pass
    with pytest.raises(httpx.ConnectError):
        await asked(url)


@pytest.mark.parametrize(
    ("raw", "told"),
    [
        (b"", httpx.ReadError),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nabc", httpx.ReadError),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab", httpx.ReadError),
        (b"garbage\r\n\r\n", httpx.RemoteProtocolError),
    ],
    ids=["no answer", "half a body", "half a chunk", "no HTTP"],
)
async def test_whoever_broke_off_may_have_been_told(raw: bytes, told: type[Exception]) -> None:
    async with serving(answering(raw)) as url:
        with pytest.raises(told) as raised:
            await asked(url)
    assert not isinstance(raised.value, httpx.ConnectError | httpx.ConnectTimeout)


async def test_whoever_is_silent_may_have_been_told() -> None:
    async with serving(silent) as url:
        with pytest.raises(httpx.ReadTimeout):
            await asked(url)


async def test_a_write_is_never_sent_again_by_itself() -> None:
    """A kept connection that the server closes at the second request: it may have read it."""
    came = 0

    async def once(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal came
        await reader.readuntil(b"{}")
        came += 1
        writer.write(OK)
        await reader.readuntil(b"{}")
        came += 1

    async with serving(once) as url, Transport(url) as transport:
        assert (await asked(url, transport)).text == "ok"
        with pytest.raises(httpx.ReadError):
            await asked(url, transport)
    assert came == 2


async def test_no_cookie_is_kept() -> None:
    heads = []

    async def twice(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for _ in range(2):
            heads.append((await reader.readuntil(b"{}")).lower())
            writer.write(OK)

    async with serving(twice) as url, Transport(url) as transport:
        await asked(url, transport)
        await asked(url, transport)
    assert len(heads) == 2
    assert b"cookie" not in heads[1]

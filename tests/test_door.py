"""The one door of production, nginx with the pages' configuration, in front of the real stack."""

import asyncio
import gzip
import re
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import httpx
import pytest

from bench.door import TEMPLATE, configured, door
from bench.world import World, world
from hourbook_cli.demo_setup import DESK
from hourbook_cli.settings import DEMO_PASSWORD, DEMO_USER
from hourbook_ingest_zammad.settings import Settings
from hourbook_local.stack import Parts

pytestmark = [pytest.mark.anyio, pytest.mark.slow, pytest.mark.timeout(180)]

PAGE = (
    "<!doctype html><title>Hourbook</title><script type=module src=/assets/index-1a2b.js></script>"
)
SCRIPT = "export const sentence = 'an hour travels';\n" * 100
WEBHOOK = f"/api/webhook/zammad/{DESK}"
LIMIT = int(Settings.model_fields["webhook_limit_bytes"].default)
DOOR = "127.0.0.1"
"""Where nginx comes from, as query-api sees it."""
HEADERS = (
    "content-security-policy",
    "x-content-type-options",
    "referrer-policy",
    "cross-origin-opener-policy",
)


@pytest.fixture(scope="module")
async def here(folder: Path) -> AsyncIterator[World]:
    parts = Parts(
        services=("ingest-zammad", "query-api"),
        environment={"query-api": {"HOURBOOK_TRUSTED_PROXIES": DOOR}},
    )
    async with world(folder / "door-stack", parts, stage="connected") as up:
        yield up


@pytest.fixture(scope="module")
def pages(folder: Path) -> Path:
    """A page, a script and what is for the build's makers only, as a build lays them out."""
    built = folder / "door-pages"
    for name, text in {
        "index.html": PAGE,
        "assets/index-1a2b.js": SCRIPT,
        "assets/index-1a2b.js.map": "{}",
        ".vite/manifest.json": "{}",
    }.items():
        (built / name).parent.mkdir(parents=True, exist_ok=True)
        (built / name).write_text(text)
    return built


def place(url: str) -> str:
    return url.removeprefix("http://")


@pytest.fixture(scope="module")
def opened(here: World, pages: Path, folder: Path) -> Iterator[str]:
    with door(
        folder / "door",
        pages=pages,
        query_api=place(here.stack.url("query-api")),
        ingest_zammad=place(here.stack.url("ingest-zammad")),
    ) as url:
        yield url


@pytest.fixture
async def browser(opened: str) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=opened) as client:
        yield client


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/", 200),
        ("/conflicts?reason=overlap", 200),
        ("/assets/index-1a2b.js", 200),
        ("/assets/missing.js", 404),
        ("/assets/index-1a2b.js.map", 404),
        ("/.vite/manifest.json", 404),
        ("/api/health/ready", 200),
        ("/api/nowhere", 404),
        (WEBHOOK, 405),
    ],
)
async def test_whatever_is_answered_carries_the_headers(
    browser: httpx.AsyncClient, path: str, status: int
) -> None:
    answer = await browser.get(path)
    assert answer.status_code == status
    for name in HEADERS:
        assert len(answer.headers.get_list(name)) == 1, name
    assert not re.search(r"\d", answer.headers["server"])


async def test_no_script_runs_that_is_not_a_file_of_ours(browser: httpx.AsyncClient) -> None:
    policy = (await browser.get("/")).headers["content-security-policy"]
    rules = dict(rule.strip().split(" ", 1) for rule in policy.split(";"))
    assert rules["default-src"] == "'none'"
    assert rules["script-src"] == rules["style-src"] == "'self'"
    assert rules["frame-ancestors"] == "'none'"
    assert "unsafe" not in policy


async def test_a_place_in_the_pages_is_the_page_and_a_missing_chunk_is_missing(
    browser: httpx.AsyncClient,
) -> None:
    for path in ("/", "/entries/zammad:desk:1", "/a/place/of/tomorrow"):
        answer = await browser.get(path)
        assert answer.text == PAGE
        assert answer.headers["content-type"].startswith("text/html")
        assert answer.headers["cache-control"] == "no-cache"
    kept = await browser.get("/assets/index-1a2b.js")
    assert kept.headers["cache-control"] == "public, max-age=31536000, immutable"


async def test_text_travels_packed(browser: httpx.AsyncClient) -> None:
    async with browser.stream(
        "GET", "/assets/index-1a2b.js", headers={"Accept-Encoding": "gzip"}
    ) as answer:
        assert answer.headers["content-encoding"] == "gzip"
        assert answer.headers["vary"] == "Accept-Encoding"
        packed = b"".join([chunk async for chunk in answer.aiter_raw()])
    assert gzip.decompress(packed).decode() == SCRIPT


async def test_the_api_is_behind_it_and_knows_whom_it_serves(browser: httpx.AsyncClient) -> None:
    body = {"name": DEMO_USER, "password": DEMO_PASSWORD}
    token = (await browser.post("/api/auth/login", json=body)).json()["access_token"]
    listed = await browser.get("/api/connectors", headers={"Authorization": f"Bearer {token}"})
    assert listed.status_code == 200
    assert DESK in listed.text
    assert (await browser.get("/api/connectors")).status_code == 401


@pytest.mark.parametrize(
    ("own", "told", "seen"),
    [
        ("127.0.0.7", "", "127.0.0.7"),
        ("127.0.0.7", "198.51.100.9", "127.0.0.7"),  # claimed by nobody whom we trust
        (DOOR, "198.51.100.9", "198.51.100.9"),  # a proxy with TLS in front of the door
        (DOOR, "203.0.113.1, 198.51.100.9", "198.51.100.9"),
    ],
)
async def test_who_asks_is_seen_through_the_door(
    opened: str, here: World, own: str, told: str, seen: str
) -> None:
    transport = httpx.AsyncHTTPTransport(local_address=own)
    async with httpx.AsyncClient(base_url=opened, transport=transport) as client:
        body = {"name": DEMO_USER, "password": DEMO_PASSWORD}
        headers = {"X-Forwarded-For": told} if told else {}
        (await client.post("/api/auth/login", json=body, headers=headers)).raise_for_status()
    (visit,) = (await here.api.get("/api/visits", limit="1"))["items"]
    assert (visit["what"], visit["address"]) == ("signed_in", seen)


@pytest.mark.parametrize(("size", "status"), [(LIMIT, 401), (LIMIT + 1, 413)])
async def test_a_webhook_is_as_long_as_ingest_takes_it_and_no_longer(
    browser: httpx.AsyncClient, here: World, size: int, status: int
) -> None:
    assert (await browser.post(WEBHOOK, content=b" " * size)).status_code == status
    alone = await browser.post(here.stack.url("ingest-zammad") + WEBHOOK, content=b" " * size)
    assert alone.status_code == status


async def test_a_stream_of_events_is_told_as_it_happens(folder: Path, pages: Path) -> None:
    """A service that says one thing, waits to be released, and says another."""
    released = asyncio.Event()

    async def tell(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\ndata: first\n\n")
        await writer.drain()
        await released.wait()
        writer.write(b"data: second\n\n")
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(tell, "127.0.0.1", 0) as server:
        host, port = server.sockets[0].getsockname()
        service = f"{host}:{port}"
        with door(
            folder / "door-live", pages=pages, query_api=service, ingest_zammad=service
        ) as url:
            async with (
                httpx.AsyncClient(base_url=url) as client,
                client.stream("GET", "/api/live", headers={"Accept-Encoding": "gzip"}) as answer,
            ):
                told = answer.aiter_lines()
                assert await anext(told) == "data: first"
                assert "content-encoding" not in answer.headers
                released.set()
                assert [line async for line in told if line] == ["data: second"]


def test_no_location_has_a_header_of_its_own_that_would_drop_the_others() -> None:
    conf = configured(port=1, pages=Path("/pages"), query_api="q:1", ingest_zammad="i:1")
    for location in re.findall(r"location [^{]*\{([^}]*)\}", conf):
        assert "add_header" not in location
        assert "proxy_set_header" not in location
    limits = set(re.findall(r"client_max_body_size (\w+);", TEMPLATE.read_text()))
    assert limits == {f"{LIMIT // 1024 // 1024}m"}

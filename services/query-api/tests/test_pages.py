"""The pages beside the API: what a browser may keep, run and be told."""

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from hourbook_query_api.pages import HEADERS, Pages

pytestmark = pytest.mark.anyio

PAGE = {"Accept": "text/html,application/xhtml+xml"}


async def _entries(_: Request) -> JSONResponse:
    return JSONResponse({"items": []})


@pytest.fixture
async def browser(tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    (tmp_path / "assets").mkdir()
    (tmp_path / "index.html").write_text("<title>Hourbook</title>")
    (tmp_path / "assets" / "main-1a2b.js").write_text("let it = 1;" * 200)
    api = Starlette(routes=[Route("/api/entries", _entries)])
    transport = httpx.ASGITransport(app=Pages(api, tmp_path))
    async with httpx.AsyncClient(transport=transport, base_url="http://pages") as client:
        yield client


@pytest.mark.parametrize("path", ["/", "/conflicts", "/entries/zammad:desk:7?tab=raw"])
async def test_every_place_is_the_one_page_which_is_never_taken_from_a_cache(
    browser: httpx.AsyncClient, path: str
) -> None:
    answer = await browser.get(path, headers=PAGE)
    assert answer.status_code == 200
    assert answer.text == "<title>Hourbook</title>"
    assert answer.headers["cache-control"] == "no-cache"
    assert HEADERS.items() <= {name.title(): held for name, held in answer.headers.items()}.items()


async def test_what_is_named_by_its_content_is_kept_for_ever_and_sent_small(
    browser: httpx.AsyncClient,
) -> None:
    answer = await browser.get("/assets/main-1a2b.js")
    assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert answer.headers["content-encoding"] == "gzip"
    plain = await browser.get("/assets/main-1a2b.js", headers={"Accept-Encoding": "identity"})
    assert "content-encoding" not in plain.headers
    assert plain.text == answer.text
    for name in ("vary", "etag", "last-modified"):
        assert plain.headers[name] == answer.headers[name]
    assert answer.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize("path", ["/assets/gone-9f.js", "/favicon.ico"])
async def test_a_file_that_is_not_there_is_never_answered_with_the_page(
    browser: httpx.AsyncClient, path: str
) -> None:
    answer = await browser.get(path, headers={"Accept": "*/*"})
    assert answer.status_code == 404
    assert answer.headers["cache-control"] == "no-cache"


async def test_what_is_outside_of_the_build_cannot_be_fetched(browser: httpx.AsyncClient) -> None:
    answer = await browser.get("/..%2f..%2fetc%2fpasswd")
    assert answer.status_code == 404
    assert (await browser.post("/")).status_code == 405


async def test_the_api_stays_the_api_also_where_it_has_nothing(browser: httpx.AsyncClient) -> None:
    assert (await browser.get("/api/entries")).json() == {"items": []}
    assert (await browser.get("/api/nowhere", headers=PAGE)).status_code == 404

"""Kimai's HTTP, on a transport that answers from a script."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

import httpx
import pytest

from hourbook_contracts.testing import NOON, work
from hourbook_push_kimai.kimai import BrokenWorldError, Caller, Kimai, NotReadableError, connected
from hourbook_push_kimai.outcome import NotSent, Unknown
from hourbook_push_kimai.payload import to_create

pytestmark = pytest.mark.anyio

NEW_YORK = Caller(1, ZoneInfo("America/New_York"))
Answer = Callable[[httpx.Request], httpx.Response]


def shown(number: int, **more: Any) -> dict[str, Any]:
    at = (NOON + timedelta(hours=number)).strftime("%Y-%m-%dT%H:%M:%S%z")
    row = {"id": number, "user": 5, "project": 7, "activity": 9, "begin": at, "end": at}
    return row | {"duration": 0, "description": None, "exported": False, "billable": True} | more


def listed(rows: list[dict[str, Any]], total: int | None = None) -> httpx.Response:
    count = len(rows) if total is None else total
    return httpx.Response(200, json=rows, headers={"X-Total-Count": str(count)})


@asynccontextmanager
async def answering(answer: Answer) -> AsyncIterator[Kimai]:
    transport = httpx.MockTransport(answer)
    async with connected("http://kimai", "secret", timeout_seconds=5, transport=transport) as kimai:
        yield kimai


def refuse(error: Exception) -> Answer:
    def answer(_: httpx.Request) -> httpx.Response:
        raise error

    return answer


async def test_a_list_is_read_page_by_page_until_it_is_whole() -> None:
    rows = [shown(number) for number in range(3)]

    def answer(request: httpx.Request) -> httpx.Response:
        page = int(request.url.params["page"])
        return listed(rows[(page - 1) * 2 : page * 2], total=3)

    async with answering(answer) as kimai:
        found = await kimai.modified_since(NOON)
    assert [row.id for row in found] == [0, 1, 2]


async def test_a_list_that_changes_under_our_hands_is_read_again() -> None:
    totals = iter([3, 2, 2, 2])

    def answer(request: httpx.Request) -> httpx.Response:
        page = int(request.url.params["page"])
        return listed([shown(page)], total=next(totals))

    async with answering(answer) as kimai:
        assert len(await kimai.modified_since(NOON)) == 2


async def test_a_list_that_never_holds_still_is_no_proof() -> None:
    async with answering(lambda _: listed([], total=1)) as kimai:
        with pytest.raises(BrokenWorldError):
            await kimai.modified_since(NOON)


async def test_modified_after_is_in_utc_and_a_day_in_the_callers_zone() -> None:
    asked: list[httpx.QueryParams] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request.url.params)
        return listed([])

    async with answering(answer) as kimai:
        await kimai.modified_since(NOON)
        await kimai.of_day(5, NOON, NOON + timedelta(days=1), NEW_YORK)
    assert asked[0]["modified_after"] == "2026-03-30T12:00:00"
    assert asked[1]["begin"] == "2026-03-30T07:00:00"  # noon UTC is 8 there, and an hour more
    assert asked[1]["end"] == "2026-03-31T09:00:00"


async def test_a_day_holds_only_its_users_rows_within_it() -> None:
    rows = [shown(-1), shown(0), shown(1, user=6), shown(23), shown(24)]
    async with answering(lambda _: listed(rows)) as kimai:
        found = await kimai.of_day(5, NOON, NOON + timedelta(days=1), NEW_YORK)
    assert [row.id for row in found] == [0, 23]


async def test_a_marker_is_compared_exactly_after_the_search() -> None:
    code = "a" * 16
    rows = [
        shown(1, description=f"x [hb-{code}.1]"),
        shown(2, description=f"x hb-{code}"),
        shown(3, description=f"[hb-{code}.1] then [hb-{'b' * 16}.1]"),
    ]
    async with answering(lambda _: listed(rows)) as kimai:
        assert [row.id for row in await kimai.with_marker(code)] == [1]


async def test_gone_is_what_kimai_itself_says() -> None:
    async with answering(lambda _: httpx.Response(404, json={"code": 404})) as kimai:
        assert await kimai.read(41) is None
    async with answering(lambda _: httpx.Response(404, text="<html>nginx</html>")) as kimai:
        with pytest.raises(BrokenWorldError):
            await kimai.read(41)


async def test_a_row_we_may_not_see_is_not_gone() -> None:
    async with answering(lambda _: httpx.Response(403, json={"code": 403})) as kimai:
        with pytest.raises(NotReadableError):
            await kimai.read(41)


@pytest.mark.parametrize(
    "answer",
    [
        lambda _: httpx.Response(401),
        lambda _: httpx.Response(502, text="<html>"),
        lambda _: httpx.Response(200, text="<html>"),
        refuse(httpx.ConnectError("no")),
        refuse(httpx.ReadTimeout("late")),
    ],
    ids=["bad token", "proxy's page", "page that is no Kimai", "refused", "late"],
)
async def test_a_world_that_cannot_be_read_is_said_without_the_token(answer: Answer) -> None:
    async with answering(answer) as kimai:
        with pytest.raises(BrokenWorldError) as found:
            await kimai.read(41)
    assert "secret" not in str(found.value)


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (httpx.ConnectError("refused"), NotSent),
        (httpx.ConnectTimeout("late"), NotSent),
        (httpx.ReadTimeout("late"), Unknown),
        (httpx.WriteError("reset"), Unknown),
        (httpx.RemoteProtocolError("hung up"), Unknown),
    ],
    ids=["refused", "not connected", "no answer", "reset", "hung up"],
)
async def test_only_a_refused_connection_surely_sent_nothing(error: Exception, kind: type) -> None:
    async with answering(refuse(error)) as kimai:
        assert isinstance(await kimai.create(to_create(work(15), "text")), kind)

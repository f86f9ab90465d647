"""Kimai's HTTP, on a transport that answers from a script."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import date, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import httpx
import pytest

from hourbook_contracts.testing import NOON, work
from hourbook_kit.target.protocol import (
    BrokenWorld,
    BrokenWorldError,
    Caller,
    NotReadableError,
    NotSent,
    Unknown,
)
from hourbook_push_kimai.kimai import Kimai, connected

from .recorded import body_of, refusals

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
    assert [row.id for row in found.rows] == [0, 1, 2]


async def test_a_list_that_changes_under_our_hands_is_read_again() -> None:
    totals = iter([3, 2, 2, 2])

    def answer(request: httpx.Request) -> httpx.Response:
        page = int(request.url.params["page"])
        return listed([shown(page)], total=next(totals))

    async with answering(answer) as kimai:
        assert len((await kimai.modified_since(NOON)).rows) == 2


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
        await kimai.begun_in(5, NOON, NOON + timedelta(days=1), NEW_YORK)
    assert asked[0]["modified_after"] == "2026-03-30T12:00:00"
    assert asked[1]["begin"] == "2026-03-30T07:00:00"  # noon UTC is 8 there, and an hour more
    assert asked[1]["end"] == "2026-03-31T09:00:00"


async def test_a_list_that_is_not_counted_is_no_proof() -> None:
    async with answering(lambda _: httpx.Response(200, json=[shown(1)])) as kimai:
        with pytest.raises(BrokenWorldError, match="X-Total-Count"):
            await kimai.modified_since(NOON)


async def test_kimais_own_clock_comes_with_the_list() -> None:
    def answer(_: httpx.Request) -> httpx.Response:
        date = {"Date": "Mon, 30 Mar 2026 12:00:07 GMT", "X-Total-Count": "0"}
        return httpx.Response(200, json=[], headers=date)

    async with answering(answer) as kimai:
        assert (await kimai.modified_since(NOON)).asked_at == NOON + timedelta(seconds=7)


async def test_a_day_holds_only_what_begins_within_it() -> None:
    async with answering(lambda _: listed([shown(-1), shown(0), shown(23), shown(24)])) as kimai:
        found = await kimai.begun_in(5, NOON, NOON + timedelta(days=1), NEW_YORK)
    assert [row.id for row in found] == [0, 23]


async def test_rows_of_another_user_say_that_the_filter_was_ignored() -> None:
    """An unknown user, or a token that sees nobody else's, is answered with its own rows."""
    async with answering(lambda _: listed([shown(1, user=6)])) as kimai:
        with pytest.raises(NotReadableError):
            await kimai.begun_in(5, NOON, NOON + timedelta(days=1), NEW_YORK)


async def test_the_directory_holds_hidden_ones_and_projects_that_ended_and_leaves_out_what_is_forbidden() -> (
    None
):
    asked: dict[str, httpx.QueryParams] = {}

    def answer(request: httpx.Request) -> httpx.Response:
        kind = request.url.path.rsplit("/", 1)[1]
        asked[kind] = request.url.params
        rows = {
            "users": [{"id": 5, "username": "anna", "alias": None, "enabled": False}],
            "projects": [
                {"id": 7, "name": "Move", "customer": 2, "start": "2026-01-01", "end": None}
            ],
            "activities": [{"id": 9, "name": "Support", "project": None}],
        }
        return httpx.Response(403) if kind == "customers" else httpx.Response(200, json=rows[kind])

    async with answering(answer) as kimai:
        anna, move, support = await kimai.directory()
    assert (anna.name, anna.visible, anna.system) == ("anna", False, False)
    assert (move.parent_id, move.begins_on, move.ends_on) == (2, date(2026, 1, 1), None)
    assert (support.parent_id, support.visible) == (None, True)
    assert {params["visible"] for params in asked.values()} == {"3"}
    assert asked["projects"]["ignoreDates"] == "1"


async def test_a_list_that_is_paged_after_all_is_read_to_its_end() -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        page = int(request.url.params["page"])
        row = {"id": page, "name": "x", "username": "x"}
        return httpx.Response(200, json=[row], headers={"X-Total-Pages": "2"})

    async with answering(answer) as kimai:
        found = await kimai.directory()
    assert [(named.kind, named.id) for named in found[:2]] == [("user", 1), ("user", 2)]


async def test_a_form_without_a_project_tells_what_may_be_sent_and_is_never_taken() -> None:
    sent: list[bytes] = []

    def answer(request: httpx.Request) -> httpx.Response:
        sent.append(request.content)
        children = {"begin": {}, "project": {"errors": ["A project needs to be selected."]}}
        return httpx.Response(400, json={"code": 400, "errors": {"children": children}})

    async with answering(answer) as kimai:
        form = await kimai.form()
    assert sent == [b"{}"]
    assert form is not None
    assert (form.lacks("begin"), form.lacks("user")) == (False, True)
    async with answering(lambda _: httpx.Response(403)) as kimai:
        assert await kimai.form() is None
    async with answering(lambda _: httpx.Response(200, json=shown(1))) as kimai:
        with pytest.raises(BrokenWorldError):
            await kimai.form()


async def test_how_kimai_is_set_and_whether_we_can_work_with_it() -> None:
    config = {"trackingMode": "punch", "isAllowFutureTimes": True, "isAllowOverlapping": False}
    version = {"version": "2.44.0", "versionId": 24400}

    def answer(request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, json=version if "version" in request.url.path else config)

    async with answering(answer) as kimai:
        assert "2.45" in ((await kimai.rules()).unfit or "")
        version |= {"version": "2.66.0", "versionId": 26600}
        rules = await kimai.rules()
        assert "timesheet.mode" in (rules.unfit or "")
        assert (rules.allows_future, rules.allows_overlap) == (True, False)
        config["trackingMode"] = "duration_fixed_begin"
        assert "duration_fixed_begin" in ((await kimai.rules()).unfit or "")
        config["trackingMode"] = "default"
        assert (await kimai.rules()).unfit is None


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


READ = [found for found in refusals() if found[1]["status"] not in (400, 403)]


@pytest.mark.parametrize(("name", "exchange"), READ, ids=[name for name, _ in READ])
async def test_whatever_kimai_refuses_to_read_is_a_sentence(
    name: str, exchange: dict[str, Any]
) -> None:
    def answer(_: httpx.Request) -> httpx.Response:
        return httpx.Response(exchange["status"], content=body_of(exchange))

    async with answering(answer) as kimai:
        with pytest.raises(BrokenWorldError, match=r"^Kimai.*[.?]$"):
            await kimai.modified_since(NOON)
    assert name


async def test_a_redirect_names_the_address_and_does_not_carry_the_token_along() -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        assert request.url.host == "kimai"
        return httpx.Response(301, headers={"Location": "https://elsewhere/api/users/me"})

    async with answering(answer) as kimai:
        with pytest.raises(BrokenWorldError, match="sends us elsewhere"):
            await kimai.me()
        found = await kimai.create(work(15), "text")
    assert isinstance(found, BrokenWorld)
    assert "elsewhere" in found.sentence


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
        assert isinstance(await kimai.create(work(15), "text"), kind)

"""Lists are proven whole or said not to be, whatever this Zammad's paging, counting and sorting are like."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from hourbook_ingest_zammad.normalise import parent, tickets_seen
from hourbook_ingest_zammad.testing import FakeZammad
from hourbook_ingest_zammad.zammad import Zammad
from hourbook_kit.source.protocol import (
    IncompletePullError,
    MissingPermissionError,
    RetriableError,
    UnfitError,
)
from hourbook_simulators.zammad.in_process import Twin, opened
from hourbook_simulators.zammad.records import ADMIN, AGENT
from hourbook_simulators.zammad.seeds import DEMO_TOKEN

pytestmark = pytest.mark.anyio

LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
RECORDINGS = Path(__file__).parent / "golden"


@asynccontextmanager
async def twin_of(seed: str = "demo", **unknowns: Any) -> AsyncIterator[tuple[Twin, Zammad]]:
    async with opened(seed) as twin:
        await twin.control("PUT", "/unknowns", unknowns)
        yield twin, reader(twin)


def reader(twin: Twin, token: str = DEMO_TOKEN) -> Zammad:
    return Zammad("http://zammad.test", token, None, twin.http._transport)


async def ids(zammad: Zammad) -> list[int]:
    return [a.id async for page in zammad.everything() for a in page.bookings]


async def polled(zammad: Zammad, since: datetime | None = None) -> set[int]:
    return {a.id async for page in zammad.latest(since) for a in page.bookings}


async def changed(zammad: Zammad, since: datetime = LONG_AGO) -> list[int]:
    return [seen.id async for page in zammad.tickets_changed(since) for seen in page]


# ------------------------------------------------------------------------------ proof
@pytest.mark.parametrize("page_cap", [1000, 500, 200, 100])
@pytest.mark.parametrize("full_counts", [True, False])
async def test_a_whole_list_is_whole_whatever_a_page_holds_and_whether_it_is_counted(
    page_cap: int, *, full_counts: bool
) -> None:
    async with twin_of("bench", page_cap=page_cap, full_counts=full_counts) as (twin, zammad):
        everything = list(twin.memory.books.accountings)
        assert await ids(zammad) == everything
        assert await polled(zammad) == set(everything)
        of_first = [e.id for e in twin.memory.entries(1)]
        assert [a.id for a in (await zammad.read_ticket(1)).bookings] == of_first


async def test_a_hidden_row_is_found_out_also_where_nobody_counts() -> None:
    """Rows that went before the page are as many as two pages share: what follows would hide the rest."""
    fake = FakeZammad()
    for _ in range(1500):
        fake.book(1, "1.0")
    uncounted = fake._list

    def without_count(rows: list[dict[str, Any]], params: httpx.QueryParams) -> httpx.Response:
        body = uncounted(rows, params).json()
        body.pop("total_count")
        return httpx.Response(200, json=body)

    fake._list = without_count  # type: ignore[method-assign]
    assert len(await ids(fake.client())) == 1500
    fake.calls.clear()

    def shift(_: str) -> None:
        if fake.calls["all"] == 2:
            for accounting_id in range(1, 600):
                fake.accountings.pop(accounting_id, None)

    fake.during = shift
    with pytest.raises(IncompletePullError):
        await ids(fake.client())


async def test_a_few_rows_that_go_meanwhile_hide_none() -> None:
    fake = FakeZammad()
    for _ in range(2500):
        fake.book(1, "1.0")

    def shift(_: str) -> None:
        fake.accountings.pop(fake.calls["all"], None)
        fake.book(2, "1.0")

    fake.during = shift
    try:
        found = set(await ids(fake.client()))
    except IncompletePullError:
        return  # it may say that it is not sure
    assert set(fake.accountings) <= found | {max(fake.accountings)}


# ------------------------------------------------------------------------------ polls
@pytest.mark.parametrize("sorting", ["works", "refused", "ignored"])
async def test_a_poll_finds_what_changed_however_zammad_sorts(sorting: str) -> None:
    async with twin_of("bench", sorting=sorting) as (twin, zammad):
        before = datetime.now(UTC) - timedelta(minutes=1)  # noqa: TID251 -- the twin's clock is this one
        booked = await twin.book(1, "12.5")
        old = next(iter(twin.memory.entries(2)))
        await twin.ask("PUT", f"/time_accountings/{old.id}", {"type_id": 2})
        assert {booked["id"], old.id} <= await polled(zammad, before)
        assert (zammad.walks is None) is (sorting == "works")
        await twin.ask("DELETE", f"/time_accountings/{booked['id']}")
        assert booked["id"] not in await polled(zammad, before)


async def test_one_failure_of_zammads_does_not_make_every_poll_a_walk() -> None:
    fake = FakeZammad(failing={"all": httpx.Response(500, json={})})
    fake.book(1, "1.0")
    zammad = fake.client()
    with pytest.raises(RetriableError):
        await polled(zammad)
    fake.failing.clear()
    assert await polled(zammad) == {1}
    assert not zammad.walks


async def test_before_62_it_is_refused_with_what_to_do() -> None:
    async with twin_of() as (twin, zammad):
        await twin.control("PUT", "/settings", {"version": "6.1.0"})
        for ask in (polled(zammad), ids(zammad), zammad.control()):
            with pytest.raises(UnfitError, match=r"update it to 6\.2"):
                await ask


# ------------------------------------------------------------------------------ tickets
@pytest.mark.parametrize("version", ["6.2.0", "6.4.1", "6.5.0", "7.1.0"])
async def test_tickets_that_changed_are_found_in_both_shapes_of_the_search(version: str) -> None:
    async with twin_of() as (twin, zammad):
        await twin.control("PUT", "/settings", {"version": version})
        tickets = sorted(twin.memory.books.tickets.values(), key=lambda t: (t.updated_at, t.id))
        assert await changed(zammad) == [ticket.id for ticket in tickets]
        newest = await zammad.newest_ticket()
        assert newest is not None
        assert newest == datetime.fromisoformat(tickets[-1].updated_at)
        assert await changed(zammad, newest + timedelta(seconds=1)) == []
        twin.memory.change_ticket(tickets[0], 2, {"title": "Another"})
        assert tickets[0].id in await changed(zammad, newest + timedelta(milliseconds=1))


async def test_more_tickets_than_a_page_holds_are_all_found_also_while_they_change() -> None:
    fake = FakeZammad()
    for ticket_id in range(1, 651):
        fake.open_ticket(ticket_id)
        fake._touch(ticket_id)

    def change(name: str) -> None:
        if name == "search" and fake.calls["search"] == 2:
            fake.give(1, 5)
            fake.give(300, 5)

    fake.during = change
    assert set(await changed(fake.client())) == set(range(1, 651))


async def test_tickets_of_one_very_moment_are_all_found() -> None:
    fake = FakeZammad()
    for ticket_id in range(1, 451):
        fake.open_ticket(ticket_id)
    assert await changed(fake.client()) == list(range(1, 451))


async def test_a_search_that_heeds_the_tokens_list_finds_nothing_and_breaks_nothing() -> None:
    async with twin_of(lists_heed_token=True) as (twin, _):
        twin.memory.books.users[3].role_ids = [ADMIN, AGENT]
        token = twin.token(3, "admin.time_accounting").removeprefix("Token token=")
        zammad = reader(twin, token)
        assert await changed(zammad) == []
        assert len(await ids(zammad)) == len(twin.memory.books.accountings)


def test_a_recorded_search_of_62_is_read() -> None:
    rows = tickets_seen(json.loads((RECORDINGS / "search_6.2.json").read_text()))
    assert [row.id for row in rows] == [374, 373]
    assert rows[0].updated_at.tzinfo is not None


# ------------------------------------------------------------------------------ merges, units
def test_recorded_links_of_a_merged_ticket_name_the_one_it_went_into() -> None:
    target = parent(json.loads((RECORDINGS / "links_of_merged_6.2.json").read_text()))
    assert target is not None
    assert (target.id, target.attributes.number) == (351, "67336")


async def test_a_merged_tickets_reading_names_where_its_articles_are() -> None:
    async with twin_of() as (twin, zammad):
        numbers = {one.id: one.number for one in twin.memory.books.tickets.values()}
        assert (await zammad.read_ticket(1)).merged_into is None
        await twin.ask("PUT", f"/ticket_merge/1/{numbers[2]}")
        read = await zammad.read_ticket(1)
        assert read.merged_into is not None
        assert (read.merged_into.id, read.merged_into.attributes.number) == (2, numbers[2])
        assert read.bookings
        await twin.ask("PUT", f"/ticket_merge/2/{numbers[3]}")
        again = await zammad.read_ticket(1)
        assert again.merged_into is not None
        assert again.merged_into.id == 3
        second = {
            "link_type": "parent",
            "link_object_source_number": numbers[4],
            "link_object_target_value": 1,
        }
        await twin.ask("POST", "/links/add", second)
        assert (await zammad.read_ticket(1)).merged_into is None  # which of two is not ours to say


@pytest.mark.parametrize("unit", ["minute", "quarter", "hour", ""])
async def test_the_unit_is_read_from_the_settings(unit: str) -> None:
    async with twin_of() as (twin, zammad):
        await twin.control("PUT", "/settings", {"time_accounting_unit": unit})
        said = await zammad.said_unit()
        assert said is not None
        assert said.unit == unit


async def test_who_may_not_see_the_settings_reads_the_unit_from_signshow() -> None:
    async with twin_of() as (twin, _):
        await twin.control(
            "PUT",
            "/settings",
            {"time_accounting_unit": "custom", "time_accounting_unit_custom": "Pomodoro"},
        )
        agent = twin.token(3, "ticket.agent").removeprefix("Token token=")
        said = await reader(twin, agent).said_unit()
        assert said is not None
        assert said.text == "custom Pomodoro"


@pytest.mark.parametrize("told", [True, False])
async def test_a_token_for_time_alone_is_told_the_unit_or_a_person_is_asked(*, told: bool) -> None:
    async with twin_of(signshow_for_time_only=told) as (twin, _):
        twin.memory.books.users[3].role_ids = [ADMIN]
        token = twin.token(3, "admin.time_accounting").removeprefix("Token token=")
        said = await reader(twin, token).said_unit()
        assert said is not None  # the settings tell it whatever signshow does
        weak = twin.token(3, "report").removeprefix("Token token=")
        assert (await reader(twin, weak).said_unit() is not None) is told


# ------------------------------------------------------------------------------ other unknowns
@pytest.mark.parametrize(
    "unknowns",
    [
        {},
        {"delete_of_missing": 404},
        {"texts": "other"},
        {"out_of_range": "validation"},
        {"all_shows_time": False},
        {"etags": False},
        {"bearer_is_token": False},
        {"time_unit_trigger": False},
    ],
    ids=str,
)
async def test_reading_is_right_whatever_the_answer_to_what_nobody_has_seen(
    unknowns: dict[str, Any],
) -> None:
    async with twin_of(**unknowns) as (twin, zammad):
        booked = await twin.book(1, "12.5")
        read = await zammad.read_ticket(1)
        assert booked["id"] in {a.id for a in read.bookings}
        await zammad.read_ticket(1)  # nobody sends If-None-Match
        assert not await zammad.is_gone(booked["id"])
        await twin.ask("DELETE", f"/time_accountings/{booked['id']}")
        assert await zammad.is_gone(booked["id"])
        await twin.ask("DELETE", "/tickets/1")
        assert (await zammad.read_ticket(1)).ticket is None


async def test_a_token_without_the_right_is_told_which_one() -> None:
    async with twin_of() as (twin, _):
        agent = twin.token(3, "ticket.agent").removeprefix("Token token=")
        with pytest.raises(MissingPermissionError, match="read"):
            await reader(twin, agent).control()

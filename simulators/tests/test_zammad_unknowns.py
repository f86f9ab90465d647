"""What nobody has seen (zammad-api.md 12) is a switch of this twin's, with both answers behind it."""

import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from hourbook_simulators.zammad.in_process import Twin, opened
from hourbook_simulators.zammad.records import ADMIN, AGENT, UNKNOWNS

pytestmark = pytest.mark.anyio
ANNA, FRESH = 3, 8


@pytest.fixture
async def twin() -> AsyncIterator[Twin]:
    async with opened() as one:
        yield one


async def unknown(twin: Twin, **answers: Any) -> None:
    await twin.control("PUT", "/unknowns", answers)


async def test_all_answers_can_be_chosen_and_no_others(twin: Twin) -> None:
    for name, answers in UNKNOWNS.items():
        for one in answers:
            assert (await twin.control("PUT", "/unknowns", {name: one}))[name] == one
    for wrong in ({"sorting": "fast"}, {"weather": True}):
        answer = await twin.http.put("/_twin/unknowns", json=wrong)
        assert answer.status_code == httpx.codes.UNPROCESSABLE_ENTITY


async def test_deleting_what_is_missing_is_422_or_404(twin: Twin) -> None:
    for status in (422, 404):
        await unknown(twin, delete_of_missing=status)
        assert (await twin.ask("DELETE", "/time_accountings/999")).status_code == status


async def test_a_list_is_sorted_as_asked_or_not_at_all(twin: Twin) -> None:
    path = "/time_accountings?sort_by=updated_at,id&order_by=desc,desc"
    latest = [row["id"] for row in await twin.get(path)]
    await unknown(twin, sorting="ignored")
    assert [row["id"] for row in await twin.get(path)] == sorted(latest)
    await unknown(twin, sorting="refused")
    assert (await twin.ask("GET", path)).status_code == httpx.codes.INTERNAL_SERVER_ERROR
    assert [row["id"] for row in await twin.get("/time_accountings?sort_by=id")] == sorted(latest)


async def test_refusals_may_speak_in_other_words(twin: Twin) -> None:
    await unknown(twin, texts="other")
    answer = await twin.ask("GET", "/tickets/999")
    assert answer.status_code == httpx.codes.NOT_FOUND
    assert "Couldn't find" not in answer.text


async def test_what_does_not_fit_is_refused_in_one_way_or_the_other(twin: Twin) -> None:
    path = f"/tickets/{FRESH}/time_accountings"
    for way, text in (("database", "numeric field overflow"), ("validation", "less than 10000")):
        await unknown(twin, out_of_range=way)
        answer = await twin.ask("POST", path, {"time_unit": 10_000})
        assert answer.status_code == httpx.codes.UNPROCESSABLE_ENTITY
        assert text in answer.text


async def test_all_of_a_ticket_shows_its_time_or_does_not(twin: Twin) -> None:
    assert (await twin.get("/tickets/1?all=true"))["time_accountings"]
    await unknown(twin, all_shows_time=False)
    assert "time_accountings" not in await twin.get("/tickets/1?all=true")


async def test_who_has_it_already_gets_304_or_all_of_it(twin: Twin) -> None:
    first = await twin.ask("GET", "/tickets/1")
    known = {"If_None_Match": first.headers["etag"]}
    again = await twin.ask("GET", "/tickets/1", **known)
    assert (again.status_code, again.content) == (httpx.codes.NOT_MODIFIED, b"")
    await unknown(twin, etags=False)
    assert (await twin.ask("GET", "/tickets/1", **known)).content == first.content


async def test_signshow_tells_a_token_for_time_alone_or_nobody(twin: Twin) -> None:
    twin.memory.books.users[ANNA].role_ids = [ADMIN]
    header = {"Authorization": twin.token(ANNA, "admin.time_accounting")}
    told = await twin.get("/signshow", **header)
    assert told["config"]["time_accounting_unit"] == "minute"
    await unknown(twin, signshow_for_time_only=False)
    told = await twin.get("/signshow", **header)
    assert ("error" in told, told["config"]) == (True, {})


async def test_lists_heed_a_tokens_own_permissions_or_do_not(twin: Twin) -> None:
    twin.memory.books.users[ANNA].role_ids = [ADMIN, AGENT]
    header = {"Authorization": twin.token(ANNA, "admin.time_accounting")}
    assert await twin.get("/tickets", **header)
    await unknown(twin, lists_heed_token=True)
    assert await twin.get("/tickets", **header) == []


async def test_a_bearer_carries_an_access_token_or_does_not(twin: Twin) -> None:
    bearer = {"Authorization": "Bearer zammad-demo-token"}
    assert (await twin.ask("GET", "/users/me", **bearer)).status_code == httpx.codes.OK
    await unknown(twin, bearer_is_token=False)
    assert (await twin.ask("GET", "/users/me", **bearer)).status_code == httpx.codes.UNAUTHORIZED


async def test_a_full_list_has_its_count_and_a_page_its_thousand_or_less(twin: Twin) -> None:
    for _ in range(90):
        await twin.book(FRESH, 1)
    path = "/time_accountings?full=true&per_page=1000"
    whole = await twin.get(path)
    assert len(whole["record_ids"]) == whole["total_count"] > 100
    await unknown(twin, full_counts=False, page_cap=100)
    capped = await twin.get(path)
    assert (len(capped["record_ids"]), "total_count" in capped) == (100, False)


# ------------------------------------------------------------------------------ links, older versions
async def test_a_merged_ticket_has_the_other_as_its_only_parent(twin: Twin) -> None:
    """As recorded (recordings/zammad/tickets--ticket_merge): seen from the target it is a child."""
    numbers = {one.id: one.number for one in twin.memory.books.tickets.values()}
    await twin.ask("PUT", f"/ticket_merge/1/{numbers[2]}")
    (parent,) = (await twin.get("/links?link_object=Ticket&link_object_value=1"))["links"]
    assert parent == {"link_type": "parent", "link_object": "Ticket", "link_object_value": 2}
    told = await twin.get("/links?link_object=Ticket&link_object_value=2")
    assert told["links"][0]["link_type"] == "child"
    assert told["assets"]["Ticket"]["1"]["number"] == numbers[1]
    await twin.ask("PUT", f"/ticket_merge/2/{numbers[3]}")
    (parent,) = (await twin.get("/links?link_object=Ticket&link_object_value=1"))["links"]
    assert parent["link_object_value"] == 3
    await twin.ask("DELETE", "/tickets/3")
    assert (await twin.get("/links?link_object=Ticket&link_object_value=1"))["links"] == []


async def test_states_tell_their_type_also_for_the_merged_one(twin: Twin) -> None:
    states = await twin.get("/ticket_states")
    (merged,) = [one for one in states if one["name"] == "merged"]
    assert (merged["id"], merged["state_type_id"]) == (5, 6)


async def test_before_62_there_is_no_list_of_all_time(twin: Twin) -> None:
    await twin.control("PUT", "/settings", {"version": "6.1.0"})
    answer = await twin.ask("GET", "/time_accountings")
    assert answer.status_code == httpx.codes.NOT_FOUND
    assert json.loads(answer.content)["error"] == "No route matches [GET] /api/v1/time_accountings"
    assert await twin.get("/tickets/1/time_accountings")

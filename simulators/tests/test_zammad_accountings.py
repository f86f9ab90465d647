"""Time accountings are kept, summed, paged and refused as in Zammad (zammad-api.md 2)."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from hourbook_simulators.zammad.in_process import Twin, opened

pytestmark = pytest.mark.anyio

FRESH = 8
"""A ticket of the demo without time."""

RECORDED_ENTRY = {
    "id",
    "ticket_id",
    "ticket_article_id",
    "time_unit",
    "type_id",
    "created_by_id",
    "created_at",
    "updated_at",
}


@pytest.fixture
async def twin() -> AsyncIterator[Twin]:
    async with opened() as one:
        yield one


async def ticket(twin: Twin, ticket_id: int = FRESH) -> Any:
    return await twin.get(f"/tickets/{ticket_id}")


async def test_an_entry_reads_as_it_was_written(twin: Twin) -> None:
    made = await twin.book(FRESH, "1.23", type_id=2)
    assert made.keys() == RECORDED_ENTRY
    assert (made["time_unit"], made["type_id"], made["created_by_id"]) == ("1.23", 2, 2)
    assert made["created_at"] == made["updated_at"]
    assert await twin.get(f"/time_accountings/{made['id']}") == made
    assert await twin.get(f"/tickets/{FRESH}/time_accountings") == [made]


async def test_time_moves_its_ticket(twin: Twin) -> None:
    before = await ticket(twin)
    await twin.book(FRESH, 12.3)
    after = await ticket(twin)
    assert (before["time_unit"], after["time_unit"]) == (None, "12.3")
    assert after["updated_at"] > before["updated_at"]


async def test_row_76_no_time_leaves_its_ticket_alone(twin: Twin) -> None:
    before = await ticket(twin)
    await twin.book(FRESH, 0)
    assert await ticket(twin) == before


async def test_rows_15_16_26_another_value_moves_entry_and_ticket(twin: Twin) -> None:
    made, before = await twin.book(FRESH, 5), await ticket(twin)
    changed = await twin.ask("PUT", f"/time_accountings/{made['id']}", {"time_unit": 7})
    after = await ticket(twin)
    assert changed.json()["time_unit"] == after["time_unit"] == "7.0"
    assert changed.json()["created_at"] == made["created_at"]
    assert changed.json()["updated_at"] > made["updated_at"]
    assert after["updated_at"] > before["updated_at"]


async def test_rows_19_27_75_another_type_moves_the_entry_only(twin: Twin) -> None:
    made, before = await twin.book(FRESH, 5), await ticket(twin)
    path = f"/tickets/{FRESH}/time_accountings/{made['id']}"
    changed = await twin.ask("PUT", path, {"type": "Travel"})
    assert changed.json()["type_id"] == 4
    assert changed.json()["updated_at"] > made["updated_at"]
    assert await ticket(twin) == before


async def test_the_same_value_again_moves_nothing(twin: Twin) -> None:
    made, before = await twin.book(FRESH, 5), await ticket(twin)
    again = await twin.ask("PUT", f"/time_accountings/{made['id']}", {"time_unit": "5.00"})
    assert again.json() == made
    assert await ticket(twin) == before


async def test_rows_7_17_a_deleted_entry_leaves_zero_and_no_trace(twin: Twin) -> None:
    made, before = await twin.book(FRESH, 12.3), await ticket(twin)
    gone = await twin.ask("DELETE", f"/time_accountings/{made['id']}")
    after = await ticket(twin)
    assert (gone.status_code, gone.json()) == (200, {})
    assert after["time_unit"] == "0.0"
    assert after["updated_at"] > before["updated_at"]
    assert await twin.get(f"/tickets/{FRESH}/time_accountings") == []
    assert (await twin.ask("GET", f"/time_accountings/{made['id']}")).status_code == 404


async def test_a_correction_is_a_negative_entry(twin: Twin) -> None:
    await twin.book(FRESH, 15)
    await twin.book(FRESH, -5)
    assert (await ticket(twin))["time_unit"] == "10.0"


async def test_row_74_deleting_a_missing_entry_is_422_and_one_of_another_ticket_404(
    twin: Twin,
) -> None:
    missing = await twin.ask("DELETE", "/time_accountings/999999")
    assert missing.status_code == 422
    assert missing.json()["error"].startswith("Couldn't find Ticket::TimeAccounting")
    assert (await twin.ask("DELETE", f"/tickets/{FRESH}/time_accountings/1")).status_code == 404
    assert await twin.get("/time_accountings/1")


@pytest.mark.parametrize(
    ("wish", "text"),
    [
        ({"time_unit": ""}, "Time unit can't be blank"),
        ({}, "Time unit can't be blank"),
        ({"time_unit": 1, "type_id": 99}, "Invalid value for param 'type_id': 99"),
        ({"time_unit": 1, "type": "Foo"}, "No lookup value found for 'type': \"Foo\""),
        (
            {"time_unit": 1, "ticket_article_id": 1},
            "Ticket article This article is not part of the ticket.",
        ),
    ],
)
async def test_row_23_what_is_wrong_is_said_and_not_kept(twin: Twin, wish: Any, text: str) -> None:
    refused = await twin.ask("POST", f"/tickets/{FRESH}/time_accountings", wish)
    assert refused.status_code == 422
    assert refused.json() == {"error": text, "error_human": text}
    assert await twin.get(f"/tickets/{FRESH}/time_accountings") == []


async def test_row_77_a_total_beyond_six_digits_is_refused_whole(twin: Twin) -> None:
    await twin.book(FRESH, 9999)
    before = await ticket(twin)
    for value in (1, 10000):
        refused = await twin.ask("POST", f"/tickets/{FRESH}/time_accountings", {"time_unit": value})
        assert refused.status_code == 422
        assert "error_human" not in refused.json()
    assert await ticket(twin) == before
    assert len(await twin.get(f"/tickets/{FRESH}/time_accountings")) == 1


async def test_rows_13_14_22_an_article_has_one_entry(twin: Twin) -> None:
    body = {"ticket_id": FRESH, "ticket_article_id": FRESH, "time_unit": 5}
    first = await twin.ask("POST", "/time_accountings", body)
    second = await twin.ask("POST", "/time_accountings", body)
    assert (first.status_code, first.json()["ticket_article_id"]) == (201, FRESH)
    assert second.json()["error"] == "Ticket article has already been taken"
    assert (await twin.get(f"/ticket_articles/{FRESH}"))["time_unit"] == "5.0"


async def test_nobody_sets_an_author_or_a_date_over_the_api(twin: Twin) -> None:
    wish = {"created_by_id": 5, "created_at": "2020-01-01T00:00:00Z", "id": 4711}
    made = await twin.book(FRESH, 5, **wish)
    assert made["created_by_id"] == 2
    assert made["id"] == 16
    assert made["created_at"] > "2021"


async def test_row_79_a_page_has_at_most_a_thousand_and_full_counts_them_all(twin: Twin) -> None:
    for _ in range(1000):
        twin.memory.book(twin.memory.books.tickets[FRESH], 1 + 0 * twin.memory.sum_of[1], 3)
    assert len(await twin.get("/time_accountings?per_page=5000")) == 1000
    assert len(await twin.get("/time_accountings")) == 500
    last = await twin.get("/time_accountings?per_page=1000&page=2&full=true")
    assert last["record_ids"] == list(range(1001, 1016))
    assert last["total_count"] == 1015
    entry = last["assets"]["TicketTimeAccounting"]["1001"]
    assert entry == await twin.get("/time_accountings/1001")


async def test_full_of_a_ticket_counts_its_own(twin: Twin) -> None:
    full = await twin.get("/tickets/1/time_accountings?full=true&per_page=2")
    assert (full["record_ids"], full["total_count"]) == ([1, 3], 3)
    empty = await twin.get(f"/tickets/{FRESH}/time_accountings?full=true")
    assert empty == {"record_ids": [], "assets": {}, "total_count": 0}


async def test_the_last_changed_come_first_when_asked(twin: Twin) -> None:
    await twin.ask("PUT", "/time_accountings/2", {"type": "Support"})
    sort = "sort_by=updated_at,id&order_by=desc,desc"
    ids = [one["id"] for one in await twin.get(f"/time_accountings?{sort}&per_page=3")]
    assert ids == [2, 15, 14]


async def test_a_column_without_its_order_is_dropped(twin: Twin) -> None:
    rows = await twin.get("/time_accountings?sort_by=type_id,id&order_by=asc")
    assert [one["type_id"] for one in rows] == sorted(one["type_id"] for one in rows)
    unsorted = await twin.get("/time_accountings?sort_by=id")
    assert [one["id"] for one in unsorted] == list(range(1, 16))


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("sort_by=foo", 500),
        ("order_by=up", 500),
        ("page=0", 422),
        ("page=99", 200),
        ("per_page=0", 200),
    ],
)
async def test_row_78_odd_questions_get_zammads_answers(
    twin: Twin, query: str, status: int
) -> None:
    answer = await twin.ask("GET", f"/time_accountings?{query}")
    assert answer.status_code == status
    if status == 200:
        assert answer.json() == []


async def test_a_gone_ticket_has_no_time_for_an_administrator(twin: Twin) -> None:
    assert await twin.get("/tickets/999/time_accountings") == []
    refused = await twin.ask("POST", "/tickets/999/time_accountings", {"time_unit": 1})
    assert (refused.status_code, refused.json()["error"]) == (422, "Ticket must exist")


async def test_row_20_types_are_made_renamed_and_put_to_rest_but_stay_usable(twin: Twin) -> None:
    made = await twin.ask("POST", "/time_accounting/types", {"name": "Testing"})
    assert (made.status_code, made.json()["active"], made.json()["note"]) == (201, True, None)
    taken = await twin.ask("POST", "/time_accounting/types", {"name": "testing"})
    assert taken.status_code == 422
    path = f"/time_accounting/types/{made.json()['id']}"
    rested = await twin.ask("PUT", path, {"active": False, "name": "Tests"})
    assert (rested.json()["active"], rested.json()["name"]) == (False, "Tests")
    assert (await twin.book(FRESH, 1, type="Tests"))["type_id"] == made.json()["id"]
    assert len(await twin.get("/time_accounting/types")) == 6

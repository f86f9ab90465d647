"""The conformance rows of zammad-api.md 8 that no other test here has: one test a row, named by its number."""

from collections.abc import AsyncIterator

import pytest

from hourbook_simulators.zammad.in_process import Twin, opened

pytestmark = pytest.mark.anyio
ADMIN, ANNA = 2, 3
FRESH = 8
"""A ticket of the demo without time."""
ENTRIES = f"/tickets/{FRESH}/time_accountings"


@pytest.fixture
async def twin() -> AsyncIterator[Twin]:
    async with opened() as one:
        yield one


async def test_row_1_entries_are_listed_as_they_were_made(twin: Twin) -> None:
    made = [(await twin.book(FRESH, value))["id"] for value in (3, 1, 2)]
    agent = twin.token(ANNA, "ticket.agent")
    assert [one["id"] for one in await twin.get(ENTRIES, authorization=agent)] == made


async def test_rows_3_4_time_is_a_text_with_a_decimal(twin: Twin) -> None:
    made = await twin.book(FRESH, 11)
    assert (made["time_unit"], made["ticket_article_id"]) == ("11.0", None)
    assert (await twin.get(f"{ENTRIES}/{made['id']}"))["time_unit"] == "11.0"


async def test_row_5_an_administrator_changes_it(twin: Twin) -> None:
    made = await twin.book(FRESH, 11)
    answer = await twin.ask("PUT", f"{ENTRIES}/{made['id']}", {"time_unit": 15})
    assert (answer.status_code, answer.json()["time_unit"]) == (200, "15.0")


async def test_row_18_a_type_may_be_named(twin: Twin) -> None:
    (kind,) = [one for one in await twin.get("/time_accounting/types") if one["name"] == "Travel"]
    assert (await twin.book(FRESH, 1, type="Travel"))["type_id"] == kind["id"]


async def test_row_21_types_come_by_their_number(twin: Twin) -> None:
    rows = await twin.get("/time_accounting/types?page=1&per_page=10&expand=false")
    assert [one["id"] for one in rows] == sorted(one["id"] for one in rows)


async def test_row_24_entries_without_an_article_are_as_many_as_one_likes(twin: Twin) -> None:
    for _ in range(2):
        assert (await twin.book(FRESH, 5))["ticket_article_id"] is None


async def test_row_31_an_article_has_its_time_or_none(twin: Twin) -> None:
    made = {}
    for value in ("3", None):
        body = {"ticket_id": FRESH, "body": "x", "time_unit": value}
        answer = await twin.ask("POST", "/ticket_articles", body)
        made[value] = answer.json()["id"]
    shown = [
        (await twin.get(f"/ticket_articles/{number}?expand=true"))["time_unit"]
        for number in made.values()
    ]
    assert shown == ["3.0", None]


async def test_row_50_a_ticket_of_a_foreign_group_is_forbidden(twin: Twin) -> None:
    twin.memory.books.users[ANNA].group_access = {}
    agent = twin.token(ANNA, "ticket.agent")
    answer = await twin.ask("GET", f"/tickets/{FRESH}", authorization=agent)
    assert (answer.status_code, answer.json()["error"]) == (403, "Not authorized")

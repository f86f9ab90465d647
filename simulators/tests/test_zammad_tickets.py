"""Tickets, searches, articles and merges answer in Zammad's shapes (zammad-api.md 3, 5)."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from hourbook_simulators.zammad.in_process import Twin, opened

pytestmark = pytest.mark.anyio
FRESH = 8


@pytest.fixture
async def twin() -> AsyncIterator[Twin]:
    async with opened() as one:
        yield one


async def found(twin: Twin, **search: Any) -> Any:
    answer = await twin.ask("POST", "/tickets/search", search)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_row_51_a_plain_ticket_has_columns_and_an_expanded_one_names(twin: Twin) -> None:
    plain, wide = await twin.get("/tickets/1"), await twin.get("/tickets/1?expand=true")
    assert "article_ids" not in plain
    assert plain.items() <= wide.items()
    assert wide["ticket_time_accounting_ids"] == [1, 3, 5]
    assert (wide["owner"], wide["organization"], wide["state"]) == ("-", "Alder & Sons", "new")


async def test_an_empty_relation_is_there_and_a_filled_one_is_not(twin: Twin) -> None:
    assert (await twin.get(f"/tickets/{FRESH}?expand=true"))["ticket_time_accounting"] == []
    assert "ticket_time_accounting" not in await twin.get("/tickets/1?expand=true")


async def test_rows_52_53_tickets_come_a_hundred_at_most_and_by_id() -> None:
    async with opened("bench") as twin:
        await twin.control("POST", "/tickets", {"title": "One more"})
        rows = await twin.get("/tickets?per_page=500")
        assert [one["id"] for one in rows] == list(range(1, 101))
        rows = await twin.get("/tickets?limit=40&page=2&per_page=5&sort_by=updated_at")
        assert [one["id"] for one in rows] == [6, 7, 8, 9, 10]
        assert await twin.get("/tickets?page=1000&per_page=10") == []


async def test_rows_55_56_a_search_finds_what_changed_since_and_that_very_moment(
    twin: Twin,
) -> None:
    moment = (await twin.get("/tickets/6"))["updated_at"]
    condition = {"ticket.updated_at": {"operator": "after (absolute)", "value": moment}}
    rows = await found(twin, condition=condition, sort_by="updated_at,id", order_by="asc,asc")
    assert [one["id"] for one in rows] == [6, 7]
    assert rows[0]["ticket_time_accounting_ids"] == [11, 12]


async def test_row_54_a_search_gives_the_latest_first_and_200_at_most(twin: Twin) -> None:
    await twin.book(3, 5)
    assert (await found(twin))[0]["id"] == 3
    for _ in range(210):
        twin.memory.open_ticket("x", 2, group_id=1, customer_id=8, organization_id=1)
    assert len(await found(twin, per_page=1000)) == 200
    assert len(await found(twin)) == 50
    assert await found(twin, only_total_count=True) == {"total_count": 218}
    assert (await found(twin, full=True, per_page=1))["total_count"] == 218


async def test_a_search_finds_words_and_ids(twin: Twin) -> None:
    assert [one["id"] for one in await twin.get("/tickets/search?query=SCANNER")] == [7]
    condition = {"ticket.id": {"operator": "is", "value": [2, "3"]}}
    assert [
        one["id"] for one in await found(twin, condition=condition, sort_by="id", order_by="asc")
    ] == [2, 3]


async def test_an_older_zammad_gives_ids_and_assets_and_counts_the_page(twin: Twin) -> None:
    await twin.control("PUT", "/settings", {"version": "6.2.0"})
    answer = await twin.get("/tickets/search?per_page=2")
    assert answer["tickets_count"] == len(answer["tickets"]) == 2
    assert set(answer["assets"]["Ticket"]) == set(map(str, answer["tickets"]))


async def test_rows_28_29_time_comes_with_an_article_in_one_write(twin: Twin) -> None:
    article = {"body": "done", "internal": True, "time_unit": "15", "accounted_time_type": "Travel"}
    answer = await twin.ask(
        "PUT", f"/tickets/{FRESH}", {"state": "open", "article": article}, From="3"
    )
    ticket = answer.json()
    assert (ticket["time_unit"], ticket["state_id"], ticket["article_count"]) == ("15.0", 2, 2)
    entry = await twin.get(f"/time_accountings/{ticket['ticket_time_accounting_ids'][0]}")
    assert (entry["created_by_id"], entry["type_id"]) == (3, 4)
    articles = await twin.get(f"/ticket_articles/by_ticket/{FRESH}")
    assert [one["time_unit"] for one in articles] == [None, "15.0"]
    assert entry["ticket_article_id"] == articles[1]["id"]


async def test_row_30_with_the_feature_off_neither_article_nor_ticket_is_written(
    twin: Twin,
) -> None:
    await twin.control("PUT", "/settings", {"time_accounting": False})
    before = await twin.get(f"/tickets/{FRESH}")
    article = {"body": "done", "time_unit": 5}
    answer = await twin.ask("PUT", f"/tickets/{FRESH}", {"title": "New", "article": article})
    assert answer.status_code == 403
    assert await twin.get(f"/tickets/{FRESH}") == before


async def test_row_25_a_deleted_article_takes_its_time_along(twin: Twin) -> None:
    for value in ("5.5", "10.5"):
        article = {"ticket_id": FRESH, "body": "x", "time_unit": value}
        made = (await twin.ask("POST", "/ticket_articles", article)).json()
    assert (await twin.get(f"/tickets/{FRESH}"))["time_unit"] == "16.0"
    await twin.ask("DELETE", f"/ticket_articles/{made['id']}")
    assert (await twin.get(f"/tickets/{FRESH}"))["time_unit"] == "5.5"


async def test_row_80_a_merge_moves_articles_and_leaves_time_where_it_was_booked(
    twin: Twin,
) -> None:
    before = {number: await twin.get(f"/tickets/{number}?expand=true") for number in (1, 2)}
    answer = await twin.ask("PUT", "/ticket_merge/1/67002")
    assert answer.json()["result"] == "success"
    source, target = [await twin.get(f"/tickets/{number}?expand=true") for number in (1, 2)]
    assert source["ticket_time_accounting_ids"] == [1, 3, 5]
    assert [source["time_unit"], target["time_unit"]] == ["80.0", "150.0"]
    assert (source["state"], before[1]["article_ids"][0] in target["article_ids"]) == (
        "merged",
        True,
    )
    assert all(now["updated_at"] > before[now["id"]]["updated_at"] for now in (source, target))


async def test_row_58_a_merge_that_cannot_be_says_why(twin: Twin) -> None:
    answer = await twin.ask("PUT", "/ticket_merge/1/123")
    message = "The target ticket number could not be found."
    assert (answer.status_code, answer.json()) == (200, {"result": "failed", "message": message})
    assert (await twin.ask("PUT", "/ticket_merge/1/67001")).status_code == 422
    customer = twin.token(8, "ticket.customer")
    refused = await twin.ask("PUT", "/ticket_merge/1/67002", authorization=customer)
    assert refused.status_code == 403


async def test_rows_59_60_a_deleted_ticket_takes_its_time_along(twin: Twin) -> None:
    agent = twin.token(3, "ticket.agent")
    refused = await twin.ask("DELETE", "/tickets/1", authorization=agent)
    assert refused.json()["error"] == "Not authorized (admin permission required)!"
    answer = await twin.ask("DELETE", "/tickets/1")
    assert (answer.status_code, answer.text) == (200, "")
    assert answer.headers["content-type"].startswith("text/html")
    assert (await twin.ask("GET", "/tickets/1")).status_code == 404
    assert (await twin.ask("GET", "/time_accountings/1")).status_code == 404


async def test_row_57_a_new_ticket_has_no_time(twin: Twin) -> None:
    wish = {"title": "Hello", "group": "Support", "customer_id": 8, "article": {"body": "x"}}
    made = await twin.ask("POST", "/tickets", wish)
    assert made.status_code == 201
    ticket = made.json()
    assert (ticket["time_unit"], ticket["ticket_time_accounting_ids"]) == (None, [])
    assert (ticket["organization_id"], ticket["number"]) == (1, "67009")


async def test_people_and_places_are_listed(twin: Twin) -> None:
    users = await twin.get("/users?expand=true")
    assert users[0]["login"] == "-"
    assert next(one for one in users if one["roles"] == ["Agent"])["login"] == "anna.berg"
    assert (await twin.get("/users/3"))["email"] == "anna.berg@example.org"
    assert len(await twin.get("/organizations")) == 4
    assert (await twin.get("/groups"))[0]["name"] == "Support"
    assert await twin.get("/version") == {"version": "6.5.0"}

"""Entries are found by filter and page, and tell where they came from."""

from datetime import UTC, datetime, timedelta

import httpx
import pytest

from hourbook_contracts.privacy import KeysDestroyed
from hourbook_query_api.acts import act
from hourbook_query_api.testing import (
    NOON,
    House,
    Shelf,
    connected,
    kimai,
    recorded,
    sealed,
    settled,
    written,
    zammad,
)

pytestmark = pytest.mark.anyio


async def numbers(client: httpx.AsyncClient, **params: str) -> list[int]:
    answer = await client.get("/api/entries", params=params)
    assert answer.status_code == 200, answer.text
    return [int(item["entry"].rsplit(":", 1)[1]) for item in answer.json()["items"]]


async def test_entries_come_newest_first_and_are_filtered(
    client: httpx.AsyncClient, shelf: Shelf
) -> None:
    await shelf.entry("desk", 17, 1)
    await shelf.entry("desk", 17, 2, state="asks", reason="unmapped_worker", agent_id=4)
    await shelf.entry("back", 18, 3, user_id=7, target="hours", sheet="kimai:hours:31")
    assert await numbers(client) == [3, 2, 1]
    assert await numbers(client, connection="desk") == [2, 1]
    assert await numbers(client, ticket="00018") == [3]
    assert await numbers(client, agent="4") == [2]
    assert await numbers(client, state="asks") == [2]
    assert await numbers(client, user="7") == [3]
    assert await numbers(client, text="%") == []
    assert await numbers(client, from_day=NOON.date().isoformat(), sort="created_at") == [1, 2, 3]
    assert await numbers(client, to_day="2026-11-22") == []


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("zammad:typed:31", [31]),
        ("zammad:typed:17", [32, 31]),
        ("zammad:typed:1", []),
        ("kimai:typed-hours:7", [32]),
        (" KIMAI:typed-hours:7 ", [32]),
        ("32", [32]),
        ("17", [32, 31]),
        ("7", [32]),
        ("00018", [33]),
        ("000", [33, 32, 31]),
        ("0001_", []),
        ("typed", []),
    ],
)
async def test_what_is_typed_is_an_id_or_its_number_or_how_a_ticket_number_begins(
    client: httpx.AsyncClient, shelf: Shelf, text: str, found: list[int]
) -> None:
    if (await client.get("/api/connectors/typed")).status_code != 200:
        await connected(client, zammad("typed"), kimai("typed-hours"))
    await shelf.entry("typed", 17, 31)
    await shelf.entry("typed", 17, 32, sheet="kimai:typed-hours:7")
    await shelf.entry("typed", 18, 33, state="asks", reason="overlap")
    assert await numbers(client, text=text) == found


@pytest.mark.parametrize("sort", ["created_at", "-created_at", "-duration_seconds"])
async def test_days_are_the_workers_however_far_from_when_it_was_booked(
    client: httpx.AsyncClient, shelf: Shelf, sort: str
) -> None:
    """A day's work that was booked after midnight, and one in a zone where it is tomorrow already."""
    day = NOON.date()
    long = {"duration_seconds": 40 * 3600, "created_at": NOON + timedelta(hours=38)}
    await shelf.entry("desk", 17, 1, day=day, **long)
    late = datetime(2026, 11, 22, 10, 30, tzinfo=UTC)
    await shelf.entry("desk", 17, 2, day=day, created_at=late)
    await shelf.entry("desk", 17, 3, day=day - timedelta(days=1))
    await shelf.entry("desk", 17, 4, day=day + timedelta(days=1))
    only = {"from_day": day.isoformat(), "to_day": day.isoformat(), "sort": sort}
    assert sorted(await numbers(client, **only)) == [1, 2]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("00041", {"zammad:typed:41/51"}),
        ("51", {"zammad:typed:41/51"}),
        ("kimai:typed-hours:8", {"zammad:typed:41/51", "zammad:typed:42/kimai:typed-hours:8"}),
        ("8", {"zammad:typed:41/51", "zammad:typed:42/kimai:typed-hours:8"}),
        ("zammad:typed:42", {"zammad:typed:42/kimai:typed-hours:8"}),
        ("zammad:typed:41/51", {"zammad:typed:41/51"}),
        ("0004", {"zammad:typed:41/51", "zammad:typed:42/kimai:typed-hours:8"}),
        ("nothing", set()),
    ],
)
async def test_a_question_is_found_by_its_ids_its_timesheet_or_its_tickets_number(
    client: httpx.AsyncClient, shelf: Shelf, text: str, found: set[str]
) -> None:
    if (await client.get("/api/connectors/typed")).status_code != 200:
        await connected(client, zammad("typed"), kimai("typed-hours"))
    row = await shelf.entry("typed", 41, 51, sheet="kimai:typed-hours:8")
    await shelf.ticket("zammad:typed:41", "00041", None)
    await shelf.ticket("zammad:typed:42", "00042", None)
    await shelf.conflict(row["posting"], "overlap")
    await shelf.conflict("zammad:typed:42/kimai:typed-hours:8", "duplicate_in_kimai")
    page = (await client.get("/api/conflicts", params={"text": text})).json()
    assert {conflict["subject"] for conflict in page["items"]} == found
    counts = (await client.get("/api/conflicts/counts", params={"text": text})).json()
    assert sum(one["count"] for one in counts["reasons"]) == len(found)


@pytest.mark.parametrize(
    "sort", ["created_at", "-changed_at", "day", "-duration_seconds", "ticket_number"]
)
async def test_pages_show_each_entry_once(
    client: httpx.AsyncClient, shelf: Shelf, sort: str
) -> None:
    for number in range(1, 8):
        await shelf.entry("desk", 17, number, duration_seconds=900 * (number % 3))
    seen: list[str] = []
    params = {"sort": sort, "limit": "3"}
    while True:
        page = (await client.get("/api/entries", params=params)).json()
        assert page["total"] == {"count": 7, "capped": False}
        seen += [item["entry"] for item in page["items"]]
        if page["next"] is None:
            break
        params["cursor"] = page["next"]
    assert len(seen) == len(set(seen)) == 7


async def test_a_cursor_of_another_sort_is_refused(client: httpx.AsyncClient, shelf: Shelf) -> None:
    for number in (1, 2):
        await shelf.entry("desk", 17, number)
    page = (await client.get("/api/entries?limit=1")).json()
    for params in (
        {"cursor": page["next"], "sort": "day"},
        {"cursor": "AAAA"},
        {"cursor": "WyJkYXkiXQ"},
    ):
        answer = await client.get("/api/entries", params=params)
        assert answer.json()["places"][0]["place"] == "query.cursor"


async def test_an_entry_tells_its_whole_story(
    house: House, client: httpx.AsyncClient, shelf: Shelf
) -> None:
    row = await shelf.entry(
        "desk", 17, 72, sheet="kimai:hours:31", target="hours", agreed_by="kimai"
    )
    other = await shelf.entry("desk", 17, 73)
    title = await sealed(house, "Printer on fire", row["book"], "title")
    await shelf.ticket(row["book"], "00017", title)
    note = await sealed(house, "#00017 Printer on fire [hb-x.1]", row["book"], "description")
    for told in (recorded(row), recorded(other), written(row, "kimai:hours:31", note)):
        await shelf.message(told)
    found = (await client.get("/api/entries/zammad:desk:72")).json()
    assert found["ticket_title"] == "Printer on fire"
    assert [step["offset"] for step in found["story"]] == [0, 2]
    assert found["story"][0]["message"]["raw_units"] == "15.0"
    assert found["timesheet"]["number"] == 31
    assert found["timesheet"]["description"] == "#00017 Printer on fire [hb-x.1]"
    assert found["agreed"] == {"want": None, "held": None, "by": "kimai"}
    ticket = (await client.get(f"/api/tickets/{row['book']}")).json()
    assert [entry["entry"] for entry in ticket["entries"]] == [row["entry"], other["entry"]]
    assert (await client.get("/api/entries/zammad:desk:9")).status_code == 404
    assert (await client.get("/api/entries/nonsense")).status_code == 422


async def test_a_negative_entry_tells_who_bore_it(client: httpx.AsyncClient, shelf: Shelf) -> None:
    bearer = await shelf.entry("desk", 20, 1, net_seconds=300)
    negative = await shelf.entry("desk", 20, 2, duration_seconds=-600, net_seconds=0)
    await shelf.message(recorded(bearer))
    await shelf.message(recorded(negative))
    await shelf.message(settled(bearer, taken_by=negative, seconds=600))
    story = (await client.get(f"/api/entries/{negative['entry']}")).json()["story"]
    assert [step["offset"] for step in story] == [1, 2]
    whole = (await client.get(f"/api/entries/{bearer['entry']}")).json()
    assert [step["offset"] for step in whole["story"]] == [0, 1, 2]
    assert whole["trace"]["taken"] == [{"entry": negative["entry"], "seconds": 600}]


async def test_erased_text_is_null(house: House, client: httpx.AsyncClient, shelf: Shelf) -> None:
    row = await shelf.entry("desk", 19, 74)
    await shelf.ticket(row["book"], "00019", await sealed(house, "Secret", row["book"], "title"))
    await act(
        house.desk,
        KeysDestroyed(observed_at=NOON, by="test", erasure="e", subjects=(row["book"],)),
        "/",
    )
    found = (await client.get("/api/entries/zammad:desk:74")).json()
    assert found["ticket_title"] is None
    assert found["ticket_number"] == "00019"


async def test_open_conflicts_come_first_come_first_served(
    client: httpx.AsyncClient, shelf: Shelf
) -> None:
    row = await shelf.entry("desk", 17, 75, state="asks", reason="unmapped_worker")
    await shelf.conflict(row["posting"], "unmapped_worker")
    await shelf.conflict("zammad:back:1/2", "closed_period")
    await shelf.conflict("zammad:back:1/3", "closed_period", open=False)
    page = (await client.get("/api/conflicts?limit=1")).json()
    assert page["total"]["count"] == 2
    rest = (await client.get("/api/conflicts", params={"cursor": page["next"]})).json()
    subjects = [conflict["subject"] for conflict in page["items"] + rest["items"]]
    assert subjects == ["zammad:back:1/2", row["posting"]]
    closed = (await client.get("/api/conflicts?open=false&connection=back")).json()
    assert [conflict["subject"] for conflict in closed["items"]] == ["zammad:back:1/3"]
    only = (await client.get("/api/conflicts?reason=unmapped_worker")).json()
    assert only["total"]["count"] == 1
    entry = (await client.get(f"/api/entries/{row['entry']}")).json()
    assert entry["conflict"]["reason"] == "unmapped_worker"


async def test_a_narrowed_list_counts_its_own_kind_without_its_own_filter(
    client: httpx.AsyncClient, shelf: Shelf
) -> None:
    """So that a person sees what else there is to choose."""
    for number, reason in enumerate(["overlap", "overlap", "day_full"], start=1):
        row = await shelf.entry("desk", 17, number, agent_id=number, target="hours", user_id=1)
        await shelf.conflict(row["posting"], reason)
    counts = (await client.get("/api/conflicts/counts?reason=day_full")).json()
    assert counts["total"] == {"count": 1, "capped": False}
    assert counts["reasons"] == [{"key": "overlap", "count": 2}, {"key": "day_full", "count": 1}]
    assert counts["agents"] == [{"key": "3", "count": 1}]
    assert counts["connections"] == [{"key": "desk", "count": 1}]
    assert counts["targets"] == [{"key": "hours", "count": 1}]
    both = (await client.get("/api/conflicts/counts?reason=overlap&agent=3")).json()
    assert both["reasons"] == [{"key": "day_full", "count": 1}]
    assert both["agents"] == [{"key": "1", "count": 1}, {"key": "2", "count": 1}]
    assert (both["total"]["count"], both["targets"]) == (0, [])


async def test_a_question_is_narrowed_by_its_entry_whether_or_not_that_asks_by_itself(
    client: httpx.AsyncClient, shelf: Shelf
) -> None:
    """What is left of an entry may ask while the entry waits for Kimai; an orphan has no entry at all."""
    hers = {"agent_id": 7, "target": "hours"}
    asks = await shelf.entry("desk", 17, 1, state="asks", day=NOON.date(), **hers)
    waits = await shelf.entry("desk", 17, 2, state="requested", day=NOON.date(), **hers)
    place = {"target": "spare", "user_id": 1, "project_id": 2, "activity_id": 3}
    held = {"place": place, "began_at": NOON.isoformat(), "duration_seconds": 900}
    orphan = "zammad:desk:17/kimai:spare:5"
    await shelf.conflict(asks["posting"], "overlap")
    await shelf.conflict(f"{waits['posting']}/remainder", "uncovered_negative")
    await shelf.conflict(orphan, "orphan", held=held)

    async def subjects(**params: str) -> list[str]:
        answer = await client.get("/api/conflicts", params=params)
        return [conflict["subject"] for conflict in answer.json()["items"]]

    both = [asks["posting"], f"{waits['posting']}/remainder"]
    assert await subjects(agent="7") == both
    assert await subjects(target="hours", sort="-day") == both[::-1]
    assert await subjects(from_day="2000-01-01") == both
    assert await subjects(target="spare") == [orphan]
    counts = (await client.get("/api/conflicts/counts")).json()
    assert counts["agents"] == [{"key": "7", "count": 2}]
    assert counts["targets"] == [{"key": "hours", "count": 2}, {"key": "spare", "count": 1}]

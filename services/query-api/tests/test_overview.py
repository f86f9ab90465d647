"""The overview: what needs a person, what both sides hold by the workers' own days, and how it went."""

from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import httpx
import pytest

from hourbook_kit import clock
from hourbook_query_api.overview import moved_now
from hourbook_query_api.testing import NOON, House, Shelf, connected, kimai, zammad

pytestmark = pytest.mark.anyio

EAST, WEST = "Pacific/Kiritimati", "Pacific/Pago_Pago"
"""Their days never are the same, and one of them never is UTC's."""


async def people(client: httpx.AsyncClient, name: str, zones: dict[int, str]) -> None:
    """Workers of this Kimai with a zone each."""
    await connected(client, zammad(name), kimai(f"{name}-hours"))
    for user, zone in zones.items():
        worker = {"kind": "worker", "source": name, "source_key": str(user), "time_zone": zone}
        body = worker | {"target": f"{name}-hours", "target_id": user}
        (await client.post("/api/mappings", json=body)).raise_for_status()


def held(seconds: int) -> str:
    return f'{{"duration_seconds": {seconds}}}'


async def test_today_is_each_workers_own_today(client: httpx.AsyncClient, shelf: Shelf) -> None:
    await people(client, "days", {31: EAST, 32: WEST})
    now = clock.now()
    for number, (user, zone) in enumerate([(31, EAST), (32, WEST), (33, "UTC")], start=1):
        today = now.astimezone(ZoneInfo(zone)).date()
        at = {"target": "days-hours", "user_id": user}
        await shelf.entry("days", 1, number, day=today, held=held(600 * number), **at)
        await shelf.entry("days", 1, 10 + number, day=today - timedelta(days=1), **at)
        await shelf.entry("days", 1, 20 + number, day=today + timedelta(days=1), **at)
    overview = (await client.get("/api/overview")).json()
    if clock.now().date() == now.date():
        assert overview["today"] == {"zammad_seconds": 3 * 900, "kimai_seconds": 600 * (1 + 2 + 3)}


async def test_nobody_has_said_yet_whose_it_is_and_it_counts_by_utc(
    client: httpx.AsyncClient, shelf: Shelf
) -> None:
    await shelf.entry("desk", 1, 1, day=clock.now().date())
    assert (await client.get("/api/overview")).json()["today"]["zammad_seconds"] == 900


@pytest.mark.parametrize(
    ("zone", "today", "week"),
    [("UTC", 10**6, 1111111), ("Asia/Tokyo", 10**7, 10**7), ("America/New_York", 10**6, 1111111)],
)
def test_a_week_begins_on_the_workers_monday(zone: str, today: int, week: int) -> None:
    """On a Sunday evening in London it is Monday in Tokyo."""
    now = datetime(2026, 11, 29, 20, tzinfo=ZoneInfo("Europe/London"))
    monday = date(2026, 11, 23)
    days = [
        {
            "day": monday + timedelta(days=number),
            "target": "hours",
            "user_id": 1,
            "zammad_seconds": 10**number if number >= 0 else 5,
            "kimai_seconds": 0,
        }
        for number in range(-1, 9)
    ]
    found = moved_now(days, lambda _target, _user: ZoneInfo(zone), now)
    assert (found.today.zammad_seconds, found.this_week.zammad_seconds) == (today, week)


async def test_what_needs_a_person_is_counted_apart_from_what_is_answered(
    house: House, client: httpx.AsyncClient, shelf: Shelf
) -> None:
    for number, reason in enumerate(["overlap", "overlap", "changed_in_kimai"], start=1):
        row = await shelf.entry("desk", 1, number, state="asks", reason=reason)
        await shelf.conflict(row["posting"], reason)
    await shelf.entry("desk", 1, 4, state="held_back")
    await shelf.entry("desk", 1, 5, state="requested")
    await shelf.conflict("zammad:desk:1/6", "overlap", open=False)
    await house.owner.execute(
        "INSERT INTO control.resolutions (resolution_id, said_by, choice, undo_until)"
        " VALUES ('overview', $1, 'kimai', now() + interval '1 hour')",
        house.admin,
    )
    await house.owner.execute(
        "INSERT INTO control.resolved (resolution_id, subject, book, gen, state, undo_until)"
        " VALUES ('overview', 'zammad:desk:1/3', 'zammad:desk:1', 1, 'sent', now())"
    )
    overview = (await client.get("/api/overview")).json()
    await house.owner.execute("DELETE FROM control.resolutions WHERE resolution_id = 'overview'")
    assert overview["needs_you"] == {"count": 2, "capped": False}
    assert overview["answered"] == {"count": 1, "capped": False}
    assert overview["reasons"] == [{"key": "overlap", "count": 2}]
    assert overview["waiting"] == {"count": 1, "capped": False}
    assert overview["requested"] == {"count": 1, "capped": False}


async def test_more_than_ten_thousand_are_not_counted_further_and_it_says_so(
    client: httpx.AsyncClient, shelf: Shelf
) -> None:
    await shelf.many(10_000, state="held_back")
    assert (await client.get("/api/overview")).json()["waiting"] == {
        "count": 10_000,
        "capped": False,
    }
    await shelf.entry("desk", 1, 99_999, state="held_back")
    capped = {"count": 10_000, "capped": True}
    assert (await client.get("/api/overview")).json()["waiting"] == capped
    assert (await client.get("/api/entries?state=held_back")).json()["total"] == capped


async def test_all_halted_books_are_counted(house: House, client: httpx.AsyncClient) -> None:
    """The status names twenty of them."""
    await house.owner.execute(
        "INSERT INTO book.books (book, partition, state, digest, halted, proposed)"
        " SELECT 'zammad:halted:' || n, 0, '{}', '', 'newer_than_this_version', '{}'"
        " FROM generate_series(1, 25) AS n"
    )
    overview = (await client.get("/api/overview")).json()
    await house.owner.execute("DELETE FROM book.books WHERE book LIKE 'zammad:halted:%'")
    assert overview["halted_books"] == 25


async def test_a_connection_that_was_never_swept_leaves_the_last_sweep_unknown(
    house: House, client: httpx.AsyncClient
) -> None:
    await connected(client, zammad("swept-desk"), kimai("swept-hours"))
    assert (await client.get("/api/overview")).json()["last_swept_at"] is None
    for table, name, kinds in (
        ("ingest.sources", "connection", "<> 'kimai'"),
        ("push.observed", "target", "= 'kimai'"),
    ):
        await house.owner.execute(
            f"INSERT INTO {table} ({name}, swept_at)"  # noqa: S608 -- our own words
            " SELECT name, CASE name WHEN 'swept-hours' THEN timestamptz '2026-11-01T11:00:00Z'"
            f"  ELSE now() END FROM control.connections WHERE kind {kinds}"
            f" ON CONFLICT ({name}) DO UPDATE SET swept_at = excluded.swept_at"
        )
    overview = (await client.get("/api/overview")).json()
    assert overview["last_swept_at"] == "2026-11-01T11:00:00Z"
    standings = {one["name"]: one for one in overview["connections"]}
    assert standings["swept-hours"]["swept_at"] == overview["last_swept_at"]
    assert standings["swept-desk"]["swept_at"] > overview["last_swept_at"]


async def minutes(client: httpx.AsyncClient, **params: str) -> list[dict[str, Any]]:
    answer = await client.get("/api/overview/minutes", params=params)
    assert answer.status_code == 200, answer.text
    return list(answer.json()["days"])


async def test_each_day_has_a_row_with_what_both_sides_hold(
    client: httpx.AsyncClient, shelf: Shelf
) -> None:
    monday = NOON.date()
    await shelf.entry("desk", 1, 1, day=monday, held=held(900))
    await shelf.entry("desk", 1, 2, day=monday, duration_seconds=-300)
    await shelf.entry("desk", 1, 3, day=monday, retracted=True, held=held(60))
    await shelf.entry("back", 2, 4, day=monday + timedelta(days=2))
    week = {"from_day": monday.isoformat(), "to_day": (monday + timedelta(days=2)).isoformat()}
    assert await minutes(client, **week) == [
        {"day": "2026-11-23", "zammad_seconds": 600, "kimai_seconds": 960},
        {"day": "2026-11-24", "zammad_seconds": 0, "kimai_seconds": 0},
        {"day": "2026-11-25", "zammad_seconds": 900, "kimai_seconds": 0},
    ]
    back = await minutes(client, connection="back", **week)
    assert [day["zammad_seconds"] for day in back] == [0, 0, 900]


async def test_the_days_end_with_the_latest_that_has_begun_for_anybody(
    client: httpx.AsyncClient, shelf: Shelf
) -> None:
    await people(client, "latest", {51: EAST})
    east = clock.now().astimezone(ZoneInfo(EAST)).date()
    await shelf.entry("latest", 1, 1, day=east, target="latest-hours", user_id=51)
    days = await minutes(client)
    if clock.now().astimezone(ZoneInfo(EAST)).date() == east:
        assert len(days) == 31
        assert days[-1] == {"day": east.isoformat(), "zammad_seconds": 900, "kimai_seconds": 0}


@pytest.mark.parametrize(
    ("params", "place"),
    [
        ({"from_day": "2026-01-01", "to_day": "2026-04-03"}, "query.from_day"),
        ({"from_day": "2026-01-02", "to_day": "2026-01-01"}, "query.from_day"),
        ({"to_day": "0001-01-01"}, "query.to_day"),
        ({"to_day": "yesterday"}, "query.to_day"),
    ],
)
async def test_days_that_are_too_many_or_none_are_refused(
    client: httpx.AsyncClient, params: dict[str, str], place: str
) -> None:
    answer = await client.get("/api/overview/minutes", params=params)
    assert answer.status_code == 422
    assert answer.json()["places"][0]["place"] == place


async def test_the_worst_of_each_step_of_time_is_shown(
    house: House, client: httpx.AsyncClient
) -> None:
    """Every minute the service itself adds what it sees of other connections."""
    await house.owner.execute("DELETE FROM control.samples")
    await house.owner.execute(
        "INSERT INTO control.samples (at, of, value) VALUES"
        " (now() - interval '2 hours', 'seen', 3), (now() - interval '2 hours 1 second', 'seen', 7),"
        " (now() - interval '30 hours', 'seen', 99), (now() - interval '2 hours', 'too', 1),"
        " (now() - interval '2 hours', 'questions', 12)"
    )
    freshness = (await client.get("/api/overview/freshness")).json()
    assert freshness["step_seconds"] == 720
    series = {one["of"]: [point["value"] for point in one["points"]] for one in freshness["series"]}
    assert max(series["seen"]) == 7
    assert series["too"] == [1]
    assert "questions" not in series
    questions = (await client.get("/api/overview/questions")).json()
    assert 12 in [point["value"] for point in questions["points"]]
    assert (await client.get("/api/overview/questions?hours=0")).status_code == 422

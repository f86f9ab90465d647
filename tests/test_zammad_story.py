"""What units, zones, corrections, merges and customers of Zammad's do to an hour, along the whole way."""

from collections.abc import AsyncIterator, Callable
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from bench.world import Json, World, eventually, world
from hourbook_kit import clock

pytestmark = [pytest.mark.anyio, pytest.mark.slow, pytest.mark.timeout(180)]

BERLIN, NEW_YORK = ZoneInfo("Europe/Berlin"), ZoneInfo("America/New_York")
ANNA, EMMA = 3, 7
"""Anna's days begin in Berlin, Emma's in New York."""


@pytest.fixture(scope="module")
async def here(folder: Path) -> AsyncIterator[World]:
    async with world(folder / "zammad-story") as up:
        first = clock.now().date() - timedelta(days=400)
        body = {"on": True, "start_on": first.isoformat()}
        await up.api.put("/api/connectors/hours/writing", body)
        yield up


async def told(here: World, method: str, path: str, wish: object) -> None:
    (await here.zammad.request(method, path, json=wish)).raise_for_status()


async def book_at(here: World, minutes: int, made_at: datetime, agent: int) -> int:
    """Time that an agent has entered then."""
    body = {
        "ticket_id": await here.new_ticket("By night"),
        "agent_id": agent,
        "time_unit": str(minutes),
        "created_at": made_at.isoformat(),
    }
    answer = await here.zammad.post("/_twin/book", json=body)
    answer.raise_for_status()
    return int(answer.json()["id"])


async def row_of(here: World, booked: int, holds: Callable[[Json], bool]) -> Json:
    """The timesheet of an hour that both sides agree on, once this holds of it."""

    async def is_so() -> bool:
        row = await here.sheet_of(booked)
        entry = await here.of_entry(booked)
        return row is not None and entry.get("state") == "settled" and holds(row)

    await eventually(is_so, seconds=30, what=f"time accounting {booked} in Kimai")
    row = await here.sheet_of(booked)
    assert row is not None
    return row


def lasts(seconds: int) -> Callable[[Json], bool]:
    return lambda row: row["duration"] == seconds


def span(row: Json) -> tuple[datetime, datetime]:
    return datetime.fromisoformat(row["begin"]), datetime.fromisoformat(row["end"])


def last_change_of_clocks(zone: ZoneInfo, *, back: bool) -> date:
    """The last day that had 25 hours (the clocks went back), or 23."""
    day = clock.now().astimezone(zone).date() - timedelta(days=1)
    hours = 25 if back else 23
    while midnight(zone, day + timedelta(days=1)) - midnight(zone, day) != timedelta(hours=hours):
        day -= timedelta(days=1)
    return day


def midnight(zone: ZoneInfo, day: date) -> datetime:
    return datetime.combine(day, time(), zone).astimezone(UTC)


@pytest.mark.parametrize("back", [True, False], ids=["clocks go back", "clocks go forward"])
async def test_a_night_on_which_clocks_change_keeps_its_minutes(here: World, *, back: bool) -> None:
    """Two hours that reach over the change are two hours in Kimai, on the day in Berlin."""
    day = last_change_of_clocks(BERLIN, back=back)
    made_at = midnight(BERLIN, day) + timedelta(hours=4)
    row = await row_of(here, await book_at(here, 240, made_at, ANNA), lasts(240 * 60))
    begin, end = span(row)
    assert (begin, end) == (made_at - timedelta(hours=4), made_at)
    assert begin.astimezone(BERLIN).date() == day
    assert begin.astimezone(BERLIN).utcoffset() != end.astimezone(BERLIN).utcoffset()


async def test_the_evening_in_new_york_is_of_the_month_it_is_there(here: World) -> None:
    """At 22:30 in New York the month has begun in Berlin, and in UTC."""
    first = clock.now().date().replace(day=1)
    evening = datetime.combine(first - timedelta(days=1), time(22, 30), NEW_YORK)
    made_at = evening.astimezone(UTC)
    assert made_at.date() == first
    booked = await book_at(here, 30, made_at, EMMA)
    begin, end = span(await row_of(here, booked, lasts(30 * 60)))
    assert end == made_at
    last_of_month = first - timedelta(days=1)
    assert begin.astimezone(NEW_YORK).date() == last_of_month
    assert (await here.of_entry(booked))["day"] == last_of_month.isoformat()


async def test_a_correction_takes_from_two_entries_the_latest_first(here: World) -> None:
    ticket = await here.new_ticket("Corrected over two")
    first, second = await here.book(ticket, 20), await here.book(ticket, 15)
    await row_of(here, first, lasts(1200))
    await row_of(here, second, lasts(900))
    await here.book(ticket, -25)
    await row_of(here, first, lasts(600))

    async def is_gone() -> bool:
        return await here.sheet_of(second) is None

    await eventually(is_gone, what="the second timesheet's end")


async def test_a_unit_of_an_hour_holds_for_what_is_booked_after_it(here: World) -> None:
    """The product asks before it reads with another unit, and reads on when a person has said it."""
    ticket = await here.new_ticket("Units")
    before = await here.book(ticket, 15)
    await row_of(here, before, lasts(900))
    changed_at = clock.now()
    await told(here, "PUT", "/_twin/settings", {"time_accounting_unit": "hour"})
    body = {
        "unit": "hour",
        "seconds_per_unit": 3600,
        "effective_from": changed_at.isoformat(),
    }
    await here.api.post("/api/connectors/desk/unit", body)
    after = await here.book(ticket, 0.5)
    await row_of(here, after, lasts(1800))
    await here.edit(before, 30)
    await row_of(here, before, lasts(1800))
    await told(here, "PUT", "/_twin/settings", {"time_accounting_unit": "minute"})
    await here.api.post("/api/connectors/desk/unit", {"unit": "minute", "seconds_per_unit": 60})


async def test_another_customer_is_a_question_and_moves_no_hour(here: World) -> None:
    ticket = await here.new_ticket("Whose is it")
    booked = await here.book(ticket, 15)
    row = await row_of(here, booked, lasts(900))
    shown = (await here.zammad.get(f"/api/v1/tickets/{ticket}")).json()
    users = (await here.zammad.get("/api/v1/users?per_page=1000")).json()
    other = next(
        user
        for user in users
        if user.get("organization_id") not in (None, shown["organization_id"])
    )
    wish = {"customer_id": other["id"], "organization_id": other["organization_id"]}
    await told(here, "PUT", f"/api/v1/tickets/{ticket}", wish)

    async def is_asked() -> bool:
        return (await here.of_entry(booked)).get("reason") == "customer_changed"

    await eventually(is_asked, seconds=30, what="the question")
    still = await here.sheet_of(booked)
    assert still is not None
    assert (still["id"], still["project"]) == (row["id"], row["project"])


async def test_hours_of_a_merged_ticket_stay_as_they_are(here: World) -> None:
    source, target = await here.new_ticket("Twice told"), await here.new_ticket("Told first")
    booked = await here.book(source, 15)
    row = await row_of(here, booked, lasts(900))
    number = (await here.zammad.get(f"/api/v1/tickets/{target}")).json()["number"]
    await told(here, "PUT", f"/api/v1/ticket_merge/{source}/{number}", {})
    await here.edit(booked, 30)
    assert (await row_of(here, booked, lasts(1800)))["id"] == row["id"]

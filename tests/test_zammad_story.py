"""What units, zones, corrections, merges and customers of Zammad's do to an hour, along the whole way."""

from collections.abc import AsyncIterator, Callable
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from aiokafka import AIOKafkaProducer

from bench.world import Json, World, eventually, world
from hourbook_cli.demo_setup import DESK, HOURS
from hourbook_contracts.codec import encode
from hourbook_contracts.ledger import ConflictResolved
from hourbook_contracts.topics import LEDGER
from hourbook_kit import clock

pytestmark = [pytest.mark.anyio, pytest.mark.story, pytest.mark.slow, pytest.mark.timeout(180)]

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


async def answer(here: World, conflict: Json, choice: str) -> None:
    """As a person does; the values are those that were shown."""
    told: dict[str, Any] = {
        "observed_at": clock.now(),
        "book": conflict["book"],
        "connection": DESK,
        "posting": conflict["subject"],
        "gen": conflict["gen"],
        "choice": choice,
        "want": conflict["want"],
        "held": conflict["held"],
        "by": "operator",
    }
    record = encode(ConflictResolved.model_validate(told, strict=False))
    async with AIOKafkaProducer(bootstrap_servers=here.stack.bootstrap) as producer:
        await producer.send_and_wait(
            LEDGER.name,
            key=conflict["book"].encode(),
            value=record.value,
            headers=record.headers,
        )


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
    row = await here.settled(await book_at(here, 240, made_at, ANNA), lasts(240 * 60))
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
    begin, end = span(await here.settled(booked, lasts(30 * 60)))
    assert end == made_at
    last_of_month = first - timedelta(days=1)
    assert begin.astimezone(NEW_YORK).date() == last_of_month
    assert (await here.of_entry(booked))["day"] == last_of_month.isoformat()


async def test_a_month_that_is_closed_ends_when_it_ends_for_the_worker(here: World) -> None:
    """The same moment is the last evening of a closed month for one, and a new morning for the other."""
    first = clock.now().date().replace(day=1)
    last = first - timedelta(days=1)
    made_at = datetime.combine(last, time(22, 40), NEW_YORK).astimezone(UTC)
    closed = f"/api/connectors/{HOURS}/closed-periods"
    days = {"first_on": last.replace(day=1).isoformat(), "last_on": last.isoformat()}
    await here.api.post(closed, days)
    evening = await book_at(here, 5, made_at, EMMA)
    morning = await book_at(here, 5, made_at, ANNA)
    await here.asked(evening, "closed_period")
    await here.settled(morning)
    assert (await here.of_entry(morning))["day"] == first.isoformat()
    await here.api.delete(closed, **days)
    await here.settled(evening)


async def test_a_correction_takes_from_two_entries_the_latest_first(here: World) -> None:
    ticket = await here.new_ticket("Corrected over two")
    first, second = await here.book(ticket, 20), await here.book(ticket, 15)
    await here.settled(first, lasts(1200))
    await here.settled(second, lasts(900))
    await here.book(ticket, -25)
    await here.settled(first, lasts(600))

    async def is_gone() -> bool:
        return await here.sheet_of(second) is None

    await eventually(is_gone, what="the second timesheet's end")


async def test_an_article_that_is_deleted_takes_its_time_along(here: World) -> None:
    ticket = await here.new_ticket("Wrong note")
    note = {"article": {"body": "wrong", "internal": True, "time_unit": "25"}}
    (await here.zammad.put(f"/api/v1/tickets/{ticket}", json=note)).raise_for_status()
    (booked,) = [one for one in await here.time_accountings() if one["ticket_id"] == ticket]

    async def mapped() -> bool:
        return bool((await here.of_entry(booked["id"])).get("state"))

    await eventually(mapped, what="the time of the note")
    path = f"/api/v1/ticket_articles/{booked['ticket_article_id']}"
    (await here.zammad.delete(path)).raise_for_status()

    async def is_retracted() -> bool:
        return bool((await here.of_entry(booked["id"])).get("retracted"))

    await eventually(is_retracted, what="the time gone with its note")


# ------------------------------------------------------------------------------ tickets
async def test_a_ticket_that_is_merged_keeps_its_time_and_gives_it_the_others_number(
    here: World,
) -> None:
    source, target = await here.new_ticket("Same thing again"), await here.new_ticket("The thing")
    numbers = {one["id"]: one["number"] for one in await here.tickets()}
    booked = await here.book(source, 15)
    before = await here.settled(booked)
    assert f"#{numbers[source]} " in before["description"]
    merge = f"/api/v1/ticket_merge/{source}/{numbers[target]}"
    assert (await here.zammad.put(merge)).json()["result"] == "success"

    async def is_renumbered() -> bool:
        row = await here.sheet_of(booked)
        return row is not None and f"#{numbers[target]} " in row["description"]

    await eventually(is_renumbered, what="the target's number in Kimai")
    after = await here.settled(booked)
    assert (after["id"], after["duration"], after["begin"]) == (
        before["id"],
        before["duration"],
        before["begin"],
    )
    entry = await here.of_entry(booked)
    assert entry["book"] == f"zammad:{DESK}:{source}"
    ticket = await here.api.get(f"/api/tickets/{entry['book']}")
    assert ticket["merged_into"] == f"zammad:{DESK}:{target}"
    await here.edit(booked, 30)
    await here.settled(booked, lasts(1800))


async def test_a_ticket_given_to_another_customer_moves_its_hours_by_a_persons_word_alone(
    here: World,
) -> None:
    ticket = await here.new_ticket("Whose is it?")
    stays, moves = await here.book(ticket, 15), await here.book(ticket, 20)
    first, second = await here.settled(stays), await here.settled(moves)
    given = {"organization_id": 3, "customer_id": 11}
    (await here.zammad.put(f"/api/v1/tickets/{ticket}", json=given)).raise_for_status()
    question = await here.asked(stays, "customer_changed")
    assert "organization 3" in question["detail"]
    await answer(here, question, "kimai")
    row = await here.settled(stays)
    assert (row["id"], row["project"]) == (first["id"], first["project"])
    await answer(here, await here.asked(moves, "customer_changed"), "zammad")
    row = await here.settled(moves)
    assert row["id"] == second["id"]
    assert row["project"] != second["project"]
    later = await here.book(ticket, 25)
    assert (await here.settled(later))["project"] == row["project"]


# ------------------------------------------------------------------------------ reading again, units
async def test_days_that_are_read_again_change_nothing_and_show_how_far_they_are(
    here: World,
) -> None:
    await eventually(here.is_quiet, what="quiet")
    writes = await here.writes()
    body = {"connection": DESK, "first_on": "2026-01-01", "last_on": "2026-12-31"}
    wanted = (await here.api.post("/api/sync/backfills", body))["id"]

    async def progress() -> Json:
        sources = (await here.api.get("/api/sync/status"))["sources"]
        (source,) = [one for one in sources if one["name"] == DESK]
        return next((one for one in source["backfills"] if one["id"] == wanted), {})

    async def is_finished() -> bool:
        return (await progress()).get("state") == "finished"

    await eventually(is_finished, what="the days read again")
    done = await progress()
    tickets = {one["ticket_id"] for one in await here.time_accountings()}
    assert (done["tickets"], done["tickets_read"], done["tickets_failed"]) == (
        len(tickets),
        len(tickets),
        0,
    )
    await eventually(here.is_quiet, what="quiet")
    assert await here.writes() == writes


async def test_a_zammad_that_counts_hours_from_now_on_is_asked_about_and_nothing_is_guessed(
    here: World,
) -> None:
    """The last one: what follows is counted in hours."""
    ticket = await here.new_ticket("Hours from now on")
    minutes = await here.book(ticket, 15)
    await here.settled(minutes)
    switched_at = clock.now()
    setting = {"time_accounting_unit": "hour"}
    (await here.zammad.put("/_twin/settings", json=setting)).raise_for_status()
    await here.api.post("/api/sync/manual", {"connections": [DESK], "what": "sweep"})

    async def is_alarmed() -> bool:
        alarms = (await here.api.get(f"/api/connectors/{DESK}"))["alarms"]
        return [alarm["alarm"] for alarm in alarms] == ["unit_changed"]

    await eventually(is_alarmed, what="the alarm about the unit")
    hours = await here.book(ticket, 0.25)
    await here.api.post("/api/sync/manual", {"connections": [DESK], "what": "sweep"})
    (source,) = (await here.api.get("/api/sync/status"))["sources"]
    assert source["unit_in_zammad"] == "hour"
    assert await here.of_entry(hours) == {}
    unit = {
        "unit": "hour",
        "seconds_per_unit": 3600,
        "effective_from": switched_at.isoformat(),
    }
    await here.api.post(f"/api/connectors/{DESK}/unit", unit)
    row = await here.settled(hours)
    assert row["duration"] == 900
    before = await here.sheet_of(minutes)
    assert before is not None
    assert before["duration"] == 900
    await here.edit(minutes, 0.5)
    question = await here.asked(minutes, "unit_unconfirmed")
    await answer(here, question, "zammad")
    await here.settled(minutes, lasts(1800))

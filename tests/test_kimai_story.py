"""What Kimai's own rules do to an hour, along the whole way."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, time, timedelta
from itertools import pairwise
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from bench.world import Json, World, eventually, world
from hourbook_kit import clock
from hourbook_simulators.kimai.permissions import LEAST_PRIVILEGE

pytestmark = [pytest.mark.anyio, pytest.mark.slow, pytest.mark.timeout(180)]

RULES = "timesheet.rules."
WORKERS_ZONE = ZoneInfo("Europe/Berlin")
"""Of the demo's worker, whose day a begin is kept in."""


@pytest.fixture(scope="module")
async def up(folder: Path) -> AsyncIterator[World]:
    async with world(folder / "kimai-story") as here:
        yield here


@pytest.fixture
async def here(up: World) -> AsyncIterator[World]:
    """A Kimai without rules of its own, before and after: the tests come in any order."""
    yield up
    await told(up, "PUT", "settings", {})
    await told(up, "PUT", "roles/ROLE_HOURBOOK", sorted(LEAST_PRIVILEGE))
    await forget_the_lockdown(up)


async def told(here: World, method: str, path: str, wish: object) -> None:
    (await here.kimai.request(method, f"/_twin/{path}", json=wish)).raise_for_status()


async def test_what_is_deleted_in_zammad_after_its_export_stays_in_kimai(here: World) -> None:
    booked = await here.book(await here.new_ticket("Billed"), 15)
    row = await here.settled(booked)
    await told(here, "POST", "export", {"ids": [row["id"]]})
    await here.delete(booked)
    await here.asked(booked, "retracted_after_export")
    still = await here.sheet_of(booked)
    assert still is not None
    assert (still["id"], still["duration"], still["exported"]) == (row["id"], 900, True)


async def test_where_overlap_is_forbidden_hours_of_one_worker_stand_side_by_side(
    here: World,
) -> None:
    await told(here, "PATCH", "settings", {RULES + "allow_overlapping_records": False})

    async def is_learned() -> bool:
        learned = (await here.api.get("/api/connectors/hours"))["learned"]
        return learned is not None and not learned["allows_overlap"]

    await look_whole(here)
    await eventually(is_learned, what="that this Kimai forbids overlap")
    ticket = await here.new_ticket("Three at once")
    booked = [await here.book(ticket, minutes) for minutes in (15, 20, 25)]
    rows = [await here.settled(one) for one in booked]
    assert [row["duration"] for row in rows] == [900, 1200, 1500]
    spans = sorted((row["begin"], row["end"]) for row in rows)
    assert all(end <= begin for (_, end), (begin, _) in pairwise(spans))
    row, minutes = apart_within_the_day(rows)
    await moved(here, row, minutes=minutes)
    await here.edit(booked[rows.index(row)], 10)
    await eventually(lambda: lasts(here, booked[rows.index(row)], 600), what="10 minutes")
    conflicts = (await here.api.get("/api/conflicts"))["items"]
    assert not [one for one in conflicts if one["entry"] in {f"zammad:desk:{b}" for b in booked}]


def apart_within_the_day(rows: list[Json]) -> tuple[Json, int]:
    """Which one may go where, by minutes: the first one earlier, or in a day's first half hour the last one later.

    To another day it would be an edit, and asked about.
    """
    in_order = sorted(rows, key=lambda row: str(row["begin"]))
    begins = datetime.fromisoformat(in_order[0]["begin"]).astimezone(WORKERS_ZONE)
    return (in_order[0], -30) if begins.time() >= time(0, 30) else (in_order[-1], 30)


async def moved(here: World, row: Json, *, minutes: int) -> None:
    """By a person, in Kimai; Kimai tells it at the next poll."""
    times = {
        name: (datetime.fromisoformat(row[name]) + timedelta(minutes=minutes)).isoformat()
        for name in ("begin", "end")
    }
    answer = await here.kimai.patch(f"/api/timesheets/{row['id']}", json=times)
    answer.raise_for_status()
    await asyncio.sleep(3)


async def lasts(here: World, time_accounting: int, seconds: int) -> bool:
    row = await here.sheet_of(time_accounting)
    return row is not None and row["duration"] == seconds


async def test_what_kimai_has_locked_is_asked_about_and_not_tried_again(here: World) -> None:
    booked = await here.book(await here.new_ticket("Locked"), 15)
    row = await here.settled(booked)
    just_now = clock.now().astimezone(UTC) - timedelta(seconds=1)
    lock = {"start": "2020-01-01", "end": just_now.isoformat(timespec="seconds")}
    await told(here, "POST", "lockdown", lock)
    await here.edit(booked, 30)
    conflict = await here.asked(booked, "lockdown_in_kimai")
    assert "lockdown" in conflict["detail"]
    held = await here.sheet_of(booked)
    assert held is not None
    assert (held["id"], held["duration"]) == (row["id"], 900)
    writes = await here.writes()
    other = await here.book(await here.new_ticket("Locked too"), 240)
    await here.asked(other, "lockdown_in_kimai")
    assert await here.writes() <= writes + 1  # at most a question that Kimai never takes


async def test_a_right_that_is_missing_is_told_to_whoever_asks_and_to_the_doctor(
    here: World,
) -> None:
    code, said = await here.command("doctor", "hours")
    assert code == 0, said
    rights = sorted(LEAST_PRIVILEGE - {"create_other_timesheet"})
    await told(here, "PUT", "roles/ROLE_HOURBOOK", rights)
    booked = await here.book(await here.new_ticket("Nobody's"), 15)
    conflict = await here.asked(booked, "missing_permission")
    assert "create_other_timesheet" in conflict["detail"]
    rows = await here.timesheets()
    assert not [row for row in rows if "Nobody's" in row["description"]]
    code, said = await here.command("doctor", "hours")
    assert code == 1
    assert "create_other_timesheet" in said
    code, said = await here.command("story", f"zammad:desk:{booked}")
    assert "create_other_timesheet" in said


async def look_whole(here: World) -> None:
    """A sweep of Kimai, with which its rules are read too."""
    await here.api.post("/api/sync/manual", {"connections": ["hours"], "what": "sweep"})


async def forget_the_lockdown(here: World) -> None:
    """A sweep finds that it is lifted; until then nothing is written before its end."""
    await look_whole(here)

    async def is_forgotten() -> bool:
        rows = await here.rows("SELECT locked_until FROM push.observed WHERE target = 'hours'")
        return all(row["locked_until"] is None for row in rows)

    await eventually(is_forgotten, what="the lockdown forgotten")

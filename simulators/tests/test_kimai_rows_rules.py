"""The conformance rows of kimai-api.md 9 about what a rule refuses: one test a case of a row."""

from datetime import timedelta
from typing import Any

import httpx
import pytest

from hourbook_simulators.kimai.memory import Memory
from hourbook_simulators.kimai.office import (
    JANE,
    NOON,
    SUPER,
    WORK,
    delete,
    hold,
    patch,
    post,
    said,
)

pytestmark = pytest.mark.anyio

LOCK = {
    "timesheet.rules.lockdown_period_start": "first day of last month",
    "timesheet.rules.lockdown_period_end": "last day of last month 23:59:59",
    "timesheet.rules.lockdown_grace_period": "+10 days",
}
LOCKED = "This period is locked. Please choose a later date."
UNTOLD = "Sorry, the budget is used up."
USED_UP = (
    "The budget is used up. Of the available 1:00, 0:45 has been booked so far,"
    " 0:15 can still be used."
)


async def test_row_98_who_may_do_what_in_a_locked_month(
    kimai: httpx.AsyncClient, memory: Memory
) -> None:
    row = hold(memory, begin=NOON - timedelta(days=60))
    memory.settings = LOCK
    times = {"begin": "2026-09-16T10:00:00", "end": "2026-09-16T11:00:00"}
    for who in ("user", "teamlead"):
        assert said(await post(kimai, who, **times)) == {"": [LOCKED]}
        assert (await patch(kimai, row, who, description="x")).status_code == 403
        assert await delete(kimai, row.id, who) == 403
    assert said(await patch(kimai, row, verb="duplicate")) == {"begin_date": [LOCKED]}
    assert (await patch(kimai, row, verb="export")).status_code == 403
    assert (await patch(kimai, row, "teamlead", verb="export")).status_code == 200
    assert (await patch(kimai, row, "admin", description="x")).status_code == 200
    assert (await post(kimai, "admin", **times)).status_code == 200
    assert await delete(kimai, row.id, "admin") == 204


async def test_row_98_what_runs_in_a_locked_month_stays_running(
    kimai: httpx.AsyncClient, memory: Memory
) -> None:
    row = hold(memory, begin=NOON - timedelta(days=60), end=None)
    memory.settings = LOCK
    assert said(await patch(kimai, row, verb="stop")) == {"begin_date": [LOCKED]}
    assert row.end is None


def off(memory: Memory, *rules: str) -> None:
    memory.settings = {f"timesheet.rules.{rule}": "0" for rule in rules}


async def test_row_97_no_time_at_all(kimai: httpx.AsyncClient, memory: Memory) -> None:
    nothing = {"begin": WORK["begin"], "end": WORK["begin"]}
    assert (await post(kimai, **nothing)).status_code == 200
    off(memory, "allow_zero_duration")
    assert said(await post(kimai, **nothing)) == {"": ["An empty duration is not allowed."]}


async def test_row_97_the_future(kimai: httpx.AsyncClient, memory: Memory) -> None:
    off(memory, "allow_future_times")
    later = {"begin": "2027-11-08T10:00:00", "end": "2027-11-08T11:00:00"}
    begin, end = (f"The {what} date cannot be in the future." for what in ("begin", "end"))
    assert said(await post(kimai, **later)) == {"": [begin, end]}
    soon = {"begin": "2026-11-22T12:00:00", "end": "2026-11-22T12:01:30"}
    assert (await post(kimai, **soon)).status_code == 200


@pytest.mark.parametrize(
    ("begin", "end", "collides"),
    [
        ("10:00:00", "11:00:00", True),
        ("11:00:00", "12:00:00", False),
        ("09:00:00", "10:00:00", False),
        ("10:30:00", "10:45:00", True),
        ("09:00:00", "12:00:00", True),
        ("10:59:00", "12:00:00", True),
        ("09:00:00", "10:01:00", True),
        ("11:00:00", "11:00:00", True),
        ("10:59:58", "11:30:00", True),
    ],
)
async def test_row_97_an_overlap(
    kimai: httpx.AsyncClient, memory: Memory, begin: str, end: str, *, collides: bool
) -> None:
    off(memory, "allow_overlapping_records")
    times = {"begin": "2026-09-01T10:00:00", "end": "2026-09-01T11:00:00"}
    assert (await post(kimai, **times)).status_code == 200
    answer = await post(kimai, begin=f"2026-09-01T{begin}", end=f"2026-09-01T{end}")
    if collides:
        assert said(answer) == {"": ["You already have an entry for this time."]}
    else:
        assert answer.status_code == 200
    assert (await patch(kimai, 1, **times, description="itself")).status_code == 200
    assert (await post(kimai, "super", user=JANE, **times)).status_code == 200


async def test_row_97_too_long(kimai: httpx.AsyncClient, memory: Memory) -> None:
    memory.settings = {"timesheet.rules.long_running_duration": 60}
    assert (await post(kimai)).status_code == 200
    answer = await post(kimai, end="2026-11-19T10:00:01")
    assert said(answer) == {"": ["Maximum 1:00 hours allowed."]}


async def test_row_97_more_than_a_year(kimai: httpx.AsyncClient) -> None:
    answer = await post(kimai, begin="2025-01-01T10:00:00")
    assert said(answer) == {"": ["Maximum duration exceeded."]}


async def test_row_97_outside_of_the_projects_time(kimai: httpx.AsyncClient) -> None:
    before = {"begin": "2025-12-31T10:00:00", "end": "2025-12-31T11:00:00"}
    answer = await post(kimai, project=2, activity=2, **before)
    assert said(answer) == {"": ["The project has not started at that time."] * 2}
    last_day = {"begin": "2026-12-31T10:00:00", "end": "2026-12-31T11:00:00"}
    assert (await post(kimai, project=2, activity=2, **last_day)).status_code == 200


@pytest.mark.parametrize(("who", "text"), [("admin", USED_UP), ("user", UNTOLD)])
@pytest.mark.parametrize("kind", ["activity", "project", "customer"])
async def test_row_97_a_budget_of_time(
    kimai: httpx.AsyncClient, memory: Memory, kind: str, who: str, text: str
) -> None:
    records: dict[str, Any] = {
        "activity": memory.activities[1],
        "project": memory.projects[1],
        "customer": memory.customers[1],
    }
    records[kind].time_budget_seconds = 3600
    hold(memory, duration_seconds=2700)
    assert (await post(kimai, who)).status_code == 200
    memory.forget(2)
    off(memory, "allow_overbooking_budget")
    half = {"end": "2026-11-19T09:30:00"}
    assert said(await post(kimai, who, **half)) == {"" if kind == "customer" else kind: [text]}
    assert (await post(kimai, who, end="2026-11-19T09:15:00")).status_code == 200
    assert (await post(kimai, "admin", **half, billable=False)).status_code == 200


async def test_row_97_a_budget_of_money(kimai: httpx.AsyncClient, memory: Memory) -> None:
    """An hour's rate passes in a new record, whose duration is not calculated yet."""
    memory.projects[1].budget = 50.0
    memory.users[SUPER].hourly_rate = 80.0
    off(memory, "allow_overbooking_budget")
    made = await post(kimai, "super")
    assert made.json()["rate"] == 80.0
    answer = await patch(kimai, made.json()["id"], "super", end="2026-11-19T10:30:00")
    assert "project" in said(answer)
    assert "project" in said(await post(kimai, "super", fixedRate=51))

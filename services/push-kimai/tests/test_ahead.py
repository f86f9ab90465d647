"""Many hours wait for one worker: one look for their days, and the next one sent while one is recorded."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from itertools import count

import pytest

from hourbook_contracts.ledger import PushRefused, TimesheetWritten
from hourbook_contracts.testing import NOON
from hourbook_kit.target.protocol import Timesheet
from hourbook_push_kimai.looks import Day, DayLook, Looks
from hourbook_simulators.kimai.records import Timesheet as Row

from .conftest import ANNA, BEN, Hours

pytestmark = [pytest.mark.anyio, pytest.mark.xdist_group("push")]
LISTED = "GET /api/timesheets"
DAYS = 4


async def waiting(hours: Hours) -> None:
    """An hour on each of some days of Anna's, one on the first for Ben; nothing may be written yet."""
    await hours.configure(poll_seconds=60, writing=False)
    for entry in range(1, DAYS + 1):
        made = NOON + timedelta(days=3 * (entry - 1))
        await hours.say(hours.request(want=hours.work(made=made), entry=entry))
    await hours.say(hours.request(want=hours.work(user_id=BEN), entry=DAYS + 1))

    async def all_wait() -> bool:
        queued = "SELECT count(*) FROM push.effects WHERE target = $1 AND state = 'queued'"
        return int(await hours.owner.fetchval(queued, hours.name)) == DAYS + 1

    await hours.until(all_wait)
    await hours.until(lambda: hours.board.calls[LISTED] > 0)  # the first sweep


async def test_one_look_serves_all_the_days_that_wait_for_a_worker(hours: Hours) -> None:
    await waiting(hours)
    before = hours.board.calls[LISTED]
    await hours.switch(on=True)
    answers = [await hours.answer(entry=entry) for entry in range(1, DAYS + 2)]
    assert all(isinstance(answer, TimesheetWritten) and answer.sure for answer in answers)
    assert len(hours.rows) == DAYS + 1
    assert hours.board.calls[LISTED] - before <= 3  # Anna's days, Ben's, and perhaps a poll


async def test_a_likely_twin_on_a_day_that_was_read_ahead_is_asked_about(hours: Hours) -> None:
    await waiting(hours)
    begin = NOON + timedelta(days=6, hours=-3)
    typed = Row(
        id=hours.memory.next_id("timesheet"),
        user_id=ANNA,
        project_id=1,
        activity_id=1,
        begin=begin,
        end=begin + timedelta(minutes=15),
        zone="Europe/Berlin",
        duration_seconds=900,
        description=f"printer again, ticket {hours.ticket}",
    )
    hours.memory.touch(typed, NOON)
    await hours.switch(on=True)
    answers = [await hours.answer(entry=entry) for entry in range(1, DAYS + 2)]
    refused = [answer for answer in answers if isinstance(answer, PushRefused)]
    assert [answer.posting for answer in refused] == [hours.posting(3)]
    assert refused[0].why == "possible_duplicate"
    assert [candidate.sheet for candidate in refused[0].candidates] == [hours.sheet(typed)]
    assert len(hours.rows) == DAYS + 1


async def test_the_next_hour_is_sent_while_an_answer_is_recorded_and_no_third(hours: Hours) -> None:
    await waiting(hours)
    async with hours.owner.acquire() as other, other.transaction():
        await other.execute("LOCK TABLE push.tied IN SHARE ROW EXCLUSIVE MODE")
        await hours.switch(on=True)
        await hours.until(lambda: len(hours.rows) == 3)  # two of Anna's, one of Ben's
        attempts = "SELECT count(*) FROM push.effects WHERE target = $1 AND state = 'sent'"
        assert await hours.owner.fetchval(attempts, hours.name) == 3
        assert not [answer for entry in range(1, DAYS + 2) for answer in hours.answers(entry=entry)]
    answers = [await hours.answer(entry=entry) for entry in range(1, DAYS + 2)]
    assert all(isinstance(answer, TimesheetWritten) and answer.sure for answer in answers)
    assert len(hours.rows) == hours.calls("POST") == DAYS + 1


# --------------------------------------------------------------------------------------------- looks
numbers = count(1)


def row(begins_at: datetime, minutes: int, user_id: int = ANNA) -> Timesheet:
    return Timesheet(
        id=next(numbers),
        user_id=user_id,
        project_id=1,
        activity_id=1,
        began_at=begins_at,
        ended_at=begins_at + timedelta(minutes=minutes),
        duration_seconds=minutes * 60,
        break_seconds=0,
        description=None,
        exported=False,
        billable=None,
    )


def looks_at(*days: date, spill: timedelta) -> Iterator[tuple[date, DayLook]]:
    for day in days:
        first = datetime(day.year, day.month, day.day, tzinfo=UTC)
        span = Day(ANNA, first, first + timedelta(days=1))
        yield day, DayLook(span, first - spill, 1, 0.0, {})


@pytest.mark.parametrize("spill", [timedelta(days=1), timedelta(0)], ids=["packed", "free"])
def test_what_we_write_into_the_night_counts_on_the_next_day_where_begins_are_packed(
    spill: timedelta, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hourbook_push_kimai.looks.time.monotonic", lambda: 0.0)
    today, tomorrow = date(2026, 3, 30), date(2026, 3, 31)
    looks = Looks(window_seconds=5)
    looks.keep(looks_at(today, tomorrow, spill=spill))
    late = row(datetime(2026, 3, 30, 23, 30, tzinfo=UTC), 60)
    looks.written(late)
    looks.written(row(datetime(2026, 3, 30, 23, 30, tzinfo=UTC), 60, user_id=BEN))
    seen = [looks.find(ANNA, day) for day in (today, tomorrow)]
    assert [list(look.rows) for look in seen if look] == [[late.id], [late.id] if spill else []]

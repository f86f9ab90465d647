"""Many hours wait for one worker: one look for their days, and the next one sent while one is recorded."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, date, datetime, timedelta
from itertools import count

import pytest

from hourbook_contracts.ledger import PushRefused, TimesheetWritten
from hourbook_contracts.testing import NOON
from hourbook_kit.target.protocol import Timesheet
from hourbook_push_kimai.learned import Learned
from hourbook_push_kimai.looks import Day, DayLook, Looks

from .conftest import ANNA, BEN, Hours

pytestmark = [pytest.mark.anyio, pytest.mark.xdist_group("push")]
LISTED = "GET /api/timesheets"
DAYS = 4


async def waiting(hours: Hours) -> None:
    """An hour on each of some days of Anna's, one on the first for Ben; nothing may be written yet."""
    await hours.configure(poll_seconds=60, send_window_seconds=20, writing=False)
    for entry in range(1, DAYS + 1):
        made = NOON + timedelta(days=3 * (entry - 1))
        await hours.say(hours.request(want=hours.work(made=made), entry=entry))
    await hours.say(hours.request(want=hours.work(user_id=BEN), entry=DAYS + 1))
    await hours.until(lambda: hours.queued(DAYS + 1))
    await hours.until(lambda: hours.board.calls[LISTED] > 0)  # the first sweep


async def test_one_look_serves_all_the_days_that_wait_for_a_worker(hours: Hours) -> None:
    await waiting(hours)
    before = hours.board.calls[LISTED]
    await hours.switch(on=True)
    await all_written_once(hours)
    assert hours.board.calls[LISTED] - before <= 3  # Anna's days, Ben's, and perhaps a poll


async def test_a_likely_twin_on_a_day_that_was_read_ahead_is_asked_about(hours: Hours) -> None:
    await waiting(hours)
    begin = NOON + timedelta(days=6, hours=-3)
    typed = hours.typed(
        begin, begin + timedelta(minutes=15), description=f"printer again, ticket {hours.ticket}"
    )
    await hours.switch(on=True)
    answers = [await hours.answer(entry=entry) for entry in range(1, DAYS + 2)]
    refused = [answer for answer in answers if isinstance(answer, PushRefused)]
    assert [answer.posting for answer in refused] == [hours.posting(3)]
    assert refused[0].why == "possible_duplicate"
    assert [candidate.sheet for candidate in refused[0].candidates] == [hours.sheet(typed)]
    assert len(hours.rows) == DAYS + 1


@asynccontextmanager
async def nothing_can_be_recorded(hours: Hours) -> AsyncIterator[None]:
    async with hours.owner.acquire() as other, other.transaction():
        await other.execute("LOCK TABLE push.tied IN SHARE ROW EXCLUSIVE MODE")
        yield


async def comes_to_rest(hours: Hours, written: int) -> None:
    """So many are in Kimai, no more follow, and nobody has heard of any."""
    await hours.until(lambda: len(hours.rows) == written)
    await asyncio.sleep(1)
    assert len(hours.rows) == written
    assert not hours.facts(TimesheetWritten)


async def all_written_once(hours: Hours) -> None:
    answers = [await hours.answer(entry=entry) for entry in range(1, DAYS + 2)]
    assert all(isinstance(answer, TimesheetWritten) and answer.sure for answer in answers)
    assert len(hours.rows) == hours.calls("POST") == DAYS + 1


async def test_the_next_hour_is_sent_while_an_answer_is_recorded_and_no_third(hours: Hours) -> None:
    await waiting(hours)
    async with nothing_can_be_recorded(hours):
        await hours.switch(on=True)
        await comes_to_rest(hours, 3)  # two of Anna's, one of Ben's
    await all_written_once(hours)


async def test_what_cannot_be_learned_for_want_of_the_database_leaves_no_answer_behind(
    hours: Hours, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def away(*_: object) -> None:
        raise ConnectionResetError

    await waiting(hours)
    monkeypatch.setattr(Learned, "rounding", away)
    async with nothing_can_be_recorded(hours):
        await hours.switch(on=True)
        await comes_to_rest(hours, 2)  # one of each
    await all_written_once(hours)


async def test_a_row_that_lost_its_marker_is_tied_before_the_next_look_may_take_it_for_a_twin(
    hours: Hours, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def unmarked(*_: object) -> str:
        return f"ticket {hours.ticket}"

    monkeypatch.setattr("hourbook_push_kimai.writer.text_of", unmarked)
    await hours.configure(poll_seconds=60, writing=False)
    for entry in (1, 2):
        await hours.say(hours.request(want=hours.work(), entry=entry))
    await hours.until(lambda: hours.queued(2))
    async with nothing_can_be_recorded(hours):
        await hours.switch(on=True)
        await comes_to_rest(hours, 1)
    answers = [await hours.answer(entry=entry) for entry in (1, 2)]
    assert all(isinstance(answer, TimesheetWritten) for answer in answers)
    assert len(hours.rows) == hours.calls("POST") == 2


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

"""A Kimai that forbids overlap: times are packed within the worker's day, one after the other."""

from datetime import datetime, timedelta

import pytest

from hourbook_contracts.control import SyncRequested
from hourbook_contracts.ledger import (
    Placement,
    PushRefused,
    TimesheetObserved,
    TimesheetRequested,
    TimesheetWritten,
)
from hourbook_contracts.testing import NOON
from hourbook_simulators.faults import Kind

from .conftest import ANNA, BEN, Hours

pytestmark = [pytest.mark.anyio, pytest.mark.xdist_group("push")]
PACKED = Placement(time_zone="Europe/Berlin", step_seconds=60, packed=True)


async def forbidding(hours: Hours) -> None:
    hours.set(allow_overlapping_records=False)
    await hours.configure(poll_seconds=60)


def packed(request: TimesheetRequested) -> TimesheetRequested:
    return request.model_copy(update={"placement": PACKED})


async def written(hours: Hours, **of: int) -> TimesheetWritten:
    answer = await hours.answer(**of)
    assert isinstance(answer, TimesheetWritten)
    return answer


def spans(hours: Hours) -> list[tuple[datetime, datetime]]:
    return sorted((row.begin, row.end) for row in hours.rows if row.end is not None)


async def test_hours_made_at_one_moment_stand_one_before_the_other(hours: Hours) -> None:
    await forbidding(hours)
    for entry in (1, 2, 3):
        await hours.say(packed(hours.request(want=hours.work(15), entry=entry)))
    await hours.say(packed(hours.request(want=hours.work(15, user_id=BEN), entry=4)))
    answers = [await written(hours, entry=entry) for entry in (1, 2, 3, 4)]
    assert all(answer.sure for answer in answers)
    of_anna = sorted(row.begin for row in hours.rows if row.user_id == ANNA)
    assert of_anna == [NOON - timedelta(minutes=minutes) for minutes in (45, 30, 15)]
    assert [row.begin for row in hours.rows if row.user_id == BEN] == of_anna[-1:]
    assert {row.duration_seconds for row in hours.rows} == {900}
    assert answers[1].asked == hours.work(15)
    assert answers[1].stored is not None
    assert answers[1].stored.began_at == of_anna[1]
    await hours.until(lambda: hours.learned() is not None)
    learned = hours.learned()
    assert learned is not None
    assert not learned.allows_overlap


async def test_what_a_person_typed_is_gone_around(hours: Hours) -> None:
    hours.typed(NOON - timedelta(minutes=20), NOON - timedelta(minutes=5))
    hours.typed(NOON - timedelta(hours=14), NOON - timedelta(hours=13))  # since yesterday
    await forbidding(hours)
    await hours.say(packed(hours.request(want=hours.work(30))))
    await written(hours)
    assert spans(hours)[1] == (NOON - timedelta(minutes=50), NOON - timedelta(minutes=20))


async def test_a_full_day_is_a_question_with_its_day(hours: Hours) -> None:
    midnight = NOON.replace(hour=22) - timedelta(days=1)  # in Berlin
    hours.typed(midnight, midnight + timedelta(hours=23, minutes=50))
    await forbidding(hours)
    await hours.say(packed(hours.request(want=hours.work(15))))
    answer = await hours.answer()
    assert isinstance(answer, PushRefused)
    assert answer.why == "day_full"
    assert "2026-03-30 has no free 15 minutes" in (answer.detail or "")
    assert len(hours.rows) == 1
    await hours.say(packed(hours.request(want=hours.work(10), gen=2)))
    assert isinstance(await hours.answer(gen=2), TimesheetWritten)


async def test_what_grows_stays_where_it_is_as_long_as_it_fits(hours: Hours) -> None:
    await forbidding(hours)
    await hours.say(packed(hours.request(want=hours.work(15))))
    first = await written(hours)
    grown = hours.request(
        "update", hours.work(30), gen=2, expected=hours.work(15), sheet=first.sheet
    )
    await hours.say(packed(grown))
    await written(hours, gen=2)
    assert spans(hours) == [(NOON - timedelta(minutes=15), NOON + timedelta(minutes=15))]
    hours.typed(NOON + timedelta(minutes=15), NOON + timedelta(hours=10))
    more = hours.request(
        "update", hours.work(45), gen=3, expected=hours.work(30), sheet=first.sheet
    )
    await hours.say(packed(more))
    await written(hours, gen=3)
    assert spans(hours)[0] == (NOON - timedelta(minutes=30), NOON + timedelta(minutes=15))


async def test_a_begin_that_a_person_moved_within_the_day_is_no_edit(hours: Hours) -> None:
    await forbidding(hours)
    await hours.say(packed(hours.request(want=hours.work(15))))
    first = await written(hours)
    [row] = hours.rows
    hours.edit(row, NOON, begin=NOON + timedelta(hours=1), end=NOON + timedelta(minutes=75))
    await hours.say(
        packed(
            hours.request(
                "update", hours.work(30), gen=2, expected=hours.work(15), sheet=first.sheet
            )
        )
    )
    await written(hours, gen=2)
    assert spans(hours) == [(NOON + timedelta(hours=1), NOON + timedelta(minutes=90))]


async def test_a_lost_answer_is_found_with_the_begin_that_was_chosen(hours: Hours) -> None:
    await forbidding(hours)
    await hours.say(hours.request(want=hours.work(15)))
    await written(hours)
    hours.fault(Kind.RESET_AFTER, "POST")
    await hours.say(hours.request(want=hours.work(15), entry=2))
    answer = await written(hours, entry=2)
    assert answer.sure
    assert len(hours.rows) == 2


async def test_overlap_that_was_forbidden_a_moment_ago_is_packed_too(hours: Hours) -> None:
    await hours.configure(poll_seconds=60)
    await hours.say(hours.request(want=hours.work(15)))
    await written(hours)
    hours.set(allow_overlapping_records=False)
    await hours.say(hours.request(want=hours.work(15), entry=2))
    await written(hours, entry=2)
    assert len(spans(hours)) == 2
    assert spans(hours)[0][1] <= spans(hours)[1][0]


async def test_what_ends_after_now_is_moved_before_now_where_the_future_is_forbidden(
    hours: Hours,
) -> None:
    hours.set(allow_future_times=False)
    hours.typed(NOON - timedelta(minutes=30), NOON)
    await forbidding(hours)
    await hours.say(packed(hours.request(want=hours.work(60))))
    await written(hours)
    assert spans(hours)[0] == (NOON - timedelta(minutes=90), NOON - timedelta(minutes=30))


async def test_the_step_is_learned_from_what_was_asked_and_stored(hours: Hours) -> None:
    hours.memory.settings |= {
        "timesheet.rounding.default.begin": 15,
        "timesheet.rounding.default.end": 15,
    }
    await hours.configure(poll_seconds=60)
    for entry, minute in ((1, 8), (2, 34), (3, 52)):
        made = NOON + timedelta(minutes=minute)
        await hours.say(hours.request(want=hours.work(10, made=made), entry=entry))
        await written(hours, entry=entry)
    await hours.until(lambda: hours.learned() is not None)
    learned = hours.learned()
    assert learned is not None
    assert learned.step_seconds == 900


async def test_a_save_by_which_kimai_only_rounds_is_told_as_such(hours: Hours) -> None:
    await hours.configure(poll_seconds=60)
    made = NOON + timedelta(minutes=8)
    await hours.say(hours.request(want=hours.work(10, made=made)))
    first = await written(hours)
    hours.memory.settings |= {
        "timesheet.rounding.default.begin": 15,
        "timesheet.rounding.default.end": 15,
    }
    for entry, minute in ((2, 8), (3, 34), (4, 52)):
        made = NOON + timedelta(minutes=minute)
        await hours.say(hours.request(want=hours.work(10, made=made), entry=entry))
        await written(hours, entry=entry)
    row = hours.rows[0]
    hours.edit(
        row,
        NOON,
        description=f"{row.description} called back",
        begin=NOON - timedelta(minutes=15),
        end=NOON + timedelta(minutes=15),
        duration_seconds=1800,
    )
    await hours.tell(
        SyncRequested(observed_at=NOON, by="test", connection=hours.name, what="sweep")
    )
    await hours.until(lambda: bool(hours.facts(TimesheetObserved)))
    [fact] = hours.facts(TimesheetObserved)
    assert isinstance(fact, TimesheetObserved)
    assert fact.rounded_from == first.stored
    assert fact.work.duration_seconds == 1800
    update = hours.request(
        "update",
        hours.work(20, made=NOON + timedelta(minutes=8)),
        gen=2,
        expected=first.stored,
        sheet=first.sheet,
    )
    await hours.say(update)
    assert isinstance(await hours.answer(gen=2), TimesheetWritten)


async def test_what_is_sent_again_is_known_by_the_begin_it_was_sent_with_last(hours: Hours) -> None:
    """The first attempt chose another begin and broke; until the second, the wanted one came free."""
    await forbidding(hours)
    lunch = hours.typed(NOON - timedelta(minutes=15), NOON)
    hours.fault(Kind.RESET_BEFORE, "POST")
    await hours.say(hours.request(want=hours.work(15)))
    await hours.until(lambda: hours.calls("POST") == 1)
    hours.memory.forget(lunch.id)
    hours.typed(NOON - timedelta(hours=6), NOON - timedelta(minutes=15))
    hours.fault(Kind.RESET_AFTER, "POST")
    answer = await written(hours)
    assert answer.sure
    assert spans(hours)[-1] == (NOON - timedelta(minutes=15), NOON)
    assert hours.calls("POST") == 2

"""Closed is closed: export, project range, lockdown and our own periods, with any token."""

from datetime import timedelta

import pytest

from hourbook_contracts.control import PeriodClosed, SyncRequested
from hourbook_contracts.kimai.lockdown import Lockdown
from hourbook_contracts.ledger import PushRefused, TimesheetWritten
from hourbook_contracts.testing import NOON

from .conftest import Hours

pytestmark = [pytest.mark.anyio, pytest.mark.xdist_group("push")]
UNTIL_APRIL = Lockdown(period_start="2026-03-01", period_end="2026-03-31 23:59:59")
"""Long over for whoever asks: NOON lies in it."""


async def booked(hours: Hours) -> TimesheetWritten:
    await hours.say(hours.request(want=hours.work()))
    answer = await hours.answer()
    assert isinstance(answer, TimesheetWritten)
    return answer


async def refused(hours: Hours, **of: int) -> PushRefused:
    answer = await hours.answer(**of)
    assert isinstance(answer, PushRefused)
    return answer


async def sweep(hours: Hours) -> None:
    await hours.tell(
        SyncRequested(observed_at=NOON, by="test", connection=hours.name, what="sweep")
    )


def lock(hours: Hours, *, on: bool = True) -> None:
    """As an administrator of Kimai does it."""
    hours.set(
        lockdown_period_start=UNTIL_APRIL.period_start if on else None,
        lockdown_period_end=UNTIL_APRIL.period_end if on else None,
    )


async def test_a_project_that_is_over_takes_nothing_and_gives_nothing_back(hours: Hours) -> None:
    await hours.configure(poll_seconds=0.1)
    first = await booked(hours)
    hours.memory.projects[1].end = (NOON - timedelta(days=9)).date()
    lists = hours.board.calls["GET /api/projects"]
    await sweep(hours)
    await hours.until(lambda: hours.board.calls["GET /api/projects"] > lists)
    await hours.until(lambda: hours.calls("GET") > 0)
    writes = hours.calls("POST") + hours.calls("DELETE")
    await hours.say(hours.request(want=hours.work(), entry=2))
    await hours.say(hours.request("delete", gen=2, expected=hours.work(), sheet=first.sheet))
    answers = [await refused(hours, entry=2), await refused(hours, gen=2)]
    assert [answer.why for answer in answers] == ["project_closed"] * 2
    assert "project 1 ended on 2026-03-21" in (answers[0].detail or "")
    assert hours.calls("POST") + hours.calls("DELETE") == writes
    assert len(hours.rows) == 1


async def test_a_period_of_our_own_is_closed_also_for_a_token_that_may_everything(
    hours: Hours,
) -> None:
    hours.permit("edit_exported_timesheet", "lockdown_override_timesheet")
    await hours.configure(poll_seconds=60)
    first = await booked(hours)
    on = NOON.date()
    await hours.tell(
        PeriodClosed(observed_at=NOON, by="test", connection=hours.name, first_on=on, last_on=on)
    )
    await hours.say(hours.request("delete", gen=2, expected=hours.work(), sheet=first.sheet))
    assert (await refused(hours, gen=2)).why == "closed"
    hours.memory.export([hours.rows[0].id], exported=True)
    await hours.say(hours.request("delete", gen=3, expected=hours.work(), sheet=first.sheet))
    answer = await refused(hours, gen=3)
    assert (answer.why, answer.locked) == ("locked", True)
    assert len(hours.rows) == 1


async def test_a_lockdown_that_was_entered_holds_against_a_token_that_may_override_it(
    hours: Hours,
) -> None:
    hours.permit("lockdown_override_timesheet")
    lock(hours)
    await hours.configure(lockdown=UNTIL_APRIL)
    await hours.say(hours.request(want=hours.work()))
    answer = await refused(hours)
    assert answer.why == "lockdown"
    assert "2026-03-31" in (answer.detail or "")
    assert not hours.rows
    later = hours.work(made=NOON + timedelta(days=3))
    await hours.say(hours.request(want=later, entry=2))
    assert isinstance(await hours.answer(entry=2), TimesheetWritten)


async def test_a_lockdown_that_nobody_entered_is_learned_from_a_403_and_forgotten_when_lifted(
    hours: Hours,
) -> None:
    await hours.configure(poll_seconds=0.1)
    first = await booked(hours)
    lock(hours)
    await hours.say(hours.request("delete", gen=2, expected=hours.work(), sheet=first.sheet))
    answer = await refused(hours, gen=2)
    assert answer.why == "lockdown"
    assert len(hours.rows) == 1
    posts = hours.calls("POST")
    await hours.say(hours.request(want=hours.work(made=NOON - timedelta(days=2)), entry=2))
    assert (await refused(hours, entry=2)).why == "lockdown"
    assert hours.calls("POST") == posts + 1  # whether it still is locked, for nobody and nowhere
    await hours.say(hours.request(want=hours.work(), entry=3))
    assert (await refused(hours, entry=3)).why == "lockdown"
    assert hours.calls("POST") == posts + 1
    lock(hours, on=False)
    await sweep(hours)
    await hours.until(lambda: is_unlocked(hours))
    await hours.say(hours.request("delete", gen=3, expected=hours.work(), sheet=first.sheet))
    assert isinstance(await hours.answer(gen=3), TimesheetWritten)
    assert not hours.rows


async def test_a_lock_and_a_project_are_looked_at_again_before_what_is_remembered_refuses(
    hours: Hours,
) -> None:
    await hours.configure(poll_seconds=60)
    first = await booked(hours)
    lock(hours)
    await hours.say(hours.request("delete", gen=2, expected=hours.work(), sheet=first.sheet))
    assert (await refused(hours, gen=2)).why == "lockdown"
    lock(hours, on=False)  # and no sweep tells
    await hours.say(hours.request("delete", gen=3, expected=hours.work(), sheet=first.sheet))
    assert isinstance(await hours.answer(gen=3), TimesheetWritten)
    assert not hours.rows


async def is_unlocked(hours: Hours) -> bool:
    until = await hours.owner.fetchval(
        "SELECT locked_until FROM push.observed WHERE target = $1", hours.name
    )
    return until is None


async def test_a_new_hour_in_a_locked_period_is_its_own_reason(hours: Hours) -> None:
    lock(hours)
    await hours.configure()
    await hours.say(hours.request(want=hours.work()))
    answer = await refused(hours)
    assert answer.why == "lockdown"
    assert "This period is locked" in (answer.detail or "")


async def test_what_lies_in_the_future_waits_where_kimai_forbids_it(hours: Hours) -> None:
    hours.set(allow_future_times=False)
    await hours.configure()
    ahead = hours.work(made=NOON + timedelta(days=4000))
    await hours.say(hours.request(want=ahead))
    await hours.say(hours.request(want=hours.work(), entry=2))
    await hours.until(lambda: is_held(hours))
    assert isinstance(await hours.answer(entry=2), TimesheetWritten)
    assert not hours.answers()
    assert len(hours.rows) == 1


async def is_held(hours: Hours) -> bool:
    found = await hours.owner.fetchval(
        "SELECT count(*) FROM push.effects WHERE target = $1 AND state = 'queued' AND not_before > now()",
        hours.name,
    )
    return bool(found)

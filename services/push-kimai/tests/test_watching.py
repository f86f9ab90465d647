"""What is observed and what is believed: exports, copies, lost access, a Kimai that is suddenly empty."""

from datetime import timedelta

import httpx
import pytest

from hourbook_contracts.control import AlarmAnswered, AlarmRaised, SyncRequested
from hourbook_contracts.ledger import (
    PushRefused,
    TimesheetObserved,
    TimesheetVanished,
    TimesheetWritten,
)
from hourbook_contracts.marker import find
from hourbook_contracts.testing import NOON
from hourbook_kit.clock import now
from hourbook_simulators.kimai.records import Token

from .conftest import ANNA, Hours

pytestmark = [pytest.mark.anyio, pytest.mark.xdist_group("push")]


async def booked(hours: Hours, count: int = 1) -> list[TimesheetWritten]:
    for entry in range(1, count + 1):
        await hours.say(hours.request(want=hours.work(), entry=entry))
    answers = [await hours.answer(entry=entry) for entry in range(1, count + 1)]
    return [answer for answer in answers if isinstance(answer, TimesheetWritten)]


async def sweep(hours: Hours) -> None:
    await hours.tell(
        SyncRequested(observed_at=NOON, by="test", connection=hours.name, what="sweep")
    )


async def swept(hours: Hours) -> None:
    """Two sweeps have begun since: the first of them is over."""
    lists = hours.board.calls["GET /api/customers"]
    for number in (1, 2):
        await sweep(hours)
        await hours.until(lambda n=number: hours.board.calls["GET /api/customers"] >= lists + n)  # type: ignore[misc]  # a default that holds


async def test_an_export_in_bulk_leaves_no_trace_in_a_poll_and_is_found_by_the_sweep(
    hours: Hours,
) -> None:
    await hours.configure(poll_seconds=0.1)
    await booked(hours)
    await swept(hours)
    hours.memory.touch(hours.rows[0], now() - timedelta(days=30))
    hours.memory.export([hours.rows[0].id], exported=True)
    polled = hours.calls("GET")
    await hours.until(lambda: hours.calls("GET") >= polled + 3)
    assert not hours.facts(TimesheetObserved)
    await sweep(hours)
    await hours.until(lambda: bool(hours.facts(TimesheetObserved)))
    [fact] = hours.facts(TimesheetObserved)
    assert isinstance(fact, TimesheetObserved)
    assert fact.locked


async def test_a_403_is_lost_access_and_never_a_deletion(hours: Hours) -> None:
    await hours.configure(poll_seconds=0.1)
    await booked(hours, 2)
    hours.permit(without="view_other_timesheet")
    await sweep(hours)
    sentence = await hours.obstacle("access_lost")
    assert "2 timesheets" in sentence
    await swept(hours)
    assert not hours.facts(TimesheetVanished)
    hours.permit()
    await swept(hours)
    await hours.until(lambda: f"{hours.name}:access_lost" not in hours.health.obstacles)
    assert not hours.facts(TimesheetVanished)


async def test_a_kimai_that_is_suddenly_empty_raises_an_alarm_and_is_not_written_to(
    hours: Hours,
) -> None:
    await hours.configure(poll_seconds=0.1)
    await booked(hours, 3)
    kept = dict(hours.memory.timesheets)
    for number in list(kept):
        hours.memory.forget(number)
    await sweep(hours)
    assert "3 of 3" in await hours.obstacle("suddenly_empty")
    assert await alarms(hours) == [(3, 3)]
    await hours.say(hours.request(want=hours.work(), entry=4))
    posts = hours.calls("POST")
    await swept(hours)
    assert hours.calls("POST") == posts
    assert not hours.facts(TimesheetVanished)
    for row in kept.values():
        hours.memory.touch(row, now())
    await sweep(hours)
    assert isinstance(await hours.answer(entry=4), TimesheetWritten)
    assert f"{hours.name}:suddenly_empty" not in hours.health.obstacles
    await hours.until(lambda: not open_alarms(hours))


async def test_the_emptiness_is_believed_when_a_person_says_so(hours: Hours) -> None:
    await hours.configure(poll_seconds=0.1)
    await booked(hours, 3)
    for row in hours.rows:
        hours.memory.forget(row.id)
    await sweep(hours)
    await hours.obstacle("suddenly_empty")
    await hours.until(lambda: bool(open_alarms(hours)))
    await hours.tell(
        AlarmAnswered(
            observed_at=now(),
            by="test",
            connection=hours.name,
            alarm="suddenly_empty",
            choice="believe",
        )
    )
    await hours.until(lambda: len(hours.facts(TimesheetVanished)) == 3)
    await hours.until(lambda: f"{hours.name}:suddenly_empty" not in hours.health.obstacles)


def open_alarms(hours: Hours) -> tuple[AlarmRaised, ...]:
    assert hours.control is not None
    return hours.control.installation.targets[hours.name].alarms


async def alarms(hours: Hours) -> list[tuple[int, int]]:
    await hours.until(lambda: bool(open_alarms(hours)))
    return [(alarm.missing, alarm.known) for alarm in open_alarms(hours)]


async def test_after_a_restart_an_alarm_still_holds(hours: Hours) -> None:
    await hours.configure(poll_seconds=0.1)
    await booked(hours, 3)
    for row in hours.rows:
        hours.memory.forget(row.id)
    await sweep(hours)
    await hours.obstacle("suddenly_empty")
    await hours.stop()
    await hours.say(hours.request(want=hours.work(), entry=4))
    listed = hours.calls("GET")
    await hours.start()
    await hours.until(lambda: hours.calls("GET") > listed)
    await swept(hours)
    assert not hours.answers(entry=4)
    assert len(await alarms(hours)) == 1


def annas(hours: Hours) -> httpx.AsyncClient:
    """Anna herself in Kimai; her role may also start and create."""
    hours.memory.add_token(Token("anna", ANNA))
    return httpx.AsyncClient(
        base_url=f"http://127.0.0.1:{hours.port}", headers={"Authorization": "Bearer anna"}
    )


@pytest.mark.parametrize("verb", ["duplicate", "restart"])
async def test_a_copy_that_a_person_made_is_told_and_never_ours(hours: Hours, verb: str) -> None:
    await hours.configure(poll_seconds=0.1)
    [first] = await booked(hours)
    [row] = hours.rows
    body = {"copy": "all"} if verb == "restart" else {}
    async with annas(hours) as anna:
        copied = await anna.patch(f"/api/timesheets/{row.id}/{verb}", json=body)
        copied.raise_for_status()
    await hours.until(lambda: bool(hours.facts(TimesheetObserved)))
    [fact] = hours.facts(TimesheetObserved)
    assert isinstance(fact, TimesheetObserved)
    assert (fact.book, fact.marker) == (hours.book, first.marker)
    assert fact.sheet != first.sheet
    await hours.say(
        hours.request("update", hours.work(30), gen=2, expected=hours.work(), sheet=first.sheet)
    )
    answer = await hours.answer(gen=2)
    assert isinstance(answer, TimesheetWritten)
    assert answer.sheet == first.sheet
    assert sum(find(each.description) is not None for each in hours.rows) == 2


async def test_a_marker_survives_what_a_person_writes_around_it(hours: Hours) -> None:
    await hours.configure(poll_seconds=60)
    [first] = await booked(hours)
    [row] = hours.rows
    hours.edit(row, now(), description=f"Called back.\n{row.description}\nAll is well again.")
    await hours.say(
        hours.request("update", hours.work(30), gen=2, expected=hours.work(), sheet=first.sheet)
    )
    answer = await hours.answer(gen=2)
    assert isinstance(answer, TimesheetWritten)
    [row] = hours.rows
    assert row.description is not None
    assert row.description.startswith("Called back.\n")
    assert "All is well again." in row.description


async def test_what_speaks_for_a_row_that_a_person_typed_is_told_with_it_likeliest_first(
    hours: Hours,
) -> None:
    await hours.configure()
    async with annas(hours) as anna:
        for minutes, activity in ((20, 2), (15, 1)):
            made = await anna.post(
                "/api/timesheets",
                json={
                    "project": 1,
                    "activity": activity,
                    "begin": (NOON - timedelta(minutes=15)).isoformat(),
                    "end": (NOON + timedelta(minutes=minutes - 15)).isoformat(),
                    "description": f"Ticket {hours.ticket}",
                },
            )
            made.raise_for_status()
    await hours.say(hours.request(want=hours.work(15)))
    answer = await hours.answer()
    assert isinstance(answer, PushRefused)
    assert [candidate.evidence for candidate in answer.candidates] == [
        ("ticket", "duration", "begin", "project", "activity"),
        ("ticket", "begin", "project"),
    ]

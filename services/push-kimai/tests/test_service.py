"""Promises about one target, from the ledger to Kimai and back."""

import asyncio
import time
from datetime import timedelta

import pytest

from hourbook_contracts.codec import Record
from hourbook_contracts.control import SyncRequested, WritesReleased
from hourbook_contracts.ids import SubjectId
from hourbook_contracts.ledger import (
    PushRefused,
    Settled,
    TimesheetObserved,
    TimesheetVanished,
    TimesheetWritten,
)
from hourbook_contracts.marker import find
from hourbook_contracts.testing import NOON
from hourbook_contracts.topics import LEDGER
from hourbook_kit import kafka as kit_kafka
from hourbook_kit.clock import now
from hourbook_simulators.faults import Kind
from hourbook_simulators.kimai.records import Timesheet

from .conftest import ANNA, BEN, GRACE, Hours

pytestmark = [pytest.mark.anyio, pytest.mark.xdist_group("push")]


async def booked(hours: Hours, minutes: int = 15) -> TimesheetWritten:
    """An hour of ours that Kimai holds."""
    await hours.say(hours.request(want=hours.work(minutes)))
    answer = await hours.answer()
    assert isinstance(answer, TimesheetWritten)
    return answer


async def test_an_hour_travels_to_kimai_once_and_its_answer_comes_back(hours: Hours) -> None:
    await hours.configure()
    parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    await hours.say(hours.request(want=hours.work()), traceparent=parent)
    answer = await hours.answer()
    assert isinstance(answer, TimesheetWritten)
    assert (answer.asked, answer.stored, answer.sure) == (hours.work(), hours.work(), True)
    [row] = hours.rows
    assert row.user_id == ANNA
    marker = find(row.description)
    assert row.description is not None
    assert marker is not None
    assert row.description == f"#{hours.ticket} {marker.text}"
    assert answer.marker == str(marker)
    assert answer.sheet == hours.sheet(row)
    [headers] = [headers for message, headers in hours.heard if message == answer]
    assert headers["traceparent"].split("-")[1] == parent.split("-")[1]


async def test_our_own_writes_come_back_through_the_poll_and_are_no_news(hours: Hours) -> None:
    await hours.configure(poll_seconds=0.1)
    await booked(hours)
    listed = hours.calls("GET")
    await hours.until(lambda: hours.calls("GET") >= listed + 3)
    assert not hours.facts(TimesheetObserved)


async def test_an_answer_lost_after_the_commit_makes_no_second_row(hours: Hours) -> None:
    await hours.configure()
    hours.fault(Kind.RESET_AFTER, "POST")
    began = time.monotonic()
    answer = await booked(hours)
    assert time.monotonic() - began >= GRACE
    assert answer.sure
    assert len(hours.rows) == hours.calls("POST") == 1


async def test_a_connection_that_broke_before_the_commit_is_written_after_the_grace(
    hours: Hours,
) -> None:
    await hours.configure()
    hours.fault(Kind.RESET_BEFORE, "POST")
    await booked(hours)
    assert len(hours.rows) == 1
    assert hours.calls("POST") == 2


async def test_a_commit_later_than_our_patience_is_found_and_not_repeated(hours: Hours) -> None:
    await hours.configure()
    hours.fault(Kind.SLOW_COMMIT, "POST", seconds=1.5)
    answer = await booked(hours)
    assert answer.sure
    assert len(hours.rows) == hours.calls("POST") == 1


async def test_server_errors_that_wrote_nothing_end_as_a_refusal(hours: Hours) -> None:
    await hours.configure()
    hours.fault(Kind.STATUS, "POST", status=500, times=5)
    await hours.say(hours.request(want=hours.work()))
    answer = await hours.answer(within=50)
    assert isinstance(answer, PushRefused)
    assert answer.why == "invalid"
    assert not hours.rows


async def test_an_edit_in_kimai_is_never_overwritten(hours: Hours) -> None:
    await hours.configure(poll_seconds=60)
    first = await booked(hours)
    [row] = hours.rows
    hours.edit(row, now(), end=row.end and row.end + timedelta(minutes=10), duration_seconds=1500)
    await hours.say(
        hours.request("update", hours.work(30), gen=2, expected=hours.work(15), sheet=first.sheet)
    )
    answer = await hours.answer(gen=2)
    assert isinstance(answer, PushRefused)
    assert (answer.why, answer.sheet) == ("changed", first.sheet)
    assert answer.held is not None
    assert answer.held.duration_seconds == 1500
    assert hours.calls("PATCH") == 0


async def test_an_update_sends_what_differs_and_keeps_a_persons_text(hours: Hours) -> None:
    await hours.configure(poll_seconds=60)
    first = await booked(hours)
    [row] = hours.rows
    marker = find(row.description)
    assert marker is not None
    hours.edit(row, now(), description=f"in my own words {marker.text}")
    await hours.say(
        hours.request("update", hours.work(30), gen=2, expected=hours.work(15), sheet=first.sheet)
    )
    answer = await hours.answer(gen=2)
    assert isinstance(answer, TimesheetWritten)
    assert answer.stored == hours.work(30)
    [row] = hours.rows
    assert row.description == f"in my own words {marker._replace(write=2).text}"


async def test_an_update_whose_answer_was_lost_is_recognised_under_an_edit(hours: Hours) -> None:
    await hours.configure(poll_seconds=60)
    first = await booked(hours)
    hours.fault(Kind.RESET_AFTER, "PATCH")
    await hours.say(
        hours.request("update", hours.work(30), gen=2, expected=hours.work(15), sheet=first.sheet)
    )
    await hours.until(lambda: hours.rows[0].duration_seconds == 1800)
    [row] = hours.rows
    hours.edit(row, now(), end=row.end and row.end - timedelta(minutes=15), duration_seconds=900)
    answer = await hours.answer(gen=2)
    assert isinstance(answer, TimesheetWritten)
    assert not answer.sure
    assert hours.calls("PATCH") == 1


async def test_a_deleted_hour_is_deleted_once(hours: Hours) -> None:
    await hours.configure()
    first = await booked(hours)
    hours.fault(Kind.RESET_AFTER, "DELETE")
    await hours.say(hours.request("delete", gen=2, expected=hours.work(), sheet=first.sheet))
    answer = await hours.answer(gen=2)
    assert isinstance(answer, TimesheetWritten)
    assert (answer.stored, answer.sheet) == (None, first.sheet)
    assert not hours.rows
    assert not hours.facts(TimesheetVanished)


async def test_an_exported_row_is_locked_also_when_it_was_exported_in_bulk(hours: Hours) -> None:
    await hours.configure(poll_seconds=60)
    first = await booked(hours)
    hours.memory.export([hours.rows[0].id], exported=True)
    await hours.say(hours.request("delete", gen=2, expected=hours.work(), sheet=first.sheet))
    answer = await hours.answer(gen=2)
    assert isinstance(answer, PushRefused)
    assert (answer.why, answer.locked, answer.held) == ("locked", True, hours.work())
    assert len(hours.rows) == 1


async def test_a_copy_by_a_person_is_said_in_the_book_and_stays_theirs(hours: Hours) -> None:
    await hours.configure(poll_seconds=0.1)
    await booked(hours)
    [row] = hours.rows
    copied(hours, row)
    await hours.until(lambda: bool(hours.facts(TimesheetObserved)))
    [fact] = hours.facts(TimesheetObserved)
    assert isinstance(fact, TimesheetObserved)
    assert (fact.book, fact.sheet) == (hours.book, hours.sheet(hours.rows[1]))
    assert len(hours.rows) == 2


def copied(hours: Hours, row: Timesheet, **changes: object) -> Timesheet:
    values = {name: getattr(row, name) for name in Timesheet.__slots__}
    copy = Timesheet(**values | {"id": hours.memory.next_id("timesheet")} | changes)
    hours.memory.touch(copy, now())
    return copy


async def test_an_edit_and_a_deletion_by_a_person_are_observed(hours: Hours) -> None:
    await hours.configure(poll_seconds=0.1, sweep_seconds=0.4)
    first = await booked(hours)
    [row] = hours.rows
    hours.edit(row, now(), description="no marker any more")
    await hours.until(lambda: bool(hours.facts(TimesheetObserved)))
    [fact] = hours.facts(TimesheetObserved)
    assert isinstance(fact, TimesheetObserved)
    assert fact.marker is None
    assert fact.no > first.no
    assert fact.description is not None
    hours.memory.forget(row.id)
    await hours.until(lambda: bool(hours.facts(TimesheetVanished)))
    [gone] = hours.facts(TimesheetVanished)
    assert isinstance(gone, TimesheetVanished)
    assert gone.sheet == first.sheet


async def test_rows_of_others_are_said_to_nobody_and_a_foreign_marker_is_an_orphan(
    hours: Hours,
) -> None:
    await hours.configure(poll_seconds=0.1)
    await booked(hours)
    [row] = hours.rows
    copied(hours, row, description="lunch")
    orphan = copied(hours, row, description=f"x [hb-{'z' * 16}.1]")
    await hours.until(lambda: bool(hours.facts(TimesheetObserved)))
    [fact] = hours.facts(TimesheetObserved)
    assert str(fact.book) == hours.sheet(orphan)


async def test_a_row_that_names_the_ticket_is_asked_about_and_adopted_by_a_persons_word(
    hours: Hours,
) -> None:
    await hours.configure()
    work = hours.work(20)
    by_hand = hours.typed(
        work.began_at,
        work.began_at + timedelta(minutes=20),
        description=f"Call about {hours.ticket}",
        at=now(),
    )
    await hours.say(hours.request(want=hours.work(15)))
    answer = await hours.answer()
    assert isinstance(answer, PushRefused)
    assert answer.why == "possible_duplicate"
    [candidate] = answer.candidates
    assert candidate.sheet == hours.sheet(by_hand)
    assert hours.calls("POST") == 0
    await hours.say(
        hours.request(
            "adopt", hours.work(15), gen=2, expected=candidate.work, sheet=candidate.sheet
        )
    )
    adopted = await hours.answer(gen=2)
    assert isinstance(adopted, TimesheetWritten)
    assert (adopted.stored, adopted.sure) == (candidate.work, True)
    await hours.say(
        hours.request(
            "update", hours.work(15), gen=3, expected=candidate.work, sheet=candidate.sheet
        )
    )
    assert isinstance(await hours.answer(gen=3), TimesheetWritten)
    assert [row.duration_seconds for row in hours.rows] == [900]


async def test_a_crash_between_claim_and_send_costs_the_grace_and_nothing_else(
    hours: Hours,
) -> None:
    await hours.configure(writing=False)
    await hours.say(hours.request(want=hours.work()))
    await hours.until(lambda: hours.queued(1))
    await hours.owner.execute(
        "UPDATE push.effects SET state = 'sent', attempt = 1, tries = 1, claimed_at = clock_timestamp()"
        " WHERE book = $1",
        hours.book,
    )
    began = time.monotonic()
    await hours.switch(on=True)
    answer = await hours.answer()
    assert time.monotonic() - began > GRACE / 2
    assert isinstance(answer, TimesheetWritten)
    assert len(hours.rows) == 1


async def test_a_row_that_another_took_while_we_looked_is_not_sent_by_us(hours: Hours) -> None:
    await hours.configure(poll_seconds=60, writing=False)
    await hours.say(hours.request(want=hours.work()))
    await hours.until(lambda: hours.queued(1))
    await hours.until(lambda: hours.board.calls["GET /api/timesheets"] > 0)  # the first sweep
    hours.fault(Kind.SLOW_ANSWER, "GET", seconds=0.5, times=None)
    before = hours.board.calls["GET /api/timesheets"]
    await hours.switch(on=True)
    await hours.until(lambda: hours.board.calls["GET /api/timesheets"] > before)
    taken = await hours.owner.execute(
        "UPDATE push.effects SET attempt = attempt + 1, tries = tries + 1, claimed_at = clock_timestamp()"
        " WHERE book = $1 AND state = 'sent'",
        hours.book,
    )
    assert taken == "UPDATE 1"
    await asyncio.sleep(1)
    assert not hours.rows
    hours.board.faults.clear()
    assert isinstance(await hours.answer(), TimesheetWritten)
    assert len(hours.rows) == hours.calls("POST") == 1


async def test_nothing_is_written_before_somebody_switches_it_on(hours: Hours) -> None:
    await hours.configure(writing=False)
    await hours.say(hours.request(want=hours.work()))
    await hours.until(lambda: hours.queued(1))
    await asyncio.sleep(0.3)
    assert not hours.rows
    await hours.switch(on=True)
    assert isinstance(await hours.answer(), TimesheetWritten)


async def test_more_than_the_cap_waits_for_a_persons_word(hours: Hours) -> None:
    await hours.configure(write_cap=2, writing=False)
    for entry in (1, 2, 3):
        await hours.say(hours.request(want=hours.work(), entry=entry))
    await hours.until(lambda: hours.queued(3))
    await hours.switch(on=True)
    await hours.until(lambda: f"{hours.name}:too_many_changes" in hours.health.obstacles)
    assert not hours.rows
    await hours.tell(WritesReleased(observed_at=NOON, by="test", connection=hours.name))
    for entry in (1, 2, 3):
        await hours.answer(entry=entry)
    assert len(hours.rows) == 3
    await hours.until(lambda: f"{hours.name}:too_many_changes" not in hours.health.obstacles)


async def test_a_token_that_fails_stops_and_says_so_and_goes_on_by_itself(hours: Hours) -> None:
    hours.board.faults.clear()
    hours.memory.users[2].enabled = False
    await hours.configure()
    obstacle = f"{hours.name}:unreachable"
    await hours.say(hours.request(want=hours.work()))
    await hours.until(lambda: obstacle in hours.health.obstacles)
    assert "401" in hours.health.obstacles[obstacle].sentence
    assert hours.calls("POST") == 0
    hours.memory.users[2].enabled = True
    assert isinstance(await hours.answer(), TimesheetWritten)
    assert obstacle not in hours.health.obstacles


async def test_what_kimai_refuses_is_answered_with_its_reason(hours: Hours) -> None:
    hours.memory.settings["timesheet.rules.long_running_duration"] = 10
    await hours.configure()
    await hours.say(hours.request(want=hours.work(15)))
    answer = await hours.answer()
    assert isinstance(answer, PushRefused)
    assert answer.why == "invalid"
    assert answer.detail is not None
    assert answer.detail.endswith("Kimai says: Maximum 0:10 hours allowed.")


async def test_what_kimai_rounds_is_its_answer_and_no_edit(hours: Hours) -> None:
    hours.memory.settings["timesheet.rounding.default.end"] = 15
    hours.memory.settings["timesheet.rounding.default.begin"] = 15
    await hours.configure(poll_seconds=0.1)
    await hours.say(hours.request(want=hours.work(5)))
    answer = await hours.answer()
    assert isinstance(answer, TimesheetWritten)
    assert answer.stored == hours.work(15)
    assert answer.sure
    listed = hours.calls("GET")
    await hours.until(lambda: hours.calls("GET") >= listed + 2)
    assert not hours.facts(TimesheetObserved)


async def test_a_decision_that_did_not_count_is_not_carried_out(hours: Hours) -> None:
    await hours.configure()
    await hours.say(
        Settled(
            observed_at=NOON,
            book=hours.book,
            connection="desk",
            posting=SubjectId(hours.posting()),
            gen=1,
            policy=1,
        )
    )
    await hours.say(hours.request(want=hours.work()))  # a zombie's, of the same generation
    await hours.say(hours.request(want=hours.work(), entry=2))
    await hours.answer(entry=2)
    assert not hours.answers()
    assert len(hours.rows) == 1


async def test_the_whole_ledger_again_writes_nothing(hours: Hours) -> None:
    await hours.configure()
    await booked(hours)
    for _ in range(2):
        await hours.say(hours.request(want=hours.work()))
    await hours.say(hours.request(want=hours.work(), entry=2))
    await hours.answer(entry=2)
    assert len(hours.rows) == 2
    assert len({message.model_dump_json() for message in hours.answers()}) == 1


async def test_a_record_we_cannot_read_stops_its_book_and_no_other(hours: Hours) -> None:
    await hours.configure()
    await kit_kafka.send(
        hours.producer,
        LEDGER.name,
        Record(hours.book.encode(), b"{}", [("ce_type", b"hourbook.of_tomorrow.v9")]),
    )
    await hours.say(hours.request(want=hours.work()))
    other = hours.request(want=hours.work(user_id=BEN))
    posting = SubjectId("zammad:desk:9/1")
    await hours.say(
        other.model_copy(update={"book": "zammad:desk:9", "posting": posting, "gen": hours.number})
    )
    await hours.until(lambda: len(hours.rows) == 1)
    await asyncio.sleep(0.2)
    assert [row.user_id for row in hours.rows] == [BEN]
    assert not hours.answers()


async def test_after_a_lost_schema_nothing_is_written_twice(hours: Hours) -> None:
    await hours.configure(poll_seconds=0.2)
    first = await booked(hours)
    await hours.stop()
    tables = "checkpoint, heads, effects, tied, timesheets, unreadable, observed, outbox"
    await hours.owner.execute(f"TRUNCATE {', '.join('push.' + t for t in tables.split(', '))}")
    await hours.owner.execute("UPDATE push.counter SET no = 0")
    await hours.say(hours.request(want=hours.work(), entry=2))  # nobody heard it
    await hours.start()
    second = await hours.answer(entry=2)
    assert isinstance(second, TimesheetWritten)
    assert len(hours.rows) == 2
    assert second.no > first.no
    hours.memory.forget(hours.rows[0].id)
    await hours.tell(
        SyncRequested(observed_at=NOON, by="test", connection=hours.name, what="sweep")
    )
    await hours.until(lambda: bool(hours.facts(TimesheetVanished)))  # the ledger remembered its id


async def test_an_answer_lost_with_the_schema_is_found_again_in_kimai(hours: Hours) -> None:
    await hours.configure(poll_seconds=60)
    await booked(hours)
    [row] = hours.rows
    await hours.stop()
    await hours.owner.execute("TRUNCATE push.checkpoint, push.heads, push.effects, push.tied")
    await hours.say(hours.request(want=hours.work(), entry=2))
    code = find(row.description)
    assert code is not None
    await hours.start()
    answer = await hours.answer(entry=2)
    assert isinstance(answer, TimesheetWritten)
    assert len({message.model_dump_json() for message in hours.answers()}) == 1
    assert len(hours.rows) == 2


async def test_one_look_at_a_workers_day_serves_several_writes(hours: Hours) -> None:
    hours.board.latency_seconds = 0.02
    await hours.configure(poll_seconds=60, writing=False)
    await hours.until(lambda: hours.calls("GET") > 0)
    entries = [
        hours.request(
            want=hours.work(user_id=3 + number % 5, made=NOON - timedelta(days=number // 15)),
            entry=number + 1,
        )
        for number in range(300)
    ]
    await asyncio.gather(*(hours.say(request) for request in entries))
    await hours.until(lambda: hours.queued(300))
    before = hours.calls("GET")
    await hours.switch(on=True)
    await hours.until(lambda: len(hours.rows) == 300)
    assert hours.calls("GET") - before < 250

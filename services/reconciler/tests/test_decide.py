"""Given what was told, then this is what we do."""

from datetime import timedelta
from functools import reduce

from hypothesis import given

from hourbook_contracts.ids import EntryId, sheet_of
from hourbook_contracts.ledger import (
    Candidate,
    ConflictOpened,
    ConflictResolved,
    Decision,
    EntryRecorded,
    EntryRetracted,
    LedgerMessage,
    PushRefused,
    Settled,
    TimesheetRequested,
    TimesheetWritten,
)
from hourbook_contracts.testing import (
    BOOK,
    MAPPINGS,
    NOON,
    SHEET,
    conflict,
    histories,
    mapping,
    messages,
    minutes,
    observed,
    policy,
    recorded,
    refused,
    requested,
    resolved,
    retracted,
    settled,
    vanished,
    work,
    written,
)
from hourbook_reconciler.book import Book
from hourbook_reconciler.decide import decisions
from hourbook_reconciler.evolve import evolve

POLICY = policy()
BOOKED = (recorded(15), requested(15), written(15), settled(gen=2))
"""15 minutes, booked on both sides."""


def told(*history: LedgerMessage) -> Book:
    return reduce(evolve, history, Book(BOOK))


def said(*history: LedgerMessage) -> list[Decision]:
    return decisions(told(*history), POLICY, NOON)


def request(*history: LedgerMessage) -> TimesheetRequested:
    (decision,) = said(*history)
    assert isinstance(decision, TimesheetRequested)
    return decision


def question(*history: LedgerMessage) -> ConflictOpened:
    (decision,) = said(*history)
    assert isinstance(decision, ConflictOpened)
    return decision


def test_new_work_in_zammad_becomes_a_timesheet() -> None:
    asked = request(recorded(15))
    assert (asked.op, asked.want, asked.expected, asked.gen) == ("create", work(15), None, 1)


def test_work_that_both_sides_hold_needs_nothing() -> None:
    assert said(*BOOKED) == []


def test_one_request_is_open_at_a_time() -> None:
    assert said(recorded(15), requested(15), recorded(30, no=2)) == []


def test_a_change_in_zammad_alone_updates_the_timesheet_it_expects() -> None:
    asked = request(*BOOKED, recorded(30, no=2))
    assert (asked.op, asked.sheet) == ("update", SHEET)
    assert (asked.expected, asked.want) == (work(15), work(30))


def test_work_retracted_in_zammad_deletes_the_timesheet() -> None:
    asked = request(*BOOKED, retracted())
    assert (asked.op, asked.sheet, asked.want) == ("delete", SHEET, None)


def test_a_change_in_kimai_alone_is_shown_to_a_person() -> None:
    assert question(*BOOKED, observed(30, no=2)).reason == "changed_in_kimai"


def test_a_change_on_both_sides_is_shown_to_a_person() -> None:
    history = (*BOOKED, recorded(5, no=2), observed(30, no=2))
    assert question(*history).reason == "changed_on_both_sides"


def test_a_timesheet_deleted_in_kimai_is_not_silently_recreated() -> None:
    assert question(*BOOKED, vanished()).reason == "deleted_in_kimai"


def test_an_exported_timesheet_is_never_touched() -> None:
    exported = observed(15, no=2, locked=True)
    assert question(*BOOKED, exported, recorded(30, no=2)).reason == "locked_in_kimai"
    assert question(*BOOKED, exported, retracted()).reason == "retracted_after_export"


def test_what_kimai_rounded_is_not_taken_for_an_edit() -> None:
    rounded = (recorded(5), requested(5), written(5, stored=15), settled(gen=2))
    assert said(*rounded) == []
    assert said(*rounded, observed(15, no=2)) == []


def test_a_row_found_with_other_values_after_an_unknown_outcome_is_a_question() -> None:
    history = (recorded(15), requested(15), written(15, stored=20, sure=False))
    assert question(*history).reason == "changed_in_kimai"


def test_what_kimai_refused_is_asked_and_not_tried_again() -> None:
    history = (recorded(15), requested(15), refused("overlap"))
    asked = question(*history)
    assert asked.reason == "overlap"
    assert said(*history, asked) == []


def test_a_refused_request_is_tried_anew_when_zammad_moves() -> None:
    history = (recorded(15), requested(15), refused("overlap"), recorded(30, no=2))
    assert request(*history).want == work(30)


def test_a_look_alike_is_a_question_that_adopt_answers() -> None:
    stranger = Candidate(sheet=sheet_of("hours", 7), work=work(20))
    history = (recorded(15), requested(15), refused("possible_duplicate", candidates=(stranger,)))
    asked = question(*history)
    assert (asked.reason, asked.candidates) == ("possible_duplicate", (stranger,))
    adopted = request(*history, asked, resolved(asked, "adopt"))
    assert (adopted.op, adopted.sheet, adopted.expected) == ("adopt", stranger.sheet, work(20))
    anyway = request(*history, asked, resolved(asked, "anyway"))
    assert (anyway.op, anyway.not_these) == ("create", (stranger.sheet,))


def test_taking_zammads_side_overwrites_exactly_what_was_shown() -> None:
    history = (*BOOKED, observed(30, no=2))
    asked = question(*history)
    answered = (*history, asked, resolved(asked, "zammad"))
    assert request(*answered).expected == work(30)
    assert question(*answered, observed(45, no=3)).held == work(45)


def test_keeping_kimais_side_settles_it() -> None:
    history = (*BOOKED, observed(30, no=2))
    asked = question(*history)
    (decision,) = said(*history, asked, resolved(asked, "kimai"))
    assert isinstance(decision, Settled)


def test_an_answer_from_an_old_screen_does_not_count() -> None:
    history = (*BOOKED, observed(30, no=2))
    old = question(*history)
    newer = conflict("changed_in_kimai", gen=4, want=work(15), held=work(45))
    book = told(*history, old, observed(45, no=3), newer)
    assert evolve(book, resolved(old, "zammad")) == book


def test_a_question_whose_ground_is_gone_is_withdrawn() -> None:
    history = (*BOOKED, observed(30, no=2))
    (decision,) = said(*history, question(*history), observed(15, no=3))
    assert isinstance(decision, Settled)


def test_unmapped_work_is_a_question_and_names_what_is_missing() -> None:
    assert question(recorded(15, agent_id=99)).reason == "unmapped_worker"
    assert question(recorded(15, activity_type_id=None)).reason == "unmapped_activity"
    (decision,) = decisions(told(recorded(15)), policy(MAPPINGS[0], MAPPINGS[2]), NOON)
    assert isinstance(decision, ConflictOpened)
    assert decision.reason == "unmapped_customer"


def test_unmapped_work_ignored_for_good_is_not_asked_about_when_a_rule_comes() -> None:
    history = (recorded(15, activity_type_id=8),)
    asked = question(*history)
    ignored = told(*history, asked, resolved(asked, "kimai"))
    mapped = policy(*MAPPINGS, mapping("activity", "8", 9), version=2)
    assert [type(d) for d in decisions(ignored, mapped, NOON)] == [Settled]


def test_a_written_timesheet_stays_where_it_is_when_a_rule_changes() -> None:
    moved = policy(MAPPINGS[0], mapping("customer", "organization:2", 99), MAPPINGS[2], version=2)
    assert decisions(told(*BOOKED), moved, NOON) == []
    (decision,) = decisions(told(*BOOKED, recorded(30, no=2)), moved, NOON)
    assert isinstance(decision, TimesheetRequested)
    assert decision.want == work(30)


def test_nothing_is_said_before_writing_is_switched_on() -> None:
    assert decisions(told(recorded(15)), policy(writing=False), NOON) == []


def test_an_older_policy_never_speaks_after_a_newer_one() -> None:
    book = told(recorded(15), requested(15, policy=7), refused("invalid"))
    assert decisions(book, policy(version=6), NOON) == []


def test_fifteen_minutes_stay_fifteen_whatever_second_they_were_booked_at() -> None:
    for second in (0, 1, 29, 59):
        asked = request(recorded(15, made=NOON + timedelta(seconds=second)))
        assert asked.want is not None
        assert (asked.want.began_at.second, asked.want.duration_seconds) == (0, 900)


def test_work_is_never_placed_before_the_workers_day_began() -> None:
    just_after_midnight = NOON.replace(hour=22, minute=5)  # 00:05 in Berlin, in summer
    asked = request(recorded(15, made=just_after_midnight))
    assert asked.want is not None
    assert asked.want.began_at == NOON.replace(hour=22, minute=0)


def test_a_correction_takes_its_minutes_from_the_latest_earlier_entry() -> None:
    correction = recorded(-5, entry=EntryId("zammad:desk:73"), made=NOON + timedelta(minutes=1))
    asked = request(recorded(15), correction)
    assert asked.want is not None
    assert asked.want.duration_seconds == 600
    assert asked.trace is not None
    assert [taken.seconds for taken in asked.trace.taken] == [300]


def test_a_correction_nobody_can_bear_is_a_question() -> None:
    asked = question(recorded(-15))
    assert asked.reason == "negative_balance"
    assert asked.want is not None
    assert asked.want.duration_seconds == -900


def test_a_copy_that_a_person_made_is_a_question_and_never_deleted() -> None:
    copy = observed(15, no=2, sheet=sheet_of("hours", 42), marker="abcdefghijklmnop.1")
    asked = question(*BOOKED, copy)
    assert (asked.reason, asked.held) == ("duplicate_in_kimai", work(15))
    (left,) = said(*BOOKED, copy, asked, resolved(asked, "kimai"))
    assert isinstance(left, Settled)


def as_it_can_happen(history: list[LedgerMessage]) -> list[LedgerMessage]:
    """Without retractions of what was never recorded and answers to what was never asked."""
    kept: list[LedgerMessage] = []
    for message in history:
        if isinstance(message, EntryRetracted):
            known = any(isinstance(m, EntryRecorded) and m.entry == message.entry for m in kept)
        elif isinstance(message, ConflictResolved):
            known = any(isinstance(m, ConflictOpened) and m.gen == message.gen for m in kept)
        elif isinstance(message, TimesheetWritten | PushRefused):
            known = any(isinstance(m, TimesheetRequested) and m.gen == message.gen for m in kept)
        else:
            known = True
        if known:
            kept.append(message)
    return kept


@given(histories, messages)
def test_a_repeated_message_changes_nothing(
    history: list[LedgerMessage], last: LedgerMessage
) -> None:
    assert told(*history, last, last) == told(*history, last)


@given(histories)
def test_the_whole_ledger_applied_twice_changes_nothing(history: list[LedgerMessage]) -> None:
    possible = as_it_can_happen(history)
    assert told(*possible, *possible) == told(*possible)


@given(histories, minutes)
def test_carrying_out_a_request_leaves_nothing_to_ask_of_kimai(
    history: list[LedgerMessage], held: int
) -> None:
    """However Kimai rounds what it is asked to hold."""
    history = as_it_can_happen(history)
    for asked in said(*history):
        if not isinstance(asked, TimesheetRequested) or asked.want is None:
            continue
        answer = written(
            asked.want.duration_seconds // 60, stored=held, gen=asked.gen, no=99
        ).model_copy(update={"posting": asked.posting, "asked": asked.want})
        after = said(*history, asked, answer)
        about_it = [decision for decision in after if decision.posting == asked.posting]
        assert all(isinstance(decision, Settled) for decision in about_it)


@given(histories)
def test_no_edit_that_nobody_agreed_to_is_overwritten(history: list[LedgerMessage]) -> None:
    book = told(*history)
    for asked in decisions(book, POLICY, NOON):
        if isinstance(asked, TimesheetRequested) and asked.op in ("update", "delete"):
            posting = book.postings[asked.posting]
            sheet = book.sheets[SHEET]
            permitted = posting.permit is not None and posting.permit.held == sheet.work
            assert asked.expected == sheet.work
            agreed = posting.agreed.held == sheet.work and not posting.agreed.unsure
            assert permitted or agreed or asked.want == sheet.work
            assert not sheet.locked or asked.want == sheet.work

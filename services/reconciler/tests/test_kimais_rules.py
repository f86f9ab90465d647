"""Kimai's own rules in what is decided: rounding anew, packed begins, refusals with their sentences."""

from datetime import timedelta
from functools import reduce

from hypothesis import given
from hypothesis import strategies as st

from hourbook_contracts.control import TargetLearned
from hourbook_contracts.installation import Policy, Target
from hourbook_contracts.ledger import (
    ConflictOpened,
    Decision,
    LedgerMessage,
    Placement,
    Settled,
    TimesheetRequested,
    Work,
)
from hourbook_contracts.reasons import REASON_OF_REFUSAL
from hourbook_contracts.testing import (
    BOOK,
    NOON,
    SHEET,
    observed,
    policy,
    recorded,
    refused,
    requested,
    settled,
    work,
    written,
)
from hourbook_reconciler.book import Book
from hourbook_reconciler.decide import decisions
from hourbook_reconciler.evolve import evolve
from hourbook_reconciler.netting import net
from hourbook_reconciler.rows import entry_row

POLICY = policy()
PACKED = Placement(time_zone="Europe/Berlin", step_seconds=60, packed=True)


def told(*history: LedgerMessage) -> Book:
    return reduce(evolve, history, Book(BOOK))


def said(*history: LedgerMessage, by: Policy = POLICY) -> list[Decision]:
    return decisions(told(*history), by, NOON)


def reason(*history: LedgerMessage, by: Policy = POLICY) -> str | None:
    match said(*history, by=by):
        case [] | [Settled()]:
            return None
        case [ConflictOpened(reason=asked)]:
            return asked
        case others:
            raise AssertionError(others)


BOOKED = (recorded(15), requested(15), written(15), settled(gen=2))


def rounded(minutes: int, *, origin: int, no: int) -> LedgerMessage:
    return observed(minutes, no=no).model_copy(update={"rounded_from": work(origin)})


# ------------------------------------------------------------------------------------------ rounding
def test_a_save_by_which_kimai_only_rounded_is_not_asked_about() -> None:
    assert reason(*BOOKED, observed(30, no=2)) == "changed_in_kimai"
    assert reason(*BOOKED, rounded(30, origin=15, no=2)) is None


def test_what_was_rounded_from_something_else_than_what_was_agreed_is_an_edit() -> None:
    assert reason(*BOOKED, rounded(30, origin=20, no=2)) == "changed_in_kimai"


def test_after_it_an_edit_in_zammad_goes_its_way_and_expects_what_kimai_holds() -> None:
    (decision,) = said(*BOOKED, rounded(30, origin=15, no=2), recorded(45, no=2))
    assert isinstance(decision, TimesheetRequested)
    assert (decision.op, decision.expected, decision.want) == ("update", work(30), work(45))


def test_a_refusal_forgets_not_that_kimai_only_rounded() -> None:
    history = (
        *BOOKED,
        rounded(30, origin=15, no=2),
        recorded(45, no=2),
        requested(45, gen=3, op="update", expected=work(30), sheet=SHEET),
        refused("overlap", gen=3, no=3, held=work(30)),
        recorded(15, no=3),
    )
    assert reason(*history) is None


def state(*history: LedgerMessage) -> str:
    book = told(*history)
    (entry,) = book.entries
    return entry_row(book, entry, net(book), changed_at=NOON, partition=0).state


def test_a_row_that_kimai_rounded_anew_is_at_rest_in_the_read_model() -> None:
    assert state(*BOOKED, rounded(30, origin=15, no=2)) == "settled"
    assert state(*BOOKED, observed(30, no=2)) == "held_back"


# ------------------------------------------------------------------------------------------- packing
def packing() -> Policy:
    """A Kimai was seen to forbid overlap."""
    learned = TargetLearned(
        observed_at=NOON, by="test", connection="hours", allows_overlap=False, step_seconds=900
    )
    known = policy()
    target = Target(known.targets["hours"].configured, writing=True, learned=learned)
    return Policy(version=2, targets={"hours": target}, mappings=known.mappings)


def later(minutes: int, hours: int) -> Work:
    return work(minutes, made=NOON + timedelta(hours=hours))


def packed(minutes: int = 15, *, hours: int = -2, gen: int = 1) -> tuple[LedgerMessage, ...]:
    """Booked where push found room: `hours` away from where it was to be."""
    ask = requested(minutes, gen=gen).model_copy(update={"placement": PACKED})
    answer = written(minutes, gen=gen).model_copy(update={"stored": later(minutes, hours)})
    return (recorded(minutes), ask, answer)


def test_where_overlap_is_forbidden_push_is_told_to_choose_the_begin() -> None:
    (decision,) = said(recorded(15), by=packing())
    assert isinstance(decision, TimesheetRequested)
    assert decision.placement == Placement(time_zone="Europe/Berlin", step_seconds=900, packed=True)
    assert decision.want is not None
    assert decision.want.began_at.minute == 45


def test_another_begin_than_was_asked_for_is_agreed() -> None:
    assert reason(*packed(), by=packing()) is None


def test_a_begin_that_a_person_moves_within_the_day_is_no_edit_and_to_another_day_is() -> None:
    def moved(hours: int) -> LedgerMessage:
        return observed(15, no=2).model_copy(update={"work": later(15, hours)})

    assert reason(*packed(), moved(3), by=packing()) is None
    assert reason(*packed(), moved(24), by=packing()) == "changed_in_kimai"
    exact = (recorded(15), requested(15), written(15))
    assert reason(*exact, moved(3)) == "changed_in_kimai"


def test_what_is_written_keeps_how_it_is_compared_when_the_setting_changes() -> None:
    moved = observed(15, no=2).model_copy(update={"work": later(15, 3)})
    assert reason(*packed(), moved, by=policy(version=2)) is None
    exact = (recorded(15), requested(15), written(15))
    assert reason(*exact, moved, by=packing()) == "changed_in_kimai"


def test_both_sides_changed_alike_is_no_question_wherever_in_the_day() -> None:
    same = observed(30, no=2).model_copy(update={"work": later(30, -4)})
    (decision,) = said(*packed(), same, recorded(30, no=2), by=packing())
    assert isinstance(decision, TimesheetRequested)


# ------------------------------------------------------------------------------------------ refusals
def test_each_refusal_is_a_question_with_the_sentence_it_came_with() -> None:
    for why, expected in REASON_OF_REFUSAL.items():
        told_why = refused(why).model_copy(update={"detail": f"Because of {why}."})
        (asked,) = said(recorded(15), requested(15), told_why)
        assert isinstance(asked, ConflictOpened)
        assert (asked.reason, asked.detail) == (expected.value, f"Because of {why}.")


def test_a_lockdown_is_another_reason_than_our_own_closed_period() -> None:
    assert reason(recorded(15), requested(15), refused("lockdown")) == "lockdown_in_kimai"
    assert reason(recorded(15), requested(15), refused("closed")) == "closed_period"


@given(st.lists(st.sampled_from([15, 30, 45]), min_size=1, max_size=5))
def test_however_often_kimai_rounds_what_was_agreed_nobody_is_asked(minutes: list[int]) -> None:
    readings = [rounded(some, origin=15, no=no) for no, some in enumerate(minutes, start=2)]
    assert reason(*BOOKED, *readings) is None

"""What another policy would have booked, told in seconds and never decided."""

from dataclasses import replace
from datetime import date

from hypothesis import given
from hypothesis import strategies as st

from hourbook_contracts.audit import Difference
from hourbook_contracts.ids import sheet_of
from hourbook_contracts.installation import Policy
from hourbook_contracts.ledger import LedgerMessage, TimesheetRequested, TimesheetWritten
from hourbook_contracts.testing import (
    BOOK,
    ENTRY,
    MAPPINGS,
    NOON,
    histories,
    mapping,
    policy,
    recorded,
)
from hourbook_reconciler.book import Book
from hourbook_reconciler.decide import decisions
from hourbook_reconciler.evolve import evolve
from hourbook_reconciler.netting import net
from hourbook_reconciler.rows import net_seconds
from hourbook_reconciler.what_if import HELD_BACK, differences, moved

ELSEWHERE = policy(MAPPINGS[0], mapping("customer", "organization:2", 8), MAPPINGS[2], version=2)
UNMAPPED = policy(MAPPINGS[0], MAPPINGS[2], version=2)


def at_rest(history: list[LedgerMessage], by: Policy) -> Book:
    """The book once all is decided and Kimai has done what was asked of it."""
    book = Book(BOOK)
    for message in history:
        book = evolve(book, message)
    for no in range(100, 120):
        for posting in list(book.postings.values()):
            if posting.waits_for_push and isinstance(posting.verdict, TimesheetRequested):
                book = evolve(book, _done(posting.verdict, no))
        said = decisions(book, by, NOON)
        if not said:
            return book
        for decision in said:
            book = evolve(book, decision)
    raise AssertionError("it never comes to rest")


def _done(asked: TimesheetRequested, no: int) -> TimesheetWritten:
    return TimesheetWritten(
        book=BOOK,
        connection="hours",
        observed_at=NOON,
        posting=asked.posting,
        gen=asked.gen,
        no=no,
        sheet=asked.sheet or sheet_of("hours", no * 10 + len(asked.posting)),
        asked=asked.want,
        stored=asked.want,
        sure=True,
    )


@given(histories)
def test_under_the_policy_that_decided_nothing_differs(history: list[LedgerMessage]) -> None:
    by = policy(version=1)
    assert list(moved(at_rest(history, by), by)) == []


@given(histories, st.sampled_from([ELSEWHERE, UNMAPPED]))
def test_no_policy_makes_or_loses_a_second(history: list[LedgerMessage], other: Policy) -> None:
    book = at_rest(history, policy(version=1))
    netting = net(book)
    for move in moved(book, other):
        assert move.after.seconds == abs(net_seconds(netting, move.entry))
    total = sum(one.after_seconds - one.before_seconds for one in differences(moved(book, other)))
    assert total == 0


def test_another_project_is_a_difference_of_both() -> None:
    (move,) = moved(at_rest([recorded()], policy()), ELSEWHERE)
    assert (move.entry, move.before.project_id, move.after.project_id) == (ENTRY, 7, 8)
    common = {"customer": "organization:2", "target": "hours", "month": "2026-03"}
    assert differences([move]) == [
        Difference.model_validate(
            {**common, "project_id": 7, "before_seconds": 900, "after_seconds": 0}
        ),
        Difference.model_validate(
            {**common, "project_id": 8, "before_seconds": 0, "after_seconds": 900}
        ),
    ]


def test_what_no_rule_fires_for_would_be_booked_nowhere() -> None:
    (move,) = moved(at_rest([recorded()], policy()), UNMAPPED)
    assert move.after.nowhere_because == "unmapped_customer"
    (back,) = moved(at_rest([recorded()], UNMAPPED), policy())
    assert (back.before.nowhere_because, back.after.project_id) == ("unmapped_customer", 7)


def test_where_nothing_may_be_written_nothing_would_be_booked() -> None:
    target = policy().targets["hours"]
    later = replace(
        policy(version=2), targets={"hours": replace(target, start_on=date(2027, 1, 1))}
    )
    silent = policy(writing=False)
    (move,) = moved(at_rest([recorded()], silent), policy())
    assert (move.before.nowhere_because, move.after.project_id) == (HELD_BACK, 7)
    assert list(moved(at_rest([recorded()], silent), later)) == []
    assert list(moved(at_rest([recorded()], policy()), later)) == []  # what is written stays

"""What becomes of an hour whose ticket changes its customer or is merged, whose unit changed, and on which day."""

from datetime import UTC, date, datetime, timedelta
from functools import reduce

import pytest

from hourbook_contracts.ids import BookId, EntryId
from hourbook_contracts.installation import Policy, Target
from hourbook_contracts.ledger import (
    Attribution,
    ConflictOpened,
    Decision,
    EntryRecorded,
    LedgerMessage,
    Place,
    Settled,
    TicketAttributes,
    TimesheetRequested,
    TimesheetWritten,
    UnitDoubt,
)
from hourbook_contracts.testing import (
    BOOK,
    ENTRY,
    MAPPINGS,
    NOON,
    OTHERS,
    PLACE,
    TICKET,
    mapping,
    observed,
    policy,
    recorded,
    refused,
    requested,
    resolved,
    retracted,
    settled,
    ticket_observed,
    work,
    written,
)
from hourbook_reconciler.book import Book
from hourbook_reconciler.decide import decisions
from hourbook_reconciler.evolve import evolve

ELSEWHERE = PLACE.model_copy(update={"project_id": 8})
POLICY = policy(*MAPPINGS, mapping("customer", "organization:3", ELSEWHERE.project_id))
FIRST = (ticket_observed(), recorded(15))
BOOKED = (*FIRST, requested(15), written(15), settled(gen=2))
GIVEN = ticket_observed(no=2, ticket=OTHERS)


def told(*history: LedgerMessage) -> Book:
    return reduce(evolve, history, Book(BOOK))


def said(*history: LedgerMessage, rules: Policy = POLICY) -> list[Decision]:
    return decisions(told(*history), rules, NOON)


def question(*history: LedgerMessage, rules: Policy = POLICY) -> ConflictOpened:
    (decision,) = said(*history, rules=rules)
    assert isinstance(decision, ConflictOpened)
    return decision


def request(*history: LedgerMessage, rules: Policy = POLICY) -> TimesheetRequested:
    (decision,) = said(*history, rules=rules)
    assert isinstance(decision, TimesheetRequested)
    return decision


# ------------------------------------------------------------------------------ another customer
def test_a_ticket_given_to_another_customer_moves_nothing_and_asks() -> None:
    asked = question(*BOOKED, GIVEN)
    assert asked.reason == "customer_changed"
    assert (asked.want, asked.held, asked.instead) == (
        work(15),
        work(15),
        work(15, place=ELSEWHERE),
    )
    assert asked.attribution == Attribution(organization_id=3, customer_id=31)
    assert asked.detail is not None
    assert "organization 3" in asked.detail


def test_the_same_is_asked_of_an_hour_that_was_read_and_not_yet_written() -> None:
    assert question(*FIRST, GIVEN).reason == "customer_changed"


def test_time_booked_after_the_change_is_the_new_customers() -> None:
    later = recorded(15, no=3, entry=EntryId("zammad:desk:73"), ticket=OTHERS)
    history = (*BOOKED, GIVEN, question(*BOOKED, GIVEN), later)
    assert request(*history).want == work(15, place=ELSEWHERE)


def test_who_takes_the_change_over_moves_the_timesheet() -> None:
    asked = question(*BOOKED, GIVEN)
    moved = request(*BOOKED, GIVEN, asked, resolved(asked, "zammad"))
    assert (moved.op, moved.expected) == ("update", work(15))
    assert moved.want == work(15, place=ELSEWHERE)
    assert moved.inputs is not None
    assert moved.inputs.attribution == asked.attribution


def test_what_was_taken_over_stays_when_the_entry_is_read_again() -> None:
    asked = question(*BOOKED, GIVEN)
    history = (*BOOKED, GIVEN, asked, resolved(asked, "zammad"), recorded(30, no=3, ticket=OTHERS))
    assert request(*history).want == work(30, place=ELSEWHERE)


def test_who_leaves_it_is_not_asked_again_and_the_hour_stays() -> None:
    asked = question(*BOOKED, GIVEN)
    left = (*BOOKED, GIVEN, asked, resolved(asked, "kimai"))
    (rest,) = said(*left)
    assert isinstance(rest, Settled)
    assert said(*left, rest, ticket_observed(no=3, ticket=OTHERS)) == []
    assert request(*left, rest, recorded(30, no=4, ticket=OTHERS)).want == work(30)


def test_a_third_customer_is_asked_about_anew() -> None:
    asked = question(*BOOKED, GIVEN)
    third = ticket_observed(no=3, ticket=OTHERS.model_copy(update={"organization_id": 4}))
    again = question(*BOOKED, GIVEN, asked, resolved(asked, "kimai"), third)
    assert (again.reason, again.gen) == ("customer_changed", asked.gen + 1)


def test_an_answer_takes_over_what_was_shown_and_nothing_that_came_since() -> None:
    asked = question(*BOOKED, GIVEN)
    third = ticket_observed(no=3, ticket=OTHERS.model_copy(update={"organization_id": 4}))
    again = question(*BOOKED, GIVEN, asked, third, resolved(asked, "zammad"))
    assert again.reason == "customer_changed"
    assert again.want == work(15, place=ELSEWHERE)


def test_a_ticket_given_back_withdraws_the_question() -> None:
    asked = question(*BOOKED, GIVEN)
    (withdrawn,) = said(*BOOKED, GIVEN, asked, ticket_observed(no=3))
    assert isinstance(withdrawn, Settled)


def test_a_colleague_of_the_same_organization_is_no_question() -> None:
    colleague = TICKET.model_copy(update={"customer_id": 27})
    assert said(*BOOKED, ticket_observed(no=2, ticket=colleague)) == []


def test_customers_that_share_a_project_are_no_question() -> None:
    rules = policy(*MAPPINGS, mapping("customer", "organization:3", PLACE.project_id))
    assert said(*BOOKED, GIVEN, rules=rules) == []


def test_a_ticket_that_got_its_customer_late_asks_instead_of_naming_a_missing_mapping() -> None:
    nobodys = TICKET.model_copy(update={"organization_id": None, "customer_id": 99})
    first = (ticket_observed(ticket=nobodys), recorded(15, ticket=nobodys))
    assert question(*first).reason == "unmapped_customer"
    asked = question(*first, ticket_observed(no=2))
    assert (asked.reason, asked.instead) == ("customer_changed", work(15))
    assert request(*first, ticket_observed(no=2), asked, resolved(asked, "zammad")).op == "create"


def test_a_correction_and_a_deletion_need_no_customer() -> None:
    asked = question(*BOOKED, GIVEN)
    assert request(*BOOKED, GIVEN, asked, retracted()).op == "delete"


def test_an_exported_hour_is_asked_about_and_never_moved() -> None:
    exported = (*BOOKED, observed(15, no=3, locked=True), GIVEN)
    asked = question(*exported)
    assert asked.reason == "customer_changed"
    again = question(*exported, asked, resolved(asked, "zammad"))
    assert again.reason == "locked_in_kimai"


# ------------------------------------------------------------------------------ merged
MERGED = ticket_observed(no=2, merged_into=BookId("zammad:desk:345"), merged_number="65002")
NAMED = (*FIRST, request(*FIRST), written(15), settled(gen=2))
"""Booked by a request that named the ticket."""


def test_a_timesheet_of_a_ticket_that_was_merged_is_to_name_the_other_one() -> None:
    asked = request(*NAMED, MERGED)
    assert (asked.op, asked.want, asked.expected) == ("update", work(15), work(15))
    assert asked.text is not None
    assert (asked.text.ticket_number, asked.text.formerly) == ("65002", "65001")
    (rest,) = said(*NAMED, MERGED, asked, written(15, gen=asked.gen, no=5))
    assert isinstance(rest, Settled)
    assert said(*NAMED, MERGED, asked, written(15, gen=asked.gen, no=5), rest) == []


def test_time_edited_on_a_merged_ticket_stays_its_own_and_names_the_other() -> None:
    asked = request(*NAMED, MERGED, recorded(30, no=3))
    assert asked.want == work(30)
    assert asked.posting.startswith(BOOK)
    assert asked.text is not None
    assert asked.text.ticket_number == "65002"


def test_time_booked_after_the_merge_names_the_other_from_the_first() -> None:
    asked = request(MERGED, recorded(15, no=3))
    assert asked.op == "create"
    assert asked.text is not None
    assert (asked.text.ticket_number, asked.text.formerly) == ("65002", "65001")


def test_an_exported_timesheet_of_a_merged_ticket_is_left_alone() -> None:
    assert said(*NAMED, observed(15, no=3, locked=True), MERGED) == []


def test_a_text_that_was_refused_is_not_asked_for_again() -> None:
    asked = request(*NAMED, MERGED)
    refusal = refused("lockdown", gen=asked.gen, no=5, held=work(15))
    (rest,) = said(*NAMED, MERGED, asked, refusal)
    assert isinstance(rest, Settled)


# ------------------------------------------------------------------------------ edited after a switch
LATER = NOON + timedelta(days=9)


def edited(
    units: str, *, no: int = 2, entry: EntryId = ENTRY, activity_type_id: int = 4
) -> EntryRecorded:
    """Made when a unit was a minute, edited when it was an hour."""
    minutes = int(float(units))
    return recorded(minutes, no=no, entry=entry, activity_type_id=activity_type_id).model_copy(
        update={
            "raw_units": units,
            "updated_at": LATER,
            "doubt": UnitDoubt(seconds_per_unit=3600, duration_seconds=int(float(units) * 3600)),
        }
    )


def test_an_edit_after_the_unit_changed_is_a_question_and_moves_nothing() -> None:
    asked = question(*BOOKED, edited("0.5"))
    assert (asked.reason, asked.want, asked.instead) == ("unit_unconfirmed", work(15), work(30))
    assert asked.detail is not None
    assert "by the later one 1800" in asked.detail


def test_who_takes_the_later_unit_books_by_it() -> None:
    asked = question(*BOOKED, edited("0.5"))
    assert request(*BOOKED, edited("0.5"), asked, resolved(asked, "zammad")).want == work(30)


def test_who_leaves_it_keeps_what_was_certain() -> None:
    asked = question(*BOOKED, edited("0.5"))
    (rest,) = said(*BOOKED, edited("0.5"), asked, resolved(asked, "kimai"))
    assert isinstance(rest, Settled)


def test_an_answer_about_an_older_edit_counts_nothing() -> None:
    asked = question(*BOOKED, edited("0.5"))
    again = question(*BOOKED, edited("0.5"), asked, edited("0.75", no=3), resolved(asked, "zammad"))
    assert (again.reason, again.instead) == ("unit_unconfirmed", work(45))


def test_another_type_after_a_switch_leaves_the_unit_certain() -> None:
    retyped = edited("15.0", activity_type_id=5)
    rules = policy(*POLICY.mappings.values(), mapping("activity", "5", 19))
    asked = request(*BOOKED, retyped, rules=rules)
    assert asked.want == work(15, place=PLACE.model_copy(update={"activity_id": 19}))


def test_after_the_later_unit_was_taken_another_type_keeps_it() -> None:
    asked = question(*BOOKED, edited("0.5"))
    history = (*BOOKED, edited("0.5"), asked, resolved(asked, "zammad"))
    (rest,) = said(*history, edited("0.5", no=3))
    assert isinstance(rest, TimesheetRequested)
    assert rest.want == work(30)


def test_an_edit_that_was_never_read_before_its_switch_counts_nothing_until_it_is_answered() -> (
    None
):
    asked = question(ticket_observed(), edited("0.5"))
    assert (asked.want, asked.instead) == (None, work(30))
    assert (
        request(ticket_observed(), edited("0.5"), asked, resolved(asked, "zammad")).op == "create"
    )


def test_a_doubtful_correction_takes_nothing_until_it_is_answered() -> None:
    other = EntryId("zammad:desk:73")
    doubtful = edited("-0.25", no=3, entry=other)
    doubtful = doubtful.model_copy(update={"created_at": NOON + timedelta(hours=1)})
    asked = question(*BOOKED, doubtful)
    assert (asked.reason, asked.want) == ("unit_unconfirmed", None)
    assert asked.posting.endswith("/73")
    assert asked.instead is not None
    assert asked.instead.duration_seconds == -900
    lowered = said(*BOOKED, doubtful, asked, resolved(asked, "zammad"))
    assert [d.op for d in lowered if isinstance(d, TimesheetRequested)] == ["delete"]


def test_a_doubtful_entry_that_is_deleted_needs_no_answer() -> None:
    asked = question(*BOOKED, edited("0.5"))
    history = (*BOOKED, edited("0.5"), asked, retracted(no=3))
    assert request(*history).op == "delete"


# ------------------------------------------------------------------------------ zones
def agents(zone: str, start_on: date | None = None) -> Policy:
    """The rules with the worker in that zone; Kimai is written to from that day on."""
    rules = policy(mapping("worker", "3", PLACE.user_id, zone), *MAPPINGS[1:])
    target = rules.targets["hours"]
    return Policy(
        version=1,
        targets={"hours": Target(target.configured, writing=True, start_on=start_on)},
        mappings=rules.mappings,
    )


@pytest.mark.parametrize(
    ("zone", "made", "minutes", "began", "day"),
    [
        # the night in which clocks go forward: 03:10 is 70 minutes after midnight, not 190
        ("Europe/Berlin", "2026-03-29T01:10Z", 120, "2026-03-28T23:10Z", "2026-03-29"),
        ("Europe/Berlin", "2026-03-29T00:30Z", 120, "2026-03-28T23:00Z", "2026-03-29"),
        # the night in which they go back: the day is 25 hours long
        ("Europe/Berlin", "2026-10-25T01:30Z", 180, "2026-10-24T22:30Z", "2026-10-25"),
        ("Europe/Berlin", "2026-10-25T22:30Z", 1500, "2026-10-24T22:00Z", "2026-10-25"),
        # the last evening of March in New York is April in UTC, and the other way round in Berlin
        ("America/New_York", "2026-04-01T02:30Z", 30, "2026-04-01T02:00Z", "2026-03-31"),
        ("Europe/Berlin", "2026-03-31T22:30Z", 60, "2026-03-31T22:00Z", "2026-04-01"),
        # a zone whose clocks skip midnight: the day begins at one
        ("Africa/Cairo", "2026-04-23T22:30Z", 60, "2026-04-23T22:00Z", "2026-04-24"),
    ],
)
def test_an_hour_is_placed_on_the_workers_day_and_keeps_its_length(
    zone: str, made: str, minutes: int, began: str, day: str
) -> None:
    asked = request(recorded(minutes, made=datetime.fromisoformat(made)), rules=agents(zone))
    assert asked.want is not None
    assert asked.want.began_at == datetime.fromisoformat(began)
    assert asked.want.duration_seconds == minutes * 60
    assert asked.trace is not None
    assert asked.trace.placed_on == date.fromisoformat(day)


def test_the_start_date_is_a_day_of_the_workers() -> None:
    night = datetime(2026, 3, 31, 22, 30, tzinfo=UTC)
    april = date(2026, 4, 1)
    assert said(recorded(15, made=night), rules=agents("Europe/Berlin", april)) != []
    assert said(recorded(15, made=night), rules=agents("America/New_York", april)) == []


def test_an_hour_without_a_customer_is_asked_about_from_the_workers_start_date_on() -> None:
    night = datetime(2026, 3, 31, 22, 30, tzinfo=UTC)
    nobodys = TicketAttributes(number="65001")
    history = recorded(15, made=night, ticket=nobodys)
    april = date(2026, 4, 1)
    assert question(history, rules=agents("Europe/Berlin", april)).reason == "unmapped_customer"
    assert said(history, rules=agents("America/New_York", april)) == []


def test_a_moved_hour_that_kimai_answered_is_at_rest() -> None:
    asked = question(*BOOKED, GIVEN)
    history = (*BOOKED, GIVEN, asked, resolved(asked, "zammad"))
    moved = request(*history)
    (rest,) = said(*history, moved, _stored(moved, ELSEWHERE))
    assert isinstance(rest, Settled)


def _stored(asked: TimesheetRequested, place: Place) -> TimesheetWritten:
    answer = written(15, gen=asked.gen, no=9)
    there = work(15, place=place)
    return answer.model_copy(update={"asked": there, "stored": there})

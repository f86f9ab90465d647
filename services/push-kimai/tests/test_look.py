"""The look before a write, row by row of protocol.md 5."""

from dataclasses import replace
from datetime import timedelta
from zoneinfo import ZoneInfo

from hourbook_contracts.ids import SheetId, sheet_of
from hourbook_contracts.ledger import DescriptionParts, Operation, TimesheetRequested, Work
from hourbook_contracts.testing import NOON, PLACE, POSTING, requested, work
from hourbook_kit.target.protocol import Timesheet
from hourbook_push_kimai.look import (
    Absent,
    Asked,
    Holds,
    Refuse,
    Send,
    Verdict,
    at_adopt,
    at_create,
    at_row,
    day_of,
    days_of,
)

MINE, EARLIER, OTHERS = "a" * 16, "b" * 16, "c" * 16
BERLIN = ZoneInfo("Europe/Berlin")
TEXT = DescriptionParts(template=1, ticket_number="65001")


def row(
    minutes: int = 15,
    *,
    id: int = 41,  # noqa: A002 -- Kimai's word
    text: str = "#65001",
    marker: str | None = None,
    write: int = 1,
    exported: bool = False,
    user_id: int = PLACE.user_id,
    days_later: int = 0,
) -> Timesheet:
    held = work(minutes)
    began_at = held.began_at + timedelta(days=days_later)
    return Timesheet(
        id=id,
        user_id=user_id,
        project_id=PLACE.project_id,
        activity_id=PLACE.activity_id,
        began_at=began_at,
        ended_at=began_at + timedelta(minutes=minutes),
        duration_seconds=minutes * 60,
        break_seconds=0,
        description=text if marker is None else f"{text} [hb-{marker}.{write}]",
        exported=exported,
        billable=True,
    )


def asked(
    request: TimesheetRequested,
    *,
    first: bool = True,
    closed: bool = False,
    earlier: frozenset[str] = frozenset(),
) -> Asked:
    return Asked(
        request=request.model_copy(update={"text": TEXT}),
        target="hours",
        zone=BERLIN,
        code=MINE,
        first=first,
        closed=closed,
        earlier_codes=earlier,
    )


def create(*rows: Timesheet, tied: dict[SheetId, str] | None = None, **more: object) -> Verdict:
    return at_create(replace(asked(requested()), **more), rows, tied or {})  # type: ignore[arg-type]  # a test's shorthand


def change(
    shown: Timesheet | None,
    *,
    op: Operation = "update",
    to: int | None = 30,
    expected: Work | None = None,
    tied_to: str | None = POSTING,
    gen: int = 2,
    first: bool = True,
    closed: bool = False,
) -> Verdict:
    request = requested(
        to, gen=gen, op=op, expected=expected or work(15), sheet=sheet_of("hours", 41)
    )
    return at_row(asked(request, first=first, closed=closed), shown, tied_to)


# --------------------------------------------------------------------------------------------- create
def test_an_empty_day_is_written_to() -> None:
    assert create() == Send(None)


def test_our_marker_is_our_row_and_sure_when_it_holds_exactly_what_we_want() -> None:
    assert create(row(marker=MINE)) == Holds(row(marker=MINE), sure=True)


def test_our_marker_with_other_values_is_ours_but_not_agreed() -> None:
    assert create(row(25, marker=MINE)) == Holds(row(25, marker=MINE), sure=False)


def test_of_two_rows_with_our_marker_the_oldest_is_ours() -> None:
    found = create(row(id=43, marker=MINE), row(id=42, marker=MINE))
    assert found == Holds(row(id=42, marker=MINE), sure=True)


def test_our_row_is_found_wherever_a_person_moved_it() -> None:
    moved = row(marker=MINE, user_id=77, days_later=3)
    assert create(moved) == Holds(moved, sure=False)


def test_an_older_unmarked_twin_beside_our_marker_is_a_question() -> None:
    older, ours = row(id=40), row(id=41, marker=MINE)
    assert create(ours, older) == Refuse("possible_duplicate", candidates=(older, ours))


def test_a_younger_twin_does_not_take_our_row_from_us() -> None:
    assert create(row(id=41, marker=MINE), row(id=44)) == Holds(row(id=41, marker=MINE), sure=True)


def test_a_row_of_that_worker_and_day_that_names_the_ticket_is_a_question() -> None:
    assert create(row()) == Refuse("possible_duplicate", candidates=(row(),))


def test_a_row_with_the_marker_of_an_earlier_create_is_a_question() -> None:
    left = row(marker=EARLIER, days_later=5)
    assert create(left, earlier_codes={EARLIER}) == Refuse("possible_duplicate", candidates=(left,))


def test_rows_that_are_nobodys_twin() -> None:
    longer_number = row(text="see #165001")
    without_number = row(text="lunch")
    on_another_day = row(days_later=1)
    of_another_user = row(user_id=77)
    of_another_request = row(marker=OTHERS)
    for other in (longer_number, without_number, on_another_day, of_another_user):
        assert create(other) == Send(None)
    assert create(of_another_request) == Send(None)


def test_a_tied_row_is_no_twin() -> None:
    assert create(row(), tied={sheet_of("hours", 41): "another"}) == Send(None)
    assert create(row(), tied={sheet_of("hours", 41): POSTING}) == Send(None)


def test_a_row_that_a_person_said_is_another_is_no_twin() -> None:
    request = requested().model_copy(update={"not_these": (sheet_of("hours", 41),)})
    assert at_create(asked(request), [row()], {}) == Send(None)


def test_the_day_is_the_workers() -> None:
    late = requested().model_copy(
        update={"want": Work(place=PLACE, began_at=NOON.replace(hour=23), duration_seconds=900)}
    )
    next_morning_in_berlin = replace(row(), began_at=NOON.replace(day=31, hour=6))
    assert isinstance(at_create(asked(late), [next_morning_in_berlin], {}), Refuse)


def test_nothing_is_created_in_a_closed_day() -> None:
    assert create(closed=True) == Refuse("closed")


def test_a_found_row_is_ours_in_a_closed_day_too() -> None:
    assert isinstance(create(row(marker=MINE), closed=True), Holds)


# ---------------------------------------------------------------------------------------------- adopt
def adopt(shown: Timesheet | None, tied_to: str | None = None) -> Verdict:
    request = requested(op="adopt", expected=work(20), sheet=sheet_of("hours", 41), gen=3)
    return at_adopt(asked(request), shown, tied_to)


def test_a_row_as_the_person_saw_it_is_adopted_without_a_write() -> None:
    assert adopt(row(20)) == Holds(row(20), sure=True)


def test_a_row_that_is_gone_cannot_be_adopted() -> None:
    assert adopt(None) == Refuse("gone")


def test_a_row_that_changed_since_is_asked_about_again() -> None:
    assert adopt(row(25)) == Refuse("possible_duplicate", candidates=(row(25),))


def test_a_row_that_answers_another_posting_is_not_adopted() -> None:
    assert adopt(row(20), tied_to="another") == Refuse("possible_duplicate", candidates=(row(20),))


# ---------------------------------------------------------------------------------- update and delete
def test_a_row_as_expected_is_written_to() -> None:
    assert change(row()) == Send(row())
    assert change(row(), op="delete", to=None) == Send(row())


def test_a_row_that_is_gone() -> None:
    assert change(None) == Refuse("gone")
    assert change(None, op="delete", to=None) == Absent()


def test_what_kimai_holds_already_is_not_sent() -> None:
    assert change(row(30)) == Holds(row(30), sure=True)


def test_our_uncertain_update_under_a_persons_edit_is_not_agreed() -> None:
    edited = row(45, marker=MINE, write=2)
    assert change(edited, first=False) == Holds(edited, sure=False)
    assert change(edited, first=True) == Refuse("changed", edited)


def test_the_tag_of_an_older_write_says_that_ours_did_not_arrive() -> None:
    assert change(row(marker=MINE, write=1), first=False) == Send(row(marker=MINE, write=1))


def test_a_stripped_marker_after_an_uncertain_update_is_unclear() -> None:
    assert change(row(), first=False) == Refuse("unclear", row())
    assert change(row(), first=False, op="delete", to=None) == Send(row())


def test_a_persons_edit_is_an_answer_not_an_obstacle() -> None:
    assert change(row(25)) == Refuse("changed", row(25))
    assert change(row(25, exported=True)) == Refuse("changed", row(25, exported=True))


def test_an_exported_row_is_locked() -> None:
    assert change(row(exported=True)) == Refuse("locked", row(exported=True))


def test_a_closed_day_is_refused_with_what_kimai_holds() -> None:
    assert change(row(), closed=True) == Refuse("closed", row())


def test_a_row_that_is_not_tied_to_us_is_never_touched() -> None:
    for tied_to in (None, "another"):
        found = change(row(), tied_to=tied_to)
        assert isinstance(found, Refuse)
        assert found.why == "invalid"


def test_the_days_of_a_move_are_both_days() -> None:
    moved = requested(op="update", expected=work(15, made=NOON + timedelta(days=1)))
    assert len(set(days_of(moved, {PLACE.user_id: BERLIN}))) == 2
    assert day_of(work(15), BERLIN) == NOON.date()


def merged(shown: Timesheet, *, to: int = 15) -> Verdict:
    """An update whose ticket was merged: 65002 has its articles by now."""
    asking = asked(requested(to, op="update", gen=2, expected=work(15), sheet=shown.sheet("hours")))
    text = DescriptionParts(template=1, ticket_number="65002", formerly="65001")
    request = asking.request.model_copy(update={"text": text})
    return at_row(replace(asking, request=request), shown, POSTING)


def test_a_row_that_names_a_merged_ticket_is_written_though_its_work_is_right() -> None:
    assert isinstance(merged(row(text="#65001 Printer", marker=MINE)), Send)
    assert isinstance(merged(row(text="#65002 Printer", marker=MINE)), Holds)
    assert isinstance(merged(row(text="A person's words", marker=MINE)), Holds)


def test_an_exported_row_keeps_the_number_it_has() -> None:
    verdict = merged(row(text="#65001 Printer", marker=MINE, exported=True))
    assert isinstance(verdict, Refuse)
    assert verdict.why == "locked"


def test_a_row_that_names_the_merged_ticket_may_be_a_twin() -> None:
    text = DescriptionParts(template=1, ticket_number="65002", formerly="65001")
    asking = asked(requested())
    request = asking.request.model_copy(update={"text": text})
    verdict = at_create(replace(asking, request=request), [row(text="#65001 by hand")], {})
    assert isinstance(verdict, Refuse)
    assert verdict.why == "possible_duplicate"

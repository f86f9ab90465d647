"""Whose a row is, and what of it is remembered."""

from dataclasses import replace

from hourbook_contracts.ids import BookId, SheetId, sheet_of
from hourbook_contracts.testing import BOOK, NOON
from hourbook_kit.sealing import new_key, seal
from hourbook_kit.target.protocol import Timesheet
from hourbook_push_kimai.observe import Belongs, Create, belongs, missing, reading_of

CODE = "a" * 16
SHEET = sheet_of("hours", 41)
PLAIN = Timesheet(
    id=41,
    user_id=5,
    project_id=7,
    activity_id=9,
    began_at=NOON,
    ended_at=NOON,
    duration_seconds=0,
    break_seconds=0,
    description="lunch with somebody",
    exported=False,
    billable=True,
)
MARKED = replace(PLAIN, description=f"#65001 Printer [hb-{CODE}.3]")
DONE = {CODE: Create(BOOK, done=True)}


def test_a_tied_row_is_its_books_whatever_stands_in_it() -> None:
    assert belongs(PLAIN, "hours", {SHEET: BOOK}, {}) == Belongs(BOOK)


def test_a_row_with_a_known_marker_is_a_copy_in_that_book() -> None:
    assert belongs(MARKED, "hours", {}, DONE) == Belongs(BOOK)


def test_a_row_whose_request_is_not_answered_yet_must_wait() -> None:
    waiting = {CODE: Create(BOOK, done=False)}
    assert belongs(MARKED, "hours", {}, waiting) == Belongs(None, held_back=True)


def test_a_marker_of_no_known_request_makes_an_orphan() -> None:
    assert belongs(MARKED, "hours", {}, {}) == Belongs(BookId("kimai:hours:41"))


def test_every_other_row_is_another_persons() -> None:
    assert belongs(PLAIN, "hours", {}, DONE) == Belongs(None)


def test_the_cache_holds_no_text_and_still_sees_it_change() -> None:
    key = new_key()

    def cached(text: str) -> dict[str, object]:
        sealed = seal(text, key=key, subject=BOOK, field="description")
        return reading_of(replace(MARKED, description=text), "hours", sealed).value

    assert "lunch" not in str(cached("lunch"))
    assert cached("lunch") == cached("lunch")
    assert cached("lunch") != cached("dinner")


def test_what_is_missing_is_what_we_know_and_do_not_see() -> None:
    seen, gone = SheetId("kimai:hours:1"), SheetId("kimai:hours:2")
    assert missing([seen, gone], [seen, SheetId("kimai:hours:3")]) == [gone]

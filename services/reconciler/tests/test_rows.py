"""What people see of a book."""

from datetime import date, timedelta
from functools import reduce

from hypothesis import given

from hourbook_contracts.ids import EntryId, SubjectId, posting_of, remainder_of
from hourbook_contracts.ledger import Candidate, LedgerMessage, TicketAttributes
from hourbook_contracts.testing import (
    BOOK,
    ENTRY,
    NOON,
    POSTING,
    SHEET,
    conflict,
    histories,
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
from hourbook_reconciler.netting import net
from hourbook_reconciler.rows import ConflictRow, EntryRow, entry_row, ticket_row
from hourbook_reconciler.shelf import Shelf
from hourbook_reconciler.testing import Ledger

CORRECTION = EntryId("zammad:desk:73")


def shelved(*history: LedgerMessage) -> Shelf:
    shelf = Shelf()
    for record in Ledger().tell(*history):
        shelf.put(record)
    return shelf


def entry(*history: LedgerMessage, of: EntryId = ENTRY) -> EntryRow:
    return next(row for row in shelved(*history).entry_rows() if row.entry == of)


def question(*history: LedgerMessage, of: SubjectId = POSTING) -> ConflictRow:
    return shelved(*history).conflicts[of]


BOOKED = (recorded(15), requested(15), written(15))


def test_an_hour_that_nobody_has_spoken_of_is_held_back() -> None:
    row = entry(recorded(15))
    assert (row.state, row.net_seconds, row.want, row.gen) == ("held_back", 900, None, 0)
    assert (row.day, row.ticket_number) == (date(2026, 3, 30), "65001")


def test_a_request_without_an_answer_is_under_way() -> None:
    row = entry(recorded(15), requested(15))
    assert (row.state, row.target, row.user_id) == ("requested", "hours", 5)
    assert row.want == work(15).model_dump_json()
    assert row.held is None


def test_what_both_sides_hold_is_settled() -> None:
    row = entry(*BOOKED)
    assert (row.state, row.sheet, row.agreed_by) == ("settled", SHEET, "kimai")
    assert row.held == row.agreed_held == work(15).model_dump_json()


def test_what_kimai_rounded_is_settled_too() -> None:
    assert entry(recorded(10), requested(10), written(10, stored=15)).state == "settled"


def test_a_question_shows_its_reason_until_it_is_answered() -> None:
    asked = conflict("changed_in_kimai", gen=2, want=work(15), held=work(20))
    history = (*BOOKED, observed(20, no=2), asked)
    assert (entry(*history).state, entry(*history).reason) == ("asks", "changed_in_kimai")
    answered = entry(*history, resolved(asked, "kimai"))
    assert (answered.state, answered.reason, answered.agreed_by) == ("settled", None, "person")


def test_an_edit_nobody_has_spoken_of_yet_is_held_back_again() -> None:
    assert entry(*BOOKED, recorded(30, no=2)).state == "held_back"


def test_a_retracted_entry_is_gone_only_when_kimai_has_let_go_too() -> None:
    gone = (*BOOKED, retracted())
    assert entry(*gone).state == "held_back"
    delete = requested(None, gen=2, op="delete", expected=work(15), sheet=SHEET)
    assert entry(*gone, delete).state == "requested"
    assert entry(*gone, delete, written(None, gen=2, no=2)).state == "retracted"
    assert entry(recorded(15), retracted()).state == "retracted"


def test_a_correction_is_shown_with_what_it_could_take_from_nobody() -> None:
    correction = recorded(-20, entry=CORRECTION, made=NOON + timedelta(hours=1))
    taken = entry(recorded(15), correction)
    assert taken.net_seconds == 0
    row = entry(recorded(15), correction, of=CORRECTION)
    assert (row.net_seconds, row.state) == (-300, "held_back")
    assert row.posting == posting_of(BOOK, CORRECTION)
    remainder = remainder_of(posting_of(BOOK, CORRECTION))
    asked = conflict("negative_balance").model_copy(update={"posting": remainder})
    row = entry(recorded(15), correction, asked, of=CORRECTION)
    assert (row.state, row.posting) == ("asks", remainder)
    assert question(recorded(15), correction, asked, of=remainder).entry == CORRECTION


def test_a_question_opens_and_is_answered_by_a_person() -> None:
    asked = conflict("overlap", want=work(15), candidates=(Candidate(sheet=SHEET, work=work(30)),))
    row = question(recorded(15), asked)
    assert (row.open, row.reason, row.entry, row.opened_at) == (True, "overlap", ENTRY, NOON)
    row = question(recorded(15), asked, resolved(asked, "kimai"))
    assert (row.open, row.resolution, row.resolved_by) == (False, "kimai", "test")
    assert row.resolved_at == NOON


def test_a_question_whose_ground_is_gone_is_withdrawn_by_nobody() -> None:
    row = question(recorded(15), conflict("overlap"), settled(gen=2))
    assert (row.open, row.resolution, row.resolved_by) == (False, "withdrawn", None)


def test_an_answered_question_stays_answered_when_the_request_follows() -> None:
    asked = conflict("overlap", want=work(15))
    row = question(recorded(15), asked, resolved(asked, "zammad"), requested(15, gen=2))
    assert (row.open, row.resolution) == (False, "zammad")


def test_a_question_about_a_copy_has_no_entry() -> None:
    copy = SubjectId(f"{BOOK}/{SHEET}")
    asked = conflict("duplicate_in_kimai").model_copy(update={"posting": copy})
    assert question(asked, of=copy).entry is None


def test_a_ticket_is_known_from_its_entries_before_it_is_read_itself() -> None:
    row = ticket_row(reduce(evolve, [recorded()], Book(BOOK)))
    assert row is not None
    assert (row.number, row.organization_id, row.title) == ("65001", 2, None)
    assert ticket_row(Book(BOOK)) is None


def test_a_ticket_with_a_new_number_renames_all_its_entries() -> None:
    renamed = ticket_observed(no=2).model_copy(update={"ticket": TicketAttributes(number="7")})
    assert entry(recorded(), ticket_observed(), renamed).ticket_number == "7"


@given(histories)
def test_rows_written_when_touched_are_rows_written_at_the_end(
    history: list[LedgerMessage],
) -> None:
    """So live and rebuilt show the same, whatever the batches were."""
    kept: dict[EntryId, EntryRow] = {}
    questions: dict[SubjectId, ConflictRow] = {}
    book = Book(BOOK)
    for record in Ledger().tell(*history):
        shelf = Shelf({BOOK: book})
        shelf.put(record)
        kept |= {EntryId(row.entry): row for row in shelf.entry_rows()}
        questions |= shelf.conflicts
        book = shelf.book(BOOK)
    at_once = shelved(*history)
    assert {row.entry: row for row in at_once.entry_rows()} == kept
    assert at_once.conflicts == questions
    for id_, row in kept.items():
        again = entry_row(book, id_, net(book), changed_at=row.changed_at, partition=0)
        assert again == row


@given(histories)
def test_whatever_is_decided_next_an_entry_is_in_one_known_state(
    history: list[LedgerMessage],
) -> None:
    told = [*history, refused("changed", gen=9)]
    said = decisions(reduce(evolve, told, Book(BOOK)), policy(), NOON)
    states = {row.state for row in shelved(*told, *said).entry_rows()}
    assert states <= {"held_back", "requested", "asks", "settled", "retracted"}

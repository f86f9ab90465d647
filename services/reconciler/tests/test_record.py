"""What cannot be read is told apart from what a later version will read."""

import pytest

from hourbook_contracts.codec import encode
from hourbook_contracts.control import SyncRequested
from hourbook_contracts.ids import EntryId
from hourbook_contracts.testing import BOOK, NOON, conflict, recorded, requested, resolved
from hourbook_reconciler.record import NEWER, POISON, Record, Unreadable, read
from hourbook_reconciler.shelf import Shelf, taken_out


def as_record(message: object, **changes: object) -> Record:
    key, value, headers = encode(message)  # type: ignore[arg-type]  # also what does not belong here
    return Record(0, 0, key, value, tuple(headers))._replace(**changes)  # type: ignore[arg-type]


def test_a_message_is_read_as_it_was_said() -> None:
    assert read(as_record(recorded())) == recorded()


def test_a_type_of_a_later_version_is_parked_and_says_so() -> None:
    found = read(as_record(recorded(), headers=(("ce_type", b"hourbook.entry_recorded.v9"),)))
    assert isinstance(found, Unreadable)
    assert (found.kind, found.halts) == ("parked", NEWER)


@pytest.mark.parametrize(
    ("record", "sentence"),
    [
        (as_record(recorded(), value=b"{}"), "does not hold"),
        (as_record(recorded(), value=None), "without a value"),
        (as_record(recorded(), headers=()), "no ce_type"),
        (as_record(recorded(), headers=(("ce_type", None),)), "no ce_type"),  # Kafka has null, too
        (as_record(recorded(), key=b"zammad:desk:345"), "another book"),
        (as_record(recorded(), key=None), "another book"),
        (as_record(recorded(), key=b"\xff"), "another book"),
        (as_record(SyncRequested(observed_at=NOON, by="p", connection="desk")), "not belong"),
        (as_record(recorded(entry=EntryId("zammad:desk:x"))), "an id that is none"),
        (as_record(recorded(10**9)), "a duration beyond"),
        (as_record(recorded(agent_id=10**20)), "a number beyond"),
        (as_record(requested(gen=2**40)), "a number beyond"),
        (as_record(resolved(conflict("possible_duplicate"), "adopt")), "adopts nothing"),
    ],
)
def test_what_nobody_can_read_is_poison(record: Record, sentence: str) -> None:
    found = read(record)
    assert isinstance(found, Unreadable)
    assert (found.kind, found.halts) == ("poison", POISON)
    assert sentence in found.error


def test_poison_is_kept_as_it_was_also_headers_that_hold_nothing() -> None:
    shelf = Shelf()
    record = as_record(recorded(), headers=(("ce_type", None), ("x", b""), ("traceparent", None)))
    shelf.put(record)
    assert [taken_out(row._asdict()) for row in shelf.quarantine] == [record]


@pytest.mark.parametrize("text", ['"\\u0000"', '"\\ud800"', "NaN"])
def test_what_postgresql_cannot_hold_is_poison_though_it_is_valid(text: str) -> None:
    value = encode(recorded()).value.replace(b"{", f'{{"later": {text}, '.encode(), 1)
    assert isinstance(read(as_record(recorded(), value=value)), Unreadable)


def test_a_field_of_a_later_version_is_no_hindrance() -> None:
    value = encode(recorded()).value.replace(b"{", b'{"later": "caf\\u00e9 NaN", ', 1)
    assert read(as_record(recorded(), value=value)) == recorded()


def test_a_record_queues_in_the_book_of_its_key() -> None:
    assert as_record(recorded(), value=b"?").book == BOOK

"""What a reading adds to what is known."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from hourbook_contracts.ids import BookId, EntryId, book_of, entry_of
from hourbook_contracts.ledger import (
    EntryRecorded,
    EntryRetracted,
    LedgerMessage,
    TicketAttributes,
    TicketObserved,
)
from hourbook_contracts.sealed import Sealed
from hourbook_kit.source.diff import KnownEntry, Reading, Remembered, findings, missing
from hourbook_kit.source.protocol import EntryReading, TicketReading

BOOK: BookId = book_of("support", 1)
NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


def entry(number: int) -> EntryId:
    return entry_of("support", number)


def minutes(amount: int, edited: int = 0) -> EntryReading:
    return EntryReading(
        agent_id=3,
        raw_units=str(amount),
        seconds_per_unit=60,
        duration_seconds=amount * 60,
        activity_type_id=None,
        article_id=None,
        created_at=NOW,
        updated_at=NOW + timedelta(seconds=edited),
    )


def titled(digest: str, nonce: str = "n") -> TicketReading:
    title = Sealed(key_id=BOOK, nonce=nonce, ciphertext="c", digest=digest)
    return TicketReading(attributes=TicketAttributes(number="66001"), title=title)


def showing(no: int, *amounts: int, gone: frozenset[EntryId] = frozenset()) -> Reading:
    """Entries 1, 2, … with these minutes; 0 is no entry."""
    entries = {entry(n): minutes(amount) for n, amount in enumerate(amounts, 1) if amount}
    return Reading(BOOK, "support", no, titled("a"), entries, gone)


def after(known: Remembered, reading: Reading) -> Remembered:
    """As the store does it."""
    seen = findings(known, reading, NOW).remembered
    return Remembered({**known.entries, **seen.entries}, seen.ticket or known.ticket)


def facts(known: Remembered, reading: Reading) -> list[type[LedgerMessage]]:
    return [type(fact) for fact in findings(known, reading, NOW).facts]


NOTHING = Remembered()


def test_a_first_reading_tells_the_ticket_and_its_entries() -> None:
    assert facts(NOTHING, showing(1, 15, 30)) == [TicketObserved, EntryRecorded, EntryRecorded]


def test_a_ticket_without_time_is_nobodys_business() -> None:
    assert facts(NOTHING, showing(1)) == []


def test_the_same_again_tells_nothing() -> None:
    assert facts(after(NOTHING, showing(1, 15)), showing(2, 15)) == []


def test_another_nonce_is_no_news_and_another_title_is() -> None:
    known = after(NOTHING, showing(1, 15))
    assert facts(known, replace(showing(2, 15), ticket=titled("a", nonce="m"))) == []
    assert facts(known, replace(showing(2, 15), ticket=titled("b"))) == [TicketObserved]


def test_an_erased_title_is_news_once() -> None:
    known = after(NOTHING, showing(1, 15))
    erased = TicketReading(attributes=TicketAttributes(number="66001"), title=None)
    reading = replace(showing(2, 15), ticket=erased)
    assert facts(known, reading) == [TicketObserved]
    assert facts(after(known, reading), replace(reading, no=3)) == []


def test_an_older_reading_tells_nothing() -> None:
    known = after(NOTHING, showing(5, 30))
    assert facts(known, showing(4, 15)) == []


def test_a_reading_that_changed_nothing_still_outdates_older_ones() -> None:
    known = after(after(NOTHING, showing(5, 15)), showing(8, 15))
    assert facts(known, showing(6, 30)) == []


def test_what_is_missing_has_to_be_asked_for_before_it_is_retracted() -> None:
    known = after(NOTHING, showing(1, 15, 30))
    reading = showing(2, 15)
    assert missing(known, reading) == {entry(2)}
    assert facts(known, reading) == []
    confirmed = replace(reading, gone=frozenset({entry(2)}))
    assert missing(known, confirmed) == frozenset()
    assert facts(known, confirmed) == [EntryRetracted]
    assert facts(after(known, confirmed), replace(confirmed, no=3)) == []


def test_an_entry_known_from_the_ledger_alone_is_missed_too() -> None:
    known = Remembered({entry(1): KnownEntry(0)})
    assert missing(known, showing(1)) == {entry(1)}
    gone = replace(showing(1), gone=frozenset({entry(1)}))
    assert facts(known, gone) == [TicketObserved, EntryRetracted]


def test_a_retracted_entry_that_is_shown_again_is_recorded_again() -> None:
    known = Remembered({entry(1): KnownEntry(3, gone=True)})
    assert EntryRecorded in facts(known, showing(4, 15))


def test_of_what_nobody_knew_nobody_is_told_that_it_is_gone() -> None:
    assert facts(NOTHING, showing(1, 15, gone=frozenset({entry(2)}))) == [
        TicketObserved,
        EntryRecorded,
    ]


shown = st.lists(st.integers(0, 3), min_size=3, max_size=3)
readings = st.lists(st.tuples(st.integers(1, 20), shown), min_size=1, max_size=12)


@given(readings)
def test_whatever_came_before_one_more_reading_makes_the_ledger_right(
    steps: list[tuple[int, list[int]]],
) -> None:
    """Nothing lost, numbers only go up, and a repeated reading is silent."""
    last = steps[-1][1]
    steps = [*{no: (no, amounts) for no, amounts in steps}.values(), (21, last)]
    known, told = NOTHING, dict[EntryId, tuple[int, int]]()
    for no, amounts in steps:
        reading = showing(no, *amounts)
        reading = replace(reading, gone=missing(known, reading))
        for fact in findings(known, reading, NOW).facts:
            if isinstance(fact, EntryRecorded | EntryRetracted):
                assert fact.no == no > told.get(fact.entry, (0, 0))[0]
                held = fact.duration_seconds if isinstance(fact, EntryRecorded) else 0
                told[fact.entry] = (no, held)
        known = after(known, reading)
        assert findings(known, reading, NOW).facts == ()
    assert {n: told.get(entry(n), (0, 0))[1] for n in (1, 2, 3)} == {
        n: amount * 60 for n, amount in enumerate(last, 1)
    }

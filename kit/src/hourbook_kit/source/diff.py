"""What a reading says that was not known: facts for the ledger, and what to remember. Pure.

Of each record the highest number holds: a reading that began before the one we remember says nothing
(protocol.md 5, Readers). Nothing is compared by time, and nothing is forgotten.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from hourbook_contracts.ids import BookId, EntryId
from hourbook_contracts.ledger import EntryRecorded, EntryRetracted, LedgerMessage, TicketObserved
from hourbook_kit.source.protocol import EntryReading, TicketReading


@dataclass(frozen=True, slots=True)
class KnownEntry:
    """As remembered; without a value and not gone, it is only known to exist (from the ledger)."""

    no: int
    value: EntryReading | None = None
    gone: bool = False
    book: BookId | None = field(default=None, compare=False)
    """Where it is known, as far as that was asked."""


@dataclass(frozen=True, slots=True)
class KnownTicket:
    no: int
    value: TicketReading


@dataclass(frozen=True, slots=True)
class Remembered:
    """The last readings of one book."""

    entries: Mapping[EntryId, KnownEntry] = field(default_factory=dict)
    ticket: KnownTicket | None = None


@dataclass(frozen=True, slots=True)
class Reading:
    """One look at a ticket: all its entries, and those of which the source says that they are gone."""

    book: BookId
    connection: str
    no: int
    """Taken before the look began."""
    ticket: TicketReading | None
    """None: the ticket itself is gone."""
    entries: Mapping[EntryId, EntryReading]
    gone: frozenset[EntryId] = frozenset()
    kept: frozenset[EntryId] = frozenset()
    """Not among the ticket's, yet the source still shows them: neither read nor gone."""


@dataclass(frozen=True, slots=True)
class Findings:
    facts: tuple[LedgerMessage, ...]
    remembered: Remembered
    """What this reading has seen and is newer than what was known; the rest stays as it was."""


def missing(known: Remembered, reading: Reading) -> frozenset[EntryId]:
    """Entries that should be there, and of which nobody has asked yet whether they are gone."""
    alive = {entry for entry, record in known.entries.items() if not record.gone}
    return frozenset(alive - reading.entries.keys() - reading.gone - reading.kept)


def findings(known: Remembered, reading: Reading, observed_at: datetime) -> Findings:
    """The ticket first, then its entries in the order of their ids."""
    ticket = _newer_ticket(known, reading)
    seen = {entry: KnownEntry(reading.no, value) for entry, value in reading.entries.items()}
    seen |= {entry: KnownEntry(reading.no, gone=True) for entry in reading.gone}
    newer = {entry: record for entry, record in seen.items() if _is_newer(known, entry, record)}
    facts: list[LedgerMessage] = []
    if ticket is not None and not (known.ticket and known.ticket.value.same_as(ticket.value)):
        facts.append(_observed(reading, ticket.value, observed_at))
    for entry in sorted(newer, key=lambda entry: (len(entry), entry)):
        record, before = newer[entry], known.entries.get(entry)
        if before is None or (record.value, record.gone) != (before.value, before.gone):
            facts.append(_fact(reading, entry, record, observed_at))
    return Findings(tuple(facts), Remembered(newer, ticket))


def _is_newer(known: Remembered, entry: EntryId, record: KnownEntry) -> bool:
    before = known.entries.get(entry)
    if before is None:
        return not record.gone  # of what nobody knew, nobody is told that it is gone
    return record.no > before.no


def _newer_ticket(known: Remembered, reading: Reading) -> KnownTicket | None:
    """A ticket on which no time was ever booked is nobody's business."""
    if reading.ticket is None or not (reading.entries or known.entries):
        return None
    if known.ticket is not None and reading.no <= known.ticket.no:
        return None
    return KnownTicket(reading.no, reading.ticket)


def _observed(reading: Reading, ticket: TicketReading, observed_at: datetime) -> TicketObserved:
    merged = ticket.merged_into
    return TicketObserved(
        book=reading.book,
        connection=reading.connection,
        observed_at=observed_at,
        no=reading.no,
        ticket=ticket.attributes,
        title=ticket.title,
        merged_into=merged.book if merged else None,
        merged_number=merged.number if merged else None,
        merged_title=merged.title if merged else None,
    )


def _fact(
    reading: Reading, entry: EntryId, record: KnownEntry, observed_at: datetime
) -> EntryRecorded | EntryRetracted:
    if record.value is None or reading.ticket is None:
        return EntryRetracted(
            book=reading.book,
            connection=reading.connection,
            observed_at=observed_at,
            entry=entry,
            no=reading.no,
        )
    value = record.value
    return EntryRecorded(
        book=reading.book,
        connection=reading.connection,
        observed_at=observed_at,
        entry=entry,
        no=reading.no,
        agent_id=value.agent_id,
        raw_units=value.raw_units,
        seconds_per_unit=value.seconds_per_unit,
        duration_seconds=value.duration_seconds,
        activity_type_id=value.activity_type_id,
        article_id=value.article_id,
        created_at=value.created_at,
        updated_at=value.updated_at,
        ticket=reading.ticket.attributes,
        doubt=value.doubt,
    )

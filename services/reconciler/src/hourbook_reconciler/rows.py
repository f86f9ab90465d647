"""The read model's rows, as functions of a book and of the message that changed it.

Pure, and without policy: what is wanted and why is what the last verdict on the ledger says, so a
rebuild from the ledger alone gives the same rows. Values of Work and the like are JSON text.
"""

from collections.abc import Sequence
from datetime import date, datetime
from typing import NamedTuple, TypeVar

from pydantic import BaseModel

from hourbook_contracts.ids import REMAINDER, EntryId, SubjectId, connection_of, posting_of
from hourbook_contracts.ledger import (
    ConflictOpened,
    ConflictResolved,
    LedgerMessage,
    Settled,
    TicketAttributes,
    TimesheetRequested,
    Work,
)
from hourbook_reconciler.book import Agreement, Book, Entry, Posting, Sheet, has_moved
from hourbook_reconciler.netting import Netting, net
from hourbook_reconciler.plan import entry_of_subject

K = TypeVar("K")
V = TypeVar("V")

WITHDRAWN = "withdrawn"
"""How a question ends whose ground is gone."""


class EntryRow(NamedTuple):
    entry: str
    book: str
    posting: str
    connection: str
    ticket_number: str
    agent_id: int
    activity_type_id: int | None
    raw_units: str
    seconds_per_unit: int
    duration_seconds: int
    created_at: datetime
    updated_at: datetime
    retracted: bool
    net_seconds: int
    state: str
    reason: str | None
    gen: int
    want: str | None
    held: str | None
    agreed_want: str | None
    agreed_held: str | None
    agreed_by: str | None
    sheet: str | None
    target: str | None
    user_id: int | None
    day: date
    changed_at: datetime
    partition: int


class ConflictRow(NamedTuple):
    subject: str
    book: str
    entry: str | None
    gen: int
    reason: str
    want: str | None
    held: str | None
    candidates: str
    trace: str | None
    opened_at: datetime
    open: bool
    resolution: str | None = None
    resolved_by: str | None = None
    resolved_at: datetime | None = None
    detail: str | None = None


class TicketRow(NamedTuple):
    book: str
    number: str
    title: str | None
    organization_id: int | None
    customer_id: int | None
    group_id: int | None
    tags: list[str]
    merged_into: str | None


def ticket_row(book: Book) -> TicketRow | None:
    """None for a book that no ticket of Zammad stands behind: an orphan's."""
    attributes = _attributes(book)
    if attributes is None:
        return None
    return TicketRow(
        book=book.id,
        number=attributes.number,
        title=_json(book.ticket.title) if book.ticket else None,
        organization_id=attributes.organization_id,
        customer_id=attributes.customer_id,
        group_id=attributes.group_id,
        tags=list(attributes.tags),
        merged_into=book.ticket.merged_into if book.ticket else None,
    )


def conflict_row(
    book: Book, subject: SubjectId, before: Posting, message: LedgerMessage
) -> ConflictRow | None:
    """The question as this message leaves it: opened, answered or withdrawn; None if it did none of these.

    `book` is as after the message, `before` the subject's register as before it.
    """
    after = book.posting(subject)
    if after.verdict is not before.verdict and isinstance(after.verdict, ConflictOpened):
        return _opened(subject, after.verdict)
    if isinstance(message, ConflictResolved) and after.resolved != before.resolved:
        asked = after.verdict
        return _closed(subject, asked, message, message.choice, message.by)
    if before.asks and not after.asks:
        return _closed(subject, before.verdict, message, WITHDRAWN, None)
    return None


def _opened(subject: SubjectId, asked: ConflictOpened) -> ConflictRow:
    return ConflictRow(
        subject=subject,
        book=asked.book,
        entry=entry_of_subject(subject),
        gen=asked.gen,
        reason=asked.reason,
        want=_json(asked.want),
        held=_json(asked.held),
        candidates=_list(asked.candidates),
        trace=_json(asked.trace),
        opened_at=asked.observed_at,
        open=True,
        detail=asked.detail,
    )


def _closed(
    subject: SubjectId, asked: object, message: LedgerMessage, resolution: str, by: str | None
) -> ConflictRow | None:
    if not isinstance(asked, ConflictOpened):
        return None
    return _opened(subject, asked)._replace(
        open=False, resolution=resolution, resolved_by=by, resolved_at=message.observed_at
    )


def touched(before: Book, after: Book) -> set[EntryId]:
    """The entries whose rows may differ, and no others: their times of change rest on it."""
    if before.ticket is not after.ticket and _number(before) != _number(after):
        return set(after.entries)
    found = _netted_anew(before, after) if after.entries is not before.entries else set()
    subjects: list[SubjectId] = []
    if after.postings is not before.postings:
        subjects += _anew(before.postings, after.postings)
    if after.sheets is not before.sheets:
        read = _anew(before.sheets, after.sheets)
        subjects += [subject for subject, p in after.postings.items() if p.sheet in read]
    found.update(entry for entry in map(entry_of_subject, subjects) if entry in after.entries)
    return found


def _anew(before: dict[K, V], after: dict[K, V]) -> list[K]:
    """The keys of what is not the very same any more."""
    return [key for key, value in after.items() if before.get(key) is not value]


def _netted_anew(before: Book, after: Book) -> set[EntryId]:
    found = set(_anew(before.entries, after.entries))
    if all(entry.seconds >= 0 for book in (before, after) for entry in book.entries.values()):
        return found
    old, new = net(before), net(after)
    return found | {id_ for id_ in after.entries if net_seconds(old, id_) != net_seconds(new, id_)}


def net_seconds(netting: Netting, id_: EntryId) -> int:
    """What is left of a positive entry; of a negative one what no other could bear, negative."""
    return netting.left.get(id_, 0) - netting.remainders.get(id_, 0)


def entry_row(
    book: Book, id_: EntryId, netting: Netting, *, changed_at: datetime, partition: int
) -> EntryRow:
    entry = book.entries[id_]
    recorded = entry.recorded
    subject, posting = _spoken_of(book, id_, entry)
    seconds = net_seconds(netting, id_)
    reading = book.sheets.get(posting.sheet) if posting.sheet is not None else None
    held = reading.work if reading else None
    want = wanted(posting, seconds)
    agreed = posting.agreed if posting.agreed != Agreement() else None
    want_text, held_text = _json(want), _json(held)
    place = next((w.place for w in (held, want) if w is not None and w.place is not None), None)
    return EntryRow(
        entry=id_,
        book=book.id,
        posting=subject,
        connection=connection_of(id_),
        ticket_number=_number(book) or recorded.ticket.number,
        agent_id=recorded.agent_id,
        activity_type_id=recorded.activity_type_id,
        raw_units=recorded.raw_units,
        seconds_per_unit=recorded.seconds_per_unit,
        duration_seconds=recorded.duration_seconds,
        created_at=recorded.created_at,
        updated_at=recorded.updated_at,
        retracted=entry.gone,
        net_seconds=seconds,
        state=_state(entry, posting, seconds, reading),
        reason=posting.verdict.reason
        if posting.asks and isinstance(posting.verdict, ConflictOpened)
        else None,
        gen=posting.gen,
        want=want_text,
        held=held_text,
        agreed_want=_agreed(agreed.want, want, want_text) if agreed else None,
        agreed_held=_agreed(agreed.held, held, held_text) if agreed else None,
        agreed_by=agreed.by if agreed else None,
        sheet=posting.sheet,
        target=place.target if place else None,
        user_id=place.user_id if place else None,
        day=booked_on(posting, entry, want),
        changed_at=changed_at,
        partition=partition,
    )


def _spoken_of(book: Book, id_: EntryId, entry: Entry) -> tuple[SubjectId, Posting]:
    """The subject that tells most of an entry: of a negative one its remainder, unless its posting waits."""
    subject = posting_of(book.id, id_)
    remainder = SubjectId(subject + REMAINDER)
    both = [(name, book.posting(name)) for name in (subject, remainder)]
    waiting = [(name, p) for name, p in both if p.asks or p.waits_for_push]
    if waiting:
        return waiting[0]
    return both[1] if entry.seconds < 0 and remainder in book.postings else both[0]


def _state(entry: Entry, posting: Posting, seconds: int, reading: Sheet | None) -> str:
    """Where an entry stands; `held_back`: something differs, and nobody has said anything about it yet."""
    if posting.asks:
        return "asks"
    if posting.waits_for_push:
        return "requested"
    agreed = posting.agreed
    agreed_seconds = agreed.want.duration_seconds if agreed.want else 0
    at_rest = seconds == agreed_seconds and not has_moved(agreed, reading, posting.placement)
    if at_rest or (seconds == 0 and (reading is None or reading.work is None)):
        return "retracted" if entry.gone else "settled"
    return "held_back"


def wanted(posting: Posting, seconds: int) -> Work | None:
    """What the last verdict wants of a subject with that many net seconds."""
    match posting.verdict:
        case TimesheetRequested(want=want) | ConflictOpened(want=want):
            return want
        case Settled():
            return posting.agreed.want if seconds else None
        case None:
            return None


def booked_on(posting: Posting, entry: Entry, want: Work | None) -> date:
    """The day it is booked on: in the worker's zone as soon as a verdict has told it, until then in UTC."""
    trace = posting.verdict.trace if posting.verdict else None
    if trace is not None and trace.placed_on is not None:
        return trace.placed_on
    return (want.began_at if want else entry.recorded.created_at).date()


def _number(book: Book) -> str | None:
    return book.ticket.ticket.number if book.ticket else None


def _attributes(book: Book) -> TicketAttributes | None:
    """Of the ticket as last read; before it ever was, as the newest reading of an entry tells."""
    if book.ticket is not None:
        return book.ticket.ticket
    newest = max(book.entries.values(), key=lambda entry: entry.no, default=None)
    return newest.recorded.ticket if newest else None


def _agreed(agreed: Work | None, now: Work | None, text: str | None) -> str | None:
    """At rest both are the very same, and most entries are at rest."""
    return text if agreed is now else _json(agreed)


def _json(value: BaseModel | None) -> str | None:
    return None if value is None else value.model_dump_json()


def _list(values: Sequence[BaseModel]) -> str:
    return f"[{','.join(value.model_dump_json() for value in values)}]"

"""The fold: what a book knows after one more message on the ledger, fact or decision alike.

Pure and total. A reading counts by its number, a decision by its generation, an answer once; so a
late, repeated or reordered message changes nothing (protocol.md 3). `model/core.py` among the tests is
the specification.
"""

from dataclasses import replace

from hourbook_contracts.ids import EntryId, SheetId, SubjectId, anchor_of
from hourbook_contracts.ledger import (
    Attribution,
    ConflictOpened,
    ConflictResolved,
    Decision,
    EntryRecorded,
    EntryRetracted,
    Inputs,
    LedgerMessage,
    PushRefused,
    Settled,
    TicketObserved,
    TimesheetObserved,
    TimesheetRequested,
    TimesheetVanished,
    TimesheetWritten,
    accepts,
)
from hourbook_contracts.reasons import Reason
from hourbook_reconciler.book import (
    Agreement,
    Book,
    Entry,
    Mapped,
    Permit,
    Posting,
    Refusal,
    Sheet,
)

UNIT_UNCONFIRMED = Reason.UNIT_UNCONFIRMED.value
TOLD_BY_THE_READING = frozenset({"changed", "gone", "locked", "unclear"})
"""Refusals that need no memory: the reading they carry says all."""


def evolve(book: Book, message: LedgerMessage) -> Book:
    """The book after this message; one it does not concern leaves it as it is."""
    match message:  # in the order of how many there are: each that does not fit costs a look
        case EntryRecorded():
            return _recorded(book, message)
        case TimesheetRequested() | Settled() | ConflictOpened():
            return _decided(book, message)
        case TimesheetWritten():
            return _written(book, message)
        case TimesheetObserved(sheet=sheet, no=no, work=work, locked=locked, marker=marker):
            return _read(book, sheet, Sheet(no, work, locked, marker, message.rounded_from))
        case TicketObserved(no=no):
            return book if book.ticket and book.ticket.no >= no else replace(book, ticket=message)
        case EntryRetracted(entry=entry, no=no):
            old = book.entries.get(entry)
            if old is None or old.no >= no:
                return book
            return _with_entry(book, entry, replace(old, no=no, gone=True))
        case TimesheetVanished(sheet=sheet, no=no):
            return _read(book, sheet, Sheet(no, None))
        case PushRefused():
            return _refused(book, message)
        case ConflictResolved():
            return _resolved(book, message)
        case _:
            return book


def _recorded(book: Book, said: EntryRecorded) -> Book:
    old = book.entries.get(said.entry)
    if old is not None and old.no >= said.no:
        return book
    if said.doubt is not None:
        certain = _certain(old.recorded if old else None, said)
        if certain is None:
            return _with_entry(book, said.entry, _doubted(old, said))
        said = certain
    inputs = _inputs(said, old.inputs if old else None)
    return _with_entry(book, said.entry, Entry(said.no, said, inputs))


def _inputs(said: EntryRecorded, first: Inputs | None) -> Inputs:
    return Inputs(
        agent_id=said.agent_id,
        activity_type_id=said.activity_type_id,
        organization_id=first.organization_id if first else said.ticket.organization_id,
        customer_id=first.customer_id if first else said.ticket.customer_id,
        created_at=said.created_at,
        seconds_per_unit=said.seconds_per_unit,
    )


def _certain(known: EntryRecorded | None, said: EntryRecorded) -> EntryRecorded | None:
    """The reading by the unit that counted so far, where its units are those that were known."""
    doubt = said.doubt
    if known is None or doubt is None or known.raw_units != said.raw_units:
        return None
    if known.seconds_per_unit == doubt.seconds_per_unit:
        return said.model_copy(update=dict(doubt) | {"doubt": None})
    return said.model_copy(update={"doubt": None})


def _doubted(old: Entry | None, said: EntryRecorded) -> Entry:
    """Until a person has said what it is worth, what was certain before holds: nothing, if nothing was."""
    if old is not None:
        return replace(old, no=said.no, gone=False, doubted=said)
    nothing = said.model_copy(update={"duration_seconds": 0, "doubt": None})
    return Entry(said.no, nothing, _inputs(said, None), doubted=said)


def _with_entry(book: Book, id_: EntryId, entry: Entry) -> Book:
    """Spelled out, as below: `replace` takes several times as long, and every message needs one."""
    return Book(book.id, book.ticket, {**book.entries, id_: entry}, book.sheets, book.postings)


def _read(book: Book, sheet: SheetId | None, reading: Sheet) -> Book:
    if sheet is None:
        return book
    old = book.sheets.get(sheet)
    if old is not None and old.no >= reading.no:
        return book
    return Book(book.id, book.ticket, book.entries, {**book.sheets, sheet: reading}, book.postings)


def _with(book: Book, subject: SubjectId, posting: Posting) -> Book:
    return Book(
        book.id, book.ticket, book.entries, book.sheets, {**book.postings, subject: posting}
    )


def _decided(book: Book, said: TimesheetRequested | ConflictOpened | Settled) -> Book:
    posting = book.posting(said.posting)
    if not _counts(posting, said):
        return book
    return _with(book, said.posting, posting.but(gen=said.gen, policy=said.policy, verdict=said))


def _counts(posting: Posting, decision: Decision) -> bool:
    return accepts(posting.gen, posting.policy, decision)


def _written(book: Book, said: TimesheetWritten) -> Book:
    posting = book.posting(said.posting)
    if said.gen <= posting.answered:
        return book
    book = _read(book, said.sheet, Sheet(said.no, said.stored, said.locked, said.marker))
    request = posting.verdict if isinstance(posting.verdict, TimesheetRequested) else None
    mapped = named = None
    if said.asked is not None and request is not None:
        mapped = Mapped(request.inputs, said.asked.place, request.placement)
        named = request.text.ticket_number if request.text else None
    return _with(
        book,
        said.posting,
        posting.but(
            answered=said.gen,
            sheet=None if said.stored is None else said.sheet,
            mapped=mapped,
            named=named,
            agreed=Agreement(
                said.asked,
                said.stored if said.sure else said.asked,
                by="person" if request is not None and request.op == "adopt" else "kimai",
            ),
            permit=None,
            refusal=None,
        ),
    )


def _refused(book: Book, said: PushRefused) -> Book:
    posting = book.posting(said.posting)
    if said.gen <= posting.answered:
        return book
    for candidate in said.candidates:
        book = _read(book, candidate.sheet, Sheet(said.no, candidate.work))
    held = book.sheets.get(said.sheet) if said.sheet is not None else None
    marker, origin = (held.marker, said.rounded_from) if held else (None, said.rounded_from)
    if held and held.work == said.held:
        origin = origin or held.rounded_from
    book = _read(book, said.sheet, Sheet(said.no, said.held, said.locked, marker, origin))
    agreed = posting.agreed
    if said.why == "unclear":  # our write may lie under a person's edit: nobody knows what it held
        agreed = replace(agreed, unsure=True)
    refusal = None
    if said.why not in TOLD_BY_THE_READING and isinstance(posting.verdict, TimesheetRequested):
        request = posting.verdict
        expected = request.expected if request.op in ("update", "delete") else None
        refusal = Refusal(said.why, request.want, expected, said.candidates, said.detail)
    return _with(
        book,
        said.posting,
        posting.but(answered=said.gen, agreed=agreed, permit=None, refusal=refusal),
    )


def _resolved(book: Book, said: ConflictResolved) -> Book:
    posting = book.posting(said.posting)
    asked = isinstance(posting.verdict, ConflictOpened) and posting.gen == said.gen
    if said.gen <= posting.resolved or not asked:
        return book
    posting = posting.but(resolved=said.gen)
    if isinstance(posting.verdict, ConflictOpened) and posting.verdict.attribution is not None:
        return _attributed(book, said, posting, posting.verdict.attribution)
    if isinstance(posting.verdict, ConflictOpened) and posting.verdict.reason == UNIT_UNCONFIRMED:
        return _with(_counted(book, said, posting.verdict), said.posting, posting)
    match said.choice:
        case "kimai":
            posting = posting.but(
                agreed=Agreement(said.want, said.held, by="person"),
                permit=None,
                refusal=None,
                mapped=_ignored(book, said) or posting.mapped,
                sheet=None if said.held is None else posting.sheet,
            )
        case "zammad":
            permit = Permit("overwrite", said.want, said.held)
            posting = posting.but(permit=permit, refusal=None)
        case "adopt":
            chosen = said.candidates[0]
            permit = Permit("adopt", said.want, chosen.work, chosen.sheet)
            posting = posting.but(permit=permit, refusal=None)
        case "anyway":
            others = tuple(candidate.sheet for candidate in said.candidates)
            posting = posting.but(not_these=posting.not_these + others, refusal=None)
    return _with(book, said.posting, posting)


def _attributed(
    book: Book, said: ConflictResolved, posting: Posting, attribution: Attribution
) -> Book:
    """`zammad` takes over for whom the ticket was when it was asked; any other answer leaves it."""
    anchor = anchor_of(said.posting)
    entry = book.entries.get(anchor)
    if said.choice == "zammad" and entry is not None:
        inputs = entry.inputs.model_copy(update=dict(attribution))
        book = _with_entry(book, anchor, replace(entry, inputs=inputs))
    else:
        posting = posting.but(declined=attribution)
    return _with(book, said.posting, posting)


def _counted(book: Book, said: ConflictResolved, asked: ConflictOpened) -> Book:
    """`zammad` counts the edit by the unit in force then; any other answer leaves what was certain.

    An edit that came after the question is none that the person has seen.
    """
    anchor = anchor_of(said.posting)
    entry = book.entries.get(anchor)
    doubted = entry.doubted if entry else None
    if entry is None or doubted is None or asked.instead is None or doubted.doubt is None:
        return book
    if doubted.doubt.duration_seconds != asked.instead.duration_seconds:
        return book
    if said.choice != "zammad":
        return _with_entry(book, anchor, replace(entry, doubted=None))
    counted = doubted.model_copy(update=dict(doubted.doubt) | {"doubt": None})
    inputs = _inputs(counted, entry.inputs)
    return _with_entry(book, anchor, Entry(entry.no, counted, inputs, entry.gone))


def _ignored(book: Book, said: ConflictResolved) -> Mapped | None:
    """An unmapped posting ignored for good: it stays without a place until its own inputs change."""
    if said.want is None or said.want.place is not None or said.held is not None:
        return None
    if not said.posting.rsplit("/", 1)[-1].isdigit():
        return None  # a remainder has no inputs of its own
    entry = book.entries.get(anchor_of(said.posting))
    return Mapped(entry.inputs, None) if entry else None

"""How entries stand once a run of records is folded: what a replay into the past tells.

Pure: the shelf of live and rebuild, without a policy, without a decision of its own.
"""

from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass, field

from hourbook_contracts.audit import Answered, Decided, RuleFired, Standing
from hourbook_contracts.control import MappingSet
from hourbook_contracts.ids import EntryId, SheetId, SubjectId
from hourbook_contracts.ledger import (
    ConflictOpened,
    Decision,
    Inputs,
    Settled,
    TimesheetRequested,
    Trace,
    Work,
)
from hourbook_reconciler.book import Book, Posting
from hourbook_reconciler.netting import net
from hourbook_reconciler.record import Record
from hourbook_reconciler.rows import ConflictRow, EntryRow, entry_row
from hourbook_reconciler.shelf import Shelf

_DECISIONS = frozenset(kind.TYPE for kind in (TimesheetRequested, ConflictOpened, Settled))


@dataclass(frozen=True, slots=True)
class Selection:
    """Of which books and entries to tell; both None: of all."""

    book: str | None = None
    customer: str | None = None
    """As in `Standing.customer`."""

    def takes(self, customer: str) -> bool:
        return self.customer is None or self.customer == customer


@dataclass(slots=True)
class Rules:
    """Every mapping ever set, by its id: the control topic's offsets, ascending, with the events."""

    offsets: dict[str, list[int]] = field(default_factory=dict)
    events: dict[str, list[MappingSet]] = field(default_factory=dict)

    def learn(self, event: MappingSet, offset: int) -> None:
        self.offsets.setdefault(event.mapping, []).append(offset)
        self.events.setdefault(event.mapping, []).append(event)

    def in_force(self, mapping: str, policy: int) -> MappingSet | None:
        """As it was set when a policy of that version decided (a version is an offset, + 1)."""
        found = bisect_left(self.offsets.get(mapping, []), policy)
        return self.events[mapping][found - 1] if found else None


class Past:
    """Folds the records that are selected; `standings` tells how their entries then stand."""

    def __init__(self, selection: Selection, rules: Rules) -> None:
        self._selection, self._rules = selection, rules
        self._shelf = Shelf()
        self._places: dict[tuple[str, str], str] = {}
        """Where on the ledger the last decision that counted stands, by book and subject."""

    @property
    def books(self) -> dict[str, Book]:
        return self._shelf.books

    @property
    def halted(self) -> dict[str, str]:
        """Books behind a message that this version cannot read, with the reason."""
        return self._shelf.halted

    def put(self, record: Record) -> None:
        if self._selection.book is not None and record.book != self._selection.book:
            return
        shelf = self._shelf
        before = shelf.books.get(record.book or "")
        shelf.put(record)
        for row in shelf.history:
            if row.type in _DECISIONS and shelf.books.get(row.book) is not before:
                self._places[row.book, row.subject] = f"{row.partition}/{row.offset_}"
        shelf.history.clear()
        shelf.quarantine.clear()

    def standings(self) -> Iterator[Standing]:
        """In the order of books and entries."""
        for name in sorted(self._shelf.books):
            book = self._shelf.books[name]
            netting = net(book)
            for entry in sorted(book.entries):
                if self._selection.takes(customer_of(book.entries[entry].inputs)):
                    at = self._shelf.changed_at[entry][1]
                    row = entry_row(
                        book, entry, netting, changed_at=at, partition=self._shelf.partitions[name]
                    )
                    yield self._standing(book, entry, row)

    def _standing(self, book: Book, entry: EntryId, row: EntryRow) -> Standing:
        subject = SubjectId(row.posting)
        said = book.entries[entry]
        return Standing(
            entry=entry,
            book=book.id,
            ticket_number=row.ticket_number,
            customer=customer_of(said.inputs),
            agent_id=row.agent_id,
            day=row.day,
            duration_seconds=said.seconds,
            net_seconds=row.net_seconds,
            state=row.state,
            reason=row.reason,
            want=_work(row.want),
            held=_work(row.held),
            sheet=SheetId(row.sheet) if row.sheet else None,
            decided=self._decided(book, subject),
            answered=_answered(self._shelf.conflicts.get(subject)),
        )

    def _decided(self, book: Book, subject: SubjectId) -> Decided | None:
        posting: Posting = book.posting(subject)
        verdict = posting.verdict
        if verdict is None:
            return None
        return Decided(
            what=_what(verdict),
            gen=verdict.gen,
            policy=verdict.policy,
            at=verdict.observed_at,
            place=self._places.get((book.id, subject)),
            rules=tuple(self._fired(verdict.trace, verdict.policy)),
        )

    def _fired(self, trace: Trace | None, policy: int) -> Iterator[RuleFired]:
        for rule in trace.rules if trace else ():
            if rule.mapping is not None:
                by = self._rules.in_force(rule.mapping, policy)
                yield RuleFired(
                    kind=rule.kind,
                    key=rule.key,
                    mapping=rule.mapping,
                    by=by.by if by else None,
                    set_at=by.observed_at if by else None,
                )


def customer_of(inputs: Inputs) -> str:
    """Whom an entry counts for, in the words of the mappings' keys."""
    if inputs.organization_id is not None:
        return f"organization:{inputs.organization_id}"
    return f"customer:{inputs.customer_id}" if inputs.customer_id is not None else "none"


def _what(verdict: Decision) -> str:
    match verdict:
        case TimesheetRequested(op=op):
            return op
        case ConflictOpened():
            return "asked"
        case _:
            return "settled"


def _answered(question: ConflictRow | None) -> Answered | None:
    if question is None or question.resolution is None or question.resolved_at is None:
        return None
    return Answered(choice=question.resolution, by=question.resolved_by, at=question.resolved_at)


def _work(text: str | None) -> Work | None:
    return None if text is None else Work.model_validate_json(text)

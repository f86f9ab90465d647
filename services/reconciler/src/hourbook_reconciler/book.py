"""What we know of one book: both sides as last heard of, and a register for each subject.

Pure values; `evolve.py` folds messages into them, nothing else changes them (protocol.md 3).
"""

from dataclasses import dataclass, field, fields
from operator import attrgetter
from typing import Annotated, TypeVar, dataclass_transform

from pydantic import Field

from hourbook_contracts.ids import BookId, EntryId, SheetId, SubjectId
from hourbook_contracts.ledger import (
    Attribution,
    Candidate,
    ConflictOpened,
    EntryRecorded,
    Inputs,
    Place,
    Placement,
    Settled,
    TicketObserved,
    TimesheetRequested,
    Work,
)
from hourbook_contracts.likeness import alike

T = TypeVar("T")


@dataclass_transform(frozen_default=True, field_specifiers=(field,))
def value(made: type[T]) -> type[T]:
    """A dataclass of which mypy lets nobody change a part.

    At run time nobody watches: a frozen one takes three times as long to make, and each message makes some.
    """
    return dataclass(slots=True, unsafe_hash=True)(made)


@value
class Entry:
    """Zammad's side of one entry: its newest reading, and the inputs frozen at its first."""

    no: int
    recorded: EntryRecorded
    inputs: Inputs
    """Attributes of the ticket are those of the first reading; the rest is the newest."""
    gone: bool = False
    doubted: EntryRecorded | None = None
    """A newer reading that counts when a person has said by which unit; `recorded` is the last certain one."""

    @property
    def seconds(self) -> int:
        return 0 if self.gone else self.recorded.duration_seconds


@value
class Sheet:
    """Kimai's side of one timesheet: its newest reading; `work` None: gone."""

    no: int
    work: Work | None
    locked: bool = False
    marker: str | None = None
    rounded_from: Work | None = None
    """What it held before Kimai only rounded its times anew: that is nobody's edit."""


@value
class Agreement:
    """What each side held when they last agreed: a pair, because Kimai rounds what it stores.

    `unsure`: our write may lie under a person's edit; what Kimai held then equals nothing.
    """

    want: Work | None = None
    held: Work | None = None
    by: str = "kimai"
    unsure: bool = False


@value
class Permit:
    """What a person allowed, once, about exactly these values: `overwrite`, or `adopt` this sheet."""

    op: str
    want: Work | None
    held: Work | None
    sheet: SheetId | None = None


@value
class Refusal:
    """What push refused and why; remembered until a side moves or a person says so."""

    why: str
    want: Work | None
    held: Work | None
    candidates: tuple[Candidate, ...] = ()
    detail: str | None = None


@value
class Mapped:
    """Where a written posting belongs while its inputs stay; place None: ignored for good."""

    inputs: Inputs | None
    place: Place | None
    placement: Placement | None = None


Verdict = TimesheetRequested | ConflictOpened | Settled
_StoredVerdict = Annotated[Verdict, Field(union_mode="left_to_right")]
"""The first type that fits: a settled one has no field that the others lack, and each of them has one."""


@value
class Posting:
    """The register of a subject: what was decided, what was answered, what is agreed."""

    gen: int = 0
    policy: int = 0
    verdict: _StoredVerdict | None = None
    answered: int = 0
    """Generation of the last answered request."""
    resolved: int = 0
    """Generation of the last answered conflict."""
    sheet: SheetId | None = None
    agreed: Agreement = Agreement()
    permit: Permit | None = None
    refusal: Refusal | None = None
    mapped: Mapped | None = None
    not_these: tuple[SheetId, ...] = ()
    named: str | None = None
    """The ticket's number that what is written was to name."""
    declined: Attribution | None = None
    """For whom the ticket is by now, where a person said that this stays with whom it was."""

    def but(self, **changes: object) -> "Posting":
        """`dataclasses.replace`, which takes several times as long and is called for every decision and answer."""
        other = Posting(*_values_of(self))
        for name, changed in changes.items():
            setattr(other, name, changed)
        return other

    @property
    def waits_for_push(self) -> bool:
        return isinstance(self.verdict, TimesheetRequested) and self.answered < self.gen

    @property
    def placement(self) -> Placement | None:
        """Of what is written."""
        return self.mapped.placement if self.mapped else None

    @property
    def asks(self) -> bool:
        """Whether a person is asked and has not answered."""
        return isinstance(self.verdict, ConflictOpened) and self.resolved < self.gen


_values_of = attrgetter(*(part.name for part in fields(Posting)))


@value
class Book:
    id: BookId
    ticket: TicketObserved | None = None
    entries: dict[EntryId, Entry] = field(default_factory=dict)
    sheets: dict[SheetId, Sheet] = field(default_factory=dict)
    postings: dict[SubjectId, Posting] = field(default_factory=dict)

    def posting(self, subject: SubjectId) -> Posting:
        return self.postings.get(subject, NEW)


def has_moved(agreed: Agreement, sheet: Sheet | None, placement: Placement | None) -> bool:
    """Whether Kimai holds something else than when both sides last agreed.

    Not so where it only rounded its times anew, or where a begin that we chose was moved within its day.
    """
    held = sheet.work if sheet else None
    if agreed.unsure:
        return True
    if held == agreed.held:
        return False
    origin = sheet.rounded_from if sheet else None
    return not (
        alike(held, agreed.held, placement)
        or (origin is not None and alike(origin, agreed.held, placement))
    )


NEW = Posting()

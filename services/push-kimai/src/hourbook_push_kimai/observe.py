"""What a reading of a Kimai timesheet means to us: pure.

Ours is a row that an answer tied, or one that carries the marker of a request we know (a copy); a
marker of no request we know makes an orphan. Every other row is another person's and said to nobody.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from hourbook_contracts.ids import BookId, SheetId
from hourbook_contracts.ledger import TimesheetObserved, Work
from hourbook_contracts.sealed import Sealed
from hourbook_push_kimai.timesheet import Timesheet


class Create(NamedTuple):
    """A create or adopt request that we know by its code."""

    book: BookId
    done: bool


class Belongs(NamedTuple):
    """The book a row is said in (None: in none), or whether its request must be answered first."""

    book: BookId | None
    held_back: bool = False


def belongs(
    row: Timesheet, target: str, tied: Mapping[SheetId, BookId], creates: Mapping[str, Create]
) -> Belongs:
    """`tied`: book by sheet; `creates`: by create code."""
    sheet = row.sheet(target)
    if sheet in tied:
        return Belongs(tied[sheet])
    if row.marker is None:
        return Belongs(None)
    create = creates.get(row.marker.create)
    if create is None:
        return Belongs(BookId(sheet))  # an orphan is a book of its own
    return Belongs(create.book) if create.done else Belongs(None, held_back=True)


@dataclass(frozen=True, slots=True)
class Reading:
    """A timesheet as it goes on the ledger and, without its text, into the cache."""

    sheet: SheetId
    work: Work
    locked: bool
    billable: bool | None
    description: Sealed | None
    marker: str | None

    @property
    def value(self) -> dict[str, Any]:
        """Compared with the last reading's; of the text only the digest."""
        return {
            "work": self.work.model_dump(mode="json"),
            "locked": self.locked,
            "billable": self.billable,
            "marker": self.marker,
            "description": None if self.description is None else self.description.digest,
        }

    def observed(
        self, *, book: BookId, connection: str, no: int, at: datetime
    ) -> TimesheetObserved:
        return TimesheetObserved(
            observed_at=at,
            book=book,
            connection=connection,
            sheet=self.sheet,
            no=no,
            work=self.work,
            locked=self.locked,
            billable=self.billable,
            description=self.description,
            marker=self.marker,
        )


def reading_of(row: Timesheet, target: str, description: Sealed | None) -> Reading:
    marker = row.marker
    return Reading(
        sheet=row.sheet(target),
        work=row.work(target),
        locked=row.exported,
        billable=row.billable,
        description=description,
        marker=None if marker is None else str(marker),
    )


def missing(known: Iterable[SheetId], shown: Iterable[SheetId]) -> list[SheetId]:
    """Ids we must see that a complete list does not hold."""
    return sorted(set(known) - set(shown))

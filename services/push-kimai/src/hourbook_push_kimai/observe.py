"""What a reading of a Kimai timesheet means to us: pure.

Ours is a row that an answer tied, or one that carries the marker of a request we know (a copy); a
marker of no request we know makes an orphan. Every other row is another person's and said to nobody.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, NamedTuple

from hourbook_contracts.codec import ce_id
from hourbook_contracts.control import AlarmAnswered
from hourbook_contracts.ids import BookId, SheetId
from hourbook_contracts.installation import Target
from hourbook_contracts.ledger import TimesheetObserved, Work
from hourbook_contracts.sealed import Sealed
from hourbook_kit.target.protocol import Timesheet
from hourbook_push_kimai.rounding import Guesses, Times, rounded, times_of

ALARM = "suddenly_empty"
ALARM_FROM_RECORDS = 20
ALARM_FROM_SHARE = 0.2
ALARM_IF_NOTHING_ELSE = 3


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
    ended_at: datetime | None
    times: Times | None
    """None: it runs."""
    rounded_from: Work | None = None
    """What it held before saves by which Kimai only rounded it anew."""

    @property
    def value(self) -> dict[str, Any]:
        """Compared with the last reading's; of the text only the digest."""
        return {
            "work": _plain(self.work),
            "locked": self.locked,
            "billable": self.billable,
            "marker": self.marker,
            "times": None if self.times is None else list(self.times),
            "rounded_from": _plain(self.rounded_from),
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
            ended_at=self.ended_at,
            break_seconds=self.times.pause if self.times else 0,
            rounded_from=self.rounded_from,
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
        ended_at=row.ended_at,
        times=times_of(row),
    )


def after(cached: Mapping[str, Any] | None, reading: Reading, guesses: Guesses) -> Reading:
    """The reading with what it was rounded from: a save by which Kimai only rounded is no edit.

    `cached` is the value of the reading before. What was rounded once stays so until its times change
    in another way.
    """
    if not cached or not cached.get("times"):
        return reading
    work, origin = _work(cached["work"]), _work(cached.get("rounded_from"))
    if reading.work == work:
        return replace(reading, rounded_from=origin)
    was_only_rounded = rounded(Times(*cached["times"]), reading.times, guesses)
    if work is None or reading.work.place != work.place or not was_only_rounded:
        return reading
    return replace(reading, rounded_from=origin or work)


def _plain(work: Work | None) -> Any:
    return None if work is None else work.model_dump(mode="json")


def _work(plain: Any) -> Work | None:
    return None if plain is None else Work.model_validate_json(json.dumps(plain))


def missing(known: Iterable[SheetId], shown: Iterable[SheetId]) -> list[SheetId]:
    """Ids we must see that a complete list does not hold."""
    return sorted(set(known) - set(shown))


def is_suddenly_empty(*, missing: int, known: int, shown: int) -> bool:
    """Rather a broken Kimai, a narrowed token or another database than so many deletions at once.

    `shown`: rows of anybody's in the same list.
    """
    many = missing >= ALARM_FROM_RECORDS and missing >= ALARM_FROM_SHARE * known
    return many or (shown == 0 and missing >= ALARM_IF_NOTHING_ELSE)


def belief(target: Target, used: str | None) -> AlarmAnswered | None:
    """A person's word that the emptiness is true, if no sweep has used it up; the last word counts."""
    answers = [answer for answer in target.answered if answer.alarm == ALARM]
    if not answers or answers[-1].choice != "believe" or ce_id(answers[-1]) == used:
        return None
    return answers[-1]

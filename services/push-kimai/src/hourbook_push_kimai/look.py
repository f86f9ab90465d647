"""Look before every write: a request, and what Kimai shows, give an answer or leave to proceed.

Pure; the table is protocol.md 5, row by row. Works are compared exactly: instants, ids, seconds.
"""

import re
from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from hourbook_contracts.ids import SheetId
from hourbook_contracts.ledger import TimesheetRequested, Work
from hourbook_contracts.likeness import alike
from hourbook_kit.target.protocol import Timesheet
from hourbook_push_kimai.rounding import NOTHING_LEARNED, Guesses, rounded, times_of, times_of_work
from hourbook_push_kimai.text import renumbered


@dataclass(frozen=True, slots=True)
class Holds:
    """Kimai holds the row that answers the request: TimesheetWritten."""

    row: Timesheet
    sure: bool


@dataclass(frozen=True, slots=True)
class Absent:
    """The row that was to be deleted is gone: TimesheetWritten with nothing stored."""


@dataclass(frozen=True, slots=True)
class Refuse:
    why: str
    row: Timesheet | None = None
    candidates: tuple[Timesheet, ...] = ()
    detail: str | None = None


@dataclass(frozen=True, slots=True)
class Send:
    """Nothing stands against it; the row as it stood, None for a create."""

    row: Timesheet | None


Verdict = Holds | Absent | Refuse | Send


@dataclass(frozen=True, slots=True)
class Asked:
    """A request with what push itself knows about it."""

    request: TimesheetRequested
    target: str
    zone: ZoneInfo
    """In which the worker's days begin."""
    code: str | None
    """Of the create or adopt request that made, or will make, the tie."""
    first: bool
    """No earlier attempt can have reached Kimai."""
    closed: bool
    """A day of what is wanted or expected is closed, from the announcement on."""
    earlier_codes: AbstractSet[str] = frozenset()
    """Of earlier creates of this posting."""
    begins_at: datetime | None = None
    """Chosen by an earlier attempt, for a Kimai that forbids overlap."""
    guesses: Guesses = NOTHING_LEARNED
    """Of Kimai's rounding on that day."""

    @property
    def wanted(self) -> Work | None:
        """What an earlier attempt asked Kimai to hold."""
        want = self.request.want
        if want is None or self.begins_at is None:
            return want
        return want.model_copy(update={"began_at": self.begins_at})

    def is_wanted(self, row: Timesheet) -> bool:
        """What we asked for, or what Kimai's rounding makes of it."""
        held, wanted = row.work(self.target), self.wanted
        return alike(held, wanted, self.request.placement) or self._is_rounded(wanted, row)

    def is_expected(self, row: Timesheet) -> bool:
        """What the request expects, or what a save has made of it by rounding it anew."""
        held, expected = row.work(self.target), self.request.expected
        return alike(held, expected, self.request.placement) or self._is_rounded(expected, row)

    def _is_rounded(self, work: Work | None, row: Timesheet) -> bool:
        if work is None or work.place != row.work(self.target).place:
            return False
        return rounded(times_of_work(work, row.break_seconds), times_of(row), self.guesses)


def suspects(asked: Asked, rows: Iterable[Timesheet]) -> list[Timesheet]:
    """Rows that the look for a create is about, whoever they belong to, oldest first."""
    found = {row.id: row for row in rows if _is_mine(asked, row) or _may_be_twin(asked, row)}
    return [found[number] for number in sorted(found)]


def at_create(
    asked: Asked, rows: Iterable[Timesheet], tied: Mapping[SheetId, str]
) -> Holds | Refuse | Send:
    """`rows`: the worker's day, and whatever the searches for markers found; `tied`: of the suspects."""
    request = asked.request
    about = [
        row
        for row in suspects(asked, rows)
        if tied.get(row.sheet(asked.target), request.posting) == request.posting
    ]
    mine = [row for row in about if _is_mine(asked, row)]
    twins = [
        row
        for row in about
        if not _is_mine(asked, row)
        and row.sheet(asked.target) not in tied
        and row.sheet(asked.target) not in request.not_these
    ]
    if mine and not any(twin.id < mine[0].id for twin in twins):
        return Holds(mine[0], sure=asked.is_wanted(mine[0]))
    if twins:
        both = sorted([*twins, *mine], key=lambda row: row.id)
        return Refuse("possible_duplicate", candidates=tuple(both))
    return Refuse("closed") if asked.closed else Send(None)


def at_adopt(asked: Asked, row: Timesheet | None, tied_to: str | None) -> Holds | Refuse:
    """A person said that this row is it: tied once, to nobody else, and nothing is written."""
    if row is None:
        return Refuse("gone")
    free = tied_to is None or tied_to == asked.request.posting
    if row.work(asked.target) != asked.request.expected or not free:
        return Refuse("possible_duplicate", candidates=(row,))
    return Holds(row, sure=True)


def at_row(asked: Asked, row: Timesheet | None, tied_to: str | None) -> Verdict:
    """Before an update or delete."""
    request = asked.request
    if row is None:
        return Absent() if request.op == "delete" else Refuse("gone")
    if tied_to != request.posting:
        return Refuse("invalid", row, detail="This timesheet is not tied to this entry.")
    if asked.is_wanted(row) and renumbered(row.description, request.text) is None:
        return Holds(row, sure=True)
    if not asked.first:
        marker = row.marker
        if marker is not None and (marker.create, marker.write) == (asked.code, request.gen):
            return Holds(row, sure=False)
        if request.op == "update" and marker is None and asked.is_expected(row):
            return Refuse("unclear", row)
    if not asked.is_expected(row):
        return Refuse("changed", row)
    if row.exported:
        return Refuse("locked", row)
    return Refuse("closed", row) if asked.closed else Send(row)


def days_of(request: TimesheetRequested, zone_of: Mapping[int, ZoneInfo]) -> list[date]:
    """The days, in their users' zones, on which what is wanted and what is expected begin."""
    return [
        day_of(work, zone_of[work.place.user_id])
        for work in (request.want, request.expected)
        if work is not None and work.place is not None
    ]


def day_of(work: Work, zone: ZoneInfo) -> date:
    return work.began_at.astimezone(zone).date()


def evidence(request: TimesheetRequested, target: str, row: Timesheet) -> tuple[str, ...]:
    """What speaks for a row being what the request asks for, in a fixed order."""
    want, held = request.want, row.work(target)
    place = want.place if want else None
    found = {
        "marker": row.marker is not None,
        "ticket": _names(request, row.description),
        "duration": want is not None and held.duration_seconds == want.duration_seconds,
        "begin": want is not None and held.began_at == want.began_at,
        "project": place is not None and row.project_id == place.project_id,
        "activity": place is not None and row.activity_id == place.activity_id,
    }
    return tuple(name for name, speaks in found.items() if speaks)


def _is_mine(asked: Asked, row: Timesheet) -> bool:
    return row.marker is not None and row.marker.create == asked.code


def _may_be_twin(asked: Asked, row: Timesheet) -> bool:
    if row.marker is not None:
        return row.marker.create in asked.earlier_codes
    want = asked.request.want
    if want is None or want.place is None or row.user_id != want.place.user_id:
        return False
    same_day = row.began_at.astimezone(asked.zone).date() == day_of(want, asked.zone)
    return same_day and _names(asked.request, row.description)


def _names(request: TimesheetRequested, description: str | None) -> bool:
    """Whether the ticket's number, or the one before it was merged, stands there as a whole number."""
    if request.text is None or not description:
        return False
    numbers = {request.text.ticket_number, request.text.formerly or request.text.ticket_number}
    either = "|".join(map(re.escape, sorted(numbers)))
    return re.search(rf"(?<!\d)(?:{either})(?!\d)", description) is not None

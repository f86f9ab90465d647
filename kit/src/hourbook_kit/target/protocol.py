"""What a target is: a system that holds timesheets, as the loops around it ask it.

A connector is a class that answers these questions; it knows its system and none of the loops. A write
has an outcome, which is a value: *written*, *gone*, *refused*, *unknown*, *surely not sent*. Whoever
cannot be read raises. Pure values; docs/connectors.md is the guide.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple, Protocol
from zoneinfo import ZoneInfo

from hourbook_contracts.ids import SheetId, sheet_of
from hourbook_contracts.kimai.names import Named
from hourbook_contracts.kimai.rules import Rules
from hourbook_contracts.kimai.violations import Violations
from hourbook_contracts.ledger import DescriptionParts, Place, Work
from hourbook_contracts.marker import Marker, find

NOTHING_SAID = Violations()


# --------------------------------------------------------------------------- what stands in the way
class BrokenWorldError(Exception):
    """Kimai cannot be read as things stand; its text is a sentence for people."""


class NotReadableError(Exception):
    """403: this row, or this user's rows, are there, and the token may not see them."""


# --------------------------------------------------------------------------------- what it holds
@dataclass(frozen=True, slots=True)
class Timesheet:
    id: int
    user_id: int
    project_id: int
    activity_id: int
    began_at: datetime
    ended_at: datetime | None
    """None: it is running."""
    duration_seconds: int
    """As Kimai counts it: without the break, rounded; 0 while running."""
    break_seconds: int
    description: str | None
    exported: bool
    billable: bool | None

    @property
    def marker(self) -> Marker | None:
        return find(self.description)

    def sheet(self, target: str) -> SheetId:
        return sheet_of(target, self.id)

    def work(self, target: str) -> Work:
        return Work(
            place=Place(
                target=target,
                user_id=self.user_id,
                project_id=self.project_id,
                activity_id=self.activity_id,
            ),
            began_at=self.began_at,
            duration_seconds=self.duration_seconds,
        )


def end_of(work: Work, break_seconds: int = 0) -> datetime:
    return work.began_at + timedelta(seconds=work.duration_seconds + break_seconds)


class Caller(NamedTuple):
    """Whom the token belongs to; naive times in queries are read in this zone."""

    id: int
    zone: ZoneInfo


class Seen(NamedTuple):
    rows: list[Timesheet]
    asked_at: datetime | None
    """By the target's own clock, which stamps what is modified; None where it does not tell."""


# ------------------------------------------------------------------------- what becomes of a write
@dataclass(frozen=True, slots=True)
class Written:
    """Kimai holds this now; None: it deleted the row."""

    row: Timesheet | None


@dataclass(frozen=True, slots=True)
class Gone:
    """404: there is no such row."""


@dataclass(frozen=True, slots=True)
class Refused:
    """Nothing was written; `detail` says in a sentence why, and what Kimai called it."""

    why: str
    detail: str
    said: Violations = NOTHING_SAID


@dataclass(frozen=True, slots=True)
class Forbidden:
    """403: foreign, exported and locked rows are told alike (kimai-api.md 5)."""


@dataclass(frozen=True, slots=True)
class Unknown:
    """It may have been written, or may yet be."""

    sentence: str
    server_error: bool = False


@dataclass(frozen=True, slots=True)
class NotSent:
    """Surely nothing reached Kimai, and another try may."""

    sentence: str


@dataclass(frozen=True, slots=True)
class BrokenWorld:
    """Surely nothing was written, and no other request would fare better."""

    sentence: str


Outcome = Written | Gone | Refused | Forbidden | Unknown | NotSent | BrokenWorld


# ---------------------------------------------------------------------------------- what is asked
class Target(Protocol):
    """One system, through one token. A list is proven complete, or `BrokenWorldError` is raised.

    Also a read that is not answered raises it: a row is `None` only where the target itself says that
    it does not exist.
    """

    async def me(self) -> Caller:
        """Also the control read: always allowed and always there."""

    async def rules(self, known: Rules | None = None) -> Rules:
        """How it is set now, and why we cannot work with that; `known`: as it was last."""

    async def read(self, timesheet_id: int) -> Timesheet | None:
        """Raises `NotReadableError` where it is there and we may not see it."""

    async def begun_in(
        self, user_id: int, first: datetime, last: datetime, caller: Caller
    ) -> list[Timesheet]:
        """The user's rows that begin in the span, its end left out; raises rather than show another's."""

    async def with_marker(self, code: str) -> list[Timesheet]:
        """Rows of anybody whose marker names this create, oldest first."""

    async def modified_since(self, moment: datetime) -> Seen:
        """Rows that were modified then or later, by the target's own clock."""

    async def begun_since(self, moment: datetime, caller: Caller) -> Sequence[Timesheet]:
        """Rows of anybody that begin then or later."""

    async def directory(self) -> list[Named]:
        """Users, customers, projects and activities that we may list, hidden ones too."""

    async def form(self, **fields: str | int) -> Violations | None:
        """What it would say to a new timesheet with these fields; nothing is written. None: we may create none."""

    async def create(self, want: Work, text: str) -> Outcome:
        """One new row; `want` has a place, the text ends in the marker."""

    async def change(
        self, row: Timesheet, want: Work, marker: Marker, parts: DescriptionParts | None = None
    ) -> Outcome:
        """Only what differs from the row as it was shown, and the marker of this write; a person's words stay."""

    async def delete(self, timesheet_id: int) -> Outcome: ...

"""A timesheet as Kimai shows it: pure values, instants instead of strings."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from hourbook_contracts.ids import SheetId, sheet_of
from hourbook_contracts.ledger import Place, Work
from hourbook_contracts.marker import Marker, find


class NotATimesheetError(ValueError):
    """What Kimai sent does not have the shape of a timesheet (kimai-api.md 2.4)."""


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


def timesheet_of(shown: Any) -> Timesheet:
    """Of an entity or an element of a collection; break, rates and unknown keys may be missing or new."""
    if not isinstance(shown, Mapping):
        raise NotATimesheetError("not an object")
    try:
        return Timesheet(
            id=_number(shown["id"]),
            user_id=_number(shown["user"]),
            project_id=_number(shown["project"]),
            activity_id=_number(shown["activity"]),
            began_at=_moment(shown["begin"]),
            ended_at=None if shown.get("end") is None else _moment(shown["end"]),
            duration_seconds=_number(shown.get("duration") or 0),
            break_seconds=_number(shown.get("break") or 0),
            description=shown.get("description"),
            exported=bool(shown.get("exported", False)),
            billable=shown.get("billable"),
        )
    except KeyError as missing:
        raise NotATimesheetError(f"no field {missing}") from None
    except (TypeError, ValueError) as error:
        raise NotATimesheetError(type(error).__name__) from None  # its text would hold values


def _number(shown: Any) -> int:
    if isinstance(shown, bool) or not isinstance(shown, int):
        raise TypeError
    return shown


def _moment(shown: str) -> datetime:
    """Of `2026-11-20T09:00:00+0100`; the offset of one record may differ from answer to answer."""
    found = datetime.fromisoformat(shown)
    if found.tzinfo is None:
        raise ValueError
    return found.astimezone(UTC)

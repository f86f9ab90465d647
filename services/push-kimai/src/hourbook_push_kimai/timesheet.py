"""A timesheet as Kimai shows it: instants instead of strings. Pure."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from hourbook_kit.target.protocol import Timesheet


class NotATimesheetError(ValueError):
    """What Kimai sent does not have the shape of a timesheet (kimai-api.md 2.4)."""


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

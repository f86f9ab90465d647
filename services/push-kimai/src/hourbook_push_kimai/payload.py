"""What is sent to Kimai: pure. Never null, never `billable`, always an explicit offset.

Kimai reads a naive time in the caller's zone, and null as true or as an error (kimai-api.md 0.1, 0.5).
"""

from datetime import UTC, datetime

from hourbook_contracts.ledger import DescriptionParts, Work
from hourbook_contracts.marker import Marker
from hourbook_kit.target.protocol import Timesheet, end_of
from hourbook_push_kimai.text import marked, renumbered

Payload = dict[str, str | int]


class UnplacedError(ValueError):
    """A request to write work that no rule has placed: the reconciler asks a person instead."""


def to_create(want: Work, description: str) -> Payload:
    return {**_fields(want, 0), "description": description}


def to_update(
    want: Work, row: Timesheet, marker: Marker, parts: DescriptionParts | None = None
) -> Payload:
    """Only what differs from the row, the marker of this write, and the number of a merged ticket."""
    shown = _fields_of(row)
    wanted = _fields(want, row.break_seconds)
    changes: Payload = {name: value for name, value in wanted.items() if shown[name] != value}
    text = marked(renumbered(row.description, parts) or row.description, marker)
    if text is not None:
        changes["description"] = text
    return changes


def _fields(work: Work, break_seconds: int) -> Payload:
    place = work.place
    if place is None:
        raise UnplacedError
    return {
        "begin": _instant(work.began_at),
        "end": _instant(end_of(work, break_seconds)),
        "project": place.project_id,
        "activity": place.activity_id,
        "user": place.user_id,
    }


def _fields_of(row: Timesheet) -> dict[str, str | int | None]:
    return {
        "begin": _instant(row.began_at),
        "end": None if row.ended_at is None else _instant(row.ended_at),
        "project": row.project_id,
        "activity": row.activity_id,
        "user": row.user_id,
    }


def _instant(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="seconds")

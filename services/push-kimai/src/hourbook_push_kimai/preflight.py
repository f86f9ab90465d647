"""What stands against a write as far as it can be known before it is sent: pure.

Closed is closed also for a token that might override it, so Kimai's own answer is not waited for.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from hourbook_contracts.installation import Target
from hourbook_contracts.kimai.names import Names
from hourbook_contracts.ledger import Place, Work
from hourbook_kit.target.protocol import Timesheet, end_of
from hourbook_push_kimai.look import Refuse

LONGEST_SECONDS = 31_536_000
"""Kimai's own and fixed (kimai-api.md 4)."""
UTC = ZoneInfo("UTC")
TOLERANCE = timedelta(minutes=1)
"""Kimai lets a begin or end lie so far in the future, and what it rounds by."""
LOCKDOWN = (
    "Kimai's lockdown closed the days up to {0:%Y-%m-%d}: nothing is changed there, also with a token"
    " that may override it."
)


@dataclass(frozen=True, slots=True)
class Wait:
    """Not now: Kimai will take it from this moment on."""

    until: datetime


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What is known when something is about to be sent."""

    now: datetime
    target: Target
    allows_future: bool
    names: Names
    zones: Mapping[int, ZoneInfo]
    """Of the users it is about."""
    locked_until: datetime | None
    """As Kimai's refusals have taught it."""


def stands_against(
    want: Work | None, row: Timesheet | None, known: Circumstances
) -> Refuse | Wait | None:
    """`want` as it would be sent (None: a deletion), `row` as it stands (None: a new one)."""
    works = list(_works(want, row, known))
    for work, _ in works:
        locked_until = _locked_until(work, known)
        if locked_until is not None and work.began_at <= locked_until:
            shown = locked_until.astimezone(_zone(work, known))
            return Refuse("lockdown", row, detail=LOCKDOWN.format(shown))
    for work, ends_at in works:
        sentence = _outside_project(work, ends_at, known)
        if sentence is not None:
            return Refuse("project_closed", row, detail=sentence)
    if want is None:
        return None
    if want.duration_seconds > LONGEST_SECONDS:
        return Refuse("invalid", row, detail="It is longer than a year, and Kimai takes none such.")
    ends_at = end_of(want, row.break_seconds if row else 0)
    if not known.allows_future and ends_at > known.now + TOLERANCE:
        return Wait(ends_at)
    return None


def _works(
    want: Work | None, row: Timesheet | None, known: Circumstances
) -> Iterator[tuple[Work, datetime]]:
    """What is wanted and what is held, each with its end."""
    if want is not None:
        yield want, end_of(want, row.break_seconds if row else 0)
    if row is not None:
        yield row.work(known.target.name), row.ended_at or row.began_at


def _locked_until(work: Work, known: Circumstances) -> datetime | None:
    entered = known.target.configured.lockdown
    if entered is None:
        return known.locked_until
    until = entered.locked_until(known.now, _zone(work, known))
    return max((m for m in (until, known.locked_until) if m is not None), default=None)


def _outside_project(work: Work, ends_at: datetime, known: Circumstances) -> str | None:
    place: Place | None = work.place
    project = known.names.get(("project", place.project_id)) if place else None
    if place is None or project is None:
        return None
    days = [moment.astimezone(_zone(work, known)).date() for moment in (work.began_at, ends_at)]
    if project.begins_on is not None and min(days) < project.begins_on:
        return (
            f"Kimai's project {project.id} begins on {project.begins_on}: move its first day in Kimai,"
            " or map to another."
        )
    if project.ends_on is not None and max(days) > project.ends_on:
        return (
            f"Kimai's project {project.id} ended on {project.ends_on}: move its last day in Kimai, or"
            " map to another."
        )
    return None


def _zone(work: Work, known: Circumstances) -> ZoneInfo:
    """In which the worker's days begin; a row that moved to a user nobody is mapped to: UTC's."""
    place = work.place
    return known.zones.get(place.user_id, UTC) if place else UTC

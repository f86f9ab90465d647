"""Where a timesheet fits into a worker's day, for a Kimai that forbids overlap: pure.

Kimai looks at stopped timesheets of the user alone; touching is no overlap (kimai-api.md 4). All
moments are instants, and steps count from the epoch, as Kimai's rounding does.
"""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from hourbook_kit.target.protocol import Timesheet

SECOND = timedelta(seconds=1)


class Span(NamedTuple):
    begins: datetime
    ends: datetime


def busy_of(rows: Iterable[Timesheet], *, apart_from: int | None = None) -> list[Span]:
    """The times of a user's stopped rows, the one that is to be changed left out."""
    return [
        Span(row.began_at, row.ended_at)
        for row in rows
        if row.ended_at is not None and row.id != apart_from
    ]


def slot(
    day: Span, wanted: datetime, length: timedelta, busy: Iterable[Span], step_seconds: int
) -> datetime | None:
    """The latest free begin not after the wanted one, else the first after it; None: the day is full."""
    taken = list(busy)
    free = [
        begins
        for begins in set(_candidates(day, wanted, length, taken, step_seconds))
        if day.begins <= begins
        and begins + length <= day.ends
        and not any(_collides(Span(begins, begins + length), other) for other in taken)
    ]
    before = [begins for begins in free if begins <= wanted]
    return max(before) if before else min(free, default=None)


def _candidates(
    day: Span, wanted: datetime, length: timedelta, taken: list[Span], step: int
) -> Iterator[datetime]:
    """Free times end where another begins or the day ends, and begin where one ends or the day begins."""
    yield wanted
    yield _down(day.ends - length, step)
    yield _up(day.begins, step)
    for other in taken:
        yield _down(other.begins - length, step)
        yield _up(other.ends, step)


def _collides(span: Span, other: Span) -> bool:
    """Kimai's own test: with a second less at each end, ends belonging to it."""
    begins, ends = span.begins + SECOND, span.ends - SECOND
    return (
        other.begins <= begins <= other.ends
        or other.begins <= ends <= other.ends
        or begins <= other.begins <= other.ends <= ends
    )


def _down(moment: datetime, step: int) -> datetime:
    return datetime.fromtimestamp(moment.timestamp() // step * step, UTC)


def _up(moment: datetime, step: int) -> datetime:
    return datetime.fromtimestamp(-(-moment.timestamp() // step) * step, UTC)

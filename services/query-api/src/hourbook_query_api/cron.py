"""When the schedule wants a run: cron's five fields read in a named zone. Pure.

Change-overs are as in Debian's cron: a run whose hour is skipped comes right after the change, one whose
hour comes twice runs once; what runs every so often just goes on.
"""

from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import islice
from typing import NamedTuple
from zoneinfo import ZoneInfo

from cronsim import CronSim, CronSimError


class CronError(ValueError):
    """Write five fields: minute, hour, day of the month, month, weekday (0 and 7 are Sunday)."""


def due_after(cron: str, time_zone: str, moment: datetime) -> Iterator[datetime]:
    """Every moment it is due, later than this one, in the zone; raises `CronError` where it never is."""
    if len(cron.split()) != 5:  # noqa: PLR2004 -- cronsim takes a sixth, of seconds
        raise CronError(CronError.__doc__)
    try:
        yield from CronSim(cron, moment.astimezone(ZoneInfo(time_zone)))
    except CronSimError:
        raise CronError(CronError.__doc__) from None


def next_of(cron: str, time_zone: str, moment: datetime, count: int) -> list[datetime]:
    return list(islice(due_after(cron, time_zone, moment), count))


class Due(NamedTuple):
    """What was due in some time: the last, and those before it, which are missed."""

    last: datetime
    missed: list[datetime]


MISSED_MAX = 10_000


def due_between(cron: str, time_zone: str, since: datetime, until: datetime) -> Due | None:
    """What was due later than `since` and not later than `until`; None: nothing was."""
    found: list[datetime] = []
    for moment in due_after(cron, time_zone, since):
        if moment > until or len(found) > MISSED_MAX:
            break
        found.append(moment.astimezone(UTC))
    return Due(found[-1], found[:-1]) if found else None

"""Kimai's rounding, on every save that changes a record (kimai-api.md 3.3, 3.4).

Steps are minutes and count from the epoch, so they do not depend on a zone.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


@dataclass(frozen=True, slots=True)
class Rounding:
    begin_minutes: int = 1
    end_minutes: int = 1
    duration_minutes: int = 0
    mode: str = "default"
    days: frozenset[str] = frozenset(WEEKDAYS)


@dataclass(frozen=True, slots=True)
class Rounded:
    begin: datetime
    end: datetime
    duration_seconds: int
    """May differ from the distance of the two: it is rounded by itself."""


def rounding_of(settings: dict[str, Any]) -> Rounding:
    """From the values of `timesheet.rounding.default.*` without that prefix."""
    return Rounding(
        begin_minutes=int(settings["begin"]),
        end_minutes=int(settings["end"]),
        duration_minutes=int(settings["duration"]),
        mode=str(settings["mode"]),
        days=frozenset(day.strip().lower() for day in str(settings["days"]).split(",")),
    )


def rounded(
    begin: datetime, end: datetime, break_seconds: int, zone: str, rounding: Rounding
) -> Rounded:
    """The weekday that counts is the one on which the record ends, in its own zone."""
    if WEEKDAYS[end.astimezone(ZoneInfo(zone)).weekday()] in rounding.days:
        begin = _instant(begin, rounding.begin_minutes, "floor", rounding.mode)
        end = _instant(end, rounding.end_minutes, "ceil", rounding.mode)
        step = rounding.duration_minutes
    else:
        step = 0
    seconds = int((end - begin).total_seconds()) - break_seconds
    return Rounded(begin, end, round_seconds(seconds, step, "ceil", rounding.mode))


def round_seconds(seconds: int, step_minutes: int, by_default: str, mode: str) -> int:
    """`by_default`: where mode `default` rounds to; a step of 0 or less is off."""
    step = step_minutes * 60
    if step <= 0 or seconds % step == 0:
        return seconds
    rest = seconds % step
    direction = by_default if mode == "default" else mode
    up = rest > step / 2 if direction == "closest" else direction == "ceil"
    return seconds - rest + (step if up else 0)


def _instant(instant: datetime, step_minutes: int, by_default: str, mode: str) -> datetime:
    seconds = round_seconds(int(instant.timestamp()), step_minutes, by_default, mode)
    return datetime.fromtimestamp(seconds, tz=UTC)

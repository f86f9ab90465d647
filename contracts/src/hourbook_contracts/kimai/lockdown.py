"""Kimai's lockdown, which its API does not tell: as an administrator copies it from Kimai's settings. Pure.

Up to which moment timesheets are locked, as Kimai reckons it for a role without any exception
(kimai-api.md 4): all before the period's start for ever, and the period itself once its grace is over.
"""

import re
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from hourbook_contracts.message import Value

_MONTH = re.compile(r"(first|last) day of (last|this|next) month(?: (\d\d:\d\d(?::\d\d)?))?")
_SHIFT = re.compile(r"([+-]?\d{1,5}) (minute|hour|day|week)s?")
GRAMMAR = (
    "`first day of last month`, `last day of last month 23:59:59`, `+10 days`, `-2 weeks`, or a date"
    " such as 2026-11-01 or 2026-11-01T12:00:00"
)
"""What we can read of PHP's dates, for people."""


class Lockdown(Value):
    """The four settings `timesheet.rules.lockdown_…` of a Kimai, word for word."""

    period_start: str
    period_end: str
    time_zone: str | None = None
    """None: the worker's own."""
    grace: str | None = None
    """Counted from the period's end."""

    def locked_until(self, now: datetime, zone: ZoneInfo) -> datetime | None:
        """The last moment at which a timesheet may not begin; None: nothing is locked."""
        here = now.astimezone(ZoneInfo(self.time_zone) if self.time_zone else zone)
        starts, ends = moment(self.period_start, here), moment(self.period_end, here)
        if starts is None or ends is None or ends < starts:
            return None
        grace_ends = moment(self.grace, ends) if self.grace else None
        if here <= (grace_ends or ends):
            return starts - timedelta(seconds=1)
        return ends


def moment(text: str, base: datetime) -> datetime | None:
    """A moment in PHP's words, as far as `GRAMMAR` goes; None: we cannot read it.

    `first day of last month` keeps the time of day of `base`, as PHP does.
    """
    text = text.strip()
    if match := _MONTH.fullmatch(text):
        return _of_month(*match.groups(), base=base)
    if match := _SHIFT.fullmatch(text):
        return base + timedelta(**{f"{match[2]}s": int(match[1])})
    try:
        read = datetime.fromisoformat(text)
    except ValueError:
        return None
    return read if read.tzinfo else read.replace(tzinfo=base.tzinfo)


def _of_month(which: str, month: str, clock: str | None, *, base: datetime) -> datetime | None:
    months = base.year * 12 + base.month - 1 + {"last": -1, "this": 0, "next": 1}[month]
    first = base.replace(year=months // 12, month=months % 12 + 1, day=1)
    if which == "last":
        first = (first + timedelta(days=32)).replace(day=1) - timedelta(days=1)
    try:
        at = time.fromisoformat(clock) if clock else first.time()
    except ValueError:
        return None
    return datetime.combine(first.date(), at, tzinfo=base.tzinfo)

"""Looks at a worker's days, kept for the creates that follow at once.

Writes are serial per user and our own are known, so one look serves until the send window after it
is over (protocol.md 10).
"""

import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import NamedTuple

from hourbook_kit.target.protocol import Timesheet


class Day(NamedTuple):
    user_id: int
    first: datetime
    """The instant at which the day begins in the worker's zone."""
    last: datetime
    """The instant at which the next one does."""


@dataclass(slots=True)
class DayLook:
    """What a worker's day held; numbered, and its age counted, from before it was read."""

    day: Day
    since: datetime
    """From when rows are listed: before the day begins, where what lasts into it counts."""
    no: int
    taken_at: float
    """Of the monotonic clock."""
    rows: dict[int, Timesheet]

    def lists(self, row: Timesheet) -> bool:
        return self.day.user_id == row.user_id and self.since <= row.began_at < self.day.last


@dataclass(slots=True)
class Looks:
    window_seconds: float
    _kept: dict[tuple[int, date], DayLook] = field(default_factory=dict)

    def find(self, user_id: int, day: date) -> DayLook | None:
        look = self._kept.get((user_id, day))
        if look is None or time.monotonic() - look.taken_at > self.window_seconds / 2:
            return None  # half the window is left for the write itself
        return look

    def keep(self, looks: Iterable[tuple[date, DayLook]]) -> None:
        now = time.monotonic()
        self._kept = {
            key: kept
            for key, kept in self._kept.items()
            if now - kept.taken_at <= self.window_seconds
        }
        self._kept |= {(look.day.user_id, day): look for day, look in looks}

    def written(self, row: Timesheet) -> None:
        """Our own write: from now on the looks hold it."""
        self.removed(row.id)
        for look in self._kept.values():
            if look.lists(row):
                look.rows[row.id] = row

    def removed(self, timesheet_id: int) -> None:
        for look in self._kept.values():
            look.rows.pop(timesheet_id, None)

    def forget(self, user_id: int) -> None:
        """A write of ours may or may not be there."""
        self._kept = {key: look for key, look in self._kept.items() if key[0] != user_id}

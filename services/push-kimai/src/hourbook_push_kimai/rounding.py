"""Kimai's rounding, which its API does not tell, learned from what was asked and what was stored: pure.

Kimai rounds begin, end and duration of a timesheet at every save (kimai-api.md 3.4). Steps count from
the epoch. What is learned is a set of guesses that agree with every answer so far, the smallest first.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple
from zoneinfo import ZoneInfo

from hourbook_contracts.ledger import Work
from hourbook_kit.target.protocol import Timesheet

STEPS = tuple(60 * minutes for minutes in (1, 2, 3, 4, 5, 6, 10, 12, 15, 20, 30, 60))
DIRECTIONS = ("floor", "ceil", "closest")


class Guess(NamedTuple):
    step: int
    """In seconds; 0: it does not round."""
    direction: str

    def rounds(self, value: int) -> int:
        rest = value % self.step if self.step else 0
        if rest == 0:
            return value
        up = rest > self.step / 2 if self.direction == "closest" else self.direction == "ceil"
        return value - rest + (self.step if up else 0)


NONE = Guess(0, "floor")
ALL = (NONE, *(Guess(step, direction) for step in STEPS for direction in DIRECTIONS))


class Times(NamedTuple):
    """Of a stopped timesheet, in seconds; begin and end from the epoch."""

    begin: int
    end: int
    pause: int
    duration: int

    @property
    def span(self) -> int:
        return self.end - self.begin - self.pause


def times_of(row: Timesheet) -> Times | None:
    """None: it runs, and Kimai rounds nothing yet."""
    if row.ended_at is None:
        return None
    return Times(
        _seconds(row.began_at), _seconds(row.ended_at), row.break_seconds, row.duration_seconds
    )


def times_of_work(work: Work, pause: int) -> Times:
    """As we ask for it: nothing is rounded yet."""
    begin = _seconds(work.began_at)
    return Times(begin, begin + work.duration_seconds + pause, pause, work.duration_seconds)


def _seconds(moment: datetime) -> int:
    return int(moment.timestamp())


@dataclass(frozen=True, slots=True)
class Guesses:
    """What agrees with all answers so far, for each of the three that Kimai rounds."""

    begin: tuple[Guess, ...] = ALL
    end: tuple[Guess, ...] = ALL
    duration: tuple[Guess, ...] = ALL

    @property
    def step_seconds(self) -> int:
        """To which begins should be placed so that Kimai moves as little as it can; at least 1."""
        return max(1, self.begin[0].step, self.end[0].step)

    def learn(self, asked: Times, stored: Times) -> "Guesses":
        """With another answer; where nothing agrees any more Kimai was set anew, and so are we."""
        return Guesses(
            _agreeing(self.begin, asked.begin, stored.begin),
            _agreeing(self.end, asked.end, stored.end),
            _agreeing(self.duration, stored.span, stored.duration),
        )

    def rounds(self, before: Times) -> Times:
        """What a save makes of these times, by the smallest guesses."""
        begin, end = self.begin[0].rounds(before.begin), self.end[0].rounds(before.end)
        return Times(begin, end, before.pause, self.duration[0].rounds(end - begin - before.pause))


NOTHING_LEARNED = Guesses()


def _agreeing(guesses: Iterable[Guess], asked: int, stored: int) -> tuple[Guess, ...]:
    def agrees(guess: Guess) -> bool:
        return guess.rounds(asked) == stored

    return tuple(filter(agrees, guesses)) or tuple(filter(agrees, ALL)) or ALL


def rounded(before: Times, after: Times | None, guesses: Guesses) -> bool:
    """Whether a save alone explains the difference: by less than the step and in its direction."""
    return after is not None and after != before and guesses.rounds(before) == after


def weekday_of(row: Timesheet, zone: ZoneInfo) -> int:
    """ISO, of its end: Kimai may round on some days of the week only."""
    return (row.ended_at or row.began_at).astimezone(zone).isoweekday()

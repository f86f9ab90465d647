"""When a source is to be polled and swept: by its intervals, and at once where somebody changed or asked."""

import time
from datetime import datetime, timedelta

from hourbook_contracts.codec import ce_id
from hourbook_contracts.control import AlarmAnswered
from hourbook_contracts.installation import Source
from hourbook_kit.source.survey import ALARM

UNIT_SECONDS = 300
"""How long a source's unit may have another name before we look."""


class Schedule:
    """Of one source; what was set or asked for is a mark, and another mark is due at once."""

    def __init__(self, overlap_seconds: float) -> None:
        self._overlap = timedelta(seconds=overlap_seconds)
        self._set: object = None
        self._poll_mark: object = None
        self._sweep_mark: object = None
        self._unit_mark: object = None
        self._polled_at = self._swept_at = self._unit_seen_at = 0.0

    def changed(self, source: Source) -> bool:
        """Whether the source is another one than when this was last asked."""
        before, self._set = self._set, (source.configured, source.units)
        return before != self._set

    def overlapping(self, cursor: datetime | None) -> datetime | None:
        return None if cursor is None else cursor - self._overlap

    def unit_is_due(self, source: Source) -> bool:
        late = time.monotonic() - self._unit_seen_at > UNIT_SECONDS
        return self._unit_mark != _sweep_mark(source) or late

    def unit_was_seen(self, source: Source) -> None:
        self._unit_mark, self._unit_seen_at = _sweep_mark(source), time.monotonic()

    def poll_is_due(self, source: Source) -> bool:
        return self._poll_mark != _poll_mark(source) or self._poll_left(source) <= 0

    def sweep_is_due(self, source: Source) -> bool:
        return self._sweep_mark != _sweep_mark(source) or self._sweep_left(source) <= 0

    def polled(self, source: Source) -> None:
        self._poll_mark, self._polled_at = _poll_mark(source), time.monotonic()

    def swept(self, source: Source) -> None:
        self._sweep_mark, self._swept_at = _sweep_mark(source), time.monotonic()

    def seconds_left(self, source: Source) -> float:
        return max(0, min(self._poll_left(source), self._sweep_left(source)))

    def _poll_left(self, source: Source) -> float:
        return self._polled_at + source.configured.poll_seconds - time.monotonic()

    def _sweep_left(self, source: Source) -> float:
        return self._swept_at + source.configured.sweep_seconds - time.monotonic()


def believing(source: Source, used: str | None) -> AlarmAnswered | None:
    """A person's word that the emptiness is true, if no sweep has used it up; the last word counts."""
    answers = [answer for answer in source.answered if answer.alarm == ALARM]
    if not answers or answers[-1].choice != "believe" or ce_id(answers[-1]) == used:
        return None
    return answers[-1]


def _poll_mark(source: Source) -> object:
    return (source.configured, source.units, source.sync_asked)


def _sweep_mark(source: Source) -> object:
    return (source.configured, source.units, source.sweep_asked, believing(source, None))

"""How a connection stands, in one word and one sentence: pure.

"On time" is never said of what never ran, and what is tried again by itself is no error.
"""

from datetime import datetime
from typing import Literal, NamedTuple, Protocol

from hourbook_query_api.source_status import SourceStatus
from hourbook_query_api.sync import TargetStatus

Word = Literal[
    "never_ran", "off", "on_time", "syncing", "queued", "on_track", "late", "action_required"
]
_LATE_AFTER_INTERVALS = 3
_LATE_AFTER_SECONDS = 60
_WAITS_LONG_SECONDS = 300
_PASSES_BY_ITSELF = {"unreachable", "blind"}
"""Obstacles of a Kimai that nobody need do anything about; they are late when they stay."""


class Standing(NamedTuple):
    word: Word
    sentence: str
    behind_seconds: float | None
    """Since it was last known to be as the other side; null: it never was."""
    backlog: int


def of_source(
    status: SourceStatus, *, poll_seconds: float, backlog: int, now: datetime
) -> Standing:
    """Backlog: tickets that are to be read."""
    behind = None if status.polled_at is None else (now - status.polled_at).total_seconds()

    def said(word: Word, sentence: str) -> Standing:
        return Standing(word, sentence, behind, backlog)

    if not status.unit_confirmed or status.alarms:
        return said(
            "action_required", status.obstacles[0] if status.obstacles else "Answer its alarm."
        )
    if behind is None:
        return said("never_ran", "It has not been read yet.")
    if behind > _patience(poll_seconds):
        return said("late", "It could not be read for a while; it is tried again by itself.")
    if backlog:
        return said("syncing", f"{backlog} tickets are to be read.")
    if behind > poll_seconds * 2 + 5:
        return said("on_track", "It is read a little later than set, and catches up.")
    return said("on_time", "All that it told has been read.")


def of_target(
    status: TargetStatus, *, poll_seconds: float, backlog: int, now: datetime
) -> Standing:
    """Backlog: writes without an answer, and decisions that push has not read yet."""
    waits = (now - status.waiting_since).total_seconds() if status.waiting_since else 0.0
    looked = None if status.polled_at is None else (now - status.polled_at).total_seconds()
    behind = None if looked is None else max(waits, looked)

    def said(word: Word, sentence: str) -> Standing:
        return Standing(word, sentence, behind, backlog)

    asking = [one for one in status.obstacles if one.name not in _PASSES_BY_ITSELF]
    if status.alarms:
        return said("action_required", "Answer its alarm: nothing is written until then.")
    if asking:
        return said("action_required", asking[0].sentence)
    if looked is None:
        return said("never_ran", "It has not been looked at yet.")
    if status.obstacles:
        long = (now - status.obstacles[0].since).total_seconds() > _LATE_AFTER_SECONDS
        return said("late" if long else "on_track", status.obstacles[0].sentence)
    if looked > _patience(poll_seconds) or waits > _WAITS_LONG_SECONDS:
        return said(
            "late", "It could not be reached or written for a while; it is tried again by itself."
        )
    if not status.writing:
        return said("off", "Nothing is written until writing is switched on.")
    return _of_writes(status, said)


def _of_writes(status: TargetStatus, said: "_Said") -> Standing:
    writes = status.writes
    if writes.get("uncertain"):
        count = writes["uncertain"]
        return said(
            "on_track", f"{count} writes are looked for in Kimai before anything is repeated."
        )
    if writes.get("sent"):
        return said("syncing", "It is being written.")
    if writes.get("queued"):
        return said("queued", f"{writes['queued']} writes wait for their turn.")
    return said("on_time", "It holds all that was decided.")


class _Said(Protocol):
    """`Standing` with the numbers filled in."""

    def __call__(self, word: Word, sentence: str) -> Standing: ...


def _patience(poll_seconds: float) -> float:
    return max(_LATE_AFTER_SECONDS, poll_seconds * _LATE_AFTER_INTERVALS)

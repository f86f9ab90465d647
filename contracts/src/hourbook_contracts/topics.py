"""The topics: made explicitly with these settings by `hourbook migrate`, never by a broker on its own."""

from dataclasses import dataclass, field
from datetime import timedelta

_FOR_EVER = "-1"


def _milliseconds(time: timedelta) -> str:
    return str(int(time.total_seconds() * 1000))


@dataclass(frozen=True, slots=True)
class Topic:
    """A topic's name, its partitions (for ever: changing them re-hashes books) and its settings."""

    name: str
    partitions: int
    holds: str
    settings: dict[str, str] = field(default_factory=dict)


LEDGER = Topic(
    "hourbook.ledger.v1",
    24,
    "every fact and decision about hours; key = book; the reconciler's only input",
    {"cleanup.policy": "delete", "retention.ms": _FOR_EVER, "retention.bytes": _FOR_EVER},
)
CONTROL = Topic(
    "hourbook.control.v1",
    1,
    "what people and the clock did to the system",
    {"cleanup.policy": "delete", "retention.ms": _FOR_EVER, "retention.bytes": _FOR_EVER},
)
INBOX = Topic(
    "hourbook.inbox.zammad.v1",
    8,
    "that a ticket is to be read again, and why; key = <connection>:<ticket id>",
    {"cleanup.policy": "delete", "retention.ms": _milliseconds(timedelta(days=30))},
)
DEAD_LETTERS = Topic(
    "hourbook.dead-letters.v1",
    1,
    "inbox and control messages that could not be handled",
    {"cleanup.policy": "delete", "retention.ms": _milliseconds(timedelta(days=90))},
)

TOPICS = (LEDGER, CONTROL, INBOX, DEAD_LETTERS)
COMMON_SETTINGS = {"unclean.leader.election.enable": "false"}
"""`min.insync.replicas` is set by migrate: one less than the replicas, at least one."""

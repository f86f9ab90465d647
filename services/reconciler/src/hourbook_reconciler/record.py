"""A record as it stands on the ledger, and what it says, or why nobody can tell."""

import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Literal, NamedTuple

from hourbook_contracts.codec import UndecodableError, UnknownTypeError, decode, header
from hourbook_contracts.ledger import (
    ConflictOpened,
    ConflictResolved,
    EntryRecorded,
    LedgerMessage,
    PushRefused,
    Settled,
    TicketObserved,
    TimesheetObserved,
    TimesheetRequested,
    TimesheetWritten,
    Work,
)

NEWER = "newer_than_this_version"
"""Why a book is halted behind a type that a later version will know."""
POISON = "unreadable_message"
"""Why a book is halted behind a message that nobody can read."""

_LARGEST_GEN = 2**31 - 1
_LARGEST_ID = 2**62
_TOO_LARGE = "a number beyond all measure"
_ID = r"[a-z]{1,16}:[a-z][a-z0-9-]{0,30}:\d{1,18}"
_BOOK = re.compile(_ID)
_SUBJECT = re.compile(rf"{_ID}(?:/(?:\d{{1,18}}(?:/remainder)?|{_ID}))?")
_LONGEST_SECONDS = 10 * 366 * 24 * 3600
_YEARS = range(1970, 9000)


class Record(NamedTuple):
    """What Kafka holds at one offset of the ledger."""

    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes | None], ...]
    milliseconds: int | None = None
    """When Kafka was given it; tells people where to look, nothing else."""

    @property
    def at(self) -> datetime | None:
        return datetime.fromtimestamp(self.milliseconds / 1000, UTC) if self.milliseconds else None

    @property
    def book(self) -> str | None:
        """The book it queues in: its key, whatever the message says; None if that names none."""
        return _book_of(self.key)


@lru_cache(maxsize=4096)
def _book_of(key: bytes | None) -> str | None:
    name = (key or b"").decode(errors="replace")
    return name if _BOOK.fullmatch(name) else None


class GapError(Exception):
    """The ledger went on without us: messages between our checkpoint and these are missing."""


@dataclass(frozen=True, slots=True)
class Unreadable:
    """`parked`: to be read by a later version; `poison`: by nobody."""

    kind: Literal["poison", "parked"]
    error: str

    @property
    def halts(self) -> str:
        return NEWER if self.kind == "parked" else POISON


def read(record: Record) -> LedgerMessage | Unreadable:
    """What a record says; one whose key names another book than its message is poison."""
    try:
        message = decode(record.headers, record.value)
    except UnknownTypeError as error:
        return Unreadable("parked", str(error))
    except UndecodableError as error:
        return Unreadable("poison", str(error))
    if not isinstance(message, LedgerMessage):
        return Unreadable("poison", f"{message.TYPE} does not belong on the ledger")
    if message.book != record.book:
        return Unreadable("poison", "its key names another book than the message")
    fault = _fault_of(message)
    if fault is None and _may_be_odd(record.value or b""):
        fault = _unkeepable(record.value or b"")
    return message if fault is None else Unreadable("poison", fault)


def _may_be_odd(value: bytes) -> bool:
    """Most values lack already the letter that an odd one needs, and one letter is found ten times as fast."""
    return (
        (b"\\" in value and b"\\u" in value)
        or (b"N" in value and b"NaN" in value)
        or (b"I" in value and b"Infinity" in value)
    )


def type_of(record: Record) -> str | None:
    found = header(record.headers, "ce_type")
    return found.replace("\0", "") if found is not None else None


def _fault_of(message: LedgerMessage) -> str | None:
    """What the contract lets pass and we cannot work with: it would stop the partition for ever."""
    if not _SUBJECT.fullmatch(message.subject):
        return "an id that is none"
    match message:  # in the order of how many there are
        case EntryRecorded():
            return _fault_of_entry(message)
        case TimesheetRequested(gen=gen, want=want):
            return _beyond(_user(want), gen=gen)
        case TimesheetWritten(gen=gen, asked=want, stored=held):
            return _beyond(_user(want), _user(held), gen=gen)
        case Settled():
            return None
        case TimesheetObserved(work=work):
            return _beyond(_user(work))
        case TicketObserved(ticket=ticket):
            return _beyond(ticket.organization_id, ticket.customer_id, ticket.group_id)
        case PushRefused(gen=gen, held=held):
            return _beyond(_user(held), gen=gen)
        case ConflictResolved(choice="adopt", candidates=()):
            return "adopts nothing"
        case (
            ConflictOpened(gen=gen, want=want, held=held)
            | ConflictResolved(gen=gen, want=want, held=held)
        ):
            return _beyond(_user(want), _user(held), gen=gen)
        case _:
            return None


def _fault_of_entry(entry: EntryRecorded) -> str | None:
    if abs(entry.duration_seconds) > _LONGEST_SECONDS:
        return "a duration beyond all measure"
    if entry.created_at.year not in _YEARS:
        return "a time beyond all measure"
    ticket = entry.ticket
    return _beyond(ticket.organization_id, ticket.customer_id, ticket.group_id) or _beyond(
        entry.agent_id, entry.activity_type_id, entry.seconds_per_unit
    )


def _user(work: Work | None) -> int | None:
    return work.place.user_id if work is not None and work.place is not None else None


def _beyond(*ids: int | None, gen: int = 0) -> str | None:
    """Whether PostgreSQL's columns are too small for these."""
    for id_ in ids:
        if id_ is not None and abs(id_) > _LARGEST_ID:
            return _TOO_LARGE
    return _TOO_LARGE if gen > _LARGEST_GEN else None


def _unkeepable(value: bytes) -> str | None:
    """What in a valid message PostgreSQL cannot hold: it would stop the partition for ever."""
    odd: list[str] = []
    try:
        found = json.loads(value, parse_constant=odd.append)
    except ValueError:
        return "not JSON"
    return "a number that is none" if odd else _fault_in(found)


def _fault_in(found: object) -> str | None:
    match found:
        case str():
            if "\0" in found or any("\ud800" <= letter <= "\udfff" for letter in found):
                return "a character that is none"
        case list():
            return next((fault for part in found if (fault := _fault_in(part))), None)
        case dict():
            return _fault_in([*found.keys(), *found.values()])
        case _:
            pass
    return None

"""A record as it stands on the ledger, and what it says, or why nobody can tell."""

import json
import re
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, NamedTuple

from hourbook_contracts.codec import UndecodableError, UnknownTypeError, decode, header
from hourbook_contracts.ledger import ConflictResolved, EntryRecorded, LedgerMessage

NEWER = "newer_than_this_version"
"""Why a book is halted behind a type that a later version will know."""
POISON = "unreadable_message"
"""Why a book is halted behind a message that nobody can read."""

_SUSPECT = re.compile(rb"\\u0000|\\u[dD][89a-fA-F]|NaN|Infinity|\d{19}")
_LARGEST = 2**62
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
    headers: tuple[tuple[str, bytes], ...]
    at: datetime | None = None
    """When Kafka was given it; tells people where to look, nothing else."""

    @property
    def book(self) -> str | None:
        """The book it queues in: its key, whatever the message says; None if that is no text."""
        try:
            name = (self.key or b"").decode()
        except UnicodeDecodeError:
            return None
        return name if name and "\0" not in name else None


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
    if fault is None and record.value is not None and _SUSPECT.search(record.value):
        fault = _unkeepable(record.value)
    return message if fault is None else Unreadable("poison", fault)


def type_of(record: Record) -> str | None:
    found = header(record.headers, "ce_type")
    return found.replace("\0", "") if found is not None else None


def _fault_of(message: LedgerMessage) -> str | None:
    """What the contract lets pass and the core cannot work with: it would stop the partition for ever."""
    if not _BOOK.fullmatch(message.book) or not _SUBJECT.fullmatch(message.subject):
        return "an id that is none"
    if isinstance(message, ConflictResolved) and message.choice == "adopt":
        return None if message.candidates else "adopts nothing"
    if isinstance(message, EntryRecorded):
        if abs(message.duration_seconds) > _LONGEST_SECONDS:
            return "a duration beyond all measure"
        if message.created_at.year not in _YEARS:
            return "a time beyond all measure"
    return None


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
        case int() if abs(found) > _LARGEST:
            return "a number beyond all measure"
        case list():
            return next((fault for part in found if (fault := _fault_in(part))), None)
        case dict():
            return _fault_in([*found.keys(), *found.values()])
        case _:
            pass
    return None

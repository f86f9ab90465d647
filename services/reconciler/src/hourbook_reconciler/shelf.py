"""A run of ledger records, folded: the one way they are read, live and in a rebuild.

No I/O: books are put on the shelf by the caller and taken from it, with the rows that changed.
"""

import base64
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

from hourbook_contracts.codec import ce_id
from hourbook_contracts.ids import BookId, EntryId, SubjectId
from hourbook_contracts.ledger import Answer, ConflictResolved, Decision, LedgerMessage
from hourbook_reconciler.book import Book
from hourbook_reconciler.evolve import evolve
from hourbook_reconciler.netting import net
from hourbook_reconciler.record import Record, Unreadable, read, type_of
from hourbook_reconciler.rows import (
    ConflictRow,
    EntryRow,
    TicketRow,
    conflict_row,
    entry_row,
    ticket_row,
    touched,
)


class HistoryRow(NamedTuple):
    partition: int
    offset_: int
    book: str
    subject: str
    type: str
    ce_id: str
    observed_at: datetime
    message: str
    traceparent: str | None


class QuarantineRow(NamedTuple):
    partition: int
    offset_: int
    book: str | None
    key: bytes | None
    value: bytes | None
    headers: str
    type: str | None
    error: str
    kind: str
    at: datetime | None


@dataclass(slots=True)
class Shelf:
    """Books by name, and what a run of records has done to them."""

    books: dict[str, Book] = field(default_factory=dict)
    halted: dict[str, str] = field(default_factory=dict)
    partitions: dict[str, int] = field(default_factory=dict)
    """Of every book a record was read of."""
    heard: dict[str, dict[str, int]] = field(default_factory=dict)
    """Highest generation of the decisions read, by book and subject."""
    traces: dict[str, str | None] = field(default_factory=dict)
    """`traceparent` of the last record of a book: what its next decisions are caused by."""
    changed: set[str] = field(default_factory=set)
    """Books that are not what they were."""
    changed_at: dict[EntryId, tuple[str, datetime]] = field(default_factory=dict)
    conflicts: dict[SubjectId, ConflictRow] = field(default_factory=dict)
    history: list[HistoryRow] = field(default_factory=list)
    quarantine: list[QuarantineRow] = field(default_factory=list)

    def put(self, record: Record) -> None:
        """Fold a record; one that cannot be, and all behind it in its book, go into quarantine."""
        name = record.book
        if name is not None:
            self.partitions[name] = record.partition
            if name in self.halted:
                self.quarantine.append(
                    _quarantined(record, Unreadable("parked", f"waits: {self.halted[name]}"))
                )
                return
        message = read(record)
        if isinstance(message, Unreadable):
            self.quarantine.append(_quarantined(record, message))
            if name is not None:
                self.halted[name] = message.halts
                self.changed.add(name)
            return
        self._fold(record, message)

    def _fold(self, record: Record, message: LedgerMessage) -> None:
        name = message.book
        row = _remembered(record, message)
        self.history.append(row)
        self.traces[name] = row.traceparent
        if isinstance(message, Decision):
            heard = self.heard.setdefault(name, {})
            heard[message.posting] = max(heard.get(message.posting, 0), message.gen)
        before = self.books.get(name) or Book(name)
        after = evolve(before, message)
        if after is before:
            return
        self.books[name] = after
        self.changed.add(name)
        for entry in touched(before, after):
            self.changed_at[entry] = name, message.observed_at
        if after.postings is not before.postings and isinstance(
            message, Decision | Answer | ConflictResolved
        ):
            posting = before.posting(message.posting)
            question = conflict_row(after, message.posting, posting, message)
            if question is not None:
                self.conflicts[message.posting] = question

    def book(self, name: str) -> Book:
        return self.books.get(name) or Book(BookId(name))

    def entry_rows(self) -> Iterator[EntryRow]:
        """Of the entries that changed, as they are now."""
        by_book: dict[str, list[tuple[EntryId, datetime]]] = {}
        for entry, (name, at) in self.changed_at.items():
            by_book.setdefault(name, []).append((entry, at))
        for name, entries in by_book.items():
            book, netting = self.books[name], net(self.books[name])
            for entry, at in entries:
                yield entry_row(
                    book, entry, netting, changed_at=at, partition=self.partitions[name]
                )

    def ticket_rows(self) -> Iterator[TicketRow]:
        rows = (ticket_row(self.books[name]) for name in self.changed if name in self.books)
        return (row for row in rows if row is not None)


def _remembered(record: Record, message: LedgerMessage) -> HistoryRow:
    headers = dict(reversed(record.headers))  # of two with one name the first counts
    return HistoryRow(
        record.partition,
        record.offset,
        message.book,
        message.subject,
        message.TYPE,
        _text(headers.get("ce_id")) or ce_id(message),
        message.observed_at,
        (record.value or b"").decode(),
        _text(headers.get("traceparent")),
    )


def _quarantined(record: Record, why: Unreadable) -> QuarantineRow:
    headers = [[name, _kept(value)] for name, value in record.headers]
    return QuarantineRow(
        partition=record.partition,
        offset_=record.offset,
        book=record.book,
        key=record.key,
        value=record.value,
        headers=json.dumps(headers).replace("\\u0000", ""),
        type=type_of(record),
        error=why.error.replace("\0", ""),
        kind=why.kind,
        at=record.at,
    )


def _kept(value: bytes | None) -> str | None:
    return None if value is None else base64.b64encode(value).decode()


def taken_out(row: Mapping[str, Any]) -> Record:
    """The record that a row of the quarantine was made of."""
    headers = tuple(
        (name, None if value is None else base64.b64decode(value))
        for name, value in json.loads(row["headers"])
    )
    at: datetime | None = row["at"]
    milliseconds = round(at.timestamp() * 1000) if at else None
    return Record(row["partition"], row["offset_"], row["key"], row["value"], headers, milliseconds)


def _text(header_value: bytes | None) -> str | None:
    """A header as PostgreSQL can hold it."""
    return header_value.decode(errors="replace").replace("\0", "") if header_value else None

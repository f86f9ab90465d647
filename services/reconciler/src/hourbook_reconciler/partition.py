"""One partition of the ledger folded from its beginning into tables that hold nothing of it.

The same fold as live; rows go out by COPY, history as it comes and books once at the end. All of it
is the caller's transaction.
"""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import asyncpg
from aiokafka import AIOKafkaConsumer, TopicPartition

from hourbook_contracts.codec import header
from hourbook_contracts.topics import LEDGER
from hourbook_reconciler import state
from hourbook_reconciler.queries import SCHEMA
from hourbook_reconciler.record import GapError, Record
from hourbook_reconciler.rows import ConflictRow, EntryRow, TicketRow
from hourbook_reconciler.shelf import HistoryRow, QuarantineRow, Shelf

FETCH = 5000
_BOOK_COLUMNS = ("book", "partition", "state", "digest", "halted", "proposed")


@dataclass(slots=True)
class Replayed:
    """Where the replay of one partition has come to."""

    next_offset: int = 0
    last_ce_id: str | None = None


def in_turn(reader: AIOKafkaConsumer, partitions: Sequence[int]) -> Iterator[int]:
    """Each to be read from its beginning; the next one is fetched while this one is folded."""
    at = [TopicPartition(LEDGER.name, partition) for partition in partitions]
    reader.assign(at)
    for place in at:
        reader.seek(place, 0)
    reader.pause(*at)
    for n, partition in enumerate(partitions):
        reader.resume(*at[n : n + 2])
        yield partition
        reader.pause(at[n])


class Partition:
    """The replay of one partition: history goes out as it comes, books once at the end."""

    def __init__(
        self,
        connection: asyncpg.Connection,
        reader: AIOKafkaConsumer,
        partition: int,
        end: int,
        schema: str = SCHEMA,
    ) -> None:
        self._connection, self._reader, self._schema = connection, reader, schema
        self._at = TopicPartition(LEDGER.name, partition)
        self._end = end
        self._shelf = Shelf()
        self._place = Replayed()
        self._last: Any = None
        self._copying: asyncio.Task[None] | None = None

    async def run(self, told: Callable[[int], None]) -> Replayed:
        """Told how many messages are folded; raises `GapError`."""
        try:
            await self._replay(told)
        finally:  # a transaction cannot be given up while rows are on their way
            if self._copying is not None:
                await asyncio.wait([self._copying])
        last = header(self._last.headers, "ce_id") if self._last else None
        self._place.last_ce_id = last.replace("\0", "") if last else None
        return self._place

    async def _replay(self, told: Callable[[int], None]) -> None:
        while self._place.next_offset < self._end:
            found = await self._reader.getmany(self._at, timeout_ms=1000, max_records=FETCH)
            self._fold(found.get(self._at, ()))
            await self._copy_history()
            told(self._place.next_offset)
        await self._copied()
        await self._copy_books()

    def _fold(self, records: Sequence[Any]) -> None:
        for found in records:
            if found.offset >= self._end:
                return
            if found.offset != self._place.next_offset:
                raise GapError(
                    f"partition {found.partition}: expected {self._place.next_offset},"
                    f" got {found.offset}"
                )
            self._shelf.put(record_of(found))
            self._place.next_offset = found.offset + 1
            self._last = found

    async def _copy_history(self) -> None:
        """While PostgreSQL stores these, the next are folded."""
        await self._copied()
        history, self._shelf.history = self._shelf.history, []
        quarantine, self._shelf.quarantine = self._shelf.quarantine, []

        async def copy() -> None:
            await self._copy("history", history, HistoryRow._fields)
            await self._copy("quarantine", quarantine, QuarantineRow._fields)

        self._copying = asyncio.create_task(copy())

    async def _copied(self) -> None:
        if self._copying is not None:
            await self._copying
            self._copying = None

    async def _copy_books(self) -> None:
        shelf = self._shelf
        books = []
        for name in [*shelf.books, *(shelf.halted.keys() - shelf.books.keys())]:
            encoded = state.encode(shelf.book(name))
            text, digest = encoded.decode(), state.digest(encoded)
            halted = shelf.halted.get(name)
            books.append((name, self._at.partition, text, digest, halted, "{}"))
        await self._copy("books", books, _BOOK_COLUMNS)
        await self._copy("tickets", sorted(shelf.ticket_rows()), TicketRow._fields)
        await self._copy("entries", sorted(shelf.entry_rows()), EntryRow._fields)
        await self._copy("conflicts", sorted(shelf.conflicts.values()), ConflictRow._fields)

    async def _copy(
        self, table: str, rows: Sequence[Sequence[object]], columns: Sequence[str]
    ) -> None:
        if rows:
            await self._connection.copy_records_to_table(
                table, schema_name=self._schema, records=rows, columns=columns
            )


def record_of(found: Any) -> Record:
    """Of aiokafka's record, which is untyped."""
    return Record(
        found.partition,
        found.offset,
        found.key,
        found.value,
        tuple(found.headers),
        found.timestamp,
    )

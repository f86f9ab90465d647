"""The read model dropped and made again from the ledger alone (promise 6).

Plain aiokafka, the same fold as live, no policy, nothing decided. All of it is one transaction, so
readers see the old model until the new one is whole, and a rebuild that is killed has done nothing.
Batches and assessments wait for it. A partition is replayed after the other: its books are in
memory together, and no others.
"""

import asyncio
import gc
import hashlib
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

import asyncpg
import structlog
from aiokafka import AIOKafkaConsumer, TopicPartition

from hourbook_contracts.codec import header
from hourbook_contracts.topics import LEDGER
from hourbook_kit import kafka
from hourbook_kit.kafka import AnotherLogError
from hourbook_reconciler import state
from hourbook_reconciler.authority import compare
from hourbook_reconciler.queries import SCHEMA, query
from hourbook_reconciler.record import Record
from hourbook_reconciler.rows import ConflictRow, EntryRow, TicketRow
from hourbook_reconciler.settings import Settings
from hourbook_reconciler.shelf import HistoryRow, QuarantineRow, Shelf
from hourbook_reconciler.store import CHANNEL, REBUILD_LOCK, GapError

log = structlog.get_logger()

FETCH = 5000
TABLES = ("books", "tickets", "entries", "conflicts", "history", "quarantine", "outbox")
_SESSION = {
    "timezone": "UTC",
    "statement_timeout": "0",
    "lock_timeout": "0",
    "idle_in_transaction_session_timeout": "0",
}
_BOOK_COLUMNS = ("book", "partition", "state", "digest", "halted", "proposed")

Progress = Callable[[int, int], None]
"""Told how many messages of how many are folded."""


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """What came out; equal digests: the read model was what the ledger says, row for row."""

    before_digest: str
    after_digest: str
    messages: int
    seconds: float
    differing: tuple[str, ...] = ()
    """Tables that are not what they were."""


@dataclass(slots=True)
class _Replayed:
    """Where the replay of one partition has come to."""

    next_offset: int = 0
    last_ce_id: str | None = None


async def rebuild(settings: Settings, progress: Progress) -> Rebuilt:
    """Read the ledger up to where the books stand, into an empty read model up to its end.

    A ledger that is another one than the books were read from is taken as the truth, up to its end.
    """
    began = time.monotonic()
    connection = await asyncpg.connect(
        settings.database_url.get_secret_value(), timeout=5, server_settings=_SESSION
    )
    fetching = kafka.reading(settings, max_partition_fetch_bytes=8 * 1024 * 1024)
    try:
        async with fetching as reader, connection.transaction():
            await connection.execute("SELECT pg_advisory_xact_lock($1)", REBUILD_LOCK)
            before = await model_digest(connection)
            messages = await _replay_all(connection, reader, settings, progress)
            after = await model_digest(connection)
            await connection.execute("SELECT pg_notify($1, 'rebuilt')", CHANNEL)
    finally:
        connection.terminate()
    return Rebuilt(
        _total(before),
        _total(after),
        messages,
        time.monotonic() - began,
        tuple(name for name in after if after[name] != before[name]),
    )


async def model_digest(connection: asyncpg.Connection, schema: str = SCHEMA) -> dict[str, str]:
    """By table: rows and a sum over them, whatever their order."""
    rows = await connection.fetch(query("digest", schema))
    return {row["name"]: f"{row['rows']}:{row['hash'] or 0}" for row in rows}


def _total(tables: dict[str, str]) -> str:
    text = "\n".join(f"{name} {digest}" for name, digest in sorted(tables.items()))
    return hashlib.sha256(text.encode()).hexdigest()[:32]


async def _replay_all(
    connection: asyncpg.Connection,
    reader: AIOKafkaConsumer,
    settings: Settings,
    progress: Progress,
) -> int:
    ends, another = await _ends(connection, reader, settings)
    for table in TABLES:
        await connection.execute(f"DELETE FROM book.{table}")  # noqa: S608 -- a name of ours
    total, done = sum(ends.values()), 0
    places: dict[int, _Replayed] = {}
    partitions = [partition for partition, end in sorted(ends.items()) if end]
    at = [TopicPartition(LEDGER.name, partition) for partition in partitions]
    reader.assign(at)
    for partition in at:
        reader.seek(partition, 0)
    reader.pause(*at)
    for n, partition in enumerate(partitions):
        reader.resume(*at[n : n + 2])  # the next one is fetched while this one is folded
        replay = _Partition(connection, reader, partition, ends[partition])
        with no_search_for_cycles():
            places[partition] = await replay.run(partial(_told, progress, done, total))
        done += ends[partition]
    await connection.execute(
        query("reset_checkpoints"),
        list(places),
        [place.next_offset for place in places.values()],
        [place.last_ce_id for place in places.values()],
        await kafka.cluster_id(settings),
        another,
    )
    await connection.execute(
        "UPDATE book.assessment SET after_book = '', finished = false, fold_version = 0,"
        " policy_version = CASE WHEN $1 THEN 0 ELSE policy_version END",
        another,
    )
    return done


@contextmanager
def no_search_for_cycles() -> Iterator[None]:
    """Books hold none, and looking for some among a hundred thousand takes half of the time."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def _told(progress: Progress, before: int, total: int, here: int) -> None:
    progress(before + here, total)


async def _ends(
    connection: asyncpg.Connection, reader: AIOKafkaConsumer, settings: Settings
) -> tuple[dict[int, int], bool]:
    """Up to where to read each partition, and whether the ledger is another one."""
    rows = await connection.fetch(
        "SELECT partition, next_offset, last_ce_id, cluster_id FROM book.checkpoint"
        " ORDER BY partition FOR UPDATE"
    )
    another = False
    if any(row["next_offset"] for row in rows):
        try:
            await compare(settings, rows)
        except AnotherLogError as error:
            log.warning("rebuilding_from_another_ledger", was=str(error))
            another = True
        else:
            return {row["partition"]: row["next_offset"] for row in rows}, False
    at = [TopicPartition(LEDGER.name, partition) for partition in range(LEDGER.partitions)]
    ends = await reader.end_offsets(at)
    return {tp.partition: end for tp, end in ends.items()}, another


class _Partition:
    """The replay of one partition: history goes out as it comes, books once at the end."""

    def __init__(
        self, connection: asyncpg.Connection, reader: AIOKafkaConsumer, partition: int, end: int
    ) -> None:
        self._connection, self._reader = connection, reader
        self._at = TopicPartition(LEDGER.name, partition)
        self._end = end
        self._shelf = Shelf()
        self._place = _Replayed()
        self._last: Any = None
        self._copying: asyncio.Task[None] | None = None

    async def run(self, told: Callable[[int], None]) -> _Replayed:
        while self._place.next_offset < self._end:
            found = await self._reader.getmany(self._at, timeout_ms=1000, max_records=FETCH)
            self._fold(found.get(self._at, ()))
            await self._copy_history()
            told(self._place.next_offset)
        self._reader.pause(self._at)
        await self._copied()
        await self._copy_books()
        last = header(self._last.headers, "ce_id") if self._last else None
        self._place.last_ce_id = last.replace("\0", "") if last else None
        return self._place

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
        for name in sorted(shelf.changed):
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
                table, schema_name="book", records=rows, columns=columns
            )


def record_of(found: Any) -> Record:
    """Of aiokafka's record, which is untyped."""
    return Record(
        partition=found.partition,
        offset=found.offset,
        key=found.key,
        value=found.value,
        headers=tuple(found.headers),
        milliseconds=found.timestamp,
    )

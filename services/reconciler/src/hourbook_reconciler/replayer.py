"""One of the processes among which a replay is shared.

It folds whole partitions, asked for one by one, and gives rows back as text for COPY: whoever asked
holds the transaction. It needs Kafka and no database, and ends when nobody asks any more.
"""

import asyncio
import gc
import sys
from collections.abc import Iterable, Sequence
from multiprocessing.connection import Connection
from typing import Any, NamedTuple

from aiokafka import AIOKafkaConsumer, TopicPartition

from hourbook_contracts.codec import header
from hourbook_contracts.topics import LEDGER
from hourbook_kit import kafka
from hourbook_kit.settings import KafkaSettings
from hourbook_reconciler import state
from hourbook_reconciler.copying import lines
from hourbook_reconciler.record import Record
from hourbook_reconciler.rows import ConflictRow, EntryRow, TicketRow
from hourbook_reconciler.shelf import HistoryRow, QuarantineRow, Shelf

FETCH = 5000
COLUMNS: dict[str, Sequence[str]] = {
    "history": HistoryRow._fields,
    "quarantine": QuarantineRow._fields,
    "books": ("book", "partition", "state", "digest", "halted", "proposed"),
    "tickets": TicketRow._fields,
    "entries": EntryRow._fields,
    "conflicts": ConflictRow._fields,
}
"""Of each table that a replay fills, in the order of the rows."""


class Asked(NamedTuple):
    """What to replay: a partition, from its beginning up to this offset."""

    partition: int
    end: int


class Told(NamedTuple):
    """What a replayer says, again and again, of the partition it was asked for."""

    next_offset: int
    """Up to here."""
    table: str | None = None
    rows: bytes = b""
    """Of `table`, as COPY reads them."""
    last_ce_id: str | None = None
    """Of the record before `next_offset`, told at the end."""
    ended: bool = False
    gap: str | None = None
    """Where messages are missing: which. It is the last word."""


class _GapError(Exception):
    pass


class Replayer:
    """Folds one partition after the other; its books are in memory together, and no others."""

    def __init__(self, reader: AIOKafkaConsumer, asker: "Connection[Told, Asked]") -> None:
        self._reader, self._asker = reader, asker

    async def replay(self, partition: int, end: int) -> None:
        """From the beginning up to `end`: history as it comes, books once at the end."""
        at = TopicPartition(LEDGER.name, partition)
        self._reader.assign([at])
        self._reader.seek(at, 0)
        shelf, here, last = Shelf(), 0, None
        while here < end:
            found = await self._reader.getmany(at, timeout_ms=1000, max_records=FETCH)
            for message in found.get(at, ()):
                if message.offset >= end:
                    break
                if message.offset != here:
                    raise _GapError(f"partition {partition}: expected {here}, got {message.offset}")
                shelf.put(record_of(message))
                here, last = message.offset + 1, message
            self._tell("history", shelf.history, here)
            self._tell("quarantine", shelf.quarantine, here)
            shelf.history, shelf.quarantine = [], []
        self._tell("books", _books(shelf, partition), here)
        self._tell("tickets", shelf.ticket_rows(), here)
        self._tell("entries", shelf.entry_rows(), here)
        self._tell("conflicts", shelf.conflicts.values(), here)
        ce_id = header(last.headers, "ce_id") if last else None
        self._asker.send(
            Told(here, ended=True, last_ce_id=ce_id.replace("\0", "") if ce_id else None)
        )

    def _tell(self, table: str, rows: Iterable[Sequence[object]], here: int) -> None:
        text = lines(rows)
        if text:  # said at once, or as soon as PostgreSQL has time for it
            self._asker.send(Told(here, table, text))


def _books(shelf: Shelf, partition: int) -> Iterable[Sequence[object]]:
    for name in shelf.changed:
        encoded = state.encode(shelf.book(name))
        digest = state.digest(encoded)
        yield name, partition, encoded.decode(), digest, shelf.halted.get(name), "{}"


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


async def serve(settings: KafkaSettings, asker: "Connection[Told, Asked]") -> None:
    """Replays what it is asked for until the asker is gone."""
    reader = kafka.consumer(settings, max_partition_fetch_bytes=8 * 1024 * 1024)
    await reader.start()
    replayer = Replayer(reader, asker)
    try:
        while True:
            await replayer.replay(*asker.recv())
            gc.collect()
    except _GapError as error:
        asker.send(Told(0, gap=str(error)))
    except (EOFError, ConnectionError):
        pass
    finally:
        await reader.stop()


def run(settings: KafkaSettings, asker: "Connection[Told, Asked]") -> None:
    """All of a replayer's life; closes the pipe behind it."""
    with asker:
        asyncio.run(serve(settings, asker))


def main() -> None:
    """Of a process: the pipe's number is its argument, and the first word on it is how to reach Kafka."""
    gc.disable()  # books hold no cycles, and looking for some takes half of the time
    asker: Connection[Any, Any] = Connection(int(sys.argv[1]))
    run(asker.recv(), asker)

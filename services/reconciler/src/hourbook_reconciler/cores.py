"""The ledger folded into an empty read model by several processes, each a partition at a time.

A partition is one transaction with its checkpoint: whatever is stopped has done whole partitions, and
another run does the rest. Indexes are better made afterwards than kept up meanwhile, but for keys.
"""

import asyncio
import multiprocessing
import os
import signal
import threading
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from concurrent.futures import BrokenExecutor, ProcessPoolExecutor
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from multiprocessing.sharedctypes import Synchronized, SynchronizedArray
from multiprocessing.util import Finalize

import asyncpg
from aiokafka import AIOKafkaConsumer, TopicPartition

from hourbook_contracts.topics import LEDGER
from hourbook_kit import kafka
from hourbook_kit.settings import KafkaSettings
from hourbook_reconciler.partition import Partition
from hourbook_reconciler.queries import SCHEMA, query
from hourbook_reconciler.second import BY_BOOK

_SESSION = {
    "timezone": "UTC",
    "statement_timeout": "0",
    "idle_in_transaction_session_timeout": "0",
    "maintenance_work_mem": "128MB",
}
_LOOK_SECONDS = 0.2
_SAME_LOG = False
_MOST = 2
"""A container sees the cores of its whole host, and what `jobs` is given there (1 GB) holds two: of a ledger of a
million messages one took 255 MB."""
_INDEXES = """
SELECT c.relname AS name, pg_get_indexdef(c.oid) AS definition
FROM pg_index AS i JOIN pg_class AS c ON c.oid = i.indexrelid
JOIN pg_class AS t ON t.oid = i.indrelid
WHERE t.relnamespace = $1::regnamespace AND t.relname = ANY ($2) AND NOT i.indisunique
"""

Progress = Callable[[int], None]
"""Told how many messages are folded."""


class LostProcessError(Exception):
    """One of the processes has ended, perhaps for want of memory; what is done stays done."""

    def __init__(self) -> None:
        super().__init__(
            "A process that folded the ledger was ended from outside, perhaps for want of memory."
            " Start it again: it goes on where it was."
        )


@dataclass(frozen=True, slots=True)
class Work:
    """Whose ledger is folded into which schema."""

    settings: KafkaSettings
    dsn: str
    schema: str
    cluster_id: str


async def fold(work: Work, ends: Mapping[int, int], progress: Progress) -> None:
    """Each of these partitions from its beginning up to there; one that somebody began before is left alone.

    As many processes as there are cores, two at most. Raises `LostProcessError`, and `GapError` for a log whose
    beginning is gone.
    """
    context = multiprocessing.get_context("spawn")
    done = context.Array("q", LEDGER.partitions)
    stop = context.Value("b", False)  # noqa: FBT003 -- the C type and its value
    largest_first = sorted(ends.items(), key=lambda item: -item[1])
    pool = ProcessPoolExecutor(
        max_workers=min(len(ends), len(os.sched_getaffinity(0)), _MOST),
        mp_context=context,
        initializer=_begin,
        initargs=(work, done, stop),
    )
    told = 0
    with _no_interrupt_for_children():
        folding = [asyncio.wrap_future(pool.submit(_fold, *item)) for item in largest_first]
    try:
        while not all(one.done() for one in folding):
            await asyncio.wait(folding, timeout=_LOOK_SECONDS, return_when=asyncio.FIRST_EXCEPTION)
            _raise_from(folding)
            if (now := sum(done[:])) > told:
                told = now
                progress(told)
    finally:
        stop.value = True
        await asyncio.to_thread(pool.shutdown, cancel_futures=True)
        await asyncio.gather(*folding, return_exceptions=True)


@contextmanager
def _no_interrupt_for_children() -> Iterator[None]:
    """A terminal's Ctrl-C comes to all of a command's processes: this one stops the others, in order."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})  # which they inherit
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _raise_from(folding: Sequence["asyncio.Future[None]"]) -> None:
    for one in folding:
        if one.done():
            try:
                one.result()
            except BrokenExecutor as error:
                raise LostProcessError from error


async def drop_indexes(connection: asyncpg.Connection, schema: str) -> None:
    """All but the keys."""
    for row in await connection.fetch(_INDEXES, schema, BY_BOOK):
        await connection.execute(f'DROP INDEX "{schema}"."{row["name"]}"')


async def make_indexes(dsn: str, schema: str) -> None:
    """Those that the served tables have and these lack, and what the planner wants to know; all tables at once."""
    await asyncio.gather(*(_make_indexes(dsn, schema, table) for table in BY_BOOK))


async def _make_indexes(dsn: str, schema: str, table: str) -> None:
    async with connected(dsn) as connection:
        there = {row["name"] for row in await connection.fetch(_INDEXES, schema, [table])}
        for row in await connection.fetch(_INDEXES, SCHEMA, [table]):
            if row["name"] not in there:
                await connection.execute(row["definition"].replace(f" {SCHEMA}.", f" {schema}.", 1))
        await connection.execute(f'ANALYZE "{schema}".{table}')


@asynccontextmanager
async def connected(dsn: str) -> AsyncIterator[asyncpg.Connection]:
    """For as long as the work takes; broken off at the end whatever is going on."""
    connection = await asyncpg.connect(dsn, timeout=5, server_settings=_SESSION)
    try:
        yield connection
    finally:
        connection.terminate()


class _StoppedError(Exception):
    """Nobody waits for this partition any more."""


@dataclass(slots=True)
class _Process:
    """What one process keeps between its partitions: connections cost more than a small one."""

    work: Work
    done: "SynchronizedArray[int]"
    stop: "Synchronized[bool]"
    loop: asyncio.AbstractEventLoop = field(default_factory=asyncio.new_event_loop)
    held: AsyncExitStack = field(default_factory=AsyncExitStack)
    connection: asyncpg.Connection | None = None
    reader: AIOKafkaConsumer | None = None

    async def fold(self, partition: int, end: int) -> None:
        """Connects first: what goes wrong with that is told as what it is, not as a process that was lost."""
        if self.connection is None or self.reader is None:
            self.connection = await self.held.enter_async_context(connected(self.work.dsn))
            fetching = kafka.reading(self.work.settings, max_partition_fetch_bytes=8 * 1024 * 1024)
            self.reader = await self.held.enter_async_context(fetching)
        await self._fold(self.connection, self.reader, partition, end)

    async def _fold(
        self, connection: asyncpg.Connection, reader: AIOKafkaConsumer, partition: int, end: int
    ) -> None:
        def told(here: int) -> None:
            self.done[partition] = here
            if self.stop.value:
                raise _StoppedError

        async with connection.transaction():
            if not await self._is_ours(connection, partition):
                return
            at = TopicPartition(LEDGER.name, partition)
            reader.assign([at])
            reader.seek(at, 0)
            replay = Partition(connection, reader, partition, end, self.work.schema)
            place = await replay.run(told)
            await connection.execute(
                query("reset_checkpoints", self.work.schema),
                [partition],
                [place.next_offset],
                [place.last_ce_id],
                self.work.cluster_id,
                _SAME_LOG,
            )

    async def _is_ours(self, connection: asyncpg.Connection, partition: int) -> bool:
        """Whether nothing of it was folded; somebody else who begins it waits, and then finds it done."""
        schema = self.work.schema
        await connection.execute(query("begin_checkpoints", schema), [partition])
        rows = await connection.fetch(query("lock_checkpoints", schema), [partition])
        return bool(rows[0]["next_offset"] == 0)


_process: _Process


def _begin(work: Work, done: "SynchronizedArray[int]", stop: "Synchronized[bool]") -> None:
    global _process  # noqa: PLW0603 -- what an initializer is for
    threading.Thread(target=_end_with_parent, daemon=True).start()
    _process = _Process(work, done, stop)
    Finalize(None, _end, exitpriority=1)  # `atexit` is not for processes of a pool


def _end() -> None:
    _process.loop.run_until_complete(_process.held.aclose())


def _fold(partition: int, end: int) -> None:
    _process.loop.run_until_complete(_process.fold(partition, end))


def _end_with_parent() -> None:
    """A parent that was killed shuts no pool down: what its children hold would be locked for ever."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)

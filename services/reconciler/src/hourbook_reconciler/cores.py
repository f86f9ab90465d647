"""The ledger folded into an empty read model by several processes, each a share of its partitions.

A partition is one transaction with its checkpoint: whatever is stopped has done whole partitions, and
another run does the rest. Indexes are better made afterwards than kept up meanwhile.
"""

import asyncio
import gc
import multiprocessing
import os
import signal
import threading
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from concurrent.futures import BrokenExecutor, ProcessPoolExecutor
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from multiprocessing.sharedctypes import Synchronized, SynchronizedArray

import asyncpg

from hourbook_contracts.topics import LEDGER
from hourbook_kit import kafka
from hourbook_kit.settings import KafkaSettings
from hourbook_reconciler.partition import Partition, Replayed, in_turn
from hourbook_reconciler.queries import SCHEMA, query
from hourbook_reconciler.second import BY_BOOK

_SESSION = {
    "timezone": "UTC",
    "statement_timeout": "0",
    "idle_in_transaction_session_timeout": "0",
    "maintenance_work_mem": "128MB",
    "max_parallel_maintenance_workers": "0",
}
_LOOK_SECONDS = 0.2
_SAME_LOG = False
_LARGEST_FIRST = BY_BOOK[::-1]
_MOST = 2
"""A container sees the cores of its whole host, and what `jobs` is given there (1 GB) holds two: of a ledger of a
million messages one took 255 MB."""
_KEYS = """
SELECT conrelid::regclass::text AS of, conname AS name, format(
    'ALTER TABLE %s ADD CONSTRAINT %I %s', conrelid::regclass, conname, pg_get_constraintdef(oid)
) AS definition
FROM pg_constraint
WHERE connamespace = $1::regnamespace AND conrelid = ANY ($2::regclass[]) AND contype = 'p'
ORDER BY array_position($2::regclass[], conrelid)
"""
_INDEXES = """
SELECT indexrelid::regclass::text AS of, relname AS name, pg_get_indexdef(indexrelid) AS definition
FROM pg_index JOIN pg_class ON oid = indexrelid
WHERE relnamespace = $1::regnamespace AND indrelid = ANY ($2::regclass[]) AND NOT indisunique
ORDER BY array_position($2::regclass[], indrelid), relname
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
    largest_first = sorted(ends, key=lambda partition: -ends[partition])
    processes = min(len(ends), _processes())
    pool = ProcessPoolExecutor(processes, context, initializer=_begin, initargs=(done, stop))
    shares = [largest_first[n::processes] for n in range(processes)]
    told = 0
    with _no_interrupt_for_children():
        folding = [
            asyncio.wrap_future(pool.submit(_fold, work, {name: ends[name] for name in share}))
            for share in shares
        ]
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


def _processes() -> int:
    return min(len(os.sched_getaffinity(0)), _MOST)


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
    """Keys too: a row is looked for in one each time it comes."""
    for row in await _of(connection, _KEYS, schema):
        await connection.execute(f'ALTER TABLE {row["of"]} DROP CONSTRAINT "{row["name"]}"')
    for row in await _of(connection, _INDEXES, schema):
        await connection.execute(f"DROP INDEX {row['of']}")


async def make_indexes(dsn: str, schema: str) -> None:
    """Those that the served tables have and these lack, and what the planner wants to know."""
    async with connected(dsn) as connection:
        for kind in (_KEYS, _INDEXES):
            there = {row["name"] for row in await _of(connection, kind, schema)}
            missing = [
                row for row in await _of(connection, kind, SCHEMA) if row["name"] not in there
            ]
            statements = [
                row["definition"].replace(f" {SCHEMA}.", f" {schema}.", 1) for row in missing
            ]
            await _side_by_side(dsn, statements)
    await _side_by_side(dsn, [f'ANALYZE "{schema}".{table}' for table in _LARGEST_FIRST])


async def _of(connection: asyncpg.Connection, kind: str, schema: str) -> list[asyncpg.Record]:
    tables = [f"{schema}.{table}" for table in _LARGEST_FIRST]
    rows: list[asyncpg.Record] = await connection.fetch(kind, schema, tables)
    return rows


async def _side_by_side(dsn: str, statements: Sequence[str]) -> None:
    """In their order, by as many connections as there are processes."""
    waiting = iter(statements)

    async def one_after_the_other() -> None:
        async with connected(dsn) as connection:
            for statement in waiting:
                await connection.execute(statement)

    await asyncio.gather(*(one_after_the_other() for _ in range(_processes())))


@asynccontextmanager
async def connected(dsn: str, **settings: str) -> AsyncIterator[asyncpg.Connection]:
    """For as long as the work takes; broken off at the end whatever is going on."""
    connection = await asyncpg.connect(dsn, timeout=5, server_settings=_SESSION | settings)
    try:
        yield connection
    finally:
        connection.terminate()


class _StoppedError(Exception):
    """Nobody waits for this process any more."""


_done: "SynchronizedArray[int]"
_stop: "Synchronized[bool]"


def _begin(done: "SynchronizedArray[int]", stop: "Synchronized[bool]") -> None:
    global _done, _stop
    threading.Thread(target=_end_with_parent, daemon=True).start()
    gc.disable()  # books hold no cycles, and looking for some takes a part of the time that is felt
    _done, _stop = done, stop


def _fold(work: Work, share: Mapping[int, int]) -> None:
    asyncio.run(_fold_share(work, share))


async def _fold_share(work: Work, share: Mapping[int, int]) -> None:
    """What is committed and not on disk when the machine stops is begun anew: the switch waits for all of it."""
    fetching = kafka.reading(work.settings, max_partition_fetch_bytes=8 * 1024 * 1024)
    async with connected(work.dsn, synchronous_commit="off") as connection, fetching as reader:
        for partition in in_turn(reader, list(share)):
            async with connection.transaction():
                if await _is_ours(connection, work.schema, partition):
                    replay = Partition(connection, reader, partition, share[partition], work.schema)
                    await _keep(connection, work, partition, await replay.run(_tells(partition)))


def _tells(partition: int) -> Progress:
    def told(here: int) -> None:
        _done[partition] = here
        if _stop.value:
            raise _StoppedError

    return told


async def _is_ours(connection: asyncpg.Connection, schema: str, partition: int) -> bool:
    """Whether nothing of it was folded; somebody else who begins it waits, and then finds it done."""
    await connection.execute(query("begin_checkpoints", schema), [partition])
    rows = await connection.fetch(query("lock_checkpoints", schema), [partition])
    return bool(rows[0]["next_offset"] == 0)


async def _keep(
    connection: asyncpg.Connection, work: Work, partition: int, place: Replayed
) -> None:
    await connection.execute(
        query("reset_checkpoints", work.schema),
        [partition],
        [place.next_offset],
        [place.last_ce_id],
        work.cluster_id,
        _SAME_LOG,
    )


def _end_with_parent() -> None:
    """A parent that was killed shuts no pool down: what its children hold would be locked for ever."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)

"""The read model built a second time beside the one that is served, compared, and switched.

The second schema is folded chunk by chunk while the services go on, each chunk with its checkpoints in
one transaction: a build that is stopped goes on where it was. It is compared in a snapshot of the served
one, brought up to it once more while batches wait, and takes its name in that same transaction. Readers
see one or the other, and both are the same. The old one is kept under another name until it is dropped.

Works with an owner's rights: services may read and write rows, not make schemas.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import asyncpg
from aiokafka import AIOKafkaConsumer, TopicPartition

from hourbook_contracts.installation import Policy
from hourbook_contracts.topics import LEDGER
from hourbook_kit import kafka
from hourbook_kit.settings import KafkaSettings
from hourbook_reconciler import cores
from hourbook_reconciler.authority import compare
from hourbook_reconciler.partition import record_of
from hourbook_reconciler.queries import SCHEMA, query
from hourbook_reconciler.rebuild import model_digest
from hourbook_reconciler.second import BY_BOOK, NEXT, OLD, begin, exists, take_over
from hourbook_reconciler.shelf import Shelf
from hourbook_reconciler.store import (
    CHANNEL,
    REBUILD_LOCK,
    Proposals,
    is_new,
    load,
    lock,
    write,
)

CHUNK = 5000
MANY = 20_000
"""Messages from which on starting processes is the smaller part of the work."""
NEARLY = 500
"""Fewer messages than this are folded while batches wait."""
NOTHING = Proposals()

Progress = Callable[[int, int], None]
Ends = Mapping[int, int]


class KeptOldError(Exception):
    """The one before is still kept: drop it first (`hourbook rebuild --drop-old`)."""

    def __init__(self) -> None:
        super().__init__(
            "An old read model is kept still: drop it first (hourbook rebuild --drop-old)."
        )


@dataclass(frozen=True, slots=True)
class Switched:
    """How the second read model compared, and whether it is the one that is served now."""

    switched: bool
    messages: int
    differing: tuple[str, ...]
    """Tables in which the two differ."""


T = TypeVar("T")
AndThen = Callable[[asyncpg.Connection, T], Awaitable[None]]


async def nothing_more(_connection: asyncpg.Connection, _done: object) -> None:
    """What was done is all."""


async def rebuild_beside(
    settings: KafkaSettings,
    dsn: str,
    progress: Progress,
    *,
    even_if_different: bool = False,
    and_then: AndThen[Switched] = nothing_more,
) -> Switched:
    """Build, compare, switch; where they differ it is left as `book_next`, unless that is wanted.

    `and_then` is done in the transaction of the switch: with it, or not at all.

    Raises `KeptOldError`, and `AnotherLogError` where the served one was read from another log.
    """
    fetching = kafka.reading(settings, max_partition_fetch_bytes=8 * 1024 * 1024)
    async with cores.connected(dsn) as builder, cores.connected(dsn) as looker, fetching as reader:
        if await exists(builder, OLD):
            raise KeptOldError
        await _same_log(settings, builder)
        await begin(builder)
        cluster = await kafka.cluster_id(settings)
        await _fold_in_bulk(cores.Work(settings, dsn, NEXT, cluster), builder, progress)
        fold = _Fold(builder, reader, cluster, progress)
        await fold.nearly_up(looker)
        differing = await _compare(fold, looker)
        if differing and not even_if_different:
            return Switched(switched=False, messages=fold.done, differing=differing)
        return await _switch(fold, differing, even_if_different=even_if_different, then=and_then)


async def drop_old(dsn: str, *, and_then: AndThen[bool] = nothing_more) -> bool:
    """Whether there was one; `and_then` is done in its transaction."""
    async with cores.connected(dsn) as connection, connection.transaction():
        there = await exists(connection, OLD)
        await connection.execute(f'DROP SCHEMA IF EXISTS "{OLD}" CASCADE')
        await and_then(connection, there)
        return there


async def _fold_in_bulk(
    work: cores.Work, connection: asyncpg.Connection, progress: Progress
) -> None:
    """Partitions of which nothing is folded yet, where they are long enough to pay for processes."""
    begun, ends = await _ends(connection, NEXT), await _ends(connection, SCHEMA)
    whole = {partition: end for partition, end in ends.items() if end and not begun.get(partition)}
    if sum(whole.values()) >= MANY:
        before, total = sum(begun.values()), sum(ends.values())
        await cores.drop_indexes(connection, NEXT)
        await cores.fold(work, whole, lambda done: progress(before + done, total))
    await cores.make_indexes(work.dsn, NEXT)


class _Fold:
    """Folds the ledger into the second schema, up to where it is told."""

    def __init__(
        self,
        connection: asyncpg.Connection,
        reader: AIOKafkaConsumer,
        cluster_id: str,
        progress: Progress,
    ) -> None:
        self.connection = connection
        self._reader, self._cluster_id, self._progress = reader, cluster_id, progress
        self.done = 0
        """Messages that are in it by now."""
        self.touched: set[str] = set()
        """Books that were folded since this was emptied."""

    async def nearly_up(self, looker: asyncpg.Connection) -> None:
        """Until few messages are missing of what the served one holds, which moves on meanwhile."""
        while True:
            ends = await _ends(looker, SCHEMA)
            missing = await self.up_to(ends)
            if missing < NEARLY:
                return

    async def up_to(self, ends: Ends) -> int:
        """Gives how many messages that took; each chunk is a transaction, or part of the caller's."""
        begin = await _ends(self.connection, NEXT)
        self.done = sum(begin.values())
        total = max(self.done, sum(ends.values()))
        for partition, end in sorted(ends.items()):
            here = begin.get(partition, 0)
            at = TopicPartition(LEDGER.name, partition)
            if here < end:
                self._reader.assign([at])
                self._reader.seek(at, here)
            while here < end:
                batch = await self._reader.getmany(at, timeout_ms=1000, max_records=CHUNK)
                found = [record for record in batch.get(at, ()) if record.offset < end]
                await self._chunk(found)
                here += len(found)
                self.done += len(found)
                self._progress(self.done, total)
        return self.done - sum(begin.values())

    async def _chunk(self, found: Sequence[Any]) -> None:
        """As live, but decides nothing; raises `GapError`."""
        async with self.connection.transaction():
            records = [record_of(one) for one in found]
            partitions = {record.partition for record in records}
            places = await lock(self.connection, partitions, Policy(), NEXT)
            new = [record for record in records if is_new(record, places)]
            if not new:
                return
            names = {name for record in new if (name := record.book)}
            kept = await load(self.connection, names, NEXT)
            shelf = Shelf(dict(kept.books), dict(kept.halted))
            for record in new:
                shelf.put(record)
            await write(
                self.connection,
                shelf,
                kept,
                NOTHING,
                places,
                Policy(),
                self._cluster_id,
                schema=NEXT,
            )
            self.touched |= names


async def _compare(fold: _Fold, looker: asyncpg.Connection) -> tuple[str, ...]:
    """All rows of both, in a snapshot of the served one; nobody waits for it."""
    async with looker.transaction(isolation="repeatable_read", readonly=True):
        await fold.up_to(await _ends(looker, SCHEMA))
        served, built = await asyncio.gather(
            model_digest(looker, SCHEMA), model_digest(fold.connection, NEXT)
        )
    fold.touched.clear()
    return tuple(name for name in served if served[name] != built[name])


async def _switch(
    fold: _Fold, differing: tuple[str, ...], *, even_if_different: bool, then: AndThen[Switched]
) -> Switched:
    """While batches wait: fold the rest, compare its books, take the name."""
    connection = fold.connection
    async with connection.transaction():
        await connection.execute("SELECT pg_advisory_xact_lock($1)", REBUILD_LOCK)
        await fold.up_to(await _ends(connection, SCHEMA))
        late = await _differing(connection, sorted(fold.touched))
        done = Switched(
            switched=even_if_different or not late,
            messages=fold.done,
            differing=tuple(sorted({*differing, *late})),
        )
        if not done.switched:
            return done
        await take_over(connection)
        await connection.execute(f'ALTER SCHEMA "{SCHEMA}" RENAME TO "{OLD}"')
        await connection.execute(f'ALTER SCHEMA "{NEXT}" RENAME TO "{SCHEMA}"')
        await connection.execute("SELECT pg_notify($1, 'rebuilt')", CHANNEL)
        await then(connection, done)
    return done


async def _differing(connection: asyncpg.Connection, books: list[str]) -> tuple[str, ...]:
    """Tables in which the two say something else about these books."""
    found = []
    for table in BY_BOOK:
        columns = "book, partition, state, digest, halted" if table == "books" else "*"
        one, other = (
            f"SELECT {columns} FROM {schema}.{table} WHERE book = ANY($1)"  # noqa: S608 -- names of ours
            for schema in (SCHEMA, NEXT)
        )
        different = f"(({one}) EXCEPT ({other})) UNION ALL (({other}) EXCEPT ({one}))"
        if await connection.fetchval(f"SELECT EXISTS ({different})", books):
            found.append(table)
    return tuple(found)


async def _same_log(settings: KafkaSettings, connection: asyncpg.Connection) -> None:
    rows = await connection.fetch(query("checkpoints"))
    if any(row["next_offset"] for row in rows):
        await compare(settings, rows)


async def _ends(connection: asyncpg.Connection, schema: str) -> dict[int, int]:
    rows = await connection.fetch(query("checkpoints", schema))
    return {row["partition"]: row["next_offset"] for row in rows}

"""The read model dropped and made again from the ledger alone (promise 6).

Plain aiokafka, the same fold as live, no policy, nothing decided. All of it is one transaction, so
readers see the old model until the new one is whole, and a rebuild that is killed has done nothing.
Batches and assessments wait for it. Partitions are folded by a process on each processor (crew.py),
and this one stores what they give.
"""

import asyncio
import hashlib
import io
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import asyncpg
import structlog
from aiokafka import TopicPartition

from hourbook_contracts.topics import LEDGER
from hourbook_kit import kafka
from hourbook_kit.kafka import AnotherLogError, Place
from hourbook_reconciler.authority import compare
from hourbook_reconciler.crew import Crew, crew
from hourbook_reconciler.queries import SCHEMA, query
from hourbook_reconciler.replayer import COLUMNS, Told
from hourbook_reconciler.settings import Settings
from hourbook_reconciler.store import CHANNEL, REBUILD_LOCK

log = structlog.get_logger()

TABLES = (*COLUMNS, "outbox")
_SESSION = {
    "timezone": "UTC",
    "statement_timeout": "0",
    "lock_timeout": "0",
    "idle_in_transaction_session_timeout": "0",
}

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


async def rebuild(settings: Settings, progress: Progress) -> Rebuilt:
    """Read the ledger up to where the books stand, into an empty read model up to its end.

    A ledger that is another one than the books were read from is taken as the truth, up to its end.
    """
    began = time.monotonic()
    connection = await asyncpg.connect(
        settings.database_url.get_secret_value(), timeout=5, server_settings=_SESSION
    )
    try:
        async with connection.transaction():
            await connection.execute("SELECT pg_advisory_xact_lock($1)", REBUILD_LOCK)
            ends, another = await _ends(connection, settings)
            async with crew(settings, ends) as replayers:  # they fold while we look and delete
                before = await model_digest(connection)
                for table in TABLES:
                    await connection.execute(f"DELETE FROM book.{table}")  # noqa: S608 -- ours
                places = await _store(connection, replayers, ends, progress)
            await _begin_at(connection, places, await kafka.cluster_id(settings), another=another)
            after = await model_digest(connection)
            await connection.execute("SELECT pg_notify($1, 'rebuilt')", CHANNEL)
    finally:
        connection.terminate()
    return Rebuilt(
        _total(before),
        _total(after),
        sum(ends.values()),
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


async def _store(
    connection: asyncpg.Connection, replayers: Crew, ends: Mapping[int, int], progress: Progress
) -> list[Place]:
    """What the replayers give, as it comes; they fold on meanwhile."""
    total = sum(ends.values())
    done = dict.fromkeys(ends, 0)
    copying = asyncio.Lock()

    async def store(partition: int, told: Told) -> None:
        if told.table is not None:
            async with copying:
                await connection.copy_to_table(
                    told.table,
                    schema_name="book",
                    columns=COLUMNS[told.table],
                    source=io.BytesIO(told.rows),
                )
        done[partition] = told.next_offset
        progress(sum(done.values()), total)

    return await replayers.replay(store)


async def _begin_at(
    connection: asyncpg.Connection, places: Sequence[Place], cluster_id: str, *, another: bool
) -> None:
    """From here the reconciler goes on, and looks at all books before it does."""
    await connection.execute(
        query("reset_checkpoints"),
        [place.partition for place in places],
        [place.next_offset for place in places],
        [place.last_ce_id for place in places],
        cluster_id,
        another,
    )
    await connection.execute(
        "UPDATE book.assessment SET after_book = '', finished = false, fold_version = 0,"
        " policy_version = CASE WHEN $1 THEN 0 ELSE policy_version END",
        another,
    )


async def _ends(connection: asyncpg.Connection, settings: Settings) -> tuple[dict[int, int], bool]:
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
    reader = kafka.consumer(settings)
    await reader.start()
    try:
        at = [TopicPartition(LEDGER.name, partition) for partition in range(LEDGER.partitions)]
        ends = await reader.end_offsets(at)
    finally:
        await reader.stop()
    return {tp.partition: end for tp, end in ends.items()}, another

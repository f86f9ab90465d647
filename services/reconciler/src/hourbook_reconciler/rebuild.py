"""The read model dropped and made again from the ledger alone (promise 6).

Plain aiokafka, the same fold as live, no policy, nothing decided. All of it is one transaction, so
readers see the old model until the new one is whole, and a rebuild that is killed has done nothing.
Batches and assessments wait for it. A partition is replayed after the other: its books are in
memory together, and no others.
"""

import gc
import hashlib
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial

import asyncpg
import structlog
from aiokafka import AIOKafkaConsumer, TopicPartition

from hourbook_contracts.topics import LEDGER
from hourbook_kit import kafka
from hourbook_kit.kafka import AnotherLogError
from hourbook_reconciler.authority import compare
from hourbook_reconciler.partition import Partition, Replayed, in_turn
from hourbook_reconciler.queries import SCHEMA, query
from hourbook_reconciler.settings import Settings
from hourbook_reconciler.store import CHANNEL, REBUILD_LOCK

log = structlog.get_logger()

TABLES = ("books", "tickets", "entries", "conflicts", "history", "quarantine", "outbox")
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


@contextmanager
def _no_search_for_cycles() -> Iterator[None]:
    """Books hold none, and looking for some among a hundred thousand takes half of the time."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


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
            with _no_search_for_cycles():
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
    places: dict[int, Replayed] = {}
    for partition in in_turn(reader, [name for name, end in sorted(ends.items()) if end]):
        replay = Partition(connection, reader, partition, ends[partition])
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

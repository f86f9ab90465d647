"""`hourbook adopt-log`: the one way by which the books go on with a log in another Kafka.

Each record below the checkpoints is compared with what was read of it; then every service's checkpoint
names the new Kafka, in one transaction. Two Kafkas with one past must never both be gone on with, so
no service does this by itself.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import asyncpg
from aiokafka import AIOKafkaConsumer, TopicPartition

from hourbook_cli.backup import OwnerSettings, Progress, owner
from hourbook_contracts.codec import header
from hourbook_contracts.topics import LEDGER
from hourbook_kit import kafka
from hourbook_kit.kafka import AnotherLogError, Place

PLACES = ("book.checkpoint", "push.checkpoint", "ingest.ledger_tail")
"""Where services keep their place on the ledger; query-api reads the control topic anew by itself."""
IDENTITIES = ("book.checkpoint", "push.checkpoint")


@dataclass(frozen=True, slots=True)
class Adopted:
    cluster_id: str
    was: str
    """The Kafka that the books were read from; empty where they were read from none."""
    compared: int


async def adopt(settings: OwnerSettings, progress: Progress, *, dry_run: bool = False) -> Adopted:
    """Compare, then move; raises `AnotherLogError` where the log is not the one that was read."""
    cluster = await kafka.cluster_id(settings)
    async with owner(settings) as connection, connection.transaction():
        await connection.execute("LOCK book.checkpoint, push.checkpoint IN EXCLUSIVE MODE")
        was = await _read_from(connection)
        if set(was) <= {cluster}:
            return Adopted(cluster, cluster, 0)
        async with kafka.reading(settings, max_partition_fetch_bytes=8 * 1024 * 1024) as reader:
            for table in PLACES:
                await _same_places(connection, reader, table)
            compared = await _same_history(connection, reader, progress)
        if not dry_run:
            for table in IDENTITIES:
                await connection.execute(f"UPDATE {table} SET cluster_id = $1", cluster)  # noqa: S608 -- a name of ours
        return Adopted(cluster, ", ".join(one for one in was if one != cluster), compared)


async def _read_from(connection: asyncpg.Connection) -> list[str]:
    rows = await connection.fetch(
        "SELECT cluster_id FROM book.checkpoint WHERE cluster_id IS NOT NULL"
        " UNION SELECT cluster_id FROM push.checkpoint ORDER BY 1"
    )
    return [row["cluster_id"] for row in rows]


async def _same_places(
    connection: asyncpg.Connection, reader: AIOKafkaConsumer, table: str
) -> None:
    rows: Sequence[asyncpg.Record] = await connection.fetch(
        f"SELECT partition, next_offset, last_ce_id FROM {table}"  # noqa: S608 -- a name of ours
    )
    if not rows:
        return
    reader.assign([TopicPartition(LEDGER.name, row["partition"]) for row in rows])
    await kafka.same_log(reader, LEDGER.name, [Place(*row) for row in rows])


async def _same_history(
    connection: asyncpg.Connection, reader: AIOKafkaConsumer, progress: Progress
) -> int:
    """How many records were compared with the history, by their ids: all that was read and is still known."""
    compared, total = 0, await connection.fetchval("SELECT count(*) FROM book.history")
    for partition in range(LEDGER.partitions):
        rows = await connection.fetch(
            "SELECT offset_, ce_id FROM book.history WHERE partition = $1", partition
        )
        known = {row["offset_"]: row["ce_id"] for row in rows}
        if not known:
            continue
        at = TopicPartition(LEDGER.name, partition)
        reader.assign([at])
        reader.seek(at, min(known))
        while known:
            record = await reader.getone(at)
            expected = known.pop(record.offset, None)
            found = header(record.headers, "ce_id")
            if expected is not None and found not in (None, expected):
                raise AnotherLogError(
                    f"{at.topic}/{partition} holds another message at {record.offset} than the one"
                    " that was read there: restore the backup anew, or rebuild (hourbook rebuild)"
                )
            compared += expected is not None
            progress(compared, total)
    return compared

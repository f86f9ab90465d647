"""The outbox: rows written in a service's transaction, published after it, in order, at least once.

The table is `<schema>.outbox (id bigint identity, topic text, key text, value bytea, headers jsonb)`.
A row is deleted when Kafka has acknowledged it, so one that commits late is never passed by; rows of
one book are written by transactions that follow each other, so their ids tell their order.
"""

import asyncio
import time
from collections.abc import Sequence

import asyncpg
import structlog
from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError
from pydantic_core import from_json, to_json

from hourbook_contracts.codec import Record
from hourbook_kit.postgres import TRANSIENT, leading

log = structlog.get_logger()

BATCH = 1000
PACE_SECONDS = 0.02
"""What is written within so short a time goes out together: a round costs Kafka and its readers more than a message."""


async def put(
    connection: asyncpg.Connection | asyncpg.pool.PoolConnectionProxy,
    schema: str,
    topic: str,
    records: Sequence[Record],
) -> None:
    """Write records into the outbox, in this order, within the caller's transaction; wakes the relay."""
    if records:
        await connection.execute(
            f"WITH written AS ({insertion(schema)}) SELECT pg_notify('{channel(schema)}', '')",
            *columns(topic, records),
        )


def channel(schema: str) -> str:
    """What the relay listens to."""
    return f"{schema}_outbox"


def insertion(schema: str) -> str:
    """The statement that writes `columns`, for whoever writes more in one; then notify the `channel`."""
    return (
        f"INSERT INTO {schema}.outbox (topic, key, value, headers)"  # noqa: S608 -- our own schema's name
        " SELECT * FROM unnest($1::text[], $2::text[], $3::bytea[], $4::jsonb[])"
    )


def columns(topic: str, records: Sequence[Record]) -> tuple[list[object], ...]:
    return (
        [topic] * len(records),
        [None if record.key is None else record.key.decode() for record in records],
        [record.value for record in records],
        [to_json(record.headers).decode() for record in records],
    )


class Relay:
    """Publishes one schema's outbox; among several processes one does, the others wait."""

    def __init__(self, dsn: str, schema: str, producer: AIOKafkaProducer) -> None:
        self._dsn, self._schema, self._producer = dsn, schema, producer
        self._wake = asyncio.Event()

    async def run(self) -> None:
        while True:
            try:
                async with leading(self._dsn, f"{self._schema} outbox") as connection:
                    await connection.add_listener(channel(self._schema), self._woken)
                    await self._lead(connection)
            except (*TRANSIENT, KafkaError) as error:
                log.warning("outbox_waits", schema=self._schema, error=type(error).__name__)
                await asyncio.sleep(0.5)

    def _woken(self, *_: object) -> None:
        self._wake.set()

    async def _lead(self, connection: asyncpg.Connection) -> None:
        while True:
            self._wake.clear()
            next_round = time.monotonic() + PACE_SECONDS
            while await self._publish(connection) == BATCH:
                pass
            await asyncio.sleep(max(0, next_round - time.monotonic()))
            try:
                async with asyncio.timeout(1):  # `wait_for` may swallow a cancellation (3.11)
                    await self._wake.wait()
            except TimeoutError:
                continue

    async def _publish(self, connection: asyncpg.Connection) -> int:
        rows = await connection.fetch(
            f"SELECT id, topic, key, value, headers FROM {self._schema}.outbox"  # noqa: S608 -- our own schema's name
            " ORDER BY id LIMIT $1",
            BATCH,
        )
        if not rows:
            return 0
        sent = [
            await self._producer.send(
                row["topic"],
                value=row["value"],
                key=None if row["key"] is None else row["key"].encode(),
                headers=[(name, text.encode()) for name, text in from_json(row["headers"])],
            )
            for row in rows
        ]
        await asyncio.gather(*sent)
        await connection.execute(
            f"DELETE FROM {self._schema}.outbox WHERE id = ANY($1::bigint[])",  # noqa: S608 -- our own schema's name
            [row["id"] for row in rows],
        )
        return len(rows)

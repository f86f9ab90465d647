"""The limit of the live reconciler: the safe Faust agent with PostgreSQL's offsets and an empty fold.

`python -m bench.bare_agent worker -l warn --without-web` with BOOTSTRAP, DSN, TOPIC, GROUP and
DATADIR in the environment. It reads the ledger, decodes nothing, stores one row a message and moves
the checkpoint, in one transaction a batch.
"""

import asyncio
import os
from typing import Any

import asyncpg
import faust
from faust.transport.drivers import aiokafka as driver
from faust.types import TP

BOOTSTRAP, DSN, TOPIC, GROUP = (os.environ[k] for k in ("BOOTSTRAP", "DSN", "TOPIC", "GROUP"))
BATCH_MAX = 500


class PostgresConsumer(driver.Consumer):
    """Begins where PostgreSQL says."""

    async def seek_to_committed(self) -> Any:
        base = await super().seek_to_committed()
        connection = await asyncpg.connect(DSN)
        try:
            rows = await connection.fetch("SELECT partition, next_offset FROM bare.checkpoint")
        finally:
            await connection.close()
        stands = {TP(TOPIC, row["partition"]): row["next_offset"] for row in rows}
        over = {tp: stands.get(tp, 0) for tp in self.assignment()}
        if over:
            await self.seek_wait(over)
        return {**base, **over}


class PostgresTransport(driver.Transport):
    Consumer = PostgresConsumer


app = faust.App(
    GROUP,
    broker="kafka://" + BOOTSTRAP,
    store="memory://",
    datadir=os.environ["DATADIR"],
    web_enabled=False,
    topic_allow_declare=False,
    topic_disable_leader=True,
    key_serializer="raw",
    value_serializer="raw",
    consumer_auto_offset_reset="earliest",
    broker_commit_interval=1.0,
    broker_session_timeout=6.0,
    broker_heartbeat_interval=1.0,
    broker_request_timeout=10.0,
    broker_rebalance_timeout=10.0,
    stream_wait_empty=True,
    stream_buffer_maxsize=4096,
)
app.finalize()
app.transport = PostgresTransport(app.conf.broker_consumer, app)
topic = app.topic(
    TOPIC, key_type=bytes, value_type=bytes, key_serializer="raw", value_serializer="raw"
)


async def apply_batch(connection: asyncpg.Connection, events: list[Any]) -> None:
    """Lock, skip what is known, store, advance."""
    messages = [event.message for event in events]
    parts = sorted({message.partition for message in messages})
    async with connection.transaction():
        await connection.execute(
            "INSERT INTO bare.checkpoint SELECT p, 0 FROM unnest($1::int[]) p ON CONFLICT DO NOTHING",
            parts,
        )
        rows = await connection.fetch(
            "SELECT partition, next_offset FROM bare.checkpoint WHERE partition = ANY($1) ORDER BY 1 FOR UPDATE",
            parts,
        )
        following = {row["partition"]: row["next_offset"] for row in rows}
        new = [m for m in messages if m.offset >= following[m.partition]]
        for message in new:
            following[message.partition] = message.offset + 1
        await connection.execute(
            "INSERT INTO bare.applied SELECT * FROM unnest($1::int[], $2::bigint[], $3::bytea[])",
            [m.partition for m in new],
            [m.offset for m in new],
            [m.value for m in new],
        )
        await connection.execute(
            "UPDATE bare.checkpoint c SET next_offset = n FROM unnest($1::int[], $2::bigint[]) x(p, n)"
            " WHERE c.partition = x.p",
            list(following),
            list(following.values()),
        )


@app.agent(topic)
async def reconcile(stream: Any) -> None:
    waiting: list[Any] = []
    more, room = asyncio.Event(), asyncio.Event()

    async def pump() -> None:
        connection = await asyncpg.connect(DSN)
        while True:
            if not waiting:
                more.clear()
                await more.wait()
            events = waiting[:BATCH_MAX]
            del waiting[:BATCH_MAX]
            room.set()
            await apply_batch(connection, events)
            for event in events:
                await stream.ack(event)

    task = asyncio.create_task(pump())
    try:
        async for event in stream.noack().events():
            waiting.append(event)
            more.set()
            while len(waiting) >= 2 * BATCH_MAX:
                room.clear()
                await room.wait()
    finally:
        task.cancel()


if __name__ == "__main__":
    app.main()

"""PostgreSQL says where we stand on the ledger, and whether it is the ledger we know."""

import asyncio
from collections.abc import Collection

import asyncpg
import structlog
from aiokafka import TopicPartition
from aiokafka.errors import KafkaError

from hourbook_contracts.topics import LEDGER
from hourbook_kit import kafka
from hourbook_kit.crash import die
from hourbook_kit.kafka import Place
from hourbook_kit.postgres import TRANSIENT, connect
from hourbook_kit.settings import KafkaSettings

log = structlog.get_logger()

PATIENCE_SECONDS = 60
PAUSE_SECONDS = 0.5


class Authority:
    """The offsets to go on from, after every assignment."""

    def __init__(self, settings: KafkaSettings, dsn: str) -> None:
        self._settings, self._dsn = settings, dsn

    async def offsets(self, partitions: Collection[int]) -> dict[int, int]:
        """The next offset of each partition; raises `AnotherLogError`. Waits for both servers."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + PATIENCE_SECONDS
        while True:
            try:
                async with asyncio.timeout_at(deadline):
                    return await self._offsets(partitions)
            except (*TRANSIENT, KafkaError) as error:
                log.warning("assignment_waits", error=type(error).__name__)
                if loop.time() >= deadline:
                    die("Kafka or PostgreSQL stayed away while partitions were assigned")
            await asyncio.sleep(PAUSE_SECONDS)

    async def _offsets(self, partitions: Collection[int]) -> dict[int, int]:
        connection = await connect(self._dsn)
        try:
            rows = await connection.fetch(
                "SELECT partition, next_offset, last_ce_id, cluster_id FROM book.checkpoint"
                " WHERE partition = ANY($1::int[])",
                sorted(partitions),
            )
        finally:
            connection.terminate()
        if rows:
            await compare(self._settings, rows)
        known = {row["partition"]: int(row["next_offset"]) for row in rows}
        return {partition: known.get(partition, 0) for partition in partitions}


async def compare(settings: KafkaSettings, rows: Collection[asyncpg.Record]) -> None:
    """Raise `AnotherLogError` unless the ledger is the one these checkpoints were made on."""
    places = [Place(row["partition"], row["next_offset"], row["last_ce_id"]) for row in rows]
    async with kafka.reading(settings) as reader:
        reader.assign([TopicPartition(LEDGER.name, place.partition) for place in places])
        clusters = {row["cluster_id"] for row in rows}
        await kafka.known_log(settings, reader, LEDGER.name, places, clusters)

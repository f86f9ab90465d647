"""Whether the agent gets on: Faust can stop fetching without a word (streaming.md 1.1)."""

import asyncio
from collections.abc import Mapping

import asyncpg
import structlog
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from hourbook_contracts.topics import LEDGER
from hourbook_kit import kafka
from hourbook_kit.crash import die
from hourbook_kit.settings import KafkaSettings
from hourbook_reconciler.agent import Agent
from hourbook_reconciler.metrics import LAG
from hourbook_reconciler.session import Session

log = structlog.get_logger()

LOOK_EVERY_SECONDS = 5


class Watch:
    """Compares our checkpoints with the ledger's ends; a stall with nothing in work ends the process."""

    def __init__(
        self, settings: KafkaSettings, agent: Agent, session: Session, *, stalled_seconds: float
    ) -> None:
        self._settings, self._agent, self._session = settings, agent, session
        self._stalled_seconds = stalled_seconds

    async def run(self) -> None:
        loop = asyncio.get_running_loop()
        moved_at, last = loop.time(), dict[int, int]()
        async with kafka.reading(self._settings) as reader:
            while True:
                await asyncio.sleep(LOOK_EVERY_SECONDS)
                places = await self._session.run(self._places)
                lag = await _lag(reader, places)
                busy = self._agent.has_work
                if busy or not lag or places != last:
                    moved_at, last = loop.time(), places
                if loop.time() - moved_at > self._stalled_seconds:
                    die("messages wait and none is read", lag=lag, partitions=sorted(places))

    async def _places(self, connection: asyncpg.Connection) -> dict[int, int]:
        assigned = self._agent.assigned
        rows = await connection.fetch(
            "SELECT partition, next_offset FROM book.checkpoint WHERE partition = ANY($1::int[])",
            sorted(assigned),
        )
        known = {row["partition"]: int(row["next_offset"]) for row in rows}
        return {partition: known.get(partition, 0) for partition in assigned}


async def _lag(reader: AIOKafkaConsumer, places: Mapping[int, int]) -> int:
    """Messages beyond our places; 0 while Kafka does not answer."""
    try:
        ends = await reader.end_offsets(
            [TopicPartition(LEDGER.name, partition) for partition in places]
        )
    except KafkaError as error:
        log.warning("ledger_ends_unknown", error=type(error).__name__)
        return 0
    lag: int = sum(max(0, end - places[tp.partition]) for tp, end in ends.items())
    LAG.set(lag)
    return lag

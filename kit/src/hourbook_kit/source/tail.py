"""Ids that may be missing come from the ledger, not from memory (F18).

The ledger is tailed from where this schema stands in it, from the beginning where the schema is new:
each entry it names is noted as known, so that its deletion is found even if it was never read here.
"""

import asyncio

import asyncpg
import structlog
from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.errors import KafkaError

from hourbook_contracts.codec import header
from hourbook_contracts.ids import connection_of
from hourbook_contracts.ledger import EntryRecorded
from hourbook_contracts.topics import LEDGER
from hourbook_kit.health import Health
from hourbook_kit.kafka import AnotherLogError, Place, consumer, same_log
from hourbook_kit.postgres import TRANSIENT
from hourbook_kit.settings import KafkaSettings
from hourbook_kit.source.backoff import Backoff

log = structlog.get_logger()

BATCH = 2000
PACE_SECONDS = 0.5
"""Between batches at the end of the log: deletions are no matter of milliseconds, transactions cost."""
OBSTACLE = "ledger"

_NOTE = """
INSERT INTO ingest.readings (kind, record, book, connection, no)
SELECT DISTINCT ON (entry) 'entry', entry, book, connection, 0
FROM unnest($1::text[], $2::text[], $3::text[]) AS named (entry, book, connection) ORDER BY entry
ON CONFLICT (kind, record) DO NOTHING
"""
_STAND = """
INSERT INTO ingest.ledger_tail (partition, next_offset, last_ce_id)
SELECT * FROM unnest($1::int[], $2::bigint[], $3::text[])
ON CONFLICT (partition) DO UPDATE SET next_offset = excluded.next_offset, last_ce_id = excluded.last_ce_id
"""


class LedgerTail:
    def __init__(self, settings: KafkaSettings, pool: asyncpg.Pool, health: Health) -> None:
        self._settings, self._pool, self._health = settings, pool, health

    async def run(self) -> None:
        backoff = Backoff()
        while True:
            reader = consumer(self._settings)
            try:
                await reader.start()
                await self._seek(reader)
                self._health.clear(OBSTACLE)
                backoff.reset()
                await self._follow(reader)
            except AnotherLogError as error:
                self._health.hinder(OBSTACLE, str(error))
                log.error("another_ledger", error=str(error))
            except (*TRANSIENT, KafkaError) as error:
                log.warning("ledger_tail_waits", error=type(error).__name__)
            finally:
                await reader.stop()
            await backoff.wait()

    async def _seek(self, reader: AIOKafkaConsumer) -> None:
        rows = await self._pool.fetch(
            "SELECT partition, next_offset, last_ce_id FROM ingest.ledger_tail"
        )
        known = {row["partition"]: Place(*row) for row in rows}
        places = [known.get(p, Place(p, 0, None)) for p in range(LEDGER.partitions)]
        reader.assign([TopicPartition(LEDGER.name, place.partition) for place in places])
        await same_log(reader, LEDGER.name, places)

    async def _follow(self, reader: AIOKafkaConsumer) -> None:
        while True:
            batches = await reader.getmany(timeout_ms=1000, max_records=BATCH)
            records = [record for batch in batches.values() for record in batch]
            if not records:
                continue
            await self._note(records, {at.partition: some[-1] for at, some in batches.items()})
            if len(records) < BATCH:
                await asyncio.sleep(PACE_SECONDS)

    async def _note(self, records: list[ConsumerRecord], last: dict[int, ConsumerRecord]) -> None:
        """Only headers are read: the subject is the entry, the key its book."""
        named = [
            (header(record.headers, "ce_subject") or "", record.key.decode())
            for record in records
            if header(record.headers, "ce_type") == EntryRecorded.TYPE and record.key
        ]
        async with self._pool.acquire() as held, held.transaction():
            if named:
                entries, books = zip(*named, strict=True)
                await held.execute(_NOTE, entries, books, [connection_of(e) for e in entries])
            await held.execute(
                _STAND,
                list(last),
                [record.offset + 1 for record in last.values()],
                [header(record.headers, "ce_id") for record in last.values()],
            )

"""Ledgers to test with: in memory, each message with the record that Kafka would hold, and Kafka's own."""

from collections.abc import Iterable
from dataclasses import dataclass, field

import asyncpg
from aiokafka import TopicPartition

from hourbook_contracts.codec import Record as Sent
from hourbook_contracts.codec import encode
from hourbook_contracts.ids import BookId, entry_of, posting_of
from hourbook_contracts.ledger import LedgerMessage
from hourbook_contracts.testing import (
    conflict,
    observed,
    policy,
    recorded,
    requested,
    resolved,
    retracted,
    written,
)
from hourbook_contracts.topics import LEDGER
from hourbook_kit import kafka
from hourbook_kit.settings import KafkaSettings
from hourbook_reconciler.partition import record_of
from hourbook_reconciler.record import Record
from hourbook_reconciler.store import apply


@dataclass
class Ledger:
    """Of several partitions; messages of one book go to one of them."""

    partitions: int = 1
    records: list[Record] = field(default_factory=list)

    def tell(self, *messages: LedgerMessage) -> list[Record]:
        """Append; gives the new records."""
        return [self.append(*encode(message)) for message in messages]

    def append(
        self,
        key: bytes | None,
        value: bytes | None,
        headers: Iterable[tuple[str, bytes]] = (),
    ) -> Record:
        """Append anything, also what no service of ours would write."""
        partition = sum(key or b"") % self.partitions
        offset = sum(record.partition == partition for record in self.records)
        record = Record(partition, offset, key, value, tuple(headers))
        self.records.append(record)
        return record


def story(ticket: int) -> list[LedgerMessage]:
    """An hour that was written, edited in Kimai, asked about and left so; another that was taken back."""
    book = BookId(f"zammad:desk:{ticket}")
    first, second = entry_of("desk", ticket), entry_of("desk", ticket + 1)
    asked = conflict("changed_in_kimai", gen=2)
    posting = posting_of(book, first)
    told: list[LedgerMessage] = [
        recorded(entry=first),
        requested(),
        written(),
        observed(20, no=2),
        asked,
        resolved(asked, "kimai"),
        recorded(30, entry=second),
        retracted(entry=second),
    ]
    return [
        message.model_copy(
            update={"book": book} | ({"posting": posting} if hasattr(message, "posting") else {})
        )
        for message in told
    ]


async def send(settings: KafkaSettings, *records: Sent) -> None:
    producer = kafka.producer(settings)
    await producer.start()
    try:
        for record in records:
            await kafka.send(producer, LEDGER.name, record)
    finally:
        await producer.stop()


async def whole_ledger(settings: KafkaSettings) -> list[Record]:
    async with kafka.reading(settings) as reader:
        at = [TopicPartition(LEDGER.name, partition) for partition in range(LEDGER.partitions)]
        missing = sum((await reader.end_offsets(at)).values())
        reader.assign(at)
        await reader.seek_to_beginning(*at)
        records: list[Record] = []
        while len(records) < missing:
            for found in (await reader.getmany(timeout_ms=500)).values():
                records += [record_of(record) for record in found]
        return records


async def lived(settings: KafkaSettings, connection: asyncpg.Connection, batch: int = 7) -> int:
    """Read the whole ledger as the agent does, in small batches that decide; gives its length."""
    records = await whole_ledger(settings)
    cluster = await kafka.cluster_id(settings)
    for start in range(0, len(records), batch):
        await apply(connection, records[start : start + batch], policy(), cluster)
    return len(records)

"""A ledger filled by hand, as fast as the broker takes it."""

import asyncio
from collections.abc import Iterable

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from hourbook_contracts.codec import encode
from hourbook_contracts.ledger import LedgerMessage
from hourbook_contracts.topics import LEDGER

AT_ONCE = 2000


async def produce(bootstrap: str, messages: Iterable[LedgerMessage]) -> int:
    """In their order within each book; gives how many."""
    count, waiting = 0, []
    async with AIOKafkaProducer(
        bootstrap_servers=bootstrap, acks="all", enable_idempotence=True, linger_ms=20
    ) as producer:
        for message in messages:
            record = encode(message)
            sent = await producer.send(
                LEDGER.name, key=record.key, value=record.value, headers=record.headers
            )
            waiting.append(sent)
            count += 1
            if len(waiting) == AT_ONCE:
                await asyncio.gather(*waiting)
                waiting.clear()
        await asyncio.gather(*waiting)
    return count


async def length(bootstrap: str) -> int:
    """How many messages it holds: nothing is ever deleted from it."""
    async with AIOKafkaConsumer(bootstrap_servers=bootstrap) as reader:
        at = [TopicPartition(LEDGER.name, partition) for partition in range(LEDGER.partitions)]
        return sum((await reader.end_offsets(at)).values())

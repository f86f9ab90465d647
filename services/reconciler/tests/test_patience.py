"""What calls for no decision soon waits for more, and nothing else does."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from itertools import count
from types import SimpleNamespace
from typing import Any

import pytest
from faust.transport.drivers.aiokafka import AIOKafkaConsumerThread
from mode.utils.locks import Event

from hourbook_contracts.codec import encode
from hourbook_contracts.ledger import LedgerMessage
from hourbook_contracts.testing import recorded, requested, settled, written
from hourbook_reconciler import lanes as module
from hourbook_reconciler.agent import Agent, PostgresConsumer, PostgresTransport, make_app
from hourbook_reconciler.record import Record
from hourbook_reconciler.settings import Settings

pytestmark = pytest.mark.anyio
BATCH = 20
offsets = count()


@dataclass
class Stream:
    """As Faust gives it to an agent."""

    coming: asyncio.Queue[Any] = field(default_factory=asyncio.Queue)
    acked: list[int] = field(default_factory=list)
    done: asyncio.Queue[None] = field(default_factory=asyncio.Queue)

    @property
    def channel(self) -> SimpleNamespace:
        return SimpleNamespace(queue=self.coming)

    def noack(self) -> "Stream":
        return self

    async def events(self) -> AsyncIterator[Any]:
        while True:
            yield await self.coming.get()

    async def ack(self, event: Any) -> None:
        self.acked.append(event.message.offset)
        self.done.put_nowait(None)

    def come(self, *messages: LedgerMessage) -> None:
        for message in messages:
            record = encode(message)
            self.coming.put_nowait(
                SimpleNamespace(
                    message=SimpleNamespace(
                        partition=0,
                        offset=next(offsets),
                        key=record.key,
                        value=record.value,
                        headers=list(record.headers),
                        timestamp=None,
                    )
                )
            )


@dataclass
class Reading:
    stream: Stream
    batches: list[list[int]] = field(default_factory=list)

    async def commit(self, records: list[Record]) -> None:
        self.batches.append([record.offset for record in records])

    async def until(self, acked: int) -> None:
        async with asyncio.timeout(20):
            for _ in range(acked):
                await self.stream.done.get()


@pytest.fixture
async def reading(tmp_path: Any) -> AsyncIterator[Reading]:
    reading = Reading(Stream())
    app = make_app(
        Settings.model_construct(kafka_bootstrap="127.0.0.1:1"), "group", None, str(tmp_path)
    )
    agent = Agent(app, SimpleNamespace(), [reading.commit], batch=BATCH, refuse=print)
    task = asyncio.create_task(agent._reconcile(reading.stream))
    yield reading
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_our_own_decisions_and_plain_answers_come_together(reading: Reading) -> None:
    for message in (requested(15), written(15), settled()) * 3:
        reading.stream.come(message)
        await asyncio.sleep(0.005)
    await reading.until(9)
    assert len(reading.batches) < 9
    assert reading.stream.acked == sorted(reading.stream.acked)


async def test_news_takes_what_waits_along_at_once_and_in_order(
    reading: Reading, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "PATIENCE_SECONDS", 3600)
    reading.stream.come(requested(15))
    await asyncio.sleep(0.2)
    assert not reading.batches
    reading.stream.come(recorded(15, no=2), written(15))
    await reading.until(2)
    first = reading.batches[0]
    assert first == sorted(first)
    assert len(first) >= 2


async def test_a_whole_batch_of_them_waits_for_nothing(
    reading: Reading, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "PATIENCE_SECONDS", 3600)
    reading.stream.come(*[settled() for _ in range(BATCH)])
    await reading.until(BATCH)
    assert reading.batches[0] == sorted(reading.batches[0])


@pytest.mark.parametrize("has_room", [True, False])
async def test_a_message_is_handed_over_without_tasks_while_there_is_room(
    *, has_room: bool
) -> None:
    consumer = PostgresConsumer.__new__(PostgresConsumer)
    vars(consumer).update(
        transport=SimpleNamespace(agent=SimpleNamespace(has_room=has_room)),
        _loop=asyncio.get_running_loop(),
        _stopped=Event(),
        _crashed=Event(),
    )
    tasks: list[int] = []

    async def delivery() -> None:
        tasks.append(len(asyncio.all_tasks()))

    before = len(asyncio.all_tasks())
    await consumer.wait_first(delivery(), asyncio.Event().wait())
    assert len(tasks) == 1
    assert (tasks[0] == before) == has_room


async def test_news_of_a_partition_that_was_left_out_waits_a_tenth_of_a_second(
    tmp_path: Any,
) -> None:
    settings = Settings.model_construct(kafka_bootstrap="127.0.0.1:1")
    app = make_app(settings, "group", None, str(tmp_path))
    agent = Agent(app, SimpleNamespace(), [], batch=BATCH, refuse=print)
    reader = agent.app.consumer
    assert isinstance(reader, PostgresConsumer)
    fetching = reader._thread
    transport = app.transport
    assert isinstance(transport, PostgresTransport)
    ours = fetching._create_worker_consumer(transport)
    fausts = AIOKafkaConsumerThread._create_worker_consumer(fetching, transport)
    assert (ours._fetch_max_wait_ms, fausts._fetch_max_wait_ms) == (100, 1500)
    for consumer in (ours, fausts):
        await consumer._client.close()
        consumer._closed = True
    fetching.thread_loop.close()

"""The service as it runs: a real broker, a real database, a process that can be killed."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import asyncpg
import httpx
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from hourbook_contracts.codec import encode
from hourbook_contracts.control import ControlEvent, TargetConfigured, WritingSwitched
from hourbook_contracts.ids import BookId, EntryId, entry_of
from hourbook_contracts.ledger import EntryRecorded, LedgerMessage, TimesheetRequested
from hourbook_contracts.testing import MAPPINGS, NOON, recorded
from hourbook_contracts.topics import CONTROL, LEDGER
from hourbook_kit import kafka
from hourbook_reconciler.settings import Settings

POLICY: tuple[ControlEvent, ...] = (
    TargetConfigured(
        observed_at=NOON,
        by="test",
        connection="hours",
        base_url="http://127.0.0.1:1",
        secret_version=1,
    ),
    WritingSwitched(observed_at=NOON, by="test", connection="hours", on=True),
    *MAPPINGS,
)


def an_entry(number: int, ticket: int, *, no: int = 1, minutes: int = 15) -> EntryRecorded:
    entry = entry_of("desk", number)
    book = BookId(f"zammad:desk:{ticket}")
    return recorded(minutes, no=no, entry=EntryId(entry)).model_copy(update={"book": book})


class Running:
    """One process of the service."""

    def __init__(self, settings: Settings, log: Path) -> None:
        self.settings, self.log = settings, log
        with log.open("ab") as out:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "hourbook_reconciler"],
                env={**os.environ, **environment(settings)},
                stdout=out,
                stderr=out,
            )

    def end(self, number: signal.Signals) -> float:
        """How long it took to end, in seconds."""
        began = time.monotonic()
        self.process.send_signal(number)
        self.process.wait(timeout=10)
        return time.monotonic() - began

    async def readiness(self) -> tuple[int, str]:
        url = f"http://127.0.0.1:{self.settings.port}/health/ready"
        async with httpx.AsyncClient() as client:
            try:
                answer = await client.get(url)
            except httpx.TransportError:
                return 0, ""
        return answer.status_code, answer.text

    async def until_ready(self) -> None:
        await until(self._ready, self.log)

    async def _ready(self) -> bool:
        return (await self.readiness())[0] == 200

    def resident_megabytes(self) -> float:
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        line = next(line for line in status.splitlines() if line.startswith("VmRSS"))
        return int(line.split()[1]) / 1024


def environment(settings: Settings) -> dict[str, str]:
    return {
        "HOURBOOK_KAFKA_BOOTSTRAP": settings.kafka_bootstrap,
        "HOURBOOK_DATABASE_URL": settings.database_url.get_secret_value(),
        "HOURBOOK_VAULT_KEY": settings.vault_key.get_secret_value(),
        "HOURBOOK_PORT": str(settings.port),
        "HOURBOOK_CONSUMER_GROUP": settings.consumer_group,
        "HOURBOOK_LOG_LEVEL": settings.log_level,
    }


@contextmanager
def running(settings: Settings, folder: Path) -> Iterator[Running]:
    service = Running(settings, folder / "reconciler.log")
    try:
        yield service
    finally:
        service.process.kill()
        service.process.wait()


async def until(holds: Callable[[], object], log: Path, *, seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while not await holds():  # type: ignore[misc]  # always a coroutine function
        assert time.monotonic() < deadline, log.read_text()[-4000:]
        await asyncio.sleep(0.05)


@asynccontextmanager
async def producing(settings: Settings) -> AsyncIterator[AIOKafkaProducer]:
    producer = kafka.producer(settings)
    await producer.start()
    try:
        yield producer
    finally:
        await producer.stop()


async def tell(settings: Settings, *messages: LedgerMessage | ControlEvent) -> None:
    async with producing(settings) as producer:
        for message in messages:
            topic = CONTROL.name if isinstance(message, ControlEvent) else LEDGER.name
            await kafka.send(producer, topic, encode(message))


async def ends(settings: Settings) -> dict[int, int]:
    reader: AIOKafkaConsumer = kafka.consumer(settings)
    await reader.start()
    try:
        at = [TopicPartition(LEDGER.name, partition) for partition in range(LEDGER.partitions)]
        return {tp.partition: end for tp, end in (await reader.end_offsets(at)).items()}
    finally:
        await reader.stop()


def requests_of(connection: asyncpg.Connection, book: str) -> Callable[[], object]:
    """Whether a request for this book came back from the ledger."""

    async def holds() -> bool:
        return bool(
            await connection.fetchval(
                "SELECT count(*) FROM book.history WHERE book = $1 AND type = $2",
                book,
                TimesheetRequested.TYPE,
            )
        )

    return holds


@pytest.mark.anyio
async def test_an_hour_told_to_the_ledger_comes_back_as_a_request(
    settings: Settings, connection: asyncpg.Connection, tmp_path: Path
) -> None:
    await tell(settings, *POLICY)
    entry = an_entry(72, 344)
    with running(settings, tmp_path) as service:
        await service.until_ready()
        began = time.monotonic()
        await tell(settings, entry)
        await until(requests_of(connection, entry.book), service.log)
        print("fact to request read back", time.monotonic() - began, service.resident_megabytes())
        await asyncio.sleep(2)
        state = await connection.fetchval(
            "SELECT state FROM book.entries WHERE book = $1", entry.book
        )
        assert state == "requested"
        assert service.resident_megabytes() < 150
        took = service.end(signal.SIGTERM)
        print("stopped in", took, service.log.read_text())
        assert took < 5
        assert service.process.returncode == 0

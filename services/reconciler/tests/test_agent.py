"""The service as it runs: a real broker, a real database, a process that can be killed."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import asyncpg
import httpx
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from hourbook_contracts.codec import encode
from hourbook_contracts.control import ControlEvent, TargetConfigured, WritingSwitched
from hourbook_contracts.ids import BookId, EntryId, entry_of
from hourbook_contracts.ledger import EntryRecorded, LedgerMessage
from hourbook_contracts.testing import MAPPINGS, NOON, recorded
from hourbook_contracts.topics import CONTROL, LEDGER
from hourbook_kit import kafka
from hourbook_kit.kafka import AnotherLogError
from hourbook_reconciler.authority import Authority
from hourbook_reconciler.settings import Settings

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]
"""Processes start in two seconds, and in twenty where ten of them share two cores."""

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


async def until(holds: Callable[[], Awaitable[bool]], log: Path, *, seconds: float = 90) -> None:
    deadline = time.monotonic() + seconds
    while not await holds():
        if time.monotonic() > deadline:
            pytest.fail(last_words(log))
        await asyncio.sleep(0.05)


def last_words(log: Path) -> str:
    return log.read_text()[-4000:]


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


def booked(
    connection: asyncpg.Connection, *entries: EntryRecorded
) -> Callable[[], Awaitable[bool]]:
    """Whether the request for each of these was read back from the ledger."""

    async def holds() -> bool:
        rows = await connection.fetch(
            "SELECT entry FROM book.entries WHERE state = 'requested' AND entry = ANY($1)",
            [entry.entry for entry in entries],
        )
        return len(rows) == len(entries)

    return holds


@pytest.mark.anyio
async def test_an_hour_told_to_the_ledger_comes_back_as_a_request(
    settings: Settings, connection: asyncpg.Connection, tmp_path: Path
) -> None:
    await tell(settings, *POLICY)
    entry = an_entry(1001, 1001)
    with running(settings, tmp_path) as service:
        await service.until_ready()
        await tell(settings, entry)
        await until(booked(connection, entry), service.log)
        assert service.resident_megabytes() < 150
        assert service.end(signal.SIGTERM) < 5
        assert service.process.returncode == 0


@pytest.mark.anyio
async def test_a_policy_that_comes_later_releases_what_waited(
    settings: Settings, connection: asyncpg.Connection, tmp_path: Path
) -> None:
    entry = an_entry(2001, 2001)
    off = WritingSwitched(observed_at=NOON, by="test", connection="hours", on=False)
    await tell(settings, *POLICY, off, entry)
    with running(settings, tmp_path) as service:
        await service.until_ready()
        await until(_held_back(connection, entry), service.log)
        await tell(settings, POLICY[1])
        await until(booked(connection, entry), service.log)


def _held_back(
    connection: asyncpg.Connection, entry: EntryRecorded
) -> Callable[[], Awaitable[bool]]:
    async def holds() -> bool:
        found = await connection.fetchval(
            "SELECT state FROM book.entries WHERE entry = $1", entry.entry
        )
        return bool(found == "held_back")

    return holds


@pytest.mark.anyio
async def test_postgresql_and_not_kafka_says_where_to_go_on(
    settings: Settings, connection: asyncpg.Connection, tmp_path: Path
) -> None:
    """Fails as soon as Faust no longer calls `seek_to_committed`: its group stands at the end."""
    entry = an_entry(3001, 3001)
    await tell(settings, *POLICY, entry)
    with running(settings, tmp_path) as service:
        await until(booked(connection, entry), service.log)
        await asyncio.sleep(1.5)  # Faust commits each second
        service.end(signal.SIGTERM)
    for table in ("books", "entries", "history", "quarantine", "checkpoint", "outbox"):
        await connection.execute(f"DELETE FROM book.{table}")  # noqa: S608 -- ours
    with running(settings, tmp_path) as service:
        await until(booked(connection, entry), service.log)

        async def caught_up() -> bool:
            rows = await connection.fetch(
                "SELECT partition, next_offset FROM book.checkpoint WHERE next_offset > 0"
            )
            places = {row["partition"]: row["next_offset"] for row in rows}
            return places == {p: end for p, end in (await ends(settings)).items() if end}

        await until(caught_up, service.log)


@pytest.mark.anyio
async def test_where_to_go_on_may_take_longer_to_learn_than_a_request_of_kafka(
    settings: Settings, connection: asyncpg.Connection, tmp_path: Path
) -> None:
    """Faust takes a seek that lasts longer than that for its own end, and reads nothing ever after."""
    entry = an_entry(3101, 3101)
    await tell(settings, *POLICY, entry)
    with running(settings, tmp_path) as service:
        async with connection.transaction():
            await connection.execute("LOCK TABLE book.checkpoint IN ACCESS EXCLUSIVE MODE")

            async def waits() -> bool:
                return last_words(service.log).count("assignment_waits") >= 2  # 10 s each

            await until(waits, service.log)
        await until(booked(connection, entry), service.log)
        assert service.process.poll() is None


@pytest.mark.anyio
async def test_killed_again_and_again_it_counts_everything_once(
    settings: Settings, connection: asyncpg.Connection, tmp_path: Path
) -> None:
    entries = [an_entry(4000 + n, 4000 + n % 40) for n in range(400)]
    await tell(settings, *POLICY)
    async with producing(settings) as producer:
        for part in range(4):
            with running(settings, tmp_path) as service:
                for entry in entries[part * 100 : part * 100 + 100]:
                    await producer.send(LEDGER.name, **_sent(entry))
                if part < 3:
                    await until(booked(connection, entries[part * 100]), service.log)
                    continue  # killed in the middle of its work
                await producer.flush()
                await until(booked(connection, *entries), service.log)
    generations = await connection.fetch(
        "SELECT DISTINCT gen, duration_seconds FROM book.entries WHERE entry = ANY($1)",
        [entry.entry for entry in entries],
    )
    assert [tuple(row) for row in generations] == [(1, 900)]
    facts = await connection.fetchval(
        "SELECT count(*) FROM book.history WHERE type = $1 AND subject = ANY($2)",
        EntryRecorded.TYPE,
        [entry.entry for entry in entries],
    )
    assert facts == len(entries)


def _sent(message: LedgerMessage) -> dict[str, object]:
    return encode(message)._asdict()


@pytest.mark.anyio
async def test_on_another_ledger_it_reads_nothing_and_says_so(
    settings: Settings, connection: asyncpg.Connection, tmp_path: Path
) -> None:
    await connection.execute(
        "INSERT INTO book.checkpoint (partition, next_offset, policy_version, revision, cluster_id)"
        " VALUES (0, 0, 0, 0, 'another')"
    )
    await tell(settings, an_entry(5001, 5001))
    with running(settings, tmp_path) as service:

        async def refuses() -> bool:
            code, text = await service.readiness()
            return code == 503 and "hourbook rebuild" in text

        await until(refuses, service.log)
        assert "another_ledger" in last_words(service.log)
        assert service.process.poll() is None
        assert await connection.fetchval("SELECT count(*) FROM book.history") == 0
        assert service.end(signal.SIGTERM) < 5


@pytest.mark.anyio
async def test_a_ledger_shorter_than_our_place_is_another_one(
    settings: Settings, connection: asyncpg.Connection
) -> None:
    await connection.execute(
        "INSERT INTO book.checkpoint (partition, next_offset, policy_version, revision)"
        " VALUES (0, 1000000000, 0, 0)"
    )
    with pytest.raises(AnotherLogError, match="was cut or is another one"):
        await Authority(settings, settings.database_url.get_secret_value()).offsets({0})

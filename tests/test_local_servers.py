"""The embedded broker and database are real: what they acknowledged survives their death."""

import asyncio
import subprocess
from pathlib import Path

import asyncpg
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from hourbook_local.children import StackError, free_port
from hourbook_local.kafka import Broker, prepare
from hourbook_local.kafka_jars import installed
from hourbook_local.postgres import Server

pytestmark = pytest.mark.anyio


async def created(bootstrap: str, topic: str) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        answer = await admin.create_topics([NewTopic(topic, 1, 1)])
    finally:
        await admin.close()
    assert [code for _, code, *_ in answer.topic_errors] == [0]


async def produced(bootstrap: str, topic: str, word: bytes) -> None:
    producer = AIOKafkaProducer(bootstrap_servers=bootstrap, enable_idempotence=True, acks="all")
    await producer.start()
    try:
        await producer.send_and_wait(topic, word)
    finally:
        await producer.stop()


async def words_on(bootstrap: str, topic: str, count: int) -> list[bytes]:
    consumer = AIOKafkaConsumer(topic, bootstrap_servers=bootstrap, auto_offset_reset="earliest")
    await consumer.start()
    try:
        async with asyncio.timeout(40):
            return [(await consumer.getone()).value for _ in range(count)]
    finally:
        await consumer.stop()


async def test_the_fixtures_hold_a_record_and_a_row(kafka: str, pool: asyncpg.Pool) -> None:
    await created(kafka, "test-fixture")
    await produced(kafka, "test-fixture", b"fifteen minutes")
    assert await words_on(kafka, "test-fixture", 1) == [b"fifteen minutes"]
    await pool.execute("CREATE TABLE kept (minutes int)")
    await pool.execute("INSERT INTO kept VALUES (15)")
    assert await pool.fetchval("SELECT minutes FROM kept") == 15


async def test_what_kafka_acknowledged_is_there_after_a_restart(folder: Path) -> None:
    broker = Broker(folder / "restarted-kafka", free_port(), free_port(), prepare())
    try:
        broker.start()
        await broker.ready()
        first = broker.pid
        await created(broker.bootstrap, "kept")
        await produced(broker.bootstrap, "kept", b"before")
        broker.stop()
        broker.start()
        await broker.ready()
        assert broker.pid != first
        await produced(broker.bootstrap, "kept", b"after")
        assert await words_on(broker.bootstrap, "kept", 2) == [b"before", b"after"]
    finally:
        broker.kill()  # what is acknowledged survives this too: see test_local_stack
    assert broker.pid is None


@pytest.mark.parametrize("manner", ["kill", "immediately"])
async def test_what_postgres_committed_is_there_after_its_death(folder: Path, manner: str) -> None:
    server = Server(folder / f"killed-postgres-{manner}", free_port())
    try:
        server.start()
        await server.ready()
        connection = await asyncpg.connect(server.dsn)
        await connection.execute("CREATE TABLE kept (minutes int); INSERT INTO kept VALUES (15)")
        if manner == "kill":
            server.kill()
        else:
            server.stop(immediately=True)
        connection.terminate()
        server.start()
        await server.ready()
        connection = await asyncpg.connect(server.dsn)
        assert await connection.fetchval("SELECT minutes FROM kept") == 15
        await connection.close()
    finally:
        server.stop()


def test_a_copy_of_the_program_runs_where_the_original_is_out_of_reach(tmp_path: Path) -> None:
    """Root's venv may lie in a closed home."""
    server = Server(tmp_path, free_port())
    server.copy_program()
    postgres = next((tmp_path / "program").rglob("bin/postgres"))
    version = subprocess.run(  # noqa: S603 -- the program under test
        [postgres, "--version"], capture_output=True, text=True, check=True
    )
    assert version.stdout.startswith("postgres (PostgreSQL) 18.")


async def test_a_wrong_password_is_refused(postgres: str) -> None:
    """Nobody on the machine is trusted for being on it."""
    user, address = postgres.rsplit("@", 1)
    with pytest.raises(asyncpg.InvalidPasswordError):
        await asyncpg.connect(f"{user}x@{address}")


def test_a_missing_java_or_maven_is_named_in_one_line(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "empty").mkdir()
    monkeypatch.setenv("PATH", str(tmp_path / "empty"))
    monkeypatch.delenv("JAVA_HOME", raising=False)
    with pytest.raises(StackError, match=r"^Java 17 or newer .* hourbook_local.prerequisites`$"):
        installed(tmp_path)
    java = tmp_path / "empty" / "java"
    java.write_text("#!/bin/sh\necho 'openjdk version \"11.0.2\"' >&2\n")
    java.chmod(0o755)
    with pytest.raises(StackError, match=r"found 11\.0\.2"):
        installed(tmp_path)
    java.write_text("#!/bin/sh\necho 'openjdk version \"21.0.1\"' >&2\n")
    with pytest.raises(StackError, match=r"^Apache Maven \(mvn\) is missing"):
        installed(tmp_path)

"""The stack as a whole: what it holds survives kills and runs, and two never share a folder."""

import stat
from dataclasses import replace
from pathlib import Path

import asyncpg
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

from hourbook_contracts.topics import CONTROL
from hourbook_local.children import Account, StackError
from hourbook_local.keys import Keys
from hourbook_local.settings import LocalSettings
from hourbook_local.stack import Parts, Stack, postgres_folder

pytestmark = pytest.mark.anyio

SERVERS_ONLY = Parts(services=(), twins=())


async def told(stack: Stack, word: bytes) -> None:
    producer = AIOKafkaProducer(
        bootstrap_servers=stack.bootstrap, enable_idempotence=True, acks="all"
    )
    async with producer:
        await producer.send_and_wait(CONTROL.name, word)


async def heard(stack: Stack, count: int) -> list[bytes]:
    consumer = AIOKafkaConsumer(
        CONTROL.name, bootstrap_servers=stack.bootstrap, auto_offset_reset="earliest"
    )
    async with consumer:
        return [(await consumer.getone()).value for _ in range(count)]


async def rows(stack: Stack, statement: str) -> list[asyncpg.Record]:
    connection = await asyncpg.connect(stack.admin_dsn)
    try:
        return await connection.fetch(statement)
    finally:
        await connection.close()


@pytest.mark.slow
@pytest.mark.timeout(300)  # a quarter of a minute, but six times that at a load of twelve
async def test_what_the_stack_holds_survives_kills_and_is_there_in_the_next_run(
    folder: Path,
) -> None:
    settings = LocalSettings.for_test(folder / "stack")
    async with Stack(settings, SERVERS_ONLY) as stack:
        await told(stack, b"before")
        await rows(stack, "CREATE TABLE kept AS SELECT 15 AS minutes")
        stack.kill_kafka()
        stack.restart_postgres(immediate=True)
        await stack.until_ready()
        await told(stack, b"after")
        assert {stack.restarts("kafka"), stack.restarts("postgres")} == {1}
    async with Stack(settings, replace(SERVERS_ONLY, migrations=False)) as again:
        assert await heard(again, 2) == [b"before", b"after"]
        assert [row["minutes"] for row in await rows(again, "SELECT minutes FROM kept")] == [15]
        assert again.keys == stack.keys
        with pytest.raises(StackError, match=r"runs on .* already: end it$"):
            await Stack(LocalSettings.for_test(settings.folder), SERVERS_ONLY).start()
        connection = await asyncpg.connect(again.dsn("push-kimai"))
        assert await connection.fetchval("SELECT current_user") == "hourbook_push"
        await connection.close()


async def test_a_stack_that_cannot_start_leaves_nothing_behind(
    folder: Path, kafka: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hourbook_local.stack.PATIENCE_WITH_PORTS_SECONDS", 0)
    port = int(kafka.rsplit(":", 1)[-1])
    settings = LocalSettings.for_test(folder / "refused").model_copy(update={"kafka_port": port})
    with pytest.raises(StackError, match=f"^port {port} \\(kafka\\)"):
        await Stack(settings, SERVERS_ONLY).start()
    with pytest.raises(StackError, match=f"^port {port} \\(kafka\\)"):  # the folder is free again
        await Stack(settings, SERVERS_ONLY).start()


def test_secrets_are_drawn_once_and_only_their_owner_reads_them(tmp_path: Path) -> None:
    first = Keys.of(tmp_path)
    assert Keys.of(tmp_path) == first
    assert stat.S_IMODE((tmp_path / "secrets.json").stat().st_mode) == 0o600
    assert len(set(first.model_dump().values())) == 5


def test_ports_and_folder_are_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOURBOOK_LOCAL_KAFKA_PORT", "9999")
    monkeypatch.setenv("HOURBOOK_LOCAL_FOLDER", "/somewhere")
    settings = LocalSettings()
    assert settings.ports["kafka"] == 9999
    assert settings.ports["query_api"] == 8300
    assert settings.folder == Path("/somewhere")


def test_a_folder_that_postgres_cannot_reach_is_made_up_for_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Root may live in a closed home; PostgreSQL does not run as root."""
    monkeypatch.setattr("hourbook_local.postgres._account", lambda: Account("nobody", 65534, 65534))
    tmp_path.chmod(0o700)
    elsewhere = postgres_folder(tmp_path)
    try:
        assert tmp_path not in elsewhere.parents
        assert postgres_folder(tmp_path) == elsewhere
    finally:
        elsewhere.rmdir()

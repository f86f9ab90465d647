"""What is for ever comes back as it was, or not at all."""

import gzip
import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from hourbook_cli.adopting import adopt
from hourbook_cli.archive import BackupError, Reader, Writer
from hourbook_cli.backup import OwnerSettings, backup, check, quiet, restore
from hourbook_cli.migrate import OWNERS, create_topics, migrate_database
from hourbook_contracts.topics import CONTROL, LEDGER
from hourbook_kit import kafka as kit_kafka
from hourbook_local import kafka as local_kafka
from hourbook_local.children import free_port

pytestmark = [pytest.mark.anyio, pytest.mark.story, pytest.mark.slow]

MANY = 1500
"""More than are on their way at once."""


class StoppedError(Exception):
    """Somebody pulled the plug."""


@dataclass(frozen=True)
class Installation:
    settings: OwnerSettings

    async def records(self) -> list[tuple[Any, ...]]:
        found = []
        reader = AIOKafkaConsumer(
            bootstrap_servers=self.settings.kafka_bootstrap, auto_offset_reset="earliest"
        )
        async with reader:
            for topic in (LEDGER, CONTROL):
                places = [TopicPartition(topic.name, n) for n in range(topic.partitions)]
                reader.assign(places)
                await reader.seek_to_beginning(*places)
                left = sum((await reader.end_offsets(places)).values())
                while left:
                    one = await reader.getone()
                    left -= 1
                    found.append(
                        (
                            one.topic,
                            one.partition,
                            one.offset,
                            one.timestamp,
                            one.key,
                            one.value,
                            tuple(one.headers),
                        )
                    )
        return sorted(found, key=lambda one: one[:3])

    async def rows(self, table: str) -> list[asyncpg.Record]:
        connection = await asyncpg.connect(self.settings.admin_database_url.get_secret_value())
        try:
            return await connection.fetch(f"SELECT * FROM {table} ORDER BY 1")  # noqa: S608 -- of this test
        finally:
            await connection.close()


async def installation(bootstrap: str, postgres: str, name: str) -> Installation:
    """Migrated, and never started."""
    connection = await asyncpg.connect(postgres)
    await connection.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
    await connection.execute(f'CREATE DATABASE "{name}"')
    await connection.close()
    dsn = postgres.rsplit("/", 1)[0] + "/" + name
    settings = OwnerSettings.model_validate(
        {"kafka_bootstrap": bootstrap, "admin_database_url": dsn}
    )
    await migrate_database(dsn, {owner.role: owner.role for owner in OWNERS}, "pre")
    await create_topics(settings, 1)
    return Installation(settings)


@pytest.fixture(scope="module")
def brokers(folder: Path) -> Iterator[tuple[str, str]]:
    """Of our own: a restored log begins at nothing."""
    with (
        local_kafka.running(folder / "backup-a", free_port(), free_port()) as first,
        local_kafka.running(folder / "backup-b", free_port(), free_port()) as second,
    ):
        yield first, second


@pytest.fixture(scope="module")
async def old(brokers: tuple[str, str], postgres: str) -> Installation:
    """With books and a key; one key was destroyed."""
    made = await installation(brokers[0], postgres, "backup_old")
    async with AIOKafkaProducer(**kit_kafka.connection(made.settings)) as producer:
        for number in range(MANY):
            await producer.send(
                LEDGER.name,
                key=f"zammad:desk:{number % 40}".encode(),
                value=f'{{"minutes": {number}}}'.encode(),
                headers=[
                    ("ce_id", str(number).encode()),
                    ("of_another", None),
                ],  # Kafka has null, too
                timestamp_ms=1_700_000_000_000 + number,
            )
        await producer.send(CONTROL.name, value=b"told")
        await producer.flush()
    connection = await asyncpg.connect(made.settings.admin_database_url.get_secret_value())
    await connection.execute(
        "INSERT INTO vault.subject_keys (subject, wrapped, destroyed_at)"
        " VALUES ('ticket:1', '\\x00ff', NULL), ('ticket:2', NULL, now())"
    )
    await connection.close()
    return made


async def taken(of: Installation) -> bytes:
    out = io.BytesIO()
    await backup(of.settings, out)
    return out.getvalue()


async def test_a_restored_installation_holds_what_the_old_one_held_also_when_it_was_stopped_once(
    old: Installation, brokers: tuple[str, str], postgres: str
) -> None:
    made = await taken(old)
    new = await installation(brokers[1], postgres, "backup_new")

    def stop(done: int, _: int | None) -> None:
        if done == MANY * 2 // 3:
            raise StoppedError

    with pytest.raises(StoppedError):
        await restore(new.settings, io.BytesIO(made), stop)
    assert 0 < len(await new.records()) < MANY
    told = await restore(new.settings, io.BytesIO(made))
    assert told == check(io.BytesIO(made))
    assert told.records == {LEDGER.name: MANY, CONTROL.name: 1}
    assert await new.records() == await old.records()
    assert await new.rows("vault.subject_keys") == await old.rows("vault.subject_keys")
    with pytest.raises(BackupError, match="stands here already"):
        await restore(new.settings, io.BytesIO(made))


async def test_a_backup_that_was_cut_off_or_changed_is_known(old: Installation) -> None:
    whole = await taken(old)
    with pytest.raises(BackupError, match="no whole backup"):
        check(io.BytesIO(whole[: len(whole) // 2]))
    lines = gzip.decompress(whole).splitlines(keepends=True)
    for spoiled, sentence in (
        (lines[:-1], "no end"),
        ([lines[0], *lines[2:]], "lacks offset"),
        ([*lines[:-2], lines[-1]], "other numbers"),
        (lines[1:], "no backup of ours"),
        (
            [line.replace(b'"ms":17', b'"ms":18') for line in lines],
            "was changed: hourbook.control.v1/0, ",
        ),
    ):
        with pytest.raises(BackupError, match=sentence):
            check(io.BytesIO(gzip.compress(b"".join(spoiled))))


async def test_a_backup_that_was_stopped_goes_on_where_it_was(
    old: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hourbook_cli.archive.MEMBER_LINES", 100)
    half = io.BytesIO()

    def stop(done: int, _: int | None) -> None:
        if done == MANY // 2:
            raise StoppedError

    with pytest.raises(StoppedError):
        await backup(old.settings, half, stop)
    assert 0 < len(half.getvalue()) < len(await taken(old))
    half.write(b"\x1f\x8b half a member")
    half.seek(0)
    shown: list[int] = []
    told = await backup(old.settings, half, lambda done, _: shown.append(done), going_on=True)
    assert shown[0] > MANY // 4
    half.seek(0)
    assert check(half) == told
    assert told.records == {LEDGER.name: MANY, CONTROL.name: 1}


async def test_a_restored_log_is_recognised_and_gone_on_with_when_a_person_says_so(
    old: Installation, brokers: tuple[str, str], postgres: str
) -> None:
    """The database is the old one, the Kafka a new one."""
    new = await installation(brokers[1], postgres, "backup_adopt")
    await restore(new.settings, io.BytesIO(await taken(old)))  # again: that changes nothing
    assert await new.records() == await old.records()
    was = await kit_kafka.cluster_id(old.settings)
    cluster = await kit_kafka.cluster_id(new.settings)
    connection = await asyncpg.connect(new.settings.admin_database_url.get_secret_value())
    records = [one for one in await old.records() if one[0] == LEDGER.name]
    last = {one[1]: (one[2], dict(one[6])["ce_id"].decode()) for one in records}
    await connection.executemany(
        "INSERT INTO book.checkpoint VALUES ($1, $2, 1, 1, $3, $4)",
        [(partition, offset + 1, id_, was) for partition, (offset, id_) in last.items()],
    )
    await connection.executemany(
        "INSERT INTO book.history VALUES ($1, $2, 'b', 's', 't', $3, now(), '{}')",
        [(one[1], one[2], dict(one[6])["ce_id"].decode()) for one in records],
    )
    reader = kit_kafka.consumer(new.settings)
    await reader.start()
    places = [kit_kafka.Place(p, offset + 1, id_) for p, (offset, id_) in last.items()]
    reader.assign([TopicPartition(LEDGER.name, place.partition) for place in places])
    with pytest.raises(kit_kafka.RestoredLogError, match="hourbook adopt-log"):
        await kit_kafka.known_log(new.settings, reader, LEDGER.name, places, {was})
    await reader.stop()
    tried = await adopt(new.settings, quiet, dry_run=True)
    assert (tried.was, tried.cluster_id, tried.compared) == (was, cluster, MANY)
    assert await connection.fetchval("SELECT DISTINCT cluster_id FROM book.checkpoint") == was
    await adopt(new.settings, quiet)
    assert await connection.fetchval("SELECT DISTINCT cluster_id FROM book.checkpoint") == cluster
    assert (await adopt(new.settings, quiet)).compared == 0  # and it is done
    await connection.execute(
        "UPDATE book.checkpoint SET cluster_id = 'lost';"
        " UPDATE book.history SET ce_id = 'another' WHERE offset_ = 3"
    )
    with pytest.raises(kit_kafka.AnotherLogError, match="holds another message at 3"):
        await adopt(new.settings, quiet)
    await connection.close()


async def test_nothing_is_restored_over_another_past(
    old: Installation, brokers: tuple[str, str], postgres: str
) -> None:
    made = await taken(old)
    new = await installation(brokers[1], postgres, "backup_other")
    await restore(new.settings, io.BytesIO(made))
    other, reader = io.BytesIO(), Reader()
    writer = Writer(other)
    writer.head("now", "other")
    for line in reader.lines(io.BytesIO(made)):
        writer.add(line | ({"ms": 1} if "topic" in line else {}))
    writer.end()
    again = await installation(brokers[1], postgres, "backup_other")
    other.seek(0)
    with pytest.raises(BackupError, match="other records than this backup"):
        await restore(again.settings, other)
    async with AIOKafkaProducer(**kit_kafka.connection(new.settings)) as producer:
        await producer.send_and_wait(CONTROL.name, value=b"told since")
    with pytest.raises(BackupError, match="holds more records than this backup"):
        await restore(again.settings, io.BytesIO(made))


async def test_no_table_of_the_vault_draws_numbers_of_its_own(old: Installation) -> None:
    """A restore would have to set them on."""
    found = await old.rows("pg_sequences WHERE schemaname = 'vault'")
    assert found == []

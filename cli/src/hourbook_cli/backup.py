"""`hourbook backup` and `hourbook restore`: the two logs that are for ever, and the vault.

Everything else can be made again from them. The vault is read after the logs: a record never stands on
a log before its key stands in the vault. Both go on where they were stopped (archive.py has the file).
"""

import json
from base64 import b64decode, b64encode
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping
from contextlib import aclosing, asynccontextmanager
from graphlib import TopologicalSorter
from typing import Any, BinaryIO

import asyncpg
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from pydantic import SecretStr

from hourbook_cli.archive import BackupError, Json, Reader, Sums, Told, Writer, part_of, resume
from hourbook_contracts.topics import CONTROL, LEDGER
from hourbook_kit import clock, kafka
from hourbook_kit.settings import KafkaSettings

LOGS = (LEDGER, CONTROL)
PAUSE = 1000
"""Records that may be on their way to Kafka at once."""

_ELSEWHERE = "restore into an installation that was migrated and never started."

Progress = Callable[[int, int | None], None]
"""Told how many records of how many are done; None where nobody knows."""


class OwnerSettings(KafkaSettings):
    """An owner's address of the database, beside Kafka's."""

    admin_database_url: SecretStr


def quiet(_done: int, _of: int | None) -> None:
    """Nobody watches."""


async def backup(
    settings: OwnerSettings, to: BinaryIO, progress: Progress = quiet, *, going_on: bool = False
) -> Told:
    """Write all of it; the services may go on meanwhile.

    `going_on`: the file holds what an earlier one had written before it was stopped, and is read and
    written; if that was of another Kafka, it is begun anew.
    """
    cluster_id = await kafka.cluster_id(settings)
    kept = resume(to, cluster_id) if going_on else None
    if kept is None:
        if going_on:
            to.seek(0)
            to.truncate()
        writer, made_at = Writer(to), clock.now().isoformat()
        writer.head(made_at, cluster_id)
    else:
        writer, made_at = Writer(to, kept[1]), kept[0]["made_at"]
    async with aclosing(_records(settings, dict(writer.sums.counts), progress)) as records:
        async for line in records:
            writer.add(line)
    writer.flush()
    async with owner(settings) as connection:
        for table in await _tables(connection):
            async for row in _rows(connection, table):
                writer.add({"table": table, "row": row})
    writer.end()
    return Told(made_at, cluster_id, writer.sums.records(), writer.sums.rows())


async def restore(settings: OwnerSettings, source: BinaryIO, progress: Progress = quiet) -> Told:
    """Into an installation that was migrated and holds nothing, or the beginning of this very backup.

    Records get the offsets they had; the vault's rows are all there or none. Raises `BackupError`.
    """
    async with owner(settings) as connection, _producer(settings) as producer:
        await _must_be_empty(connection)
        known = set(await _tables(connection))
        rows: list[tuple[str, Json]] = []
        reader, writer = Reader(), _Writer(producer, await _standing(settings))
        for line in reader.lines(source):
            if "topic" in line:
                progress(await writer.write(line), None)
            elif line["table"] in known:
                rows.append((line["table"], line["row"]))
            else:
                raise BackupError(
                    f"This version knows no {line['table']}: restore with a newer one."
                )
        await writer.finish()
        writer.must_hold_no_more()
        async with connection.transaction():
            for table, row in rows:
                await connection.execute(
                    f"INSERT INTO {table} SELECT * FROM jsonb_populate_record(NULL::{table}, $1)",  # noqa: S608 -- one of `_tables`, seen above
                    json.dumps(row),
                )
        return reader.told


def check(source: BinaryIO) -> Told:
    """Read all of a backup and restore nothing; raises `BackupError`."""
    reader = Reader()
    for _ in reader.lines(source):
        pass
    return reader.told


# ---------------------------------------------------------------------------------------- the logs
async def _records(
    settings: KafkaSettings, begin: Mapping[str, int], progress: Progress = quiet
) -> AsyncGenerator[Json, None]:
    """Each log from there (by part; else its beginning) to where it ends now, partition by partition."""
    async with kafka.reading(settings) as reader:
        ends = await _ends(reader)
        done, total = sum(begin.values()), sum(ends.values())
        for at, end in ends.items():
            first = begin.get(f"{at.topic}/{at.partition}", 0)
            if first > end:
                raise BackupError(
                    f"{at.topic}/{at.partition} ends at {end}, and {first} were written of it before"
                    " this backup was stopped: remove its half, and look why the log was cut."
                )
            if first == end:
                continue
            reader.assign([at])
            reader.seek(at, first)
            while await reader.position(at) < end:
                record = await reader.getone(at)
                if record.offset < end:
                    done += 1
                    progress(done, total)
                    yield _line(record)


async def _ends(reader: AIOKafkaConsumer) -> dict[TopicPartition, int]:
    """In the order of the logs and their partitions."""
    places = [TopicPartition(topic.name, n) for topic in LOGS for n in range(topic.partitions)]
    found = await reader.end_offsets(places)
    return {at: found[at] for at in places}


async def _standing(settings: KafkaSettings) -> Sums:
    """What the logs hold already."""
    sums = Sums()
    async for line in _records(settings, {}):
        sums.add(line)
    return sums


def _line(record: Any) -> Json:
    return {
        "topic": record.topic,
        "partition": record.partition,
        "offset": record.offset,
        "ms": record.timestamp,
        "key": _text(record.key),
        "value": _text(record.value),
        "headers": [[name, _text(content)] for name, content in record.headers],
    }


def _text(octets: bytes | None) -> str | None:
    return None if octets is None else b64encode(octets).decode()


def _octets(text: str | None) -> bytes | None:
    return None if text is None else b64decode(text)


class _Writer:
    """Puts records back where they were, behind those that stand there already."""

    def __init__(self, producer: AIOKafkaProducer, standing: Sums) -> None:
        self._producer, self._standing = producer, standing
        self._sent: list[tuple[Any, int]] = []
        self._seen = Sums()
        self._done = 0

    async def write(self, line: Json) -> int:
        """Gives how many are done; raises `BackupError` where another record stands in its place."""
        self._done += 1
        part = part_of(line)
        there = self._standing.counts.get(part, 0)
        if line["offset"] < there:
            self._seen.add(line)
            if line["offset"] == there - 1:
                self._compare(part)
        else:
            await self._send(line)
        return self._done

    def _compare(self, part: str) -> None:
        if self._seen.hexdigest(part) != self._standing.hexdigest(part):
            raise BackupError(f"{part} holds other records than this backup: {_ELSEWHERE}")

    def must_hold_no_more(self) -> None:
        """Raises `BackupError` where a log holds more than this backup."""
        for part, there in self._standing.counts.items():
            if self._seen.counts.get(part, 0) < there:
                raise BackupError(f"{part} holds more records than this backup: {_ELSEWHERE}")

    async def _send(self, line: Json) -> None:
        sent = await self._producer.send(
            line["topic"],
            partition=line["partition"],
            timestamp_ms=line["ms"],
            key=_octets(line["key"]),
            value=_octets(line["value"]),
            headers=[(name, _octets(content)) for name, content in line["headers"]],
        )
        self._sent.append((sent, line["offset"]))
        if len(self._sent) >= PAUSE:
            await self.finish()

    async def finish(self) -> None:
        """Raises `BackupError` where somebody else wrote in between."""
        for sent, offset in self._sent:
            found = await sent
            if found.offset != offset:
                raise BackupError(
                    f"{found.topic}/{found.partition} has {found.offset} for what was {offset}:"
                    " somebody else writes. Stop all services and begin again."
                )
        self._sent.clear()


@asynccontextmanager
async def _producer(settings: KafkaSettings) -> AsyncIterator[AIOKafkaProducer]:
    producer = kafka.producer(settings, linger_ms=20)
    await producer.start()
    try:
        yield producer
    finally:
        await producer.stop()


# --------------------------------------------------------------------------------------- the vault
@asynccontextmanager
async def owner(settings: OwnerSettings) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(settings.admin_database_url.get_secret_value())
    try:
        yield connection
    finally:
        await connection.close()


async def _tables(connection: asyncpg.Connection) -> list[str]:
    """Of the vault, quoted; those that others refer to first."""
    names = await connection.fetch(
        "SELECT c.oid::regclass::text AS name FROM pg_class c"
        " WHERE c.relnamespace = 'vault'::regnamespace AND c.relkind = 'r' ORDER BY 1"
    )
    references = await connection.fetch(
        "SELECT conrelid::regclass::text AS of, confrelid::regclass::text AS to FROM pg_constraint"
        " WHERE connamespace = 'vault'::regnamespace AND contype = 'f' AND conrelid <> confrelid"
    )
    order = TopologicalSorter({row["name"]: set[str]() for row in names})
    for row in references:
        order.add(row["of"], row["to"])
    return list(order.static_order())


async def _rows(connection: asyncpg.Connection, table: str) -> AsyncIterator[Json]:
    async with connection.transaction():
        async for row in connection.cursor(f"SELECT to_jsonb(t) AS row FROM {table} t"):  # noqa: S608 -- one of `_tables`
            yield json.loads(row["row"])


async def _must_be_empty(connection: asyncpg.Connection) -> None:
    filled = [
        table
        for table in await _tables(connection)
        if await connection.fetchval(f"SELECT EXISTS (SELECT FROM {table})")  # noqa: S608 -- one of `_tables`
    ]
    if filled:
        raise BackupError(f"Something stands here already ({', '.join(filled)}): {_ELSEWHERE}")

"""`hourbook backup` and `hourbook restore`: the two logs that are for ever, and the vault.

Everything else can be made again from them. A backup is one gzipped file of JSON lines: a head, the
records of each log as Kafka holds them, the vault's rows (encrypted, as they are), and an end that
counts them, so that a file that was cut off is known. The vault is read after the logs: a record never
stands on a log before its key stands in the vault.
"""

import gzip
import json
from base64 import b64decode, b64encode
from collections import Counter
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from graphlib import TopologicalSorter
from typing import Any, BinaryIO

import asyncpg
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from pydantic import SecretStr

from hourbook_contracts.topics import CONTROL, LEDGER, Topic
from hourbook_kit import clock, kafka
from hourbook_kit.settings import KafkaSettings

FORMAT = 1
LOGS = (LEDGER, CONTROL)
PAUSE = 1000
"""Records that may be on their way to Kafka at once."""

Json = dict[str, Any]


class OwnerSettings(KafkaSettings):
    """An owner's address of the database, beside Kafka's."""

    admin_database_url: SecretStr


class BackupError(Exception):
    """A backup that is not whole, or a place it must not be restored to."""


@dataclass(frozen=True, slots=True)
class Told:
    """What a backup holds: records by topic, rows by the vault's table."""

    made_at: str
    cluster_id: str
    records: dict[str, int]
    rows: dict[str, int]


async def backup(settings: OwnerSettings, to: BinaryIO) -> Told:
    """Write all of it; the services may go on meanwhile."""
    made_at, cluster_id = clock.now().isoformat(), await kafka.cluster_id(settings)
    records, rows = Counter[str](), Counter[str]()
    with gzip.GzipFile(fileobj=to, mode="wb", mtime=0) as out:
        _write(out, {"hourbook_backup": FORMAT, "made_at": made_at, "cluster_id": cluster_id})
        async for line in _records(settings):
            records[line["topic"]] += 1
            _write(out, line)
        async with _owner(settings) as connection:
            for table in await _tables(connection):
                async for row in _rows(connection, table):
                    rows[table] += 1
                    _write(out, {"table": table, "row": row})
        _write(out, {"end": {"records": records, "rows": rows}})
    return Told(made_at, cluster_id, dict(records), dict(rows))


async def restore(settings: OwnerSettings, source: BinaryIO) -> Told:
    """Into an installation that was migrated and holds nothing yet; raises `BackupError`.

    Records get the offsets they had. The vault's rows are all there or none; when this fails, drop
    what was made and begin again with an empty installation.
    """
    async with _owner(settings) as connection, _producer(settings) as producer:
        await _must_be_empty(settings, connection)
        known = set(await _tables(connection))
        rows: list[tuple[str, Json]] = []
        reader, writer = Reader(), _Writer(producer)
        for line in reader.lines(source):
            if "topic" in line:
                await writer.write(line)
            elif line["table"] in known:
                rows.append((line["table"], line["row"]))
            else:
                raise BackupError(
                    f"This version knows no {line['table']}: restore with a newer one."
                )
        await writer.finish()
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


class Reader:
    """Reads a backup to its end; `told` is there then."""

    told: Told

    def lines(self, source: BinaryIO) -> Iterator[Json]:
        """The records and rows, in their order; raises `BackupError` where it is not whole."""
        try:
            yield from self._lines(gzip.GzipFile(fileobj=source, mode="rb"))
        except (EOFError, OSError, ValueError, KeyError) as error:
            raise BackupError(
                f"This is no whole backup of ours ({type(error).__name__}): it was cut off or changed."
            ) from error

    def _lines(self, unpacked: Iterable[bytes]) -> Iterator[Json]:
        numbered = iter(unpacked)
        head = json.loads(next(numbered, b"{}"))
        if head.get("hourbook_backup") != FORMAT:
            raise BackupError(f"This is no backup of ours, or of another format than {FORMAT}.")
        records, rows, ends = Counter[str](), Counter[str](), Counter[TopicPartition]()
        for text in numbered:
            line = json.loads(text)
            if "end" in line:
                if line["end"] != {"records": records, "rows": rows}:
                    raise BackupError("This backup holds other numbers of records than it says.")
                self.told = Told(head["made_at"], head["cluster_id"], dict(records), dict(rows))
                return
            if "topic" in line:
                at = TopicPartition(line["topic"], line["partition"])
                if line["offset"] != ends[at]:
                    raise BackupError(f"{at.topic}/{at.partition} lacks offset {ends[at]}.")
                ends[at] += 1
                records[at.topic] += 1
            else:
                rows[line["table"]] += 1
            yield line
        raise BackupError("This backup has no end: it was cut off.")


def _write(out: gzip.GzipFile, line: Json) -> None:
    out.write(json.dumps(line, separators=(",", ":"), ensure_ascii=False).encode() + b"\n")


# ---------------------------------------------------------------------------------------- the logs
async def _records(settings: KafkaSettings) -> AsyncIterator[Json]:
    """Each log from its beginning to where it ends now, partition by partition."""
    reader = kafka.consumer(settings)
    await reader.start()
    try:
        for topic in LOGS:
            for at, end in sorted((await _ends(reader, topic)).items()):
                reader.assign([at])
                reader.seek(at, 0)
                while end and await reader.position(at) < end:
                    record = await reader.getone(at)
                    if record.offset < end:
                        yield _line(record)
    finally:
        await reader.stop()


async def _ends(reader: AIOKafkaConsumer, topic: Topic) -> dict[TopicPartition, int]:
    places = [TopicPartition(topic.name, number) for number in range(topic.partitions)]
    ends: dict[TopicPartition, int] = await reader.end_offsets(places)
    return ends


def _line(record: Any) -> Json:
    return {
        "topic": record.topic,
        "partition": record.partition,
        "offset": record.offset,
        "ms": record.timestamp,
        "key": None if record.key is None else b64encode(record.key).decode(),
        "value": None if record.value is None else b64encode(record.value).decode(),
        "headers": [[name, b64encode(value).decode()] for name, value in record.headers],
    }


class _Writer:
    """Puts records back where they were."""

    def __init__(self, producer: AIOKafkaProducer) -> None:
        self._producer = producer
        self._sent: list[tuple[Any, int]] = []

    async def write(self, line: Json) -> None:
        key, value = line["key"], line["value"]
        sent = await self._producer.send(
            line["topic"],
            partition=line["partition"],
            timestamp_ms=line["ms"],
            key=None if key is None else b64decode(key),
            value=None if value is None else b64decode(value),
            headers=[(name, b64decode(content)) for name, content in line["headers"]],
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
async def _owner(settings: OwnerSettings) -> AsyncIterator[asyncpg.Connection]:
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


async def _must_be_empty(settings: KafkaSettings, connection: asyncpg.Connection) -> None:
    reader = kafka.consumer(settings)
    await reader.start()
    try:
        ends = [end for topic in LOGS for end in (await _ends(reader, topic)).values()]
    finally:
        await reader.stop()
    filled = [
        table
        for table in await _tables(connection)
        if await connection.fetchval(f"SELECT EXISTS (SELECT FROM {table})")  # noqa: S608 -- one of `_tables`
    ]
    if any(ends) or filled:
        what = [*filled, *(["the logs"] if any(ends) else [])]
        raise BackupError(
            f"Something stands here already ({', '.join(what)}): restore into an installation that"
            " was migrated and never started."
        )

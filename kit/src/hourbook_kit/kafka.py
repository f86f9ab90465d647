"""Kafka: clients set up alike everywhere, and who the log is."""

import ssl
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from typing import Any, NamedTuple

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.partitioner import murmur2

from hourbook_contracts.codec import Record, header
from hourbook_contracts.topics import Topic
from hourbook_kit.settings import KafkaSettings


def connection(settings: KafkaSettings) -> dict[str, Any]:
    """What every client needs to connect."""
    arguments: dict[str, Any] = {
        "bootstrap_servers": settings.kafka_bootstrap,
        "security_protocol": settings.kafka_security_protocol,
    }
    if settings.kafka_security_protocol.endswith("SSL"):
        arguments["ssl_context"] = ssl.create_default_context(cafile=settings.kafka_ca_file)
    if settings.kafka_security_protocol.startswith("SASL"):
        password = settings.kafka_sasl_password
        arguments |= {
            "sasl_mechanism": settings.kafka_sasl_mechanism,
            "sasl_plain_username": settings.kafka_sasl_username,
            "sasl_plain_password": password.get_secret_value() if password else None,
        }
    return arguments


BATCH_BYTES_MAX = 256 * 1024
"""A quarter of what a broker takes by default."""


def producer(settings: KafkaSettings, *, linger_ms: int = 0) -> AIOKafkaProducer:
    """Idempotent, `acks=all`, never transactional: transactions leave gaps in the offsets.

    A partition has one batch under way at a time. With aiokafka's 16 KB, what a burst brings one partition took several
    round trips after each other, and the broker twice the work.
    """
    return AIOKafkaProducer(
        **connection(settings),
        acks="all",
        enable_idempotence=True,
        linger_ms=linger_ms,
        max_batch_size=BATCH_BYTES_MAX,
        request_timeout_ms=10_000,
        metadata_max_age_ms=30_000,
    )


def consumer(
    settings: KafkaSettings, *topics: str, group: str | None = None, **more: Any
) -> AIOKafkaConsumer:
    """Reads from the beginning where nothing says otherwise; never commits by itself."""
    return AIOKafkaConsumer(
        *topics,
        **connection(settings),
        group_id=group,
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        metadata_max_age_ms=30_000,
        **more,
    )


@asynccontextmanager
async def reading(
    settings: KafkaSettings, *topics: str, **options: Any
) -> AsyncIterator[AIOKafkaConsumer]:
    """A `consumer` that is started, and stopped whatever happens: also one that did not come up."""
    reader = consumer(settings, *topics, **options)
    try:
        await reader.start()
        yield reader
    finally:
        await reader.stop()


def admin(settings: KafkaSettings) -> AIOKafkaAdminClient:
    return AIOKafkaAdminClient(**connection(settings), request_timeout_ms=10_000)


async def send(
    to: AIOKafkaProducer, topic: str, record: Record, partition: int | None = None
) -> Any:
    """Write one record; gives its metadata (partition, offset) when all in-sync replicas have it."""
    return await to.send_and_wait(
        topic, value=record.value, key=record.key, headers=record.headers, partition=partition
    )


def partition_of(key: str, topic: Topic) -> int:
    """Where every producer of ours puts this key: Java's murmur2 (streaming.md 2)."""
    found: int = (murmur2(key.encode()) & 0x7FFFFFFF) % topic.partitions
    return found


async def cluster_id(settings: KafkaSettings) -> str:
    """The id a cluster gives itself at its birth; raises KafkaError while none answers."""
    client = admin(settings)
    try:
        await client.start()
        found = await client.describe_cluster()
    finally:
        await client.close()
    return str(found["cluster_id"])


class Place(NamedTuple):
    """Where a reader of one partition stands: the next offset, and the `ce_id` of the one before it."""

    partition: int
    next_offset: int
    last_ce_id: str | None


class AnotherLogError(Exception):
    """Not the log we read before: restore the old one, or rebuild from this one (`hourbook rebuild`)."""


class RestoredLogError(AnotherLogError):
    """The log we read before, in a Kafka we have not read from: `hourbook adopt-log` goes on with it."""


async def known_log(
    settings: KafkaSettings,
    reader: AIOKafkaConsumer,
    topic: str,
    places: list[Place],
    read_from: Collection[str | None],
) -> None:
    """Raise `AnotherLogError` unless these places were made on this very log; the reader is as for `same_log`.

    A copy that was restored elsewhere is a `RestoredLogError`: two Kafkas could each go on with one
    past, so a person has to say which one does.
    """
    cluster = await cluster_id(settings)
    others = ", ".join(sorted({one for one in read_from if one not in (None, cluster)}))
    try:
        await same_log(reader, topic, places)
    except AnotherLogError as error:
        if not others:
            raise
        raise AnotherLogError(f"{_another(cluster, others)}; {error}") from error
    if others and not any(map(_has_a_before, places)):
        raise AnotherLogError(_another(cluster, others))  # nothing by which to recognise it
    if others:
        raise RestoredLogError(
            f"this Kafka is {cluster} and holds the log that we have read from {others}, as far as"
            " we had read it: if it was restored and that one is gone, hourbook adopt-log goes on with it"
        )


def _another(cluster: str, others: str) -> str:
    return (
        f"this Kafka is {cluster}, and we have read from {others}: go back to that one, or restore a"
        " backup of it, or rebuild from this one (hourbook rebuild)"
    )


async def same_log(reader: AIOKafkaConsumer, topic: str, places: list[Place]) -> None:
    """Raise `AnotherLogError` where a log is shorter than our place in it, or another record stands there.

    The clients know no topic id (aiokafka 0.14 speaks metadata version 5), so the record before our
    place is compared by its `ce_id`; the caller compares the cluster's id. The reader must be
    assigned the partitions; its positions are left at the places.
    """
    ends = await reader.end_offsets([TopicPartition(topic, place.partition) for place in places])
    for place in places:
        at = TopicPartition(topic, place.partition)
        if place.next_offset > ends[at]:
            raise AnotherLogError(
                f"{topic}/{place.partition} ends at {ends[at]}, and we have read up to "
                f"{place.next_offset}: the log was cut or is another one"
            )
        reader.seek(at, place.next_offset - 1 if _has_a_before(place) else place.next_offset)
    for place in filter(_has_a_before, places):  # all are fetched at once: the seeks come first
        before = await reader.getone(TopicPartition(topic, place.partition))
        if header(before.headers, "ce_id") != place.last_ce_id:
            raise AnotherLogError(
                f"{topic}/{place.partition} holds another message at {before.offset} than "
                "the one we read there"
            )


def _has_a_before(place: Place) -> bool:
    return place.next_offset > 0 and place.last_ce_id is not None

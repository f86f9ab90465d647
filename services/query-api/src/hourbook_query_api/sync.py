"""Sync status: how far each side and each reader is, what waits, what stands in the way."""

from datetime import date, datetime
from typing import Any, Literal

import asyncpg
import structlog
from aiokafka import TopicPartition
from aiokafka.errors import KafkaError

from hourbook_contracts.topics import CONTROL, INBOX, LEDGER, Topic
from hourbook_kit import clock
from hourbook_kit.health import Obstacle
from hourbook_query_api.connector_models import KimaiConnector
from hourbook_query_api.connectors import Open, from_row
from hourbook_query_api.desk import Desk
from hourbook_query_api.guard import guarded_router
from hourbook_query_api.shown import Shown
from hourbook_query_api.source_status import SourceStatus, status_of

log = structlog.get_logger()

router = guarded_router("/api/sync", "sync")

_SHOWN_BOOKS = 20
_INBOX_GROUP = "hourbook-ingest-zammad"
"""As ingest-zammad names its readers; services never import each other."""


class TargetStatus(Shown):
    kind: Literal["kimai"]
    name: str
    writing: bool
    start_on: date | None
    polled_at: datetime | None
    swept_at: datetime | None
    writes: dict[str, int]
    """Unanswered requests by state, as push has them: `queued`, `sent`, `uncertain`."""
    waiting_since: datetime | None
    """Of the oldest of them."""
    alarms: list[str]
    """While one is open, nothing is written, and nothing believed to be deleted."""
    locked_until: datetime | None
    """The last begin that Kimai was seen to lock; its lockdown, where nobody entered it."""
    obstacles: list[Obstacle]
    """What stands in the way of writing, since when: a Kimai that is down, a cap that is reached."""


class Lag(Shown):
    """How far a reader of a topic is behind its end, in messages."""

    topic: str
    reader: str
    end: int
    read: int
    lag: int


class HaltedBook(Shown):
    book: str
    why: str


class SyncStatus(Shown):
    at: datetime
    sources: list[SourceStatus]
    targets: list[TargetStatus]
    lags: list[Lag]
    open_conflicts: dict[str, int]
    """By reason."""
    quarantined: int
    halted_books: list[HaltedBook]
    """The first twenty: each waits for a newer version or for a person."""
    obstacles: list[Obstacle]
    """Of this API itself."""


@router.get("/status")
async def sync_status(desk: Open) -> SyncStatus:
    connections = await desk.pool.fetch("SELECT * FROM control.connections ORDER BY name")
    sources, targets = [], []
    for row in connections:
        found = from_row(row)
        if isinstance(found, KimaiConnector):
            targets.append(await _target(desk.pool, found))
        else:
            sources.append(await status_of(desk.pool, found))
    asking = await desk.pool.fetch(
        "SELECT reason, count(*) AS count FROM book.conflicts WHERE open GROUP BY reason"
    )
    halted = await desk.pool.fetch(
        "SELECT book, halted FROM book.books WHERE halted IS NOT NULL ORDER BY book LIMIT $1",
        _SHOWN_BOOKS,
    )
    return SyncStatus(
        at=clock.now(),
        sources=sources,
        targets=targets,
        lags=await _lags(desk),
        open_conflicts={row["reason"]: row["count"] for row in asking},
        quarantined=await desk.pool.fetchval("SELECT count(*) FROM book.quarantine"),
        halted_books=[HaltedBook(book=row["book"], why=row["halted"]) for row in halted],
        obstacles=desk.health.readiness().obstacles,
    )


async def _target(pool: asyncpg.Pool, found: KimaiConnector) -> TargetStatus:
    observed = await pool.fetchrow("SELECT * FROM push.observed WHERE target = $1", found.name)
    obstacles = await pool.fetch(
        "SELECT name, since, sentence FROM push.obstacles WHERE target = $1 ORDER BY since, name",
        found.name,
    )
    writes = await pool.fetch(
        "SELECT state, count(*) AS count, min(queued_at) AS oldest FROM push.effects"
        " WHERE target = $1 AND state <> 'done' GROUP BY state",
        found.name,
    )
    return TargetStatus(
        kind="kimai",
        name=found.name,
        writing=found.writing,
        start_on=found.start_on,
        polled_at=observed["polled_at"] if observed else None,
        swept_at=observed["swept_at"] if observed else None,
        alarms=[alarm.alarm for alarm in found.alarms],
        locked_until=observed["locked_until"] if observed else None,
        obstacles=[Obstacle(**dict(row)) for row in obstacles],
        writes={row["state"]: row["count"] for row in writes},
        waiting_since=min((row["oldest"] for row in writes), default=None),
    )


async def _lags(desk: Desk) -> list[Lag]:
    lags = [
        await _lag(desk, LEDGER, "reconciler", await _read(desk.pool, "book")),
        await _lag(desk, LEDGER, "push-kimai", await _read(desk.pool, "push")),
        await _lag(desk, CONTROL, "query-api", {0: desk.projection.next_offset}),
    ]
    committed = await _committed(desk)
    return (
        lags if committed is None else [*lags, await _lag(desk, INBOX, "ingest-zammad", committed)]
    )


async def _read(pool: asyncpg.Pool, schema: str) -> dict[int, int]:
    rows = await pool.fetch(f"SELECT partition, next_offset FROM {schema}.checkpoint")  # noqa: S608 -- ours
    return {row["partition"]: row["next_offset"] for row in rows}


async def _committed(desk: Desk) -> dict[int, int] | None:
    """How far the readers of the inbox say they are; None while nobody keeps what they say."""
    try:
        said = await desk.admin.list_consumer_group_offsets(_INBOX_GROUP)
    except KafkaError as error:
        log.info("inbox_readers_unknown", error=type(error).__name__)
        return None
    return {
        at.partition: max(0, place.offset) for at, place in said.items() if at.topic == INBOX.name
    }


async def _lag(desk: Desk, topic: Topic, reader: str, read: dict[int, int]) -> Lag:
    places = [TopicPartition(topic.name, partition) for partition in range(topic.partitions)]
    ends: dict[Any, int] = await desk.ends.end_offsets(places)
    behind = sum(max(0, ends[place] - read.get(place.partition, 0)) for place in places)
    end = sum(ends.values())
    return Lag(topic=topic.name, reader=reader, end=end, read=end - behind, lag=behind)

"""The sync status as numbers, so that alarms can be raised on what no single service knows."""

import asyncio
from datetime import datetime
from typing import NoReturn

import structlog
from aiokafka import TopicPartition
from aiokafka.errors import KafkaError
from prometheus_client import Gauge

from hourbook_contracts.topics import DEAD_LETTERS
from hourbook_kit.postgres import TRANSIENT
from hourbook_query_api.desk import Desk
from hourbook_query_api.source_status import SourceStatus
from hourbook_query_api.sync import SyncStatus, TargetStatus, sync_status

log = structlog.get_logger()

LOOK_EVERY_SECONDS = 15

LAG = Gauge(
    "hourbook_lag_messages", "How far a reader of a topic is behind its end", ["topic", "reader"]
)
POLLED = Gauge("hourbook_polled_timestamp_seconds", "The last whole poll", ["connection"])
SWEPT = Gauge("hourbook_swept_timestamp_seconds", "The last whole sweep", ["connection"])
WRITING = Gauge("hourbook_writing", "1 where a target may be written to", ["connection"])
WRITES = Gauge("hourbook_writes", "Unanswered requests by state", ["connection", "state"])
WAITING = Gauge(
    "hourbook_write_waiting_timestamp_seconds",
    "Since when the oldest unanswered request waits; absent where none does",
    ["connection"],
)
TARGET_OBSTACLES = Gauge(
    "hourbook_target_obstacle", "1 while it keeps us from writing", ["connection", "name"]
)
ALARMED = Gauge("hourbook_suddenly_empty", "1 while a sweep's alarm is open", ["connection"])
CONFLICTS = Gauge("hourbook_open_conflicts", "Open questions by reason", ["reason"])
OLDEST_CONFLICT = Gauge(
    "hourbook_oldest_conflict_timestamp_seconds",
    "Since when the oldest open question waits; 0 where there is none",
)
QUARANTINED = Gauge("hourbook_quarantined_messages", "Ledger messages kept aside")
HALTED = Gauge("hourbook_halted_books", "Books that wait for a newer version or a person")
DEAD_LETTER_END = Gauge("hourbook_dead_letters_end", "Where the dead letters' topic ends")
FIGURED_AT = Gauge("hourbook_figures_timestamp_seconds", "When these figures were last true")


async def keep_true(desk: Desk) -> NoReturn:
    """Look again and again; while something is away, the figures and their time stay as they were."""
    while not desk.health.started:  # noqa: ASYNC110 -- asked as an orchestrator asks
        await asyncio.sleep(0.5)
    while True:
        try:
            await look(desk)
        except (*TRANSIENT, KafkaError) as error:
            log.info("figures_wait", error=type(error).__name__)
        await asyncio.sleep(LOOK_EVERY_SECONDS)


async def look(desk: Desk) -> None:
    """Set every figure to what holds now."""
    status = await sync_status(desk)
    oldest = await desk.pool.fetchval("SELECT min(opened_at) FROM book.conflicts WHERE open")
    halted = await desk.pool.fetchval("SELECT count(*) FROM book.books WHERE halted IS NOT NULL")
    letters = TopicPartition(DEAD_LETTERS.name, 0)
    ends = await desk.ends.end_offsets([letters])
    _of_sides(status)
    LAG.clear()
    for lag in status.lags:
        LAG.labels(lag.topic, lag.reader).set(lag.lag)
    CONFLICTS.clear()
    for reason, count in status.open_conflicts.items():
        CONFLICTS.labels(reason).set(count)
    OLDEST_CONFLICT.set(oldest.timestamp() if oldest else 0)
    QUARANTINED.set(status.quarantined)
    HALTED.set(halted)
    DEAD_LETTER_END.set(ends[letters])
    FIGURED_AT.set(status.at.timestamp())


def _of_sides(status: SyncStatus) -> None:
    for gauge in (POLLED, SWEPT, WRITING, WRITES, WAITING, TARGET_OBSTACLES, ALARMED):
        gauge.clear()
    sides: list[SourceStatus | TargetStatus] = [*status.sources, *status.targets]
    for side in sides:
        _moment(POLLED, side.name, side.polled_at)
        _moment(SWEPT, side.name, side.swept_at)
    for source in status.sources:
        ALARMED.labels(source.name).set(source.suddenly_empty_since is not None)
    for target in status.targets:
        WRITING.labels(target.name).set(target.writing)
        _moment(WAITING, target.name, target.waiting_since)
        for state, count in target.writes.items():
            WRITES.labels(target.name, state).set(count)
        for obstacle in target.obstacles:
            TARGET_OBSTACLES.labels(target.name, obstacle.name).set(1)


def _moment(gauge: Gauge, connection: str, at: datetime | None) -> None:
    if at is not None:
        gauge.labels(connection).set(at.timestamp())

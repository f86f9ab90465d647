"""Saying what was held: an answer whose delay has ended becomes a fact on the ledger."""

import asyncio
import json
from contextlib import suppress
from typing import NoReturn

import asyncpg
import structlog
from aiokafka.errors import KafkaError

from hourbook_contracts.codec import encode
from hourbook_contracts.ledger import Candidate, ConflictResolved, Work
from hourbook_contracts.topics import LEDGER
from hourbook_kit import clock, kafka
from hourbook_kit.postgres import TRANSIENT
from hourbook_kit.telemetry import with_trace
from hourbook_query_api.conflicts import path_of
from hourbook_query_api.desk import Desk
from hourbook_query_api.held import comment_of

log = structlog.get_logger()

BATCH = 100
LOOK_SECONDS = 1.0
"""Another process may have held it; our own wakes us."""

_DUE = """
SELECT r.*, a.said_by, a.choice, a.comment, a.idempotency_key,
    c.gen AS asked_gen, c.open, c.want, c.held, c.candidates
FROM control.resolved AS r
JOIN control.resolutions AS a USING (resolution_id)
LEFT JOIN book.conflicts AS c ON c.subject = r.subject
WHERE r.state = 'held' AND r.undo_until <= now()
ORDER BY r.undo_until, r.subject
LIMIT $1
FOR UPDATE OF r SKIP LOCKED
"""


async def say_for_ever(desk: Desk) -> NoReturn:
    """Everything that is due, as soon as it is; while Kafka or the database is away it stays held."""
    while True:
        desk.held.clear()
        try:
            while await say(desk) == BATCH:
                pass
            seconds = await _next_due(desk)
        except (KafkaError, *TRANSIENT) as error:
            log.warning("answers_wait", error=type(error).__name__)
            seconds = LOOK_SECONDS
        with suppress(TimeoutError):
            async with asyncio.timeout(min(seconds, LOOK_SECONDS)):
                await desk.held.wait()


async def say(desk: Desk) -> int:
    """Publish what is due, in one transaction with its rows; gives how many there were."""
    async with desk.pool.acquire() as connection, connection.transaction():
        rows = await connection.fetch(_DUE, BATCH)
        places = await asyncio.gather(*(_said(desk, row) for row in rows))
        await connection.executemany(
            "UPDATE control.resolved SET state = $3, partition = $4, offset_ = $5"
            " WHERE resolution_id = $1 AND subject = $2",
            [
                (
                    row["resolution_id"],
                    row["subject"],
                    "overtaken" if place is None else "sent",
                    *(place or (None, None)),
                )
                for row, place in zip(rows, places, strict=True)
            ],
        )
    desk.changes.tell("resolutions", sorted({row["resolution_id"] for row in rows}))
    desk.changes.tell("conflicts", [path_of(row["subject"]) for row in rows])
    return len(rows)


async def _said(desk: Desk, row: asyncpg.Record) -> tuple[int, int] | None:
    """Where it stands on the ledger; None: the question is not the one that was answered any more."""
    if not row["open"] or row["asked_gen"] != row["gen"]:
        log.info("answer_overtaken", subject=row["subject"], gen=row["gen"])
        return None
    message = resolved(row)
    record = encode(message)
    record = record._replace(headers=with_trace(record.headers))
    written = await kafka.send(desk.producer, LEDGER.name, record)
    log.info("person_answered", subject=row["subject"], gen=row["gen"], choice=row["choice"])
    return int(written.partition), int(written.offset)


def resolved(row: asyncpg.Record) -> ConflictResolved:
    """With the values of the question of that generation; the timesheet that is adopted comes first."""
    candidates = [
        Candidate.model_validate_json(json.dumps(c)) for c in json.loads(row["candidates"])
    ]
    candidates.sort(key=lambda candidate: candidate.sheet != row["sheet"])
    return ConflictResolved(
        observed_at=clock.now(),
        book=row["book"],
        connection=row["book"].split(":", 2)[1],
        posting=row["subject"],
        gen=row["gen"],
        choice=row["choice"],
        want=_work(row["want"]),
        held=_work(row["held"]),
        candidates=tuple(candidates),
        by=row["said_by"],
        comment=comment_of(row["comment"]),
        idempotency_key=row["idempotency_key"],
    )


def _work(column: str | None) -> Work | None:
    return None if column is None else Work.model_validate_json(column)


async def _next_due(desk: Desk) -> float:
    seconds: float | None = await desk.pool.fetchval(
        "SELECT extract(epoch FROM min(undo_until) - now())::float8 FROM control.resolved"
        " WHERE state = 'held'"
    )
    return LOOK_SECONDS if seconds is None else max(0.01, seconds)

"""Which rows the reconciler has written: found by where it stands, looked at only while somebody listens."""

import asyncio
from typing import NoReturn

import asyncpg
import structlog

from hourbook_contracts.ids import REMAINDER, anchor_of
from hourbook_kit.postgres import TRANSIENT
from hourbook_query_api.changes import Changes
from hourbook_query_api.conflicts import path_of

log = structlog.get_logger()

LOOK_SECONDS = 0.4
MESSAGES_MAX = 2000
"""More than that at once, and everything may have moved."""

_QUESTIONS = {
    "hourbook.conflict_opened.v1",
    "hourbook.conflict_resolved.v1",
    "hourbook.settled.v1",
    "hourbook.timesheet_requested.v1",
}


async def watch_ledger(pool: asyncpg.Pool, changes: Changes) -> NoReturn:
    known: dict[int, int] | None = None
    while True:
        if not changes.wanted.is_set():
            known = None
            await changes.wanted.wait()
        try:
            known = await _look(pool, changes, known)
        except TRANSIENT as error:
            log.info("watching_waits", error=type(error).__name__)
        await asyncio.sleep(LOOK_SECONDS)


async def _look(
    pool: asyncpg.Pool, changes: Changes, known: dict[int, int] | None
) -> dict[int, int]:
    rows = await pool.fetch("SELECT partition, next_offset FROM book.checkpoint")
    now = {row["partition"]: row["next_offset"] for row in rows}
    if known is None:
        return now
    moved = {
        partition: known.get(partition, 0)
        for partition in now
        if now[partition] != known.get(partition)
    }
    if not moved:
        return now
    if any(now[partition] < since for partition, since in moved.items()):  # rebuilt
        tell_all(changes)
        return now
    messages = await pool.fetch(
        "SELECT h.book, h.subject, h.type FROM unnest($1::int[], $2::bigint[]) AS m (partition, since)"
        " JOIN book.history AS h ON h.partition = m.partition AND h.offset_ >= m.since LIMIT $3",
        [*moved],
        [*moved.values()],
        MESSAGES_MAX + 1,
    )
    if len(messages) > MESSAGES_MAX:
        tell_all(changes)
    else:
        await _tell(pool, changes, messages)
    return now


def tell_all(changes: Changes) -> None:
    changes.tell("entries", [], many=True)
    changes.tell("conflicts", [], many=True)
    changes.tell("tickets", [], many=True)


async def _tell(pool: asyncpg.Pool, changes: Changes, messages: list[asyncpg.Record]) -> None:
    subjects = {row["subject"] for row in messages}
    postings = {subject for subject in subjects if _is_posting(subject)}
    sheets = [subject for subject in subjects if subject.startswith("kimai:")]
    entries = {subject for subject in subjects if _is_entry(subject)}
    entries |= {anchor_of(posting.removesuffix(REMAINDER)) for posting in postings}
    if sheets:
        rows = await pool.fetch(
            "SELECT entry FROM book.entries WHERE sheet = ANY($1::text[])", sheets
        )
        entries |= {row["entry"] for row in rows}
    asked = {row["subject"] for row in messages if row["type"] in _QUESTIONS}
    changes.tell("tickets", {row["book"] for row in messages})
    changes.tell("entries", entries)
    changes.tell("conflicts", {path_of(subject) for subject in asked})


def _is_posting(subject: str) -> bool:
    return subject.removesuffix(REMAINDER).rpartition("/")[2].isdigit() and "/" in subject


def _is_entry(subject: str) -> bool:
    return not subject.startswith("kimai:") and "/" not in subject

"""Which jobs have moved: looked at while somebody listens, and dropped after their retention."""

import asyncio
from datetime import timedelta
from typing import NoReturn

import asyncpg
import structlog

from hourbook_kit.postgres import TRANSIENT
from hourbook_query_api.changes import Changes

log = structlog.get_logger()

LOOK_SECONDS = 0.5
_SEEN = (
    "SELECT job, state, cancel_by, attempt, done, total, sentence FROM control.jobs"
    " ORDER BY asked_at DESC, job DESC LIMIT 200"
)


async def watch_jobs(pool: asyncpg.Pool, changes: Changes) -> NoReturn:
    known: dict[str, asyncpg.Record] | None = None
    while True:
        if not changes.wanted.is_set():
            known = None
            await changes.wanted.wait()
        try:
            now = {row["job"]: row for row in await pool.fetch(_SEEN)}
        except TRANSIENT as error:
            log.info("watching_jobs_waits", error=type(error).__name__)
        else:
            if known is not None:
                changes.tell("jobs", [job for job in now if now[job] != known.get(job)])
            known = now
        await asyncio.sleep(LOOK_SECONDS)


async def forget_jobs(pool: asyncpg.Pool, retention: timedelta) -> None:
    await pool.execute("DELETE FROM control.jobs WHERE ended_at < now() - $1::interval", retention)

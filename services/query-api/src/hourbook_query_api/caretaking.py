"""What goes on beside the requests: answers are said, the ledger is watched, the schedule carried out."""

import asyncio
from typing import NoReturn

import structlog

from hourbook_kit.postgres import TRANSIENT
from hourbook_query_api.accesses import forget_accesses
from hourbook_query_api.desk import Desk, Loop
from hourbook_query_api.destroying import destroy_what_comes_late
from hourbook_query_api.job_watch import forget_jobs, watch_jobs
from hourbook_query_api.ledger_watch import watch_ledger
from hourbook_query_api.retention import Changeable, kept_for
from hourbook_query_api.rotation import rotate
from hourbook_query_api.runs import run_schedule
from hourbook_query_api.samples import take_samples
from hourbook_query_api.saying import say_for_ever

log = structlog.get_logger()

TIDY_SECONDS = 600


async def watch(desk: Desk) -> NoReturn:
    await watch_ledger(desk.pool, desk.changes)


async def follow_jobs(desk: Desk) -> NoReturn:
    await watch_jobs(desk.pool, desk.changes)


async def tidy(desk: Desk) -> NoReturn:
    """Forget what was kept long enough, and bring what is sealed under an older vault key under the newest."""
    while True:
        try:
            await desk.visits.forget_addresses(kept_for(desk, Changeable.ADDRESSES))
            await forget_accesses(desk.pool, kept_for(desk, Changeable.ACCESSES))
            await forget_jobs(desk.pool, kept_for(desk, Changeable.JOBS))
            await rotate(desk.pool, desk.vault)
        except TRANSIENT as error:
            log.info("tidying_waits", error=type(error).__name__)
        await asyncio.sleep(TIDY_SECONDS)


LOOPS: tuple[Loop, ...] = (
    say_for_ever,
    watch,
    follow_jobs,
    run_schedule,
    take_samples,
    tidy,
    destroy_what_comes_late,
)

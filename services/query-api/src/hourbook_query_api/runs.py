"""Runs: one process carries the schedule out, tells what was missed and when each run has ended.

A run is a `SyncRequested` to each connection; it has ended when each was looked at to the end since.
"""

import asyncio
from datetime import datetime, timedelta
from typing import NoReturn

import asyncpg
import structlog
from aiokafka.errors import KafkaError

from hourbook_contracts.control import SyncRequested
from hourbook_contracts.house import CLOCK, RunEnded, RunMissed, run_of
from hourbook_kit.postgres import TRANSIENT, leading
from hourbook_query_api.acts import NotYetSeenError, act, publish
from hourbook_query_api.cron import CronError, due_between
from hourbook_query_api.desk import Desk
from hourbook_query_api.schedule import Schedule, schedule_of

log = structlog.get_logger()

LOOK_SECONDS = 1.0
LATE_SECONDS_MAX = 300
"""A run that could not begin by then is missed: what it would find, the intervals have found."""
GIVEN_UP_AFTER = timedelta(hours=1)
MADE_UP_FOR = timedelta(days=30)
"""What was missed before is not told one by one."""

_LOOKED_AT = """
SELECT c.name, CASE WHEN c.kind <> 'kimai' THEN
    CASE WHEN $2 = 'sweep' THEN s.swept_at ELSE s.polled_at END ELSE
    CASE WHEN $2 = 'sweep' THEN o.swept_at ELSE o.polled_at END END AS at
FROM control.connections AS c
LEFT JOIN ingest.sources AS s ON s.connection = c.name AND c.kind <> 'kimai'
LEFT JOIN push.observed AS o ON o.target = c.name AND c.kind = 'kimai'
WHERE c.name = ANY ($1::text[])
"""


async def run_schedule(desk: Desk) -> NoReturn:
    """Among several processes one does it; the lock goes with its connection."""
    dsn = desk.settings.database_url.get_secret_value()
    while True:
        try:
            async with leading(dsn, "query-api schedule") as connection:
                while True:
                    await _turn(desk, connection)
                    await asyncio.sleep(LOOK_SECONDS)
        except (KafkaError, NotYetSeenError, *TRANSIENT) as error:
            log.warning("schedule_waits", error=type(error).__name__)
            await asyncio.sleep(LOOK_SECONDS)


async def _turn(desk: Desk, connection: asyncpg.Connection) -> None:
    """What has ended, then what is due. The database's time; the leader's own connection says it still leads."""
    now: datetime = await connection.fetchval("SELECT now()")
    await _end(desk, now)
    schedule = await schedule_of(desk)
    row = await connection.fetchrow("SELECT * FROM control.scheduler")
    marks = [now - MADE_UP_FOR, schedule.changed_at, row["handled_until"] if row else None]
    handled = max(mark for mark in marks if mark is not None)
    queued = row["queued_due_at"] if row else None
    if schedule.on:
        queued = await _due(desk, schedule, handled, now, queued)
    await connection.execute(
        "INSERT INTO control.scheduler (handled_until, queued_due_at) VALUES ($1, $2)"
        " ON CONFLICT (one) DO UPDATE SET handled_until = $1, queued_due_at = $2",
        now,
        queued if schedule.on else None,
    )


async def _due(
    desk: Desk, schedule: Schedule, since: datetime, now: datetime, queued: datetime | None
) -> datetime | None:
    """Begin what is due, or tell why not; gives what is to wait for the run that is not done."""
    try:
        due = due_between(schedule.cron, schedule.time_zone, since, now)
    except CronError:  # of an older version
        log.error("schedule_unreadable", cron=schedule.cron)
        return None
    last: datetime | None = due.last if due else None
    missed = due.missed if due else []
    if last is not None and (now - last).total_seconds() > LATE_SECONDS_MAX:
        missed, last = [*missed, last], None
    if missed:
        await _tell(desk, "down", missed, now)
    wanted = last or queued
    if wanted is None:
        return None
    if not await _is_running(desk):
        await _begin(desk, schedule, wanted, now)
        return None
    if schedule.overlap == "queue":
        if last and queued:
            await _tell(desk, "overlap", [queued], now)
        return wanted
    if last:
        await _tell(desk, "overlap", [last], now)
    return None


async def _begin(desk: Desk, schedule: Schedule, due: datetime, now: datetime) -> None:
    await ask(desk, by=CLOCK, what=schedule.what, names=await all_names(desk), now=now, due=due)
    log.info("scheduled_run_began", due_at=due.isoformat())


async def ask(
    desk: Desk,
    *,
    by: str,
    what: str,
    names: list[str],
    now: datetime,
    due: datetime | None = None,
    key: str | None = None,
) -> tuple[str, list[int]]:
    """Ask each connection; gives the run's id and the offsets. The same run twice is one run."""
    run = run_of(by, due or now)
    events = [
        SyncRequested.model_validate(
            {
                "observed_at": now,
                "by": by,
                "idempotency_key": key,
                "connection": name,
                "what": what,
                "run": run,
                "due_at": due,
            }
        )
        for name in names
    ]
    return run, [await publish(desk, event) for event in events]


async def all_names(desk: Desk) -> list[str]:
    rows = await desk.pool.fetch("SELECT name FROM control.connections ORDER BY name")
    return [row["name"] for row in rows]


async def _is_running(desk: Desk) -> bool:
    found: bool = await desk.pool.fetchval(
        "SELECT EXISTS (SELECT 1 FROM control.runs WHERE outcome = 'running' AND due_at IS NOT NULL)"
    )
    return found


async def _tell(desk: Desk, why: str, missed: list[datetime], now: datetime) -> None:
    event = RunMissed(
        observed_at=now,
        by=CLOCK,
        why=why,
        first_due_at=missed[0],
        last_due_at=missed[-1],
        count=len(missed),
    )
    await act(desk, event, "/api/sync/history")
    log.warning("scheduled_runs_missed", why=why, count=len(missed))


async def _end(desk: Desk, now: datetime) -> None:
    """Tell of the runs that have ended by now."""
    rows = await desk.pool.fetch(
        "SELECT * FROM control.runs WHERE outcome = 'running' ORDER BY asked_at LIMIT 100"
    )
    for row in rows:
        looked = await desk.pool.fetch(_LOOKED_AT, row["connections"], row["what"])
        waiting = [
            one["name"] for one in looked if one["at"] is None or one["at"] <= row["asked_at"]
        ]
        if waiting and now - row["asked_at"] < GIVEN_UP_AFTER:
            continue
        ended = max((one["at"] for one in looked if one["at"]), default=now)
        event = RunEnded(
            observed_at=now,
            by=CLOCK,
            run=row["run"],
            outcome="given_up" if waiting else "done",
            seconds=((now if waiting else ended) - row["asked_at"]).total_seconds(),
            waited_for=tuple(waiting),
        )
        await act(desk, event, "/api/sync/history")

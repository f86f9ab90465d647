"""The schedule and its runs as rows: what the control topic says of them, event by event."""

import asyncpg

from hourbook_contracts.control import SyncRequested
from hourbook_contracts.house import RunEnded, RunMissed, ScheduleSet, run_of

Connection = asyncpg.Connection | asyncpg.pool.PoolConnectionProxy


async def write_run(
    connection: Connection, event: ScheduleSet | SyncRequested | RunMissed | RunEnded, offset: int
) -> None:
    match event:
        case ScheduleSet():
            await _schedule(connection, event, offset)
        case SyncRequested():
            await _asked(connection, event, offset)
        case RunMissed():
            await _missed(connection, event, offset)
        case RunEnded():
            await connection.execute(
                "UPDATE control.runs SET outcome = $2, seconds = $3, waited_for = $4 WHERE run = $1",
                event.run,
                event.outcome,
                event.seconds,
                [*event.waited_for],
            )


async def _schedule(connection: Connection, event: ScheduleSet, offset: int) -> None:
    await connection.execute("DELETE FROM control.schedule")
    await connection.execute(
        "INSERT INTO control.schedule"
        " (switched_on, cron, time_zone, what, overlap, changed_at, changed_by, offset_)"
        " VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
        event.on,
        event.cron,
        event.time_zone,
        event.what,
        event.overlap,
        event.observed_at,
        event.by,
        offset,
    )


async def _asked(connection: Connection, event: SyncRequested, offset: int) -> None:
    """One row for all connections that were asked together; of an older version each by itself."""
    run = event.run or run_of(event.by, event.observed_at)
    await connection.execute(
        "INSERT INTO control.runs AS r"
        " (run, asked_at, asked_by, what, due_at, connections, outcome, offset_)"
        " VALUES ($1, $2, $3, $4, $5, ARRAY[$6], $8, $7) ON CONFLICT (run) DO UPDATE"
        " SET connections = CASE WHEN $6 = ANY (r.connections) THEN r.connections"
        "  ELSE r.connections || $6 END",
        run,
        event.observed_at,
        event.by,
        event.what,
        event.due_at,
        event.connection,
        offset,
        "running" if event.run else "done",
    )


async def _missed(connection: Connection, event: RunMissed, offset: int) -> None:
    await connection.execute(
        "INSERT INTO control.runs"
        " (run, asked_at, asked_by, due_at, connections, outcome, why, missed, offset_)"
        " VALUES ($1, $2, $3, $4, '{}', 'missed', $5, $6, $7) ON CONFLICT DO NOTHING",
        run_of(f"missed {event.why}", event.first_due_at),
        event.observed_at,
        event.by,
        event.last_due_at,
        event.why,
        event.count,
        offset,
    )

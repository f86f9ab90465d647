"""The schedule: when all connections are looked at, whatever their own intervals."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field

from hourbook_contracts.house import ScheduleSet
from hourbook_kit import clock
from hourbook_query_api.acts import act
from hourbook_query_api.connector_models import Body, Zone
from hourbook_query_api.connectors import PENDING, Open
from hourbook_query_api.cron import CronError, next_of
from hourbook_query_api.desk import Desk
from hourbook_query_api.guard import IdempotencyKey, guarded_router
from hourbook_query_api.people import Who
from hourbook_query_api.problems import invalid
from hourbook_query_api.shown import Shown

router = guarded_router("/api/schedule", "sync")

SHOWN_RUNS = 5
What = Literal["poll", "sweep"]
Overlap = Literal["skip", "queue"]


class ScheduleBody(Body):
    on: bool
    cron: Annotated[str, Field(min_length=9, max_length=100, pattern=r"^[\x20-\x7e]+$")]
    """Five fields: minute, hour, day of the month, month, weekday (0 and 7 are Sunday)."""
    time_zone: Zone
    what: What = "sweep"
    overlap: Overlap = "skip"
    """What becomes of a run that is due while the one before it is not done."""


class Schedule(Shown):
    on: bool
    cron: str
    time_zone: str
    what: What
    overlap: Overlap
    next_runs: list[datetime]
    """The next five, with the offset of the schedule's zone; none while it is off."""
    changed_at: datetime | None
    """Null: nobody has set one; connections are looked at in their own intervals."""
    changed_by: str | None


NOT_SET = Schedule(
    on=False,
    cron="0 6 * * 1-5",
    time_zone="UTC",
    what="sweep",
    overlap="skip",
    next_runs=[],
    changed_at=None,
    changed_by=None,
)


@router.get("")
async def read_schedule(desk: Open) -> Schedule:
    return await schedule_of(desk)


@router.put("", responses=PENDING)
async def change_schedule(
    desk: Open, who: Who, body: ScheduleBody, key: IdempotencyKey
) -> Schedule:
    """Runs that were due before are not made up for."""
    try:
        found = next_of(body.cron, body.time_zone, clock.now(), SHOWN_RUNS)
    except CronError as error:
        raise invalid("body.cron", str(error)) from None
    if not found:
        raise invalid("body.cron", "Write a day that comes: this one never does.")
    event = ScheduleSet(
        observed_at=clock.now(), by=who.id, idempotency_key=key, **body.model_dump()
    )
    await act(desk, event, "/api/schedule")
    return await schedule_of(desk)


async def schedule_of(desk: Desk) -> Schedule:
    row = await desk.pool.fetchrow("SELECT * FROM control.schedule")
    if row is None:
        return NOT_SET
    on = row["switched_on"]
    coming = next_of(row["cron"], row["time_zone"], clock.now(), SHOWN_RUNS) if on else []
    return Schedule(**dict(row), on=on, next_runs=coming)

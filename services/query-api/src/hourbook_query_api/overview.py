"""The overview: is Kimai true to Zammad, and must anybody do anything? Numbers now, and series for charts."""

import asyncio
from datetime import date, datetime, timedelta
from typing import Annotated

from fastapi import Query

from hourbook_kit import clock
from hourbook_query_api.conflicts import CONFLICTS, ConflictFilters, count_conflicts
from hourbook_query_api.connectors import Open
from hourbook_query_api.desk import Desk
from hourbook_query_api.entries import ENTRIES, EntryFilters
from hourbook_query_api.entry_models import Counted
from hourbook_query_api.guard import guarded_router
from hourbook_query_api.paging import Total, Word
from hourbook_query_api.problems import invalid
from hourbook_query_api.samples import QUESTIONS
from hourbook_query_api.shown import Shown
from hourbook_query_api.standings import ConnectionStanding, standings_of
from hourbook_query_api.sync import sync_status

router = guarded_router("/api/overview", "overview")

DAYS_MAX = 92
POINTS = 120


class Moved(Shown):
    """Seconds: what Zammad has, and what Kimai holds for it."""

    zammad_seconds: int
    kimai_seconds: int


class Overview(Shown):
    at: datetime
    needs_you: Total
    """Open questions that nobody has answered."""
    answered: Total
    """Answers that are held or on their way."""
    reasons: list[Counted]
    connections: list[ConnectionStanding]
    today: Moved
    this_week: Moved
    """Since Monday; both by the worker's day."""
    waiting: Total
    """Entries that differ and of which nothing has been said yet: writing is off, or they are on their way."""
    requested: Total
    """Entries that wait for Kimai."""
    quarantined: int
    halted_books: int
    last_swept_at: datetime | None
    """The older of all connections' last sweeps; null: one never was."""


class DayMinutes(Moved):
    day: date


class Minutes(Shown):
    """A row for every day, also where nothing was booked."""

    days: list[DayMinutes]


class Point(Shown):
    at: datetime
    value: float


class Series(Shown):
    of: str
    points: list[Point]


class Freshness(Shown):
    """Seconds each connection was behind: the worst of each step of time."""

    step_seconds: int
    series: list[Series]


class Questions(Shown):
    """How many questions were open: the most in each step of time."""

    step_seconds: int
    points: list[Point]


@router.get("")
async def read_overview(desk: Open) -> Overview:
    today = clock.now().date()
    status, open_, asked, days, waiting, requested = await asyncio.gather(
        sync_status(desk),
        count_conflicts(desk, ConflictFilters(answered=False)),
        CONFLICTS.count(desk.pool, ConflictFilters(answered=True).where()),
        minutes_of(desk, today - timedelta(days=today.weekday()), today, None),
        ENTRIES.count(desk.pool, EntryFilters(state=["held_back"]).where()),
        ENTRIES.count(desk.pool, EntryFilters(state=["requested"]).where()),
    )
    connections = await standings_of(desk, status)
    sweeps = [one.swept_at for one in connections]
    return Overview(
        at=status.at,
        needs_you=open_.total,
        answered=asked,
        reasons=open_.reasons,
        connections=connections,
        today=Moved(zammad_seconds=days[-1].zammad_seconds, kimai_seconds=days[-1].kimai_seconds),
        this_week=Moved(
            zammad_seconds=sum(one.zammad_seconds for one in days),
            kimai_seconds=sum(one.kimai_seconds for one in days),
        ),
        waiting=waiting,
        requested=requested,
        quarantined=status.quarantined,
        halted_books=len(status.halted_books),
        last_swept_at=min((at for at in sweeps if at), default=None) if all(sweeps) else None,
    )


@router.get("/minutes")
async def read_minutes(
    desk: Open,
    from_day: Annotated[
        date | None, Query(description="30 days before `to_day` when left out.")
    ] = None,
    to_day: Annotated[date | None, Query(description="Today, in UTC, when left out.")] = None,
    connection: Word = None,
) -> Minutes:
    """Of each day, in the worker's zone: what Zammad has beside what Kimai holds for it."""
    last = to_day or clock.now().date()
    try:
        first = from_day or last - timedelta(days=30)
    except OverflowError:
        raise invalid("query.to_day", "Send a day of our time.") from None
    if not 0 <= (last - first).days < DAYS_MAX:
        raise invalid(
            "query.from_day", f"Ask for at most {DAYS_MAX} days, the first before the last."
        )
    return Minutes(days=await minutes_of(desk, first, last, connection))


async def minutes_of(
    desk: Desk, first: date, last: date, connection: str | None
) -> list[DayMinutes]:
    rows = await desk.pool.fetch(
        "SELECT d::date AS day, coalesce(sum(e.duration_seconds) FILTER (WHERE NOT e.retracted), 0)"
        "  AS zammad_seconds,"
        " coalesce(sum((e.held->>'duration_seconds')::bigint), 0) AS kimai_seconds"
        " FROM generate_series($1::date::timestamp, $2::date::timestamp, '1 day') AS d"
        " LEFT JOIN book.entries AS e ON e.day = d::date AND ($3::text IS NULL OR e.connection = $3)"
        " GROUP BY 1 ORDER BY 1",
        first,
        last,
        connection,
    )
    return [
        DayMinutes(
            day=row["day"],
            zammad_seconds=int(row["zammad_seconds"]),
            kimai_seconds=int(row["kimai_seconds"]),
        )
        for row in rows
    ]


Hours = Annotated[int, Query(ge=1, le=DAYS_MAX * 24)]


@router.get("/freshness")
async def read_freshness(desk: Open, hours: Hours = 24) -> Freshness:
    """Of each connection; a step without a point was not seen by anybody."""
    step, found = await _sampled(desk, hours, questions=False)
    series = [Series(of=of, points=points) for of, points in found.items()]
    return Freshness(step_seconds=step, series=series)


@router.get("/questions")
async def read_questions(desk: Open, hours: Hours = 30 * 24) -> Questions:
    step, found = await _sampled(desk, hours, questions=True)
    return Questions(step_seconds=step, points=found.get(QUESTIONS, []))


async def _sampled(
    desk: Desk, hours: int, *, questions: bool
) -> tuple[int, dict[str, list[Point]]]:
    step = max(60, hours * 3600 // POINTS // 60 * 60)
    rows = await desk.pool.fetch(
        "SELECT of, date_bin($1 * interval '1 second', at, 'epoch'::timestamptz) AS at,"
        " max(value) AS value FROM control.samples"
        " WHERE at > now() - $2 * interval '1 hour' AND (of = $3) = $4 GROUP BY 1, 2 ORDER BY 1, 2",
        step,
        hours,
        QUESTIONS,
        questions,
    )
    found: dict[str, list[Point]] = {}
    for row in rows:
        found.setdefault(row["of"], []).append(Point(at=row["at"], value=row["value"]))
    return step, found

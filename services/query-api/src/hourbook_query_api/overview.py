"""The overview: is Kimai true to Zammad, and must anybody do anything? Numbers now, and series for charts."""

import asyncio
from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime, timedelta
from typing import Annotated, Any, NamedTuple
from zoneinfo import ZoneInfo

from fastapi import Query

from hourbook_kit import clock
from hourbook_query_api.conflicts import CONFLICTS, ConflictFilters, count_reasons
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
_FIRST_ZONE, _LAST_ZONE = timedelta(hours=-12), timedelta(hours=14)
"""How far from UTC any zone is."""


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
    """What is today's where its worker is; in UTC while nobody knows whose it will be."""
    this_week: Moved
    """Since the worker's Monday."""
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
    unanswered = ConflictFilters(answered=False)
    status, needs_you, reasons, asked, moved, waiting, requested, halted = await asyncio.gather(
        sync_status(desk),
        CONFLICTS.count(desk.pool, unanswered.where()),
        count_reasons(desk, unanswered),
        CONFLICTS.count(desk.pool, ConflictFilters(answered=True).where()),
        _moved_now(desk, clock.now()),
        ENTRIES.count(desk.pool, EntryFilters(state=["held_back"]).where()),
        ENTRIES.count(desk.pool, EntryFilters(state=["requested"]).where()),
        desk.pool.fetchval("SELECT count(*) FROM book.books WHERE halted IS NOT NULL"),
    )
    connections = await standings_of(desk, status)
    sweeps = [one.swept_at for one in connections]
    return Overview(
        at=status.at,
        needs_you=needs_you,
        answered=asked,
        reasons=reasons,
        connections=connections,
        today=moved.today,
        this_week=moved.this_week,
        waiting=waiting,
        requested=requested,
        quarantined=status.quarantined,
        halted_books=halted,
        last_swept_at=min((at for at in sweeps if at), default=None) if all(sweeps) else None,
    )


class MovedNow(NamedTuple):
    today: Moved
    this_week: Moved


async def _moved_now(desk: Desk, now: datetime) -> MovedNow:
    earliest, latest = (now + _FIRST_ZONE).date(), (now + _LAST_ZONE).date()
    rows = await desk.pool.fetch(
        f"SELECT e.day, e.target, e.user_id, {_SUMS} FROM book.entries AS e"  # noqa: S608 -- our own words
        " WHERE e.day BETWEEN $1 AND $2 GROUP BY 1, 2, 3",
        _monday_of(earliest),
        latest,
    )
    return moved_now(map(dict, rows), _zone_of(desk), now)


def moved_now(
    rows: Iterable[Mapping[str, Any]],
    zone_of: Callable[[str | None, int | None], ZoneInfo],
    now: datetime,
) -> MovedNow:
    """Of sums by day and Kimai user: each by the day that it is where that user works."""
    today, week = [], []
    for row in rows:
        theirs = now.astimezone(zone_of(row["target"], row["user_id"])).date()
        if row["day"] == theirs:
            today.append(row)
        if _monday_of(theirs) <= row["day"] <= theirs:
            week.append(row)
    return MovedNow(_moved(today), _moved(week))


def _moved(rows: list[Mapping[str, Any]]) -> Moved:
    return Moved(
        zammad_seconds=int(sum(row["zammad_seconds"] for row in rows)),
        kimai_seconds=int(sum(row["kimai_seconds"] for row in rows)),
    )


def _monday_of(day: date) -> date:
    return day - timedelta(days=day.weekday())


def _zone_of(desk: Desk) -> Callable[[str | None, int | None], ZoneInfo]:
    """Of a Kimai's user, as the reconciler books their days."""
    policy = desk.tail.installation.policy
    return lambda target, user: policy.zone_of(target or "", user or 0)


@router.get("/minutes")
async def read_minutes(
    desk: Open,
    from_day: Annotated[
        date | None, Query(description="30 days before `to_day` when left out.")
    ] = None,
    to_day: Annotated[
        date | None,
        Query(description="When left out, the latest day that has begun for any worker."),
    ] = None,
    connection: Word = None,
) -> Minutes:
    """Of each day, in the worker's zone: what Zammad has beside what Kimai holds for it."""
    last = to_day or _latest_today(desk)
    try:
        first = from_day or last - timedelta(days=30)
    except OverflowError:
        raise invalid("query.to_day", "Send a day of our time.") from None
    if not 0 <= (last - first).days < DAYS_MAX:
        raise invalid(
            "query.from_day", f"Ask for at most {DAYS_MAX} days, the first before the last."
        )
    return Minutes(days=await minutes_of(desk, first, last, connection))


def _latest_today(desk: Desk) -> date:
    workers = (one for one in desk.tail.installation.policy.mappings.values() if one.time_zone)
    zones = {"UTC", *(one.time_zone for one in workers if one.time_zone)}
    return max(clock.now().astimezone(ZoneInfo(zone)).date() for zone in zones)


_SUMS = (
    "coalesce(sum(e.duration_seconds) FILTER (WHERE NOT e.retracted), 0) AS zammad_seconds,"
    " coalesce(sum((e.held->>'duration_seconds')::bigint), 0) AS kimai_seconds"
)


async def minutes_of(
    desk: Desk, first: date, last: date, connection: str | None
) -> list[DayMinutes]:
    rows = await desk.pool.fetch(
        f"SELECT d::date AS day, {_SUMS}"  # noqa: S608 -- our own words
        " FROM generate_series($1::date::timestamp, $2::date::timestamp, '1 day') AS d"
        " LEFT JOIN book.entries AS e ON e.day = d::date AND ($3::text IS NULL OR e.connection = $3)"
        " GROUP BY 1 ORDER BY 1",
        first,
        last,
        connection,
    )
    return [DayMinutes(**dict(row)) for row in rows]


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

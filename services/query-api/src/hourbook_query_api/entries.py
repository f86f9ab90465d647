"""Entries: the list with its filters, and one with its whole story."""

import json
from datetime import date
from typing import Annotated, Any, NamedTuple

import asyncpg
from fastapi import APIRouter, Depends, Path, Query

from hourbook_contracts.ids import connection_of, number_of
from hourbook_query_api.conflicts import conflict_of
from hourbook_query_api.connectors import Open
from hourbook_query_api.desk import Desk
from hourbook_query_api.entry_models import (
    Entries,
    Entry,
    EntryState,
    EntryStory,
    Step,
    Ticket,
    Timesheet,
)
from hourbook_query_api.guard import GuardedRoute, documented
from hourbook_query_api.opening import opened
from hourbook_query_api.paging import COUNT_CAP, Cursor, Limit, cursor_of, total_of, values_of
from hourbook_query_api.problems import Kind, ProblemError, described, invalid

router = APIRouter(
    prefix="/api",
    tags=["entries"],
    route_class=GuardedRoute,
    dependencies=[Depends(documented)],
    responses=described(401, 422, 503),
)

_STORY_MAX = 2000
"""Steps of one entry that are told; more than that is a fault to be looked at in the raw ledger."""


_IDS = "(e.entry || ' ' || e.book || ' ' || e.ticket_number || ' ' || coalesce(e.sheet, ''))"


class _Sort(NamedTuple):
    expression: str
    type: str


_SORTS = {
    "created_at": _Sort("e.created_at", "timestamptz"),
    "changed_at": _Sort("e.changed_at", "timestamptz"),
    "day": _Sort("e.day", "date"),
    "duration_seconds": _Sort("e.duration_seconds", "bigint"),
    "ticket_number": _Sort("e.ticket_number", "text"),
}
SortName = Annotated[
    str,
    Query(
        pattern=f"^-?({'|'.join(_SORTS)})$", description="A column; with `-` before it, descending."
    ),
]
Word = Annotated[str | None, Query(max_length=100, pattern=r"^[^\x00]*$")]


class Filters(NamedTuple):
    """What the list may be narrowed to; None narrows nothing."""

    connection: str | None
    ticket: str | None
    agent: int | None
    state: list[str] | None
    user: int | None
    from_day: date | None
    to_day: date | None
    text: str | None

    def where(self) -> tuple[str, list[Any]]:
        """Conditions with their arguments, `$1` first."""
        wanted = (
            ("e.connection = {}", self.connection),
            ("e.ticket_number = {}", self.ticket),
            ("e.agent_id = {}", self.agent),
            ("e.state = ANY({}::text[])", self.state or None),
            ("e.user_id = {}", self.user),
            ("e.day >= {}", self.from_day),
            ("e.day <= {}", self.to_day),
            (f"{_IDS} ILIKE {{}}", _containing(self.text) if self.text else None),
        )
        asked = [(condition, value) for condition, value in wanted if value is not None]
        conditions = [
            condition.format(f"${number}") for number, (condition, _) in enumerate(asked, start=1)
        ]
        return " AND ".join(conditions) or "true", [value for _, value in asked]


def filters(
    connection: Word = None,
    ticket: Annotated[Word, Query(description="The ticket's number.")] = None,
    agent: Annotated[int | None, Query(ge=-(2**62), le=2**62)] = None,
    state: Annotated[list[EntryState] | None, Query()] = None,
    user: Annotated[int | None, Query(ge=-(2**31), lt=2**31, description="Kimai's user.")] = None,
    from_day: date | None = None,
    to_day: date | None = None,
    text: Annotated[Word, Query(description="Part of an id or of a ticket's number.")] = None,
) -> Filters:
    return Filters(
        connection, ticket, agent, None if state is None else [*state], user, from_day, to_day, text
    )


@router.get("/entries")
async def list_entries(
    desk: Open,
    wanted: Annotated[Filters, Depends(filters)],
    sort: SortName = "-created_at",
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Entries:
    where, arguments = wanted.where()
    column = _SORTS[sort.removeprefix("-")]
    direction, beyond = ("DESC", "<") if sort.startswith("-") else ("ASC", ">")
    place, after = "", []
    if cursor:
        after = values_of(cursor, sort, 2)
        first = len(arguments) + 1
        place = f" AND ({column.expression}, e.entry) {beyond} (${first}::text::{column.type}, ${first + 1})"
    try:
        rows = await desk.pool.fetch(
            f"SELECT e.*, t.title, {column.expression}::text AS sort_value"  # noqa: S608 -- words of our own, values are arguments
            " FROM book.entries AS e LEFT JOIN book.tickets AS t USING (book)"
            f" WHERE {where}{place} ORDER BY {column.expression} {direction}, e.entry {direction}"
            f" LIMIT {limit + 1}",
            *arguments,
            *after,
        )
    except asyncpg.DataError:
        raise invalid("query.cursor", "Send `next` of the page before, unchanged.") from None
    counted = await desk.pool.fetchval(
        f"SELECT count(*) FROM (SELECT 1 FROM book.entries AS e WHERE {where}"  # noqa: S608 -- as above
        f" LIMIT {COUNT_CAP + 1}) AS counted",
        *arguments,
    )
    items = await _entries(desk, rows[:limit])
    last = rows[limit - 1] if len(rows) > limit else None
    return Entries(
        items=items,
        next=cursor_of(sort, last["sort_value"], last["entry"]) if last else None,
        total=total_of(counted),
    )


EntryPath = Annotated[
    str, Path(max_length=100, pattern=r"^[a-z][a-z0-9]*:[a-z][a-z0-9-]{0,30}:\d{1,18}$")
]


@router.get("/entries/{entry}", responses=described(404))
async def read_entry(desk: Open, entry: EntryPath) -> EntryStory:
    """Where these minutes came from, who decided what, and what Kimai made of it."""
    row = await desk.pool.fetchrow(
        "SELECT e.*, t.title FROM book.entries AS e LEFT JOIN book.tickets AS t USING (book)"
        " WHERE e.entry = $1",
        entry,
    )
    if row is None:
        raise ProblemError(
            Kind.NOT_FOUND, "Look at /api/entries: we have not heard of this entry, or not yet."
        )
    shown = (await _entries(desk, [row]))[0]
    story = await _story(desk, shown)
    return EntryStory(
        **shown.model_dump(),
        trace=_last_trace(story, shown.posting),
        timesheet=_timesheet(story, shown),
        conflict=await conflict_of(desk, shown.posting),
        story=story,
    )


@router.get("/tickets/{book}", responses=described(404))
async def read_ticket(
    desk: Open,
    book: Annotated[
        str, Path(max_length=100, pattern=r"^[a-z][a-z0-9]*:[a-z][a-z0-9-]{0,30}:\d{1,18}$")
    ],
) -> Ticket:
    """A ticket with its entries and the questions about them."""
    row = await desk.pool.fetchrow("SELECT * FROM book.tickets WHERE book = $1", book)
    if row is None:
        raise ProblemError(Kind.NOT_FOUND, "Look at /api/entries: we know no ticket of this id.")
    entries = await desk.pool.fetch(
        "SELECT e.*, $2::jsonb AS title FROM book.entries AS e WHERE book = $1 ORDER BY created_at, entry",
        book,
        row["title"],
    )
    subjects = await desk.pool.fetch(
        "SELECT subject FROM book.conflicts WHERE book = $1 ORDER BY opened_at", book
    )
    title = await opened(desk.vault, {"title": _json(row["title"])})
    found = [await conflict_of(desk, subject["subject"]) for subject in subjects]
    return Ticket(
        **{**dict(row), "tags": row["tags"] or [], **title},
        entries=await _entries(desk, entries),
        conflicts=[conflict for conflict in found if conflict],
    )


async def _entries(desk: Desk, rows: list[asyncpg.Record]) -> list[Entry]:
    titles = await opened(desk.vault, [{"title": _json(row["title"])} for row in rows])
    return [_entry(row, title["title"]) for row, title in zip(rows, titles, strict=True)]


def _entry(row: asyncpg.Record, title: str | None) -> Entry:
    agreed = {
        "want": _json(row["agreed_want"]),
        "held": _json(row["agreed_held"]),
        "by": row["agreed_by"],
    }
    return Entry(
        **{
            **dict(row),
            "ticket_title": title,
            "want": _json(row["want"]),
            "held": _json(row["held"]),
            "agreed": agreed if any(agreed.values()) else None,
        }
    )


async def _story(desk: Desk, entry: Entry) -> list[Step]:
    """Of the entry, its posting, the timesheets that ever answered it, what it took from and who from it."""
    rows = await desk.pool.fetch(
        "WITH own AS (SELECT subject, message FROM book.history"
        "             WHERE book = $1 AND subject = ANY($2::text[])),"
        " others AS (SELECT unnest($2::text[]) AS subject"
        "  UNION SELECT $3::text"
        "  UNION SELECT message->>'sheet' FROM own"
        "  UNION SELECT taken->>'entry' FROM own, jsonb_path_query(message, '$.trace.taken[*]') AS taken)"
        " SELECT * FROM book.history WHERE book = $1 AND (subject IN (SELECT subject FROM others)"
        "  OR message->'trace'->'taken' @> jsonb_build_array(jsonb_build_object('entry', $5::text)))"
        " ORDER BY partition, offset_ LIMIT $4",
        entry.book,
        [entry.entry, entry.posting, f"{entry.posting}/remainder"],
        entry.sheet,
        _STORY_MAX,
        entry.entry,
    )
    messages = await opened(desk.vault, [_json(row["message"]) for row in rows])
    return [
        Step(
            partition=row["partition"],
            offset=row["offset_"],
            at=row["observed_at"],
            type=row["type"],
            subject=row["subject"],
            message=message,
            traceparent=row["traceparent"],
        )
        for row, message in zip(rows, messages, strict=True)
    ]


def _last_trace(story: list[Step], posting: str) -> dict[str, Any] | None:
    traces = [step.message.get("trace") for step in story if step.subject == posting]
    return next((trace for trace in reversed(traces) if trace), None)


def _timesheet(story: list[Step], entry: Entry) -> Timesheet | None:
    """As its last reading or our last write told it."""
    if entry.sheet is None:
        return None
    told = [step.message for step in story if step.message.get("sheet") == entry.sheet]
    readings = [message for message in told if "locked" in message]
    last: dict[str, Any] = readings[-1] if readings else {}
    return Timesheet(
        sheet=entry.sheet,
        target=connection_of(entry.sheet),
        number=number_of(entry.sheet),
        held=entry.held,
        locked=bool(last.get("locked")),
        billable=last.get("billable"),
        description=last.get("description"),
    )


def _containing(text: str) -> str:
    for special in ("\\", "%", "_"):
        text = text.replace(special, "\\" + special)
    return f"%{text}%"


def _json(column: str | None) -> Any:
    return None if column is None else json.loads(column)

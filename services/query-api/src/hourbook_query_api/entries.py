"""Entries: the list with its filters, and one with its whole story."""

from datetime import date
from typing import Annotated, Any

import asyncpg
from fastapi import Path, Query
from pydantic import Field

from hourbook_contracts.ids import connection_of, number_of
from hourbook_query_api.accesses import agents_of, note
from hourbook_query_api.conflicts import conflict_about, conflicts_of, loaded
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
from hourbook_query_api.guard import guarded_router
from hourbook_query_api.listing import NAMED, Listing, Sort, Where, any_of, named, where
from hourbook_query_api.opening import opened
from hourbook_query_api.paging import Cursor, Filters, Limit, Word
from hourbook_query_api.people import Who
from hourbook_query_api.problems import Kind, ProblemError, described

router = guarded_router("/api", "entries")

_STORY_MAX = 2000
"""Steps of one entry that are told; more than that is a fault to be looked at in the raw ledger."""

ENTRIES = Listing(
    select="e.*, t.title",
    source="book.entries AS e LEFT JOIN book.tickets AS t ON t.book = e.book",
    sorts={
        "created_at": Sort("e.created_at", "timestamptz"),
        "changed_at": Sort("e.changed_at", "timestamptz"),
        "day": Sort("e.day", "date"),
        "duration_seconds": Sort("e.duration_seconds", "bigint"),
        "ticket_number": Sort('e.ticket_number COLLATE "C"', "text"),
    },
    key="e.entry",
    found_in="book.entries AS e",
)
_NOT_BEFORE = "(e.day >= {0} AND e.created_at >= {0}::date - 2)"
_NOT_AFTER = (
    "(e.day <= {0} AND e.created_at <= {0}::date + 9"
    " + (SELECT max(duration_seconds) FROM book.entries) * interval '1 second')"
)
"""Work ends when it was booked and begins its length before, on the same day or earlier, wherever that is: so the
index by which lists are sorted is read from there. The nine days are for zones, and for work that was longer once."""


class EntryFilters(Filters):
    connection: Word = None
    ticket: Word = None
    """The ticket's number."""
    agent: int | None = Field(default=None, ge=-(2**62), le=2**62)
    state: list[EntryState] | None = None
    reason: Word = None
    """Of those that ask a person."""
    target: Word = None
    """The Kimai."""
    user: int | None = Field(default=None, ge=-(2**31), lt=2**31)
    """Kimai's."""
    from_day: date | None = None
    to_day: date | None = None
    text: Word = None
    """How a ticket's number begins, an id, or the number in one."""

    def where(self) -> Where:
        return where(
            [
                ("e.connection = {}", self.connection),
                ('e.ticket_number COLLATE "C" = {}', self.ticket),
                ("e.agent_id = {}", self.agent),
                any_of("e.state", self.state),
                ("e.reason = {}", self.reason),
                ("e.target = {}", self.target),
                ("e.user_id = {}", self.user),
                (_NOT_BEFORE, self.from_day),
                (_NOT_AFTER, self.to_day),
                (NAMED, named(self.text)),
            ]
        )


Wanted = Annotated[EntryFilters, Query()]
SortBy = Annotated[
    str, Query(pattern=ENTRIES.sort_pattern, description="With `-` before it, descending.")
]


@router.get("/entries")
async def list_entries(
    desk: Open,
    who: Who,
    wanted: Wanted,
    sort: SortBy = "-created_at",
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Entries:
    page = await ENTRIES.page(desk.pool, wanted.where(), sort=sort, limit=limit, cursor=cursor)
    await note(desk, who, "list", agents_of(page.rows))
    return Entries(items=await shown(desk, page.rows), next=page.next, total=page.total)


_ID = r"^[a-z][a-z0-9]*:[a-z][a-z0-9-]{0,30}:\d{1,18}$"
BookPath = Annotated[str, Path(max_length=100, pattern=_ID)]
EntryPath = Annotated[str, Path(max_length=100, pattern=_ID)]


@router.get("/entries/{entry}", responses=described(404))
async def read_entry(desk: Open, who: Who, entry: EntryPath) -> EntryStory:
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
    await note(desk, who, "entry", agents_of([row]))
    found = (await shown(desk, [row]))[0]
    story = await _story(desk, found)
    return EntryStory(
        **found.model_dump(),
        trace=_last_trace(story, found.posting),
        timesheet=_timesheet(story, found),
        conflict=await conflict_about(desk, found.posting),
        story=story[:_STORY_MAX],
        story_is_cut=len(story) > _STORY_MAX,
    )


@router.get("/tickets/{book}", responses=described(404))
async def read_ticket(
    desk: Open,
    who: Who,
    book: BookPath,
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
    await note(desk, who, "ticket", agents_of(entries))
    title = await opened(desk.vault, {"title": loaded(row["title"])})
    return Ticket(
        **{**dict(row), "tags": row["tags"] or [], **title},
        entries=await shown(desk, entries),
        conflicts=await conflicts_of(desk, where([("c.book = {}", book)])),
    )


async def shown(desk: Desk, rows: list[asyncpg.Record]) -> list[Entry]:
    titles = await opened(desk.vault, [{"title": loaded(row["title"])} for row in rows])
    return [_entry(row, title["title"]) for row, title in zip(rows, titles, strict=True)]


def _entry(row: asyncpg.Record, title: str | None) -> Entry:
    agreed = {
        "want": loaded(row["agreed_want"]),
        "held": loaded(row["agreed_held"]),
        "by": row["agreed_by"],
    }
    return Entry(
        **{
            **dict(row),
            "ticket_title": title,
            "want": loaded(row["want"]),
            "held": loaded(row["held"]),
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
        " SELECT h.*, u.name AS by_name FROM book.history AS h"
        " LEFT JOIN vault.users AS u ON u.user_id = h.message->>'by'"
        " WHERE book = $1 AND (subject IN (SELECT subject FROM others)"
        "  OR message->'trace'->'taken' @> jsonb_build_array(jsonb_build_object('entry', $5::text)))"
        " ORDER BY partition, offset_ LIMIT $4",
        entry.book,
        [entry.entry, entry.posting, f"{entry.posting}/remainder"],
        entry.sheet,
        _STORY_MAX + 1,
        entry.entry,
    )
    messages = await opened(desk.vault, [loaded(row["message"]) for row in rows])
    return [
        Step(
            partition=row["partition"],
            offset=row["offset_"],
            at=row["observed_at"],
            type=row["type"],
            subject=row["subject"],
            by=message.get("by"),
            by_name=row["by_name"],
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

"""Conflicts: the open questions to a person, and those that were answered."""

import asyncio
from collections.abc import Iterable
from datetime import date
from typing import Annotated, Any

import asyncpg
from fastapi import Path, Query
from pydantic import Field
from pydantic_core import from_json

from hourbook_query_api.accesses import Agent, note
from hourbook_query_api.choices import choices_of
from hourbook_query_api.connectors import Open
from hourbook_query_api.desk import Desk
from hourbook_query_api.entry_models import Conflict, ConflictCounts, Conflicts, Counted, OnItsWay
from hourbook_query_api.guard import guarded_router
from hourbook_query_api.listing import BEGINS, SAID, Listing, Sort, Where, any_of, named, where
from hourbook_query_api.opening import opened
from hourbook_query_api.paging import Cursor, Filters, Limit, Word
from hourbook_query_api.people import Who
from hourbook_query_api.problems import Kind, ProblemError, described

router = guarded_router("/api/conflicts", "conflicts")

_BESIDE = (
    " LEFT JOIN book.tickets AS t ON t.book = c.book"
    " LEFT JOIN control.resolved AS r ON r.subject = c.subject AND r.gen = c.gen"
    "  AND r.state IN ('held', 'sent')"
)
_FOUND_IN = f"book.conflicts AS c LEFT JOIN book.entries AS e ON e.entry = c.entry{_BESIDE}"
CONFLICTS = Listing(
    select=(
        "c.*, t.title, coalesce(e.ticket_number, t.number) AS ticket_number, e.agent_id, e.user_id,"
        " e.day, e.sheet, coalesce(e.target, c.held_target) AS target, e.agreed_want,"
        " e.agreed_held, e.agreed_by, p.value->>'locked' AS locked, r.resolution_id,"
        " r.state AS answer_state, a.choice AS answer_choice, a.said_by AS answer_by, a.undo_until,"
        " w.name AS answer_by_name, u.name AS resolved_by_name"
    ),
    source=(
        f"{_FOUND_IN} LEFT JOIN push.timesheets AS p ON p.sheet = e.sheet"
        " LEFT JOIN control.resolutions AS a ON a.resolution_id = r.resolution_id"
        " LEFT JOIN vault.users AS w ON w.user_id = a.said_by"
        " LEFT JOIN vault.users AS u ON u.user_id = c.resolved_by"
    ),
    sorts={
        "opened_at": Sort("c.opened_at", "timestamptz"),
        "resolved_at": Sort("coalesce(c.resolved_at, c.opened_at)", "timestamptz"),
        "day": Sort("coalesce(e.day, 'epoch'::date)", "date"),
        "duration_seconds": Sort("coalesce(e.duration_seconds, 0)", "bigint"),
        "reason": Sort("c.reason", "text"),
        "ticket_number": Sort("coalesce(e.ticket_number, t.number, '')", "text"),
    },
    key="c.subject",
    found_in=_FOUND_IN,
)
_CONNECTION = "split_part(c.book, ':', 2)"
_TARGET = "coalesce(e.target, c.held_target)"
_OF_ENTRY = ", ".join(
    f"coalesce(a.{name}, (SELECT {name} FROM book.entries WHERE entry = c.entry)) AS {name}"  # noqa: S608 -- our own words
    for name in ("agent_id", "target", "day", "duration_seconds", "ticket_number")
)
_OPEN_FOUND_IN = (
    "book.conflicts AS c LEFT JOIN book.entries AS a ON a.entry = c.entry AND a.state = 'asks'"
    f" CROSS JOIN LATERAL (SELECT {_OF_ENTRY}) AS e{_BESIDE}"
)
"""Nearly every open question is about an entry that asks: the small index of those alone answers for them, and only
what is about another one is looked up among all."""
_COUNTED_MAX = 200
_TOLD_MAX = 1000
_COUNTED = {
    "reason": "c.reason",
    "connection": _CONNECTION,
    "target": _TARGET,
    "agent": "e.agent_id::text",
}
_NAMED = (
    f"(c.subject = {{0}} OR c.book = ANY(ARRAY{SAID}) OR c.entry = ANY(ARRAY{SAID})"  # noqa: S608 -- our own words
    f" OR split_part(c.subject, '/', 2) = ANY(ARRAY{SAID})"
    f" OR c.entry IN (SELECT entry FROM book.entries WHERE sheet = ANY(ARRAY{SAID}))"
    f" OR c.book IN (SELECT book FROM book.tickets WHERE {BEGINS.format('number')}))"
)
"""As of entries; also what is about none: a copy or an orphan is named by its timesheet."""


class Narrowing(Filters):
    """Of conflicts, beside whether they are open."""

    reason: list[Annotated[str, Field(max_length=60, pattern=r"^[^\x00]*$")]] | None = Field(
        default=None, max_length=40
    )
    book: Word = None
    connection: Word = None
    """Of the book."""
    target: Word = None
    """The Kimai."""
    agent: int | None = Field(default=None, ge=-(2**62), le=2**62)
    from_day: date | None = None
    to_day: date | None = None
    text: Word = None
    """How a ticket's number begins, an id, or the number in one."""


class ConflictFilters(Narrowing):
    open: bool = True
    """False: the closed ones."""
    answered: bool | None = None
    """Whether an answer is held or on its way."""

    def where(self, *, but: str = "") -> Where:
        """`but`: without this one."""
        wanted = {
            "open": ("c.open = {}", self.open),
            "reason": any_of("c.reason", self.reason),
            "book": ("c.book = {}", self.book),
            "connection": (f"{_CONNECTION} = {{}}", self.connection),
            "target": (f"{_TARGET} = {{}}", self.target),
            "agent": ("e.agent_id = {}", self.agent),
            "from_day": ("e.day >= {}", self.from_day),
            "to_day": ("e.day <= {}", self.to_day),
            "answered": ("(r.resolution_id IS NOT NULL) = {}", self.answered),
            "text": (_NAMED, named(self.text)),
        }
        found = where(condition for name, condition in wanted.items() if name != but)
        return found._replace(found_in=_OPEN_FOUND_IN) if self.open else found


Wanted = Annotated[ConflictFilters, Query()]
SortBy = Annotated[
    str,
    Query(pattern=CONFLICTS.sort_pattern, description="With `-` before it, descending."),
]
ConflictPath = Annotated[
    str, Path(max_length=200, pattern=r"^[a-z0-9:~-]+$", description="`conflict` of the list.")
]


@router.get("")
async def list_conflicts(
    desk: Open,
    who: Who,
    wanted: Wanted,
    sort: SortBy = "opened_at",
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Conflicts:
    """The oldest first: who waited longest is next."""
    page = await CONFLICTS.page(desk.pool, wanted.where(), sort=sort, limit=limit, cursor=cursor)
    items = await shown(desk, page.rows)
    await note(desk, who, "list", agents_in(items))
    return Conflicts(items=items, next=page.next, total=page.total)


@router.get("/counts")
async def count_conflicts(desk: Open, wanted: Wanted) -> ConflictCounts:
    """How many there are of each reason, connection, target and agent."""
    narrowed = [name for name in _COUNTED if getattr(wanted, name)]
    shared = [name for name in _COUNTED if name not in narrowed]
    total, counted = await asyncio.gather(
        CONFLICTS.count(desk.pool, wanted.where()),
        asyncio.gather(
            _counts(desk, wanted.where(), shared),
            *(_counts(desk, wanted.where(but=name), [name]) for name in narrowed),
        ),
    )
    found = {name: counts for one in counted for name, counts in one.items()}
    return ConflictCounts(
        total=total,
        reasons=found["reason"],
        connections=found["connection"],
        targets=found["target"],
        agents=found["agent"],
    )


async def _counts(desk: Desk, wanted: Where, names: list[str]) -> dict[str, list[Counted]]:
    """By each of these, the most first, in one pass over the rows: what is alike in all of them is counted first."""
    if not names:
        return {}
    columns = ", ".join(f"{_COUNTED[name]} AS {name}" for name in names)
    alike = ", ".join(str(place) for place in range(1, len(names) + 1))
    rows = await desk.pool.fetch(
        f"SELECT {', '.join(names)}, sum(count)::bigint AS count FROM ("  # noqa: S608 -- our own words
        f"SELECT {columns}, count(*) AS count FROM {CONFLICTS.place_of(wanted)} WHERE {wanted.sql}"
        f" GROUP BY {alike}) AS found GROUP BY GROUPING SETS ({', '.join(f'({name})' for name in names)})",
        *wanted.arguments,
    )
    counts: dict[str, list[Counted]] = {name: [] for name in names}
    for row in rows:
        for name in names:
            if row[name] is not None:
                counts[name].append(Counted(key=row[name], count=row["count"]))
    for some in counts.values():
        some.sort(key=lambda one: (-one.count, one.key))
        del some[_COUNTED_MAX:]
    return counts


async def count_reasons(desk: Desk, wanted: ConflictFilters) -> list[Counted]:
    return (await _counts(desk, wanted.where(), ["reason"]))["reason"]


@router.get("/{conflict}", responses=described(404))
async def read_conflict(desk: Open, who: Who, conflict: ConflictPath) -> Conflict:
    found = await conflict_of(desk, subject_of(conflict))
    if found is None:
        raise ProblemError(
            Kind.NOT_FOUND, "Look at /api/conflicts: there is no question of this id."
        )
    await note(desk, who, "entry", agents_in([found]))
    return found


def agents_in(conflicts: Iterable[Conflict]) -> set[Agent]:
    """Whose hours they are about; a copy or an orphan in Kimai is about nobody's."""
    return {(one.connection, one.agent_id) for one in conflicts if one.agent_id is not None}


def path_of(subject: str) -> str:
    """A subject as one step of a path."""
    return subject.replace("/", "~")


def subject_of(conflict: str) -> str:
    return conflict.replace("~", "/")


async def conflict_of(desk: Desk, subject: str) -> Conflict | None:
    """The one about exactly this subject."""
    found = await conflicts_of(desk, where([("c.subject = {}", subject)]))
    return found[0] if found else None


async def conflict_about(desk: Desk, posting: str) -> Conflict | None:
    """The one about this posting, or about what remained of it; the open one, else the last."""
    found = await conflicts_of(
        desk, where([("c.subject = ANY({}::text[])", [posting, f"{posting}/remainder"])])
    )
    return max(found, key=lambda one: (one.open, one.opened_at), default=None)


async def conflicts_of(desk: Desk, wanted: Where) -> list[Conflict]:
    rows, _ = await CONFLICTS.some(desk.pool, wanted, sort="opened_at", limit=_TOLD_MAX)
    return await shown(desk, rows)


async def shown(desk: Desk, rows: list[asyncpg.Record]) -> list[Conflict]:
    titles = await opened(desk.vault, [{"title": loaded(row["title"])} for row in rows])
    return [_conflict(row, title["title"]) for row, title in zip(rows, titles, strict=True)]


def _conflict(row: asyncpg.Record, title: str | None) -> Conflict:
    columns: dict[str, Any] = dict(row)
    candidates = loaded(row["candidates"]) or []
    agreed = {
        "want": loaded(row["agreed_want"]),
        "held": loaded(row["agreed_held"]),
        "by": row["agreed_by"],
    }
    return Conflict(
        **{
            **columns,
            "conflict": path_of(row["subject"]),
            "connection": row["book"].split(":", 2)[1],
            "ticket_title": title,
            "locked": row["locked"] == "true",
            "want": loaded(row["want"]),
            "held": loaded(row["held"]),
            "agreed": agreed if any(agreed.values()) else None,
            "candidates": candidates,
            "trace": loaded(row["trace"]),
            "choices": choices_of(row["reason"], candidates) if row["open"] else (),
            "on_its_way": _on_its_way(row) if row["open"] else None,
        }
    )


def _on_its_way(row: asyncpg.Record) -> OnItsWay | None:
    if row["resolution_id"] is None:
        return None
    return OnItsWay(
        resolution_id=row["resolution_id"],
        choice=row["answer_choice"],
        by=row["answer_by"],
        by_name=row["answer_by_name"],
        state=row["answer_state"],
        undo_until=row["undo_until"],
    )


def loaded(column: str | None) -> Any:
    """A JSON column."""
    return None if column is None else from_json(column)

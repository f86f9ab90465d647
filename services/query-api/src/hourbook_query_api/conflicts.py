"""Conflicts: the open questions to a person, and those that were answered."""

import json
from typing import Annotated, Any

import asyncpg
from fastapi import APIRouter, Depends, Query

from hourbook_query_api.connectors import Open
from hourbook_query_api.desk import Desk
from hourbook_query_api.entry_models import Conflict, Conflicts
from hourbook_query_api.guard import GuardedRoute, documented
from hourbook_query_api.opening import opened
from hourbook_query_api.paging import COUNT_CAP, Cursor, Limit, cursor_of, total_of, values_of
from hourbook_query_api.problems import described, invalid

router = APIRouter(
    prefix="/api/conflicts",
    tags=["conflicts"],
    route_class=GuardedRoute,
    dependencies=[Depends(documented)],
    responses=described(401, 422, 503),
)

Word = Annotated[str | None, Query(max_length=100, pattern=r"^[^\x00]*$")]

_WHERE = (
    "open = $1 AND ($2::text IS NULL OR reason = $2)"
    " AND ($3::text IS NULL OR book = $3) AND ($4::text IS NULL OR split_part(book, ':', 2) = $4)"
)


@router.get("")
async def list_conflicts(
    desk: Open,
    standing: Annotated[
        bool | None, Query(alias="open", description="true when left out; false: the closed ones.")
    ] = None,
    reason: Word = None,
    book: Word = None,
    connection: Annotated[Word, Query(description="Of the book.")] = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Conflicts:
    """The oldest first: who waited longest is next."""
    wanted = [standing is not False, reason, book, connection]
    after = values_of(cursor, "opened_at", 2) if cursor else ["-infinity", ""]
    try:
        rows = await desk.pool.fetch(
            f"SELECT *, opened_at::text AS sort_value FROM book.conflicts WHERE {_WHERE}"  # noqa: S608 -- our own words
            " AND (opened_at, subject) > ($5::text::timestamptz, $6)"
            " ORDER BY opened_at, subject LIMIT $7",
            *wanted,
            *after,
            limit + 1,
        )
    except asyncpg.DataError:
        raise invalid("query.cursor", "Send `next` of the page before, unchanged.") from None
    counted = await desk.pool.fetchval(
        f"SELECT count(*) FROM (SELECT 1 FROM book.conflicts WHERE {_WHERE}"  # noqa: S608 -- our own words
        f" LIMIT {COUNT_CAP + 1}) AS counted",
        *wanted,
    )
    last = rows[limit - 1] if len(rows) > limit else None
    return Conflicts(
        items=[await _conflict(desk, row) for row in rows[:limit]],
        next=cursor_of("opened_at", last["sort_value"], last["subject"]) if last else None,
        total=total_of(counted),
    )


async def conflict_of(desk: Desk, subject: str) -> Conflict | None:
    """The one about this subject, or about what remained of it."""
    row = await desk.pool.fetchrow(
        "SELECT * FROM book.conflicts WHERE subject IN ($1, $1 || '/remainder')"
        " ORDER BY open DESC, opened_at DESC LIMIT 1",
        subject,
    )
    return None if row is None else await _conflict(desk, row)


async def _conflict(desk: Desk, row: asyncpg.Record) -> Conflict:
    parts: dict[str, Any] = {
        name: None if row[name] is None else json.loads(row[name])
        for name in ("want", "held", "candidates", "trace")
    }
    parts = await opened(desk.vault, parts)
    return Conflict(**{**dict(row), **parts, "candidates": parts["candidates"] or []})

"""The access log: who looked at whose hours, noted before they are shown."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Annotated, Literal

import asyncpg
from fastapi import Query

from hourbook_contracts.privacy import Identity, user_of
from hourbook_query_api.connectors import Open
from hourbook_query_api.desk import Desk
from hourbook_query_api.guard import guarded_router
from hourbook_query_api.listing import Listing, Sort, Where, where
from hourbook_query_api.paging import Cursor, Filters, Limit, Total, Word
from hourbook_query_api.people import Person
from hourbook_query_api.shown import Shown

router = guarded_router("/api/privacy", "privacy")

What = Literal["list", "entry", "ticket", "export", "past"]
Agent = tuple[str, int]
"""A connection, and the number of somebody there."""
_NOTE = """
INSERT INTO control.accesses AS known (looked_by, whose, what, hour, times)
SELECT $1, whose, $2, date_trunc('hour', now(), 'UTC'), 1 FROM unnest($3::text[]) AS whose ORDER BY 2
ON CONFLICT (hour, whose, looked_by, what) DO UPDATE SET times = known.times + 1
"""
_LOOKS = Listing(
    select="a.looked_by, u.name AS looked_by_name, a.whose, a.what, a.hour, a.times",
    source="control.accesses AS a LEFT JOIN vault.users AS u ON u.user_id = a.looked_by",
    sorts={"hour": Sort("a.hour", "timestamptz")},
    key="(a.whose || ' ' || a.looked_by || ' ' || a.what)",
)


class Look(Shown):
    looked_by: str
    """A person's id."""
    looked_by_name: str | None
    """Null: the vault no longer knows them."""
    whose: str
    """The agent's identity."""
    what: What
    hour: datetime
    """In which it was; it begins then."""
    times: int


class Looks(Shown):
    items: list[Look]
    next: str | None
    total: Total


class LookFilters(Filters):
    identity: Identity | None = None
    """Whose hours."""
    by: Word = None
    """Who looked: a person's id."""

    def where(self) -> Where:
        return where([("a.whose = {}", self.identity), ("a.looked_by = {}", self.by)])


@router.get("/accesses")
async def list_accesses(
    desk: Open,
    wanted: Annotated[LookFilters, Query()],
    sort: Annotated[str, Query(pattern=_LOOKS.sort_pattern)] = "-hour",
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Looks:
    """Who looked at whose hours, by the hour."""
    page = await _LOOKS.page(desk.pool, wanted.where(), sort=sort, limit=limit, cursor=cursor)
    items = [Look(**dict(row)) for row in page.rows]
    return Looks(items=items, next=page.next, total=page.total)


def agents_of(rows: Sequence[asyncpg.Record]) -> set[Agent]:
    """Of rows that name a connection and an agent each."""
    return {(row["connection"], row["agent_id"]) for row in rows}


async def note(desk: Desk, who: Person, what: What, agents: set[Agent]) -> None:
    """Nothing, where it is about nobody's hours."""
    sources = desk.tail.installation.sources
    whose = {
        sources[name].user(agent) if name in sources else user_of(name, agent)
        for name, agent in agents
    }
    if whose:
        await desk.pool.execute(_NOTE, who.id, what, sorted(whose))


async def forget_accesses(pool: asyncpg.Pool, retention: timedelta) -> None:
    await pool.execute("DELETE FROM control.accesses WHERE hour < now() - $1::interval", retention)

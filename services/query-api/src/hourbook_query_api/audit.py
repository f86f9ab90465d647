"""The audit: what people and the clock did, who and when, from the logs themselves."""

import json
from datetime import datetime
from typing import Annotated, Any

import asyncpg
from fastapi import Query
from pydantic import Field

from hourbook_contracts.message import Moment
from hourbook_query_api.connectors import Open
from hourbook_query_api.desk import Desk
from hourbook_query_api.guard import guarded_router
from hourbook_query_api.listing import Listing, Sort, Where, any_of, where
from hourbook_query_api.opening import opened
from hourbook_query_api.paging import Cursor, Filters, Limit, Total, Word
from hourbook_query_api.shown import Shown

router = guarded_router("/api", "audit")

_SAID_OF_CONTROL = (
    "SELECT 'control/' || offset_ AS act, observed_at AS at, said_by AS by, type, subject, message"
    " FROM control.events"
)
_ANSWERED = (
    "SELECT 'ledger/' || partition || '/' || offset_ AS act, observed_at AS at,"
    " message->>'by' AS by, type, subject, message"
    " FROM book.history WHERE type = 'hourbook.conflict_resolved.v1'"
)
_UNDONE = (
    "SELECT 'undone/' || r.resolution_id || '/' || r.subject AS act, a.undone_at AS at,"
    " a.undone_by AS by, 'hourbook.resolution_undone' AS type, r.subject,"
    " jsonb_build_object('choice', a.choice, 'said_by', a.said_by, 'gen', r.gen) AS message"
    " FROM control.resolutions AS a JOIN control.resolved AS r USING (resolution_id)"
    " WHERE r.state = 'undone'"
)
AUDIT = Listing(
    select="a.*, u.name AS by_name",
    source="({part}) AS a LEFT JOIN vault.users AS u ON u.user_id = a.by",
    parts=(_SAID_OF_CONTROL, _ANSWERED, _UNDONE),
    sorts={"at": Sort("a.at", "timestamptz")},
    key="a.act",
)


class Act(Shown):
    act: str
    """Where it stands: `control/<offset>` or `ledger/<partition>/<offset>`; `undone/…` never came to stand."""
    at: datetime
    by: str
    """A person's id, `schedule`, or a service's name."""
    by_name: str | None
    """Null: it was no person, or one whom the vault no longer knows."""
    type: str
    """`hourbook.mapping_set.v1` and the like; an open string."""
    subject: str
    """`connection/<name>`, `mapping/<id>`, `user/<id>`, `installation`, or what a question was about."""
    message: dict[str, Any]
    """Sealed text is opened; null where it was erased. Secrets never stand in one."""


class Acts(Shown):
    items: list[Act]
    next: str | None
    total: Total


class ActFilters(Filters):
    by: Word = None
    """A person's id, `schedule`, or a service's name."""
    people: bool | None = None
    """Only what people did; false: only what nobody did."""
    type: list[Annotated[str, Field(max_length=60, pattern=r"^[^\x00]*$")]] | None = Field(
        default=None, max_length=40
    )
    subject: Annotated[str, Field(max_length=200, pattern=r"^[^\x00]*$")] | None = None
    since: Moment | None = None
    until: Moment | None = None

    def where(self) -> Where:
        return where(
            [
                ("a.by = {}", self.by),
                ("(u.user_id IS NOT NULL OR a.by LIKE 'user:%') = {}", self.people),
                any_of("a.type", self.type),
                ("a.subject = {}", self.subject),
                ("a.at >= {}", self.since),
                ("a.at < {}", self.until),
            ]
        )


Wanted = Annotated[ActFilters, Query()]
SortBy = Annotated[str, Query(pattern=AUDIT.sort_pattern)]


@router.get("/audit")
async def list_acts(
    desk: Open, wanted: Wanted, sort: SortBy = "-at", limit: Limit = 50, cursor: Cursor = None
) -> Acts:
    """The newest first."""
    page = await AUDIT.page(desk.pool, wanted.where(), sort=sort, limit=limit, cursor=cursor)
    return Acts(items=await shown(desk, page.rows), next=page.next, total=page.total)


async def shown(desk: Desk, rows: list[asyncpg.Record]) -> list[Act]:
    messages = await opened(desk.vault, [json.loads(row["message"]) for row in rows])
    return [
        Act(**{**dict(row), "message": message})
        for row, message in zip(rows, messages, strict=True)
    ]

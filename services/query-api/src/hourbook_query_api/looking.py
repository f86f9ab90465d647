"""Looking at both sides now, and every time that somebody or the schedule wanted it."""

from datetime import datetime
from typing import Annotated, Literal

from fastapi import Query
from pydantic import Field

from hourbook_contracts.ids import ConnectionName
from hourbook_contracts.topics import CONTROL
from hourbook_query_api.connector_models import Body
from hourbook_query_api.connectors import Open, connector_of
from hourbook_query_api.guard import IdempotencyKey, guarded_router
from hourbook_query_api.listing import Listing, Sort, Where, where
from hourbook_query_api.paging import Cursor, Filters, Limit, Total, Word
from hourbook_query_api.people import Who
from hourbook_query_api.problems import Kind, ProblemError, described
from hourbook_query_api.runs import all_names, ask
from hourbook_query_api.shown import Shown

router = guarded_router("/api/sync", "sync")


class ManualBody(Body):
    connections: list[ConnectionName] = Field(default=[], max_length=50)
    """None: all."""
    what: Literal["poll", "sweep"] = "poll"


class Asked(Shown):
    connection: str
    topic: str
    partition: int
    offset: int


class ManualAnswer(Shown):
    run: str
    asked: list[Asked]
    look_at: str


RunOutcome = Literal["running", "done", "given_up", "missed"]


class Run(Shown):
    run: str
    asked_at: datetime
    by: str
    """A person's id, or `schedule`."""
    by_name: str | None
    what: str | None
    """`poll` or `sweep`; null: it did not begin."""
    due_at: datetime | None
    """When the schedule wanted it; of `missed` the last of them."""
    connections: list[str]
    outcome: RunOutcome
    why: str | None
    """Of `missed`: `down` (nobody was there) or `overlap` (the one before was not done)."""
    missed: int
    """How many were missed."""
    seconds: float | None
    """Until the last connection had been looked at to its end."""
    waited_for: list[str]
    """Of `given_up`: those that had not within an hour."""


class Runs(Shown):
    items: list[Run]
    next: str | None
    total: Total


_RUNS = Listing(
    select="r.*, u.name AS by_name",
    source="control.runs AS r LEFT JOIN vault.users AS u ON u.user_id = r.asked_by",
    sorts={"asked_at": Sort("r.asked_at", "timestamptz")},
    key="r.run",
)


class RunFilters(Filters):
    outcome: list[RunOutcome] | None = None
    by: Word = None
    """A person's id, or `schedule`."""
    connection: Word = None

    def where(self) -> Where:
        return where(
            [
                ("r.outcome = ANY({}::text[])", self.outcome or None),
                ("r.asked_by = {}", self.by),
                ("{} = ANY (r.connections)", self.connection),
            ]
        )


@router.post("/manual", status_code=202, responses=described(404))
async def sync_now(desk: Open, who: Who, body: ManualBody, key: IdempotencyKey) -> ManualAnswer:
    """Look at both sides now; the run shows in /api/sync/history, what comes of it in /api/sync/status."""
    names = list(dict.fromkeys(body.connections)) or await all_names(desk)
    if not names:
        raise ProblemError(Kind.NOT_FOUND, "Connect a Zammad and a Kimai at /api/connectors first.")
    for name in names:
        await connector_of(desk, name)
    now = await desk.pool.fetchval("SELECT now()")
    run, offsets = await ask(desk, by=who.id, what=body.what, names=names, now=now, key=key)
    asked = [
        Asked(connection=name, topic=CONTROL.name, partition=0, offset=offset)
        for name, offset in zip(names, offsets, strict=True)
    ]
    return ManualAnswer(run=run, asked=asked, look_at="/api/sync/history")


@router.get("/history")
async def list_runs(
    desk: Open,
    wanted: Annotated[RunFilters, Query()],
    sort: Annotated[str, Query(pattern=_RUNS.sort_pattern)] = "-asked_at",
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Runs:
    """Who or what asked for both sides to be looked at, whether that has ended, and what was missed."""
    page = await _RUNS.page(desk.pool, wanted.where(), sort=sort, limit=limit, cursor=cursor)
    items = [Run(**{**dict(row), "by": row["asked_by"]}) for row in page.rows]
    return Runs(items=items, next=page.next, total=page.total)

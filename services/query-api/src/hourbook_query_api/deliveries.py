"""Deliveries: what Zammad's webhooks brought, what was asked of Kimai, and reading a ticket again."""

import json
from datetime import date, datetime, timedelta
from typing import Annotated, Literal

import asyncpg
from fastapi import Query

from hourbook_contracts.codec import encode
from hourbook_contracts.ids import book_of, connection_of, number_of
from hourbook_contracts.inbox import RereadRequested
from hourbook_contracts.topics import INBOX
from hourbook_kit import clock, kafka
from hourbook_kit.telemetry import with_trace
from hourbook_query_api.connectors import Open
from hourbook_query_api.entries import BookPath
from hourbook_query_api.guard import IdempotencyKey, guarded_router
from hourbook_query_api.listing import Listing, Sort, Where, any_of, where
from hourbook_query_api.paging import Cursor, Filters, Limit, Total, Word
from hourbook_query_api.problems import Kind, ProblemError, described
from hourbook_query_api.shown import Shown

router = guarded_router("/api", "deliveries")

_IN = Listing(
    select="d.*",
    source="ingest.deliveries AS d",
    sorts={
        "last_at": Sort("d.last_at", "timestamptz"),
        "first_at": Sort("d.first_at", "timestamptz"),
        "times": Sort("d.times", "int"),
    },
    key="(d.connection || ' ' || d.delivery)",
)
_ANSWERS = (
    "FROM book.history AS h WHERE h.subject = e.posting AND (h.message->>'gen')::int = e.gen AND h.type IN"
    " ('hourbook.timesheet_written.v1', 'hourbook.push_refused.v1') ORDER BY h.offset_ LIMIT 1"
)
_OUT = Listing(
    select=(
        "e.*, a.type AS answer, a.message AS answered,"
        " (c.configured->>'grace_seconds')::float8 AS grace_seconds"
    ),
    source=(
        "push.effects AS e LEFT JOIN control.connections AS c ON c.name = e.target"
        f" LEFT JOIN LATERAL (SELECT h.type, h.message {_ANSWERS}) AS a ON true"
    ),
    sorts={"seq": Sort("e.seq", "bigint")},
    key="e.seq",
    key_type="bigint",
    found_in="push.effects AS e",
)
OutState = Literal["queued", "sent", "uncertain", "done"]
Outcome = Literal["written", "refused"]
_ANSWER = f"(SELECT h.type {_ANSWERS})"
_OF_OUTCOME: dict[str | None, str] = {
    "written": f"{_ANSWER} = {{}}",
    "refused": (
        "(e.posting, e.gen) IN (SELECT h.subject, (h.message->>'gen')::int FROM book.history AS h"  # noqa: S608 -- our own words
        f" WHERE h.type = 'hourbook.push_refused.v1') AND {_ANSWER} = {{}}"
    ),
}
"""There are few refusals: they are looked up, not looked for among all that was written."""
_TYPES: dict[str, str] = {
    "written": "hourbook.timesheet_written.v1",
    "refused": "hourbook.push_refused.v1",
}
_OUTCOMES: dict[str | None, Outcome] = {
    "hourbook.timesheet_written.v1": "written",
    "hourbook.push_refused.v1": "refused",
}


class DeliveryIn(Shown):
    """A webhook that was taken; one that is not signed by its Zammad is refused and not kept."""

    connection: str
    delivery: str
    """As Zammad calls it, the same on every retry."""
    book: str
    ticket_id: int
    first_at: datetime
    last_at: datetime
    times: int
    """How often it came: Zammad retries up to four times."""
    body_sha256: str | None
    body_bytes: int | None
    """The body is only a hint and is not kept."""


class DeliveriesIn(Shown):
    items: list[DeliveryIn]
    next: str | None
    total: Total


class DeliveryOut(Shown):
    """What was asked of Kimai for one posting, and how far it is."""

    posting: str
    gen: int
    book: str
    target: str
    user_id: int
    day: date
    op: str
    """`create`, `update`, `delete` or `adopt`."""
    state: OutState
    """`uncertain`: it was sent and nobody knows what became of it; it is looked for, not sent again."""
    attempts: int
    queued_at: datetime
    last_tried_at: datetime | None
    next_try_at: datetime | None
    """When what is uncertain is looked for, or what Kimai does not take yet is tried."""
    done_at: datetime | None
    outcome: Outcome | None
    why: str | None
    """Of a refusal."""
    detail: str | None
    sheet: str | None


class DeliveriesOut(Shown):
    items: list[DeliveryOut]
    next: str | None
    total: Total


class ReadAgain(Shown):
    book: str
    partition: int
    offset: int
    """Of the inbox."""
    look_at: str


class InFilters(Filters):
    connection: Word = None
    book: Word = None

    def where(self) -> Where:
        return where(
            [
                ("d.connection = {}", self.connection),
                ("'zammad:' || d.connection || ':' || d.ticket_id = {}", self.book),
            ]
        )


class OutFilters(Filters):
    target: Word = None
    book: Word = None
    state: list[OutState] | None = None
    outcome: Outcome | None = None

    def where(self) -> Where:
        return where(
            [
                ("e.target = {}", self.target),
                ("e.book = {}", self.book),
                any_of("e.state", self.state),
                (_OF_OUTCOME.get(self.outcome, ""), self.outcome and _TYPES[self.outcome]),
            ]
        )


@router.get("/deliveries/in")
async def list_deliveries_in(
    desk: Open,
    wanted: Annotated[InFilters, Query()],
    sort: Annotated[str, Query(pattern=_IN.sort_pattern)] = "-last_at",
    limit: Limit = 50,
    cursor: Cursor = None,
) -> DeliveriesIn:
    page = await _IN.page(desk.pool, wanted.where(), sort=sort, limit=limit, cursor=cursor)
    return DeliveriesIn(items=[_in(row) for row in page.rows], next=page.next, total=page.total)


@router.get("/deliveries/out")
async def list_deliveries_out(
    desk: Open,
    wanted: Annotated[OutFilters, Query()],
    sort: Annotated[
        str, Query(pattern=_OUT.sort_pattern, description="The order they were queued in.")
    ] = "-seq",
    limit: Limit = 50,
    cursor: Cursor = None,
) -> DeliveriesOut:
    page = await _OUT.page(desk.pool, wanted.where(), sort=sort, limit=limit, cursor=cursor)
    return DeliveriesOut(items=[_out(row) for row in page.rows], next=page.next, total=page.total)


@router.post("/tickets/{book}/read-again", status_code=202, responses=described(404))
async def read_again(desk: Open, book: BookPath, _: IdempotencyKey) -> ReadAgain:
    """Have a ticket read over REST, as if a webhook had named it."""
    connection, ticket = connection_of(book), number_of(book)
    known = await desk.pool.fetchval(
        "SELECT 1 FROM control.connections WHERE name = $1 AND kind = $2 AND kind <> 'kimai'",
        connection,
        book.partition(":")[0],
    )
    if known is None or not 0 < ticket < 2**63:
        raise ProblemError(
            Kind.NOT_FOUND, f"Look at /api/connectors: there is no source called {connection}."
        )
    request = RereadRequested(
        observed_at=clock.now(),
        connection=connection,
        ticket_id=ticket,
        why="person",
    )
    record = encode(request)
    record = record._replace(headers=with_trace(record.headers))
    written = await kafka.send(desk.producer, INBOX.name, record)
    return ReadAgain(
        book=book,
        partition=written.partition,
        offset=written.offset,
        look_at=f"/api/tickets/{book}",
    )


def _in(row: asyncpg.Record) -> DeliveryIn:
    book = book_of(row["connection"], row["ticket_id"])
    return DeliveryIn(**dict(row), book=book)


def _out(row: asyncpg.Record) -> DeliveryOut:
    answered = json.loads(row["answered"]) if row["answered"] else {}
    waits = row["state"] in ("sent", "uncertain") and row["claimed_at"] is not None
    looked_for = (
        row["claimed_at"] + timedelta(seconds=row["grace_seconds"])
        if waits and row["grace_seconds"]
        else None
    )
    return DeliveryOut(
        posting=row["posting"],
        gen=row["gen"],
        book=row["book"],
        target=row["target"],
        user_id=row["user_id"],
        day=row["day"],
        op=row["op"],
        state=row["state"],
        attempts=row["attempt"],
        queued_at=row["queued_at"],
        last_tried_at=row["claimed_at"],
        next_try_at=looked_for or (row["not_before"] if row["state"] == "queued" else None),
        done_at=row["done_at"],
        outcome=_OUTCOMES.get(row["answer"]),
        why=answered.get("why"),
        detail=answered.get("detail"),
        sheet=answered.get("sheet"),
    )

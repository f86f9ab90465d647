"""Privacy: what is kept about a person, given out; and a person forgotten, when two administrators agree."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any, Literal

import asyncpg
from fastapi import Path, Query, Response
from fastapi.responses import HTMLResponse, JSONResponse
from pydantic import Field

from hourbook_contracts.ids import uuid_of
from hourbook_contracts.privacy import (
    ErasureAsked,
    ErasureWithdrawn,
    Identity,
    PersonErased,
    PersonExported,
)
from hourbook_kit import clock
from hourbook_query_api.acts import act, publish
from hourbook_query_api.connector_models import Body
from hourbook_query_api.connectors import PENDING, Open
from hourbook_query_api.desk import Desk
from hourbook_query_api.destroying import destroy
from hourbook_query_api.dossier import dossier
from hourbook_query_api.dossier_page import page
from hourbook_query_api.guard import IdempotencyKey, guarded_router
from hourbook_query_api.people import Who
from hourbook_query_api.person_books import books_of
from hourbook_query_api.problems import Kind, ProblemError, described
from hourbook_query_api.shown import Shown
from hourbook_query_api.staying import Stay, stays
from hourbook_query_api.whose import by_table, expanded

router = guarded_router("/api/privacy", "privacy")

Whom = Annotated[
    list[Identity],
    Query(
        alias="identity",
        min_length=1,
        max_length=50,
        description="Once or more: `zammad:<connection>:user:<id>`, `kimai:<connection>:user:<id>`,"
        " `user:<id>` of whoever signs in here.",
    ),
]
ErasureId = Annotated[str, Path(pattern=r"^[0-9a-f-]{36}$")]


class PersonShown(Shown):
    """What an erasure would do."""

    identities: list[str]
    """The given ones, and those that a mapping says are the same person's alone."""
    tickets: int
    """Whose text becomes unreadable, here and on the ledger."""
    keys: int
    """That would be destroyed; of the others there is none any more."""
    stays: list[Stay]


class EraseBody(Body):
    identities: list[Identity] = Field(min_length=1, max_length=50)
    """Look at GET /api/privacy/person first: exactly these are forgotten, and those it adds."""


class Erasure(Shown):
    erasure: str
    identities: list[str]
    state: Literal["asked", "withdrawn", "erased"]
    asked_at: datetime
    asked_by: str
    ended_at: datetime | None
    ended_by: str | None
    """Of an erased person: who confirmed it."""
    keys: int
    """That were destroyed."""


class ErasureReport(Erasure):
    stays: list[Stay]


class Erasures(Shown):
    items: list[Erasure]


@router.get("/person")
async def read_person(desk: Open, identities: Whom) -> PersonShown:
    """All that names this person, what an erasure would destroy, what would stay and why."""
    whole = _whole(desk, identities)
    theirs = by_table(whole)
    async with desk.pool.acquire() as connection, connection.transaction(readonly=True):
        books = await books_of(connection, theirs)
        alive = await connection.fetchval(
            "SELECT count(*) FROM vault.subject_keys WHERE subject = ANY ($1)"
            " AND destroyed_at IS NULL",
            [*books, *theirs.users],
        )
        left = await stays(connection, theirs, books)
    return PersonShown(identities=list(whole), tickets=len(books), keys=alive, stays=left)


@router.get("/export", response_class=Response, responses={200: {"content": {"text/html": {}}}})
async def export_person(
    desk: Open,
    who: Who,
    identities: Whom,
    format: Literal["json", "html"] = "json",  # noqa: A002 -- what people call it
) -> Response:
    """Everything that is kept about a person, sealed text opened; that it was taken out is kept too."""
    whole = _whole(desk, identities)
    now = clock.now()
    await publish(desk, PersonExported(observed_at=now, by=who.id, identities=whole))
    sections = await dossier(desk.pool, desk.vault, whole)
    headers = {
        "Content-Disposition": f'attachment; filename="hourbook-person.{format}"',
        "Cache-Control": "no-store",
    }
    if format == "html":
        return HTMLResponse(page(whole, sections, now), headers=headers)
    told: dict[str, Any] = {"identities": whole, "made_at": now.isoformat()}
    return JSONResponse(
        told | {section.name: section.rows for section in sections}, headers=headers
    )


@router.post("/erase", status_code=201, responses=PENDING | described(409))
async def ask_erasure(
    desk: Open, who: Who, body: EraseBody, key: IdempotencyKey, response: Response
) -> ErasureReport:
    """Nothing is forgotten before another administrator confirms it."""
    whole = _whole(desk, body.identities)
    now = clock.now()
    erasure = str(uuid_of("erasure", who.id, now.isoformat(), *whole))
    look_at = f"/api/privacy/erasures/{erasure}"
    async with desk.turn:
        await _leave_an_administrator(desk, whole)
        if open_ := await desk.pool.fetchval(
            "SELECT erasure FROM control.erasures WHERE state = 'asked' AND identities && $1::text[]",
            list(whole),
        ):
            raise ProblemError(
                Kind.EXISTS, f"Confirm or withdraw /api/privacy/erasures/{open_} first."
            )
        event = ErasureAsked(
            observed_at=now, by=who.id, idempotency_key=key, erasure=erasure, identities=whole
        )
        await act(desk, event, look_at)
    response.headers["Location"] = look_at
    return await _report(desk, erasure)


@router.get("/erasures")
async def list_erasures(desk: Open) -> Erasures:
    """The newest first."""
    rows = await desk.pool.fetch("SELECT * FROM control.erasures ORDER BY asked_at DESC, erasure")
    return Erasures(items=[Erasure(**dict(row)) for row in rows])


@router.get("/erasures/{erasure}", responses=described(404))
async def read_erasure(desk: Open, erasure: ErasureId) -> ErasureReport:
    return await _report(desk, erasure)


@router.post("/erasures/{erasure}/confirm", responses=PENDING | described(404, 409))
async def confirm_erasure(
    desk: Open, who: Who, erasure: ErasureId, key: IdempotencyKey
) -> ErasureReport:
    """By another administrator than the one who asked; it cannot be undone."""
    async with desk.turn:
        known = await _open(desk, erasure)
        if known["asked_by"] == who.id:
            raise ProblemError(
                Kind.NOT_ALLOWED, "Ask another administrator to confirm it: you asked for it."
            )
        identities = known["identities"]
        await _leave_an_administrator(desk, identities)
        await destroy(desk, who.id, erasure, identities)
        event = PersonErased(
            observed_at=clock.now(),
            by=who.id,
            idempotency_key=key,
            erasure=erasure,
            identities=tuple(identities),
            asked_by=known["asked_by"],
        )
        await act(desk, event, f"/api/privacy/erasures/{erasure}")
    return await _report(desk, erasure)


@router.delete("/erasures/{erasure}", status_code=204, responses=PENDING | described(404, 409))
async def withdraw_erasure(
    desk: Open, who: Who, erasure: ErasureId, key: IdempotencyKey
) -> Response:
    """While nobody has confirmed it; any administrator may."""
    async with desk.turn:
        await _open(desk, erasure)
        event = ErasureWithdrawn(
            observed_at=clock.now(), by=who.id, idempotency_key=key, erasure=erasure
        )
        await act(desk, event, f"/api/privacy/erasures/{erasure}")
    return Response(status_code=204)


def _whole(desk: Desk, identities: Sequence[str]) -> tuple[str, ...]:
    return expanded(identities, desk.tail.installation)


async def _row(desk: Desk, erasure: str) -> asyncpg.Record:
    row = await desk.pool.fetchrow("SELECT * FROM control.erasures WHERE erasure = $1", erasure)
    if row is None:
        raise ProblemError(
            Kind.NOT_FOUND, "Look at /api/privacy/erasures: there is none of this id."
        )
    return row


async def _open(desk: Desk, erasure: str) -> asyncpg.Record:
    row = await _row(desk, erasure)
    if row["state"] != "asked":
        raise ProblemError(Kind.ENDED, f"Nothing is left to do: this person was {row['state']}.")
    return row


async def _report(desk: Desk, erasure: str) -> ErasureReport:
    row = await _row(desk, erasure)
    theirs = by_table(row["identities"])
    async with desk.pool.acquire() as connection, connection.transaction(readonly=True):
        left = await stays(connection, theirs, await books_of(connection, theirs))
    return ErasureReport(**dict(row), stays=left)


async def _leave_an_administrator(desk: Desk, identities: Sequence[str]) -> None:
    left = await desk.pool.fetchval(
        "SELECT 1 FROM vault.users WHERE role = 'admin' AND active AND password_hash IS NOT NULL"
        " AND NOT user_id = ANY ($1) LIMIT 1",
        list(identities),
    )
    if left is None:
        raise ProblemError(Kind.LAST_ADMIN, "Make somebody else an administrator first.")

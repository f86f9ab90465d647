"""Mappings: what stands in Zammad under a key is this project, activity or user in Kimai."""

import re
from datetime import datetime
from typing import Annotated, Any, Literal

import asyncpg
from fastapi import Path, Query, Response
from pydantic import Field

from hourbook_contracts.control import MappingRemoved, MappingSet
from hourbook_contracts.ids import ConnectionName, uuid_of
from hourbook_kit import clock
from hourbook_query_api.acts import act
from hourbook_query_api.connector_models import Body, Zone, iana_zone
from hourbook_query_api.connectors import PENDING, Open
from hourbook_query_api.desk import Desk
from hourbook_query_api.guard import IdempotencyKey, guarded_router
from hourbook_query_api.paging import Cursor, Limit, cursor_of, values_of
from hourbook_query_api.people import Person, Who
from hourbook_query_api.problems import Kind, ProblemError, described, invalid
from hourbook_query_api.shown import Shown

router = guarded_router("/api/mappings", "mappings")

MappingKind = Literal["customer", "activity", "worker"]
MappingId = Annotated[
    str, Path(pattern=r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$", description="Of the mapping.")
]
_KEYS: dict[str, tuple[str, str]] = {
    "customer": (
        r"(organization|customer):[1-9]\d{0,17}|default",
        "organization:<id>, customer:<id> or default",
    ),
    "activity": (r"[1-9]\d{0,17}|none", "<activity type id> or none"),
    "worker": (r"[1-9]\d{0,17}", "<agent id>"),
}


class MappingBody(Body):
    kind: MappingKind
    source: ConnectionName
    """The Zammad."""
    source_key: str = Field(max_length=60)
    """`organization:<id>`, `customer:<id>` or `default`; `<type id>` or `none`; `<agent id>`."""
    target: ConnectionName
    """The Kimai."""
    target_id: int = Field(ge=1, le=2**53)
    """Of the project, activity or user there."""
    time_zone: Zone | None = None
    """Of a worker: days begin in it. Left out: as Kimai has it for that user, else UTC."""


class Mapping(Shown):
    mapping: str
    kind: str
    source: str
    source_key: str
    target: str
    target_id: int
    time_zone: str | None
    changed_at: datetime
    changed_by: str
    offset: int


class Mappings(Shown):
    items: list[Mapping]
    next: str | None


@router.get("")
async def list_mappings(
    desk: Open,
    kind: MappingKind | None = None,
    source: Annotated[str | None, Query(max_length=31)] = None,
    target: Annotated[str | None, Query(max_length=31)] = None,
    limit: Limit = 100,
    cursor: Cursor = None,
) -> Mappings:
    after = values_of(cursor, "key", 3) if cursor else ["", "", ""]
    rows = await desk.pool.fetch(
        "SELECT * FROM control.mappings WHERE ($1::text IS NULL OR kind = $1)"
        " AND ($2::text IS NULL OR source = $2) AND ($3::text IS NULL OR target = $3)"
        " AND (kind, source, source_key) > ($4, $5, $6)"
        " ORDER BY kind, source, source_key LIMIT $7",
        kind,
        _plain(source),
        _plain(target),
        *after,
        limit + 1,
    )
    items = [_from_row(row) for row in rows[:limit]]
    last = items[-1] if len(rows) > limit else None
    return Mappings(
        items=items,
        next=cursor_of("key", last.kind, last.source, last.source_key) if last else None,
    )


@router.get("/{mapping}", responses=described(404))
async def read_mapping(desk: Open, mapping: MappingId) -> Mapping:
    return await mapping_of(desk, mapping)


@router.post("", status_code=201, responses=PENDING | described(409))
async def make_mapping(
    desk: Open, who: Who, body: MappingBody, key: IdempotencyKey, response: Response
) -> Mapping:
    """Entries that waited for it are looked at again."""
    body = await zoned(desk, body)
    await check(desk, body)
    mapping = mapping_id(body.kind, body.source, body.source_key)
    look_at = f"/api/mappings/{mapping}"
    async with desk.turn:
        if await desk.pool.fetchval("SELECT 1 FROM control.mappings WHERE mapping = $1", mapping):
            raise ProblemError(
                Kind.EXISTS, f"Change {look_at} with PUT: this key is mapped already."
            )
        await act(desk, setting(who, mapping, body, key), look_at)
    response.headers["Location"] = look_at
    return await mapping_of(desk, mapping)


@router.put("/{mapping}", responses=PENDING | described(404))
async def change_mapping(
    desk: Open, who: Who, mapping: MappingId, body: MappingBody, key: IdempotencyKey
) -> Mapping:
    """What is written already stays where it is; what comes goes by the new rule."""
    body = await zoned(desk, body)
    await check(desk, body)
    if mapping_id(body.kind, body.source, body.source_key) != mapping:
        raise invalid(
            "body.source_key",
            "Make a mapping of its own for another kind, source or key: they are its name.",
        )
    async with desk.turn:
        await mapping_of(desk, mapping)
        await act(desk, setting(who, mapping, body, key), f"/api/mappings/{mapping}")
    return await mapping_of(desk, mapping)


@router.delete("/{mapping}", status_code=204, responses=PENDING | described(404))
async def remove_mapping(desk: Open, who: Who, mapping: MappingId, key: IdempotencyKey) -> Response:
    async with desk.turn:
        await mapping_of(desk, mapping)
        event = MappingRemoved(
            observed_at=clock.now(), by=who.id, idempotency_key=key, mapping=mapping
        )
        await act(desk, event, "/api/mappings")
    return Response(status_code=204)


def mapping_id(kind: str, source: str, source_key: str) -> str:
    """A function of what it maps, so the same key can never have two."""
    return str(uuid_of("mapping", kind, source, source_key))


async def check(desk: Desk, body: MappingBody) -> None:
    """What a schema cannot say, in sentences."""
    pattern, form = _KEYS[body.kind]
    if not re.fullmatch(pattern, body.source_key, re.ASCII):
        raise invalid("body.source_key", f"Write the key of a {body.kind} mapping as {form}.")
    if body.time_zone is not None and body.kind != "worker":
        raise invalid("body.time_zone", "Leave it out: only a worker's days have a zone.")
    rows = await desk.pool.fetch("SELECT name, kind FROM control.connections")
    kinds = {row["name"]: row["kind"] for row in rows}
    first = "Connect it first at /api/connectors: there is no {} called {}."
    if kinds.get(body.source, "kimai") == "kimai":
        raise invalid("body.source", first.format("source", body.source))
    if kinds.get(body.target) != "kimai":
        raise invalid("body.target", first.format("kimai", body.target))


async def zoned(desk: Desk, body: MappingBody) -> MappingBody:
    """A worker without a zone has the one that Kimai knows the user by, if push has seen it."""
    if body.kind != "worker" or body.time_zone is not None:
        return body
    zone = await desk.pool.fetchval(
        "SELECT time_zone FROM push.directory WHERE (target, kind) = ($1, 'user') AND id = $2::bigint",
        body.target,
        body.target_id,
    )
    try:
        return body.model_copy(update={"time_zone": iana_zone(zone) if zone else None})
    except ValueError:
        return body  # a zone that our database does not know


def setting(who: Person, mapping: str, body: MappingBody, key: str | None) -> MappingSet:
    return MappingSet(
        observed_at=clock.now(),
        by=who.id,
        idempotency_key=key,
        mapping=mapping,
        **body.model_dump(),
    )


async def mapping_of(desk: Desk, mapping: str) -> Mapping:
    row = await desk.pool.fetchrow("SELECT * FROM control.mappings WHERE mapping = $1", mapping)
    if row is None:
        raise ProblemError(Kind.NOT_FOUND, "Look at /api/mappings: there is no mapping of this id.")
    return _from_row(row)


def _from_row(row: asyncpg.Record) -> Mapping:
    columns: dict[str, Any] = dict(row)
    return Mapping(**columns, offset=row["offset_"])


def _plain(text: str | None) -> str | None:
    """PostgreSQL's text holds no NUL; nothing of ours has one either."""
    return text.replace("\0", "") if text else text

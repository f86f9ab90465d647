"""Kimai's users, customers, projects and activities: as push keeps them, and new ones where that is on.

What is created is found again by the number we give it, never by its name: asked twice, it is there once.
"""

from http import HTTPStatus
from typing import Annotated, Any, Literal

from fastapi import Query, Response
from pydantic import Field

from hourbook_contracts.ids import ConnectionName, uuid_of
from hourbook_query_api.acts import act
from hourbook_query_api.connector_models import (
    Body,
    KimaiConnector,
    ReadConnector,
    ZammadConnector,
    Zone,
)
from hourbook_query_api.connectors import PENDING, Name, Open, connector_of, kimai_of
from hourbook_query_api.desk import Desk
from hourbook_query_api.doctor import Doctor, calling
from hourbook_query_api.guard import IdempotencyKey, guarded_router
from hourbook_query_api.mappings import Mapping, MappingBody, check, mapping_id, mapping_of, setting
from hourbook_query_api.names import activity_types, names_of
from hourbook_query_api.paging import Cursor, Limit, cursor_of, values_of
from hourbook_query_api.people import Who
from hourbook_query_api.problems import Kind, ProblemError, described, invalid
from hourbook_query_api.shown import Shown

router = guarded_router("/api/connectors/{name}", "connectors", 404, 409)

DirectoryKind = Literal["user", "customer", "project", "activity", "agent", "organization"]
_OF_KIMAI = ("user", "customer", "project", "activity")
_OF_SOURCE = {
    "agent": "SELECT DISTINCT agent_id AS id FROM book.entries WHERE connection = $1",
    "organization": "SELECT DISTINCT organization_id AS id FROM book.tickets"
    " WHERE split_part(book, ':', 2) = $1",
    "customer": "SELECT DISTINCT customer_id AS id FROM book.tickets"
    " WHERE split_part(book, ':', 2) = $1",
}


class Named(Shown):
    kind: str
    id: int
    name: str | None
    """Null where a Zammad tells none or is away."""
    parent_id: int | None
    """Of a project its customer; of an activity its project, null where it is global."""
    visible: bool
    time_zone: str | None


class Directory(Shown):
    items: list[Named]
    next: str | None


class ProjectBody(Body):
    """A customer and a project that are to be in Kimai, for what has no mapping yet."""

    source: ConnectionName
    """The Zammad."""
    source_key: str = Field(max_length=60)
    """`organization:<id>` or `customer:<id>` there."""
    customer_name: str = Field(min_length=2, max_length=150)
    project_name: str = Field(min_length=2, max_length=150)
    currency: str | None = Field(default=None, pattern=r"^[A-Z]{3}$")
    """Kimai's own default when left out."""
    country: str | None = Field(default=None, pattern=r"^[A-Z]{2}$")
    time_zone: Zone | None = None


Ids = Annotated[
    list[Annotated[int, Field(ge=0, lt=2**31)]] | None,
    Query(alias="id", max_length=200, description="Only these."),
]


@router.get("/directory")
async def read_directory(
    desk: Open,
    name: Name,
    kind: Annotated[DirectoryKind, Query()],
    ids: Ids = None,
    limit: Limit = 200,
    cursor: Cursor = None,
) -> Directory:
    """Kimai's as it told them at the last sweep, hidden ones too; Zammad's of those that entries name."""
    after = values_of(cursor, "id", 1)[0] if cursor else "-1"
    if not after.removeprefix("-").isdigit() or len(after) > 18:  # noqa: PLR2004 -- a bigint holds so many digits
        raise invalid("query.cursor", "Send `next` of the page before, unchanged.")
    found = await connector_of(desk, name)
    if isinstance(found, ReadConnector):
        items = await _of_source(desk, found, kind, ids, int(after), limit + 1)
    elif kind not in _OF_KIMAI:
        raise invalid("query.kind", f"Ask a Kimai for one of {', '.join(_OF_KIMAI)}.")
    else:
        items = await _of_kimai(desk, name, kind, ids, int(after), limit + 1)
    following = cursor_of("id", items[limit - 1].id) if len(items) > limit else None
    return Directory(items=items[:limit], next=following)


async def _of_kimai(
    desk: Desk, name: str, kind: str, ids: list[int] | None, after: int, limit: int
) -> list[Named]:
    rows = await desk.pool.fetch(
        "SELECT kind, id, name, parent_id, visible, time_zone FROM push.directory"
        " WHERE target = $1 AND kind = $2 AND id > $3 AND ($4::bigint[] IS NULL OR id = ANY($4))"
        " ORDER BY id LIMIT $5",
        name,
        kind,
        after,
        ids,
        limit,
    )
    return [Named(**dict(row)) for row in rows]


async def _of_source(
    desk: Desk, found: ReadConnector, kind: str, ids: list[int] | None, after: int, limit: int
) -> list[Named]:
    """Without a name where it is no Zammad or away; activity types are all that it has."""
    if kind == "activity":
        types = await activity_types(desk, found) if isinstance(found, ZammadConnector) else {}
        known = sorted(one for one in types if one > after and (ids is None or one in ids))
    elif kind in _OF_SOURCE:
        rows = await desk.pool.fetch(
            f"SELECT id FROM ({_OF_SOURCE[kind]}) AS known WHERE id > $2"  # noqa: S608 -- our own words
            " AND ($3::bigint[] IS NULL OR id = ANY($3)) ORDER BY id LIMIT $4",
            found.name,
            after,
            ids,
            limit,
        )
        known, types = [row["id"] for row in rows], {}
    else:
        kinds = ", ".join([*_OF_SOURCE, "activity"])
        raise invalid("query.kind", f"Ask a source for one of {kinds}.")
    names = types
    if isinstance(found, ZammadConnector):
        names = names or await names_of(desk, found, kind, known)
    return [
        Named(kind=kind, id=one, name=names.get(one), parent_id=None, visible=True, time_zone=None)
        for one in known[:limit]
    ]


@router.post("/projects", status_code=201, responses=PENDING | described(502))
async def make_project(
    desk: Open, who: Who, name: Name, body: ProjectBody, key: IdempotencyKey, response: Response
) -> Mapping:
    """Make a customer and a project in Kimai, and map to it; only where an administrator switched that on."""
    found = await kimai_of(desk, name)
    if not found.creates:
        raise ProblemError(
            Kind.SWITCHED_OFF,
            f"Switch `creates` on with PUT /api/connectors/{name}, or make the project in Kimai and map it.",
        )
    mapping = mapping_id("customer", body.source, body.source_key)
    if await desk.pool.fetchval("SELECT 1 FROM control.mappings WHERE mapping = $1", mapping):
        look_at = f"/api/mappings/{mapping}"
        raise ProblemError(Kind.EXISTS, f"Look at {look_at}: this key is mapped already.")
    wanted = MappingBody(
        kind="customer", source=body.source, source_key=body.source_key, target=name, target_id=1
    )
    await check(desk, wanted)
    async with desk.turn:
        project_id = await _created(desk, found, body)
        wanted = wanted.model_copy(update={"target_id": project_id})
        await act(desk, setting(who, mapping, wanted, key), f"/api/mappings/{mapping}")
    response.headers["Location"] = f"/api/mappings/{mapping}"
    return await mapping_of(desk, mapping)


async def _created(desk: Desk, found: KimaiConnector, body: ProjectBody) -> int:
    """The project's id in Kimai; what an earlier attempt has left is found by its number."""
    token = await desk.vault.secret_of(found.name, "token", found.secret_version)
    if token is None:
        raise ProblemError(Kind.OTHER_SIDE, "Store a token of this connection with PUT first.")
    headers = {"Authorization": f"Bearer {token}"}
    seconds = desk.settings.peer_timeout_seconds
    async with calling(f"{found.base_url}/api", headers, timeout_seconds=seconds) as client:
        kimai = Doctor(client, "Kimai")
        known = uuid_of("customer", body.source, body.source_key).hex
        details = {
            "country": body.country,
            "currency": body.currency,
            "timezone": body.time_zone,
        }
        customer = {"name": body.customer_name, "number": f"hb-{known}"} | {
            field: value for field, value in details.items() if value is not None
        }
        customer_id = await _found_or_made(kimai, "/customers", {}, customer)
        project = {
            "name": body.project_name,
            "customer": customer_id,
            "number": f"h{known[:9]}",  # Kimai takes ten characters
        }
        return await _found_or_made(kimai, "/projects", {"ignoreDates": 1}, project)


async def _found_or_made(
    kimai: Doctor, path: str, more: dict[str, int], wanted: dict[str, Any]
) -> int:
    """By its number, and within its customer: filters fail open, so what came back is compared."""
    answer, sentence = await kimai.exchange("GET", path, params={"visible": 3, **more})
    if answer is None or answer.status_code != HTTPStatus.OK:
        raise ProblemError(Kind.OTHER_SIDE, f"Kimai does not list {path[1:]}: {sentence}")
    for row in answer.json():
        is_it = row.get("number") == wanted["number"]
        if is_it and row.get("customer") == wanted.get("customer"):
            return int(row["id"])
    answer, sentence = await kimai.exchange("POST", path, json=wanted)
    if answer is not None and answer.status_code == HTTPStatus.FORBIDDEN:
        right = f"create_{path[1:-1]}"
        sentence = f"Grant the token's role {right} in Kimai under System → Roles."
    elif answer is not None and answer.status_code == HTTPStatus.OK:
        return int(answer.json()["id"])
    elif answer is not None:
        sentence = (
            f"It answers {answer.status_code}: look whether the names are taken or too short."
        )
    raise ProblemError(Kind.OTHER_SIDE, f"Kimai did not create the {path[1:-1]}. {sentence}")

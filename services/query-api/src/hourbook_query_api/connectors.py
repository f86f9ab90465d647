"""Connections: one Zammad or one Kimai each, with what people set about it."""

import json
from typing import Annotated, Any

import asyncpg
from fastapi import Depends, Path, Response

from hourbook_contracts.control import ConnectionRemoved, SourceConfigured, TargetConfigured
from hourbook_kit import clock
from hourbook_query_api.acts import Accepted, act
from hourbook_query_api.connector_models import (
    AnyConnector,
    ConnectorBody,
    KimaiBody,
    KimaiConnector,
    NewConnectorBody,
    OneConnector,
    SourceBody,
    SourceConnector,
    ZammadBody,
    shown,
)
from hourbook_query_api.desk import Desk, desk_of
from hourbook_query_api.guard import IdempotencyKey, guarded_router
from hourbook_query_api.people import Person, Who
from hourbook_query_api.problems import Kind, ProblemError, described, invalid
from hourbook_query_api.secrets_store import given, store
from hourbook_query_api.shown import Shown

Open = Annotated[Desk, Depends(desk_of)]
Name = Annotated[str, Path(pattern=r"^[a-z][a-z0-9-]{0,30}$", description="Of the connection.")]

router = guarded_router("/api/connectors", "connectors")

PENDING: dict[int | str, dict[str, Any]] = {202: {"model": Accepted, "description": "Not yet seen"}}


_PARTS = ("units", "alarms", "closed", "learned")


class Connectors(Shown):
    items: list[AnyConnector]


@router.get("")
async def list_connectors(desk: Open) -> Connectors:
    rows = await desk.pool.fetch("SELECT * FROM control.connections ORDER BY name")
    return Connectors(items=[from_row(row) for row in rows])


@router.get("/{name}", responses=described(404))
async def read_connector(desk: Open, name: Name) -> AnyConnector:
    return await connector_of(desk, name)


@router.post("", status_code=201, responses=PENDING | described(409))
async def make_connector(
    desk: Open, who: Who, body: NewConnectorBody, key: IdempotencyKey, response: Response
) -> AnyConnector:
    """Its secrets go to the vault first; nothing is read or written until a person allows it."""
    look_at = f"/api/connectors/{body.name}"
    secrets = _secrets(body)
    for name, text in secrets.items():
        if text is None and not isinstance(body, SourceBody):
            raise invalid(f"body.{name}", f"Send the {name} of this connection.")
    async with desk.turn:
        if await desk.pool.fetchval("SELECT 1 FROM control.connections WHERE name = $1", body.name):
            raise ProblemError(Kind.EXISTS, f"Change {look_at} with PUT, or take another name.")
        version = await store(desk.pool, desk.vault, body.name, secrets, None)
        await act(desk, _configured(who, body.name, body, version, key), look_at)
    response.headers["Location"] = look_at
    return await connector_of(desk, body.name)


@router.put("/{name}", responses=PENDING | described(404, 409))
async def change_connector(
    desk: Open, who: Who, name: Name, body: ConnectorBody, key: IdempotencyKey
) -> AnyConnector:
    """The whole of it, except that a secret left out or sent back masked stays as it is."""
    async with desk.turn:
        known = await connector_of(desk, name)
        if _kind(known) != _kind(body):
            raise ProblemError(
                Kind.WRONG_KIND, f"{name} is a {_kind(known)}: make another connection instead."
            )
        secrets = _secrets(body)
        version = await store(desk.pool, desk.vault, name, secrets, known.secret_version)
        await act(desk, _configured(who, name, body, version, key), f"/api/connectors/{name}")
    return await connector_of(desk, name)


@router.delete("/{name}", status_code=204, responses=PENDING | described(404))
async def remove_connector(desk: Open, who: Who, name: Name, key: IdempotencyKey) -> Response:
    """It is read and written no more; its books, entries and timesheets stay as they are."""
    async with desk.turn:
        await connector_of(desk, name)
        event = ConnectionRemoved(
            observed_at=clock.now(), by=who.id, idempotency_key=key, connection=name
        )
        await act(desk, event, "/api/connectors")
    return Response(status_code=204)


async def connector_of(desk: Desk, name: str) -> OneConnector:
    row = await desk.pool.fetchrow("SELECT * FROM control.connections WHERE name = $1", name)
    if row is None:
        raise ProblemError(
            Kind.NOT_FOUND, f"Look at /api/connectors: there is no connection {name}."
        )
    return from_row(row)


async def kimai_of(desk: Desk, name: str) -> KimaiConnector:
    found = await connector_of(desk, name)
    if not isinstance(found, KimaiConnector):
        raise ProblemError(Kind.WRONG_KIND, f"Ask it of a Kimai: {name} is a {found.kind}.")
    return found


def from_row(row: asyncpg.Record) -> OneConnector:
    parts = {column: json.loads(row[column]) for column in _PARTS}
    return shown(dict(row), json.loads(row["configured"]), parts)


def _kind(one: OneConnector | ConnectorBody) -> str:
    return one.connector if isinstance(one, SourceConnector | SourceBody) else one.kind


def _secrets(body: ZammadBody | KimaiBody | SourceBody) -> dict[str, str | None]:
    found = {"token": given(body.token)}
    if isinstance(body, ZammadBody):
        found["webhook_secret"] = given(body.webhook_secret)
    return found


def _configured(
    who: Person,
    name: str,
    body: ZammadBody | KimaiBody | SourceBody,
    version: int,
    key: str | None,
) -> SourceConfigured | TargetConfigured:
    event = TargetConfigured if isinstance(body, KimaiBody) else SourceConfigured
    settings = body.model_dump(exclude={"name", "token", "webhook_secret", "connector"})
    settings["kind"] = _kind(body)
    return event(
        observed_at=clock.now(),
        by=who.id,
        idempotency_key=key,
        connection=name,
        secret_version=version,
        **settings,
    )

"""Zammad's names of agents, organizations, customers and activity types: asked of it when somebody looks.

They are personal, so they stand in no table and on no topic.
"""

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from typing import Any

import structlog

from hourbook_contracts.privacy import user_of
from hourbook_query_api.connector_models import ZammadConnector
from hourbook_query_api.desk import Desk
from hourbook_query_api.doctor import Doctor, calling

log = structlog.get_logger()

PATIENCE_SECONDS = 3
_AT_ONCE = 8
_PATHS = {"agent": "/users", "customer": "/users", "organization": "/organizations"}
_PEOPLE = frozenset({"agent", "customer"})
_TYPES = "/time_accounting/types?per_page=1000"


async def names_of(
    desk: Desk, found: ZammadConnector, kind: str, ids: Iterable[int]
) -> dict[int, str]:
    """Of these, as far as Zammad tells them: without one that it does not, empty while it is away.

    Nor of people who were erased, as long as Zammad may know them.
    """
    erased = desk.tail.installation.erased if kind in _PEOPLE else frozenset()
    wanted = [one for one in dict.fromkeys(ids) if user_of(found.name, one) not in erased]
    known = desk.names.of(found.name, kind, wanted)
    missing = [one for one in wanted if one not in known]
    if not missing:
        return known
    async with _zammad(desk, found) as zammad:
        asked = await (_types(zammad) if kind == "activity" else _each(zammad, kind, missing))
    desk.names.keep(found.name, kind, asked)
    return known | asked


async def activity_types(desk: Desk, found: ZammadConnector) -> dict[int, str]:
    """All there are; empty while Zammad is away or tells none."""
    async with _zammad(desk, found) as zammad:
        return await _types(zammad)


async def _types(zammad: Doctor | None) -> dict[int, str]:
    rows = await _json(zammad, _TYPES)
    named = (_named(row) for row in rows) if isinstance(rows, list) else ()
    return dict(one for one in named if one)


async def _each(zammad: Doctor | None, kind: str, ids: list[int]) -> dict[int, str]:
    """One by one: Zammad lists users only whole. The first that cannot be asked ends it."""
    turns = asyncio.Semaphore(_AT_ONCE)
    away = False

    async def ask(one: int) -> tuple[int, str] | None:
        nonlocal away
        async with turns:
            if away:
                return None
            row = await _json(zammad, f"{_PATHS[kind]}/{one}")
        if row is _AWAY:
            away = True
        return _named(row)

    found = await asyncio.gather(*(ask(one) for one in ids))
    return dict(one for one in found if one)


_AWAY = object()


async def _json(zammad: Doctor | None, path: str) -> Any:
    if zammad is None:
        return _AWAY
    answer, sentence = await zammad.exchange("GET", path)
    if answer is None:
        log.info("names_unknown", why=sentence)
        return _AWAY
    try:
        return answer.json() if answer.is_success else None
    except ValueError:
        return None


def _named(row: Any) -> tuple[int, str] | None:
    """A person's first and last name, never the e-mail address; else what it is called."""
    if not isinstance(row, dict) or not isinstance(row.get("id"), int):
        return None
    person = " ".join(str(row[part]) for part in ("firstname", "lastname") if row.get(part))
    name = row.get("name") or person
    return (row["id"], str(name)) if name else None


@asynccontextmanager
async def _zammad(desk: Desk, found: ZammadConnector) -> AsyncIterator[Doctor | None]:
    """Asked with the stored token; None where there is none."""
    token = await desk.vault.secret_of(found.name, "token", found.secret_version)
    if token is None:
        yield None
        return
    headers = {"Authorization": f"Token token={token}"}
    seconds = min(PATIENCE_SECONDS, desk.settings.peer_timeout_seconds)
    async with calling(f"{found.base_url}/api/v1", headers, timeout_seconds=seconds) as client:
        yield Doctor(client, "Zammad")

"""Of people who were erased no name stands in the directory, although Kimai still tells it."""

import asyncio
from collections.abc import Collection
from typing import NoReturn

import asyncpg
import structlog

from hourbook_contracts.kimai.names import Named
from hourbook_contracts.privacy import kimai_named
from hourbook_kit.control import ControlTail
from hourbook_kit.postgres import TRANSIENT

log = structlog.get_logger()

AGAIN_SECONDS = 1.0


def without_name(target: str, named: Named, erased: Collection[str]) -> Named:
    """The same; called by its number where it names somebody who was erased."""
    if kimai_named(target, named.kind, named.id) not in erased:
        return named
    return named._replace(name=f"#{named.id}")


async def forget_now(pool: asyncpg.Pool, erased: Collection[str]) -> None:
    await pool.execute(
        "UPDATE push.directory SET name = '#' || id"
        " WHERE 'kimai:' || target || ':' || kind || ':' || id = ANY ($1::text[])"
        " AND name <> '#' || id",
        list(erased),
    )


async def forget_names(pool: asyncpg.Pool, control: ControlTail) -> NoReturn:
    """Whenever somebody was erased; again while the database is away."""
    while True:
        changed = control.changed
        try:
            await forget_now(pool, control.installation.erased)
        except TRANSIENT as error:
            log.info("forgetting_waits", error=type(error).__name__)
            await asyncio.sleep(AGAIN_SECONDS)
        else:
            await changed.wait()

"""Kimai's names of users, customers, projects and activities: for people who make mappings."""

from collections.abc import Sequence

import asyncpg

from hourbook_push_kimai.kimai import Named


async def refresh(pool: asyncpg.Pool, target: str, found: Sequence[Named]) -> None:
    """The directory becomes what was just listed."""
    async with pool.acquire() as connection, connection.transaction():
        await connection.execute("DELETE FROM push.directory WHERE target = $1", target)
        await connection.executemany(
            "INSERT INTO push.directory (target, kind, id, name, parent_id, visible, time_zone)"
            " VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING",
            [(target, *_row(named)) for named in found],
        )


def _row(named: Named) -> tuple[str, int, str, int | None, bool, str | None]:
    return (named.kind, named.id, named.name, named.parent_id, named.visible, named.time_zone)

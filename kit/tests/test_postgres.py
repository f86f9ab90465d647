"""A pool is all there or not there; it leaves nothing behind where it cannot be had."""

import asyncio
from collections.abc import AsyncIterator

import asyncpg
import pytest

from hourbook_kit.postgres import pool

pytestmark = pytest.mark.anyio
AT_ONCE = 4


@pytest.fixture
async def owner(postgres: str) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(postgres)
    yield connection
    await connection.close()


@pytest.fixture
async def few(postgres: str, owner: asyncpg.Connection, worker_id: str) -> AsyncIterator[str]:
    """The DSN of somebody who may have so many connections at once and no more."""
    role = f"few_{worker_id}"
    await owner.execute(f"CREATE ROLE {role} LOGIN PASSWORD 'few' CONNECTION LIMIT {AT_ONCE}")
    yield f"postgresql://{role}:few@" + postgres.rsplit("@", 1)[1]
    await owner.execute(f"DROP ROLE {role}")


async def test_all_connections_are_open_before_there_is_work_and_know_arrays(few: str) -> None:
    async with await pool(few, size=AT_ONCE) as opened:
        assert opened.get_idle_size() == AT_ONCE
        assert await opened.fetchval("SELECT $1::timestamptz[]", []) == []


async def test_too_many_are_refused_and_none_of_them_stays(
    few: str, owner: asyncpg.Connection
) -> None:
    with pytest.raises(asyncpg.TooManyConnectionsError):
        await pool(few, size=AT_ONCE + 2, patience_seconds=1)
    theirs = "SELECT count(*) FROM pg_stat_activity WHERE usename LIKE 'few%'"
    async with asyncio.timeout(20):
        while await owner.fetchval(theirs):  # noqa: ASYNC110 -- the server ends them in its own time
            await asyncio.sleep(0.1)

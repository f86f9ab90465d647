"""PostgreSQL: pools with time-outs, which errors pass by themselves, and one leader among replicas."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from types import MappingProxyType
from zlib import crc32

import asyncpg
import structlog

log = structlog.get_logger()

TRANSIENT: tuple[type[BaseException], ...] = (
    OSError,
    asyncio.TimeoutError,
    asyncpg.PostgresConnectionError,
    asyncpg.CannotConnectNowError,
    asyncpg.TooManyConnectionsError,
    asyncpg.InterfaceError,
    asyncpg.OperatorInterventionError,
    asyncpg.DeadlockDetectedError,
    asyncpg.LockNotAvailableError,
    asyncpg.SerializationError,
)
"""A database that is away, restarting or busy: wait and do it again; nothing was half done."""

SESSION = {
    "lock_timeout": "10s",
    "statement_timeout": "30s",
    "idle_in_transaction_session_timeout": "10s",
    "tcp_keepalives_idle": "60",
    "timezone": "UTC",
}
"""A worker that stopped inside a transaction must not hold up its successor (streaming.md 1.4 b); and what lies between
forgets no connection that is kept and seldom used."""


ANY_QUESTION = {
    "plan_cache_mode": "force_custom_plan",
    "jit": "off",
    "parallel_setup_cost": "20000",
}
"""For who narrows lists by what people type: a plan that suits most values reads a million rows for a rare one, and to
start a worker beside takes longer than most answers."""


_ARRAYS = (
    "SELECT $1::text[], $2::int[], $3::bigint[], $4::bool[], $5::bytea[], $6::date[], $7::jsonb[],"
    " $8::timestamptz[]"
)


async def pool(
    dsn: str,
    *,
    size: int = 6,
    patience_seconds: float = 60,
    settings: Mapping[str, str] = MappingProxyType({}),
) -> asyncpg.Pool:
    """A pool, as soon as the database answers; raises what kept it away when patience ends.

    All its connections are opened at once and kept: a new one takes 20 ms and more, when news has just come.
    """
    deadline = asyncio.get_running_loop().time() + patience_seconds
    while True:
        try:
            return await asyncpg.create_pool(
                dsn,
                min_size=size,
                max_size=size,
                timeout=5,
                server_settings={**SESSION, **settings},
                init=know_arrays,
                reset=_nothing_to_reset,
            )
        except TRANSIENT:
            if asyncio.get_running_loop().time() > deadline:
                raise
            await asyncio.sleep(0.3)


async def know_arrays(connection: asyncpg.Connection) -> None:
    """Each type of array is asked of the catalogue once a connection: better before there is work."""
    await connection.prepare(_ARRAYS)


async def _nothing_to_reset(_: asyncpg.Connection) -> None:
    """A pool's connections are never left with a listener, a session lock or a setting.

    asyncpg's own reset would be one round trip more for each query (measured: half of them).
    """


async def connect(dsn: str) -> asyncpg.Connection:
    """A connection of its own, for listening or for a session's advisory lock."""
    return await asyncpg.connect(dsn, timeout=5, server_settings=SESSION)


@asynccontextmanager
async def leading(
    dsn: str, role: str, *, retry_seconds: float = 1
) -> AsyncIterator[asyncpg.Connection]:
    """Wait to be the one process that plays this role; gives the connection that holds the lock.

    The lock goes with the connection: whoever leads must stop when it is closed.
    """
    key = crc32(role.encode())
    while True:
        connection = None
        try:
            connection = await connect(dsn)
            if await connection.fetchval("SELECT pg_try_advisory_lock($1)", key):
                break
            await connection.close()
        except TRANSIENT as error:
            log.info("waiting_for_database", role=role, error=type(error).__name__)
            if connection is not None:
                connection.terminate()
        except asyncio.CancelledError:
            if connection is not None:
                connection.terminate()
            raise
        await asyncio.sleep(retry_seconds)
    try:
        yield connection
    finally:
        connection.terminate()

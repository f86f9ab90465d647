"""Work that one process does and the others wait for."""

import asyncio
from collections.abc import Awaitable, Callable

import structlog

from hourbook_kit.postgres import TRANSIENT, leading

log = structlog.get_logger()

BEAT_SECONDS = 5


async def lead(dsn: str, role: str, work: Callable[[], Awaitable[None]]) -> None:
    """Do it as long as we hold the role; begin again when we hold it again."""
    while True:
        async with leading(dsn, role) as connection:
            log.info("leading", role=role)
            leader = asyncio.ensure_future(work())
            try:
                while not leader.done():
                    await connection.execute("SELECT 1")
                    await asyncio.wait([leader], timeout=BEAT_SECONDS)
                await leader
            except TRANSIENT as error:
                log.warning("role_lost", role=role, error=type(error).__name__)
            finally:
                leader.cancel()
                await asyncio.gather(leader, return_exceptions=True)
        await asyncio.sleep(1)

"""One connection to PostgreSQL that comes back: what fails in passing is done again, the rest is not."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

import asyncpg
import structlog

from hourbook_kit.crash import die
from hourbook_kit.health import Health
from hourbook_kit.postgres import TRANSIENT, connect

log = structlog.get_logger()

PATIENCE_SECONDS = 45
"""Below Kafka's `max_poll_interval`; then whoever restarts us finds PostgreSQL back, or us gone."""

_Result = TypeVar("_Result")


class Session:
    """For one task at a time. A transaction that was lost is repeated: the checkpoint makes that harmless."""

    def __init__(self, dsn: str, health: Health) -> None:
        self._dsn, self._health = dsn, health
        self._connection: asyncpg.Connection | None = None

    async def run(self, work: Callable[[asyncpg.Connection], Awaitable[_Result]]) -> _Result:
        """Do this work, again while it fails in passing; ends the process when patience does."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + PATIENCE_SECONDS
        while True:
            try:
                if self._connection is None or self._connection.is_closed():
                    self._connection = await connect(self._dsn)
                done = await work(self._connection)
            except asyncpg.LockNotAvailableError:
                self._hinder(
                    "waits for a lock: a rebuild runs, or another worker holds the partition"
                )
                deadline = loop.time() + PATIENCE_SECONDS
            except TRANSIENT as error:
                self._hinder("does not answer, or went away")
                log.warning("database_waits", error=type(error).__name__)
                self.close()
                if loop.time() > deadline:
                    die("PostgreSQL stayed away", error=type(error).__name__)
                await asyncio.sleep(0.25)
            else:
                self._health.clear("postgres")
                return done

    def close(self) -> None:
        """Without a farewell: what was not committed is undone."""
        if self._connection is not None:
            self._connection.terminate()
            self._connection = None

    def _hinder(self, what: str) -> None:
        self._health.hinder("postgres", f"PostgreSQL {what}")

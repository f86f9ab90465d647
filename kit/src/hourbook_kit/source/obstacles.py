"""What stands in a source's way, in health and in the table that query-api shows."""

from contextlib import suppress

import asyncpg

from hourbook_kit.health import Health
from hourbook_kit.postgres import TRANSIENT


class Obstacles:
    """One is written when it comes, changes or goes; by whom it was seen last does not matter."""

    def __init__(self, pool: asyncpg.Pool, health: Health) -> None:
        self._pool, self._health = pool, health
        self._known: dict[tuple[str, str], str | None] = {}
        """As this process wrote it; what it never wrote, another one may have."""

    async def hinder(self, connection: str, name: str, sentence: str) -> None:
        self._health.hinder(f"{name} {connection}", sentence)
        if self._known.get((connection, name)) == sentence:
            return
        with suppress(*TRANSIENT):
            await self._pool.execute(
                "INSERT INTO ingest.obstacles (connection, name, sentence) VALUES ($1, $2, $3)"
                " ON CONFLICT (connection, name) DO UPDATE SET sentence = excluded.sentence",
                connection,
                name,
                sentence,
            )
            self._known[connection, name] = sentence

    async def clear(self, connection: str, *names: str) -> None:
        for name in names:
            self._health.clear(f"{name} {connection}")
            if self._known.get((connection, name), "") is None:
                continue
            with suppress(*TRANSIENT):
                await self._pool.execute(
                    "DELETE FROM ingest.obstacles WHERE connection = $1 AND name = $2",
                    connection,
                    name,
                )
                self._known[connection, name] = None

"""Kimai's names, kept: for people who make mappings, and for us to say why Kimai refuses one of them."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field

import asyncpg

from hourbook_contracts.kimai.names import Named
from hourbook_kit.control import ControlTail
from hourbook_kit.target import protocol
from hourbook_push_kimai.forgetting import forget_now, without_name

FRESH_SECONDS = 60.0


@dataclass
class Directory:
    """Of one target; read whole at each sweep, and once more where something is not explained."""

    target: str
    kimai: protocol.Target
    pool: asyncpg.Pool
    control: ControlTail
    names: dict[tuple[str, int], Named] = field(default_factory=dict)
    _read_at: float | None = None

    async def refresh(self) -> None:
        """The directory becomes what the token may list now, without the names of people who were erased."""
        read_at = time.monotonic()
        found = await self.kimai.directory()
        await self._store(found)
        self.names = {(named.kind, named.id): named for named in self._kept(found)}
        self._read_at = read_at

    async def fresh(self) -> dict[tuple[str, int], Named]:
        """Not older than a minute."""
        if self._read_at is None or time.monotonic() - self._read_at > FRESH_SECONDS:
            await self.refresh()
        return self.names

    def _kept(self, found: Sequence[Named]) -> list[Named]:
        erased = self.control.installation.erased
        return [without_name(self.target, named, erased) for named in found]

    async def _store(self, found: Sequence[Named]) -> None:
        async with self.pool.acquire() as connection, connection.transaction():
            await connection.execute("DELETE FROM push.directory WHERE target = $1", self.target)
            await connection.executemany(
                "INSERT INTO push.directory (target, kind, id, name, parent_id, visible, time_zone)"
                " VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING",
                [
                    (
                        self.target,
                        named.kind,
                        named.id,
                        named.name,
                        named.parent_id,
                        named.visible,
                        named.time_zone,
                    )
                    for named in self._kept(found)
                ],
            )
        await forget_now(self.pool, self.control.installation.erased)  # of whom we heard meanwhile

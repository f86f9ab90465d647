"""One Kimai as this process knows it: its settings, what stands in its way, and when to try again."""

import asyncio
import random
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from zoneinfo import ZoneInfo

import asyncpg
import structlog

from hourbook_contracts.installation import Target
from hourbook_contracts.ledger import TimesheetRequested
from hourbook_kit.control import ControlTail
from hourbook_kit.health import Health
from hourbook_kit.postgres import TRANSIENT
from hourbook_kit.vault import Vault
from hourbook_push_kimai.kimai import BrokenWorldError, Caller, Kimai

log = structlog.get_logger()

FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 0.25, 20.0
UNREACHABLE = "unreachable"


@dataclass
class Obstacles:
    """What stands in a target's way, in health and in the table that query-api shows."""

    target: str
    pool: asyncpg.Pool
    health: Health

    async def hinder(self, name: str, sentence: str) -> None:
        self.health.hinder(f"{self.target}:{name}", sentence)
        log.warning("hindered", target=self.target, obstacle=name, sentence=sentence)
        with suppress(*TRANSIENT):
            await self.pool.execute(
                "INSERT INTO push.obstacles (target, name, sentence) VALUES ($1, $2, $3)"
                " ON CONFLICT (target, name) DO UPDATE SET sentence = excluded.sentence",
                self.target,
                name,
                sentence,
            )

    async def forget(self) -> None:
        """The target was removed, or we begin with it: nothing is known to stand in its way."""
        for name in [name for name in self.health.obstacles if name.startswith(f"{self.target}:")]:
            self.health.clear(name)
        with suppress(*TRANSIENT):
            await self.pool.execute("DELETE FROM push.obstacles WHERE target = $1", self.target)

    async def clear(self, name: str) -> None:
        self.health.clear(f"{self.target}:{name}")
        with suppress(*TRANSIENT):
            await self.pool.execute(
                "DELETE FROM push.obstacles WHERE target = $1 AND name = $2", self.target, name
            )


@dataclass
class World:
    """A target that is connected; `well` while it answers, `wake` when its writers should look again."""

    name: str
    kimai: Kimai
    control: ControlTail
    pool: asyncpg.Pool
    vault: Vault
    obstacles: Obstacles
    caught_up: asyncio.Event
    """The whole ledger, as it was at our start, was read."""
    said: dict[str, bytes] = field(default_factory=dict)
    """Answers, by `ce_id`, that were recorded and not read back yet."""
    wake: asyncio.Event = field(default_factory=asyncio.Event)
    well: asyncio.Event = field(default_factory=asyncio.Event)
    caller: Caller | None = None
    _sick: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def target(self) -> Target | None:
        """As set now; None: it was removed."""
        return self.control.installation.targets.get(self.name)

    def zone_of(self, user_id: int) -> ZoneInfo:
        return self.control.installation.policy.zone_of(self.name, user_id)

    def zones_of(self, request: TimesheetRequested) -> Mapping[int, ZoneInfo]:
        return {
            work.place.user_id: self.zone_of(work.place.user_id)
            for work in (request.want, request.expected)
            if work is not None and work.place is not None
        }

    async def broken(self, sentence: str) -> None:
        """Stop claiming; `heal` tries again."""
        self.well.clear()
        self._sick.set()
        await self.obstacles.hinder(UNREACHABLE, sentence)

    async def heal(self) -> None:
        """Ask who we are until Kimai answers, ever more patiently; then let the others go on."""
        pause = FIRST_PAUSE_SECONDS
        while True:
            try:
                self.caller = await self.kimai.me()
            except BrokenWorldError as error:
                await self.obstacles.hinder(UNREACHABLE, str(error))
                await asyncio.sleep(pause * random.uniform(0.7, 1.3))  # noqa: S311 -- so that replicas do not march in step
                pause = min(LONGEST_PAUSE_SECONDS, pause * 2)
                continue
            self._sick.clear()
            self.well.set()
            self.wake.set()
            await self.obstacles.clear(UNREACHABLE)
            await self._sick.wait()
            await asyncio.sleep(FIRST_PAUSE_SECONDS * random.uniform(0.7, 1.3))  # noqa: S311 -- see above

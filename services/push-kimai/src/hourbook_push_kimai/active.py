"""The one process that plays push: it hears the ledger, writes to each Kimai, and observes it.

Others stand by for the advisory lock. Safety does not hang on it: two that write at once are fenced
by claim, send window, grace and the recording's compare-and-set (protocol.md 5).
"""

import asyncio
from contextlib import suppress
from dataclasses import dataclass, field
from typing import NamedTuple

import asyncpg
import structlog

from hourbook_contracts.installation import Target
from hourbook_kit.control import ControlTail
from hourbook_kit.crash import spawn
from hourbook_kit.health import Health
from hourbook_kit.postgres import TRANSIENT, leading
from hourbook_kit.settings import KafkaSettings
from hourbook_kit.vault import Vault
from hourbook_push_kimai.hear import Hearing, Said
from hourbook_push_kimai.kimai import connected
from hourbook_push_kimai.lanes import Lanes
from hourbook_push_kimai.looks import Looks
from hourbook_push_kimai.observer import observer
from hourbook_push_kimai.world import Obstacles, World
from hourbook_push_kimai.writer import writer

log = structlog.get_logger()

ROLE = "push-kimai"
INSTALLATION_KEY = "installation:marker"
NO_TOKEN = "no_token"  # noqa: S105 -- the name of an obstacle
PULSE_SECONDS = 5.0


class Wiring(NamedTuple):
    """Of a target: what a running connection to it was made with."""

    base_url: str
    secret_version: int
    timeout_seconds: float
    send_window_seconds: float


@dataclass
class Active:
    settings: KafkaSettings
    dsn: str
    pool: asyncpg.Pool
    control: ControlTail
    vault: Vault
    health: Health
    worlds: dict[str, World] = field(default_factory=dict)
    said: Said = field(default_factory=dict)

    async def run(self) -> None:
        """Stand by, lead, and stand by again when the lock is lost."""
        while True:
            async with leading(self.dsn, ROLE) as connection:
                log.info("leading", role=ROLE)
                work = spawn(self._lead(), "push")
                try:
                    await _until_lost(connection)
                finally:
                    await _end(work)
                log.warning("no_longer_leading", role=ROLE)

    async def _lead(self) -> None:
        hearing = Hearing(
            settings=self.settings,
            pool=self.pool,
            control=self.control,
            marker_key=await self._marker_key(),
            heard=self._wake,
            said=self.said,
        )
        work = [spawn(hearing.run(), "hear"), spawn(self._targets(hearing.caught_up), "targets")]
        try:
            await asyncio.wait(work)  # unlike `gather` it passes no cancellation on: once is enough
        finally:
            await _end(*work)

    async def _marker_key(self) -> bytes:
        while True:
            with suppress(*TRANSIENT):
                key = (await self.vault.ensure_keys([INSTALLATION_KEY]))[INSTALLATION_KEY]
                if key is None:
                    raise RuntimeError("the installation's marker key was destroyed")
                return key
            await asyncio.sleep(0.3)

    def _wake(self) -> None:
        for world in self.worlds.values():
            world.wake.set()

    async def _targets(self, caught_up: asyncio.Event) -> None:
        """Keep one connection running for each target, as it is set now."""
        running: dict[str, tuple[Wiring, asyncio.Task[None]]] = {}
        try:
            while True:
                changed = self.control.changed
                wanted = {
                    name: _wiring(target)
                    for name, target in self.control.installation.targets.items()
                }
                for name, (wiring, task) in list(running.items()):
                    if wanted.get(name) != wiring:
                        await _end(task)
                        await Obstacles(name, self.pool, self.health).forget()
                        del running[name]
                for name, wiring in wanted.items():
                    if name not in running:
                        task = spawn(self._target(name, wiring, caught_up), f"target {name}")
                        running[name] = (wiring, task)
                self._wake()
                await changed.wait()
        finally:
            await _end(*(task for _, task in running.values()))

    async def _target(self, name: str, wiring: Wiring, caught_up: asyncio.Event) -> None:
        obstacles = Obstacles(name, self.pool, self.health)
        await obstacles.forget()
        token = await self._token(name, wiring.secret_version, obstacles)
        async with connected(
            wiring.base_url, token, timeout_seconds=wiring.timeout_seconds
        ) as kimai:
            world = World(
                name, kimai, self.control, self.pool, self.vault, obstacles, caught_up, self.said
            )
            lanes = Lanes(world, writer(world, Looks(wiring.send_window_seconds)))
            self.worlds[name] = world
            work = [
                spawn(world.heal(), f"heal {name}"),
                spawn(lanes.run(), f"lanes {name}"),
                spawn(observer(world).run(), f"observer {name}"),
            ]
            try:
                await asyncio.wait(
                    work
                )  # unlike `gather` it passes no cancellation on: once is enough
            finally:
                await _end(*work)
                del self.worlds[name]

    async def _token(self, name: str, version: int, obstacles: Obstacles) -> str:
        while True:
            with suppress(*TRANSIENT):
                token = await self.vault.secret_of(name, "token", version)
                if token is not None:
                    await obstacles.clear(NO_TOKEN)
                    return token
                await obstacles.hinder(NO_TOKEN, f"The vault holds no token for {name}.")
            await asyncio.sleep(1)


async def _until_lost(connection: asyncpg.Connection) -> None:
    """A pulse, because a connection may die without a word."""
    lost = asyncio.Event()
    connection.add_termination_listener(lambda *_: lost.set())
    while not lost.is_set():
        with suppress(TimeoutError):
            async with asyncio.timeout(PULSE_SECONDS):
                await lost.wait()
            return
        try:
            await connection.execute("SELECT 1", timeout=PULSE_SECONDS)
        except TRANSIENT:
            return


async def _end(*work: asyncio.Task[None]) -> None:
    for task in work:
        task.cancel()
    await asyncio.gather(*work, return_exceptions=True)


def _wiring(target: Target) -> Wiring:
    settings = target.configured
    return Wiring(
        settings.base_url,
        settings.secret_version,
        settings.timeout_seconds,
        settings.send_window_seconds,
    )

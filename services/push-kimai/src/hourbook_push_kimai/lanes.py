"""Who writes when: serial for a Kimai user, several users at once, nothing that may not be claimed.

A lane carries out the rows of one user, one after the other, until none is due. What Kimai has answered is
recorded while the next row is carried out.
"""

import asyncio
import time
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta

import structlog

from hourbook_contracts.installation import Target
from hourbook_kit.crash import spawn
from hourbook_kit.postgres import TRANSIENT
from hourbook_push_kimai import effects
from hourbook_push_kimai.effects import Gate
from hourbook_push_kimai.world import World
from hourbook_push_kimai.writer import Recording, Writer

log = structlog.get_logger()

IDLE_SECONDS = 5.0
TOO_MANY = "too_many_changes"


@dataclass
class Lanes:
    world: World
    writer: Writer
    _running: dict[int, asyncio.Task[None]] = field(default_factory=dict)
    _gate: Gate | None = None
    _released: int = 0

    async def run(self) -> None:
        """For ever; on cancellation the writes under way come to their end first."""
        await self.world.caught_up.wait()
        try:
            while True:
                await self.world.well.wait()
                self.world.wake.clear()
                pause = await self._start_lanes()
                with suppress(TimeoutError):
                    async with asyncio.timeout(
                        pause
                    ):  # `wait_for` may swallow a cancellation (3.11)
                        await self.world.wake.wait()
        finally:
            self._gate = None
            if self._running:
                await asyncio.wait(self._running.values())

    async def _start_lanes(self) -> float:
        """Start a lane for each user with work; gives the seconds until there may be more."""
        try:
            target = self.world.target
            if target is None or self.world.holds_writes:
                self._gate = None
                return IDLE_SECONDS
            gate, next_look = await self._open(target)
            self._gate = gate
            free = target.configured.concurrent_writes - len(self._running)
            if free > 0:
                users = await effects.users_with_work(
                    self.world.pool, self.world.name, gate, busy=self._running, limit=free
                )
                for user_id in users:
                    lane = spawn(self._lane(user_id), f"lane {self.world.name} {user_id}")
                    self._running[user_id] = lane
        except TRANSIENT as error:
            log.warning("writers_wait_for_database", error=type(error).__name__)
            return 0.3
        return IDLE_SECONDS if next_look is None else min(IDLE_SECONDS, max(0.05, next_look + 0.01))

    async def _open(self, target: Target) -> tuple[Gate, float | None]:
        """What may be claimed now, and the seconds until a row in flight may be looked up."""
        if target.released > self._released:
            await effects.release(self.world.pool, self.world.name, target.released)
            self._released = target.released
        gate = _gate(target)
        waiting, next_look = await effects.survey(self.world.pool, self.world.name, gate)
        if not target.writing or waiting <= target.configured.write_cap:
            await self._uncapped()
            return gate, next_look
        await self.world.obstacles.hinder(
            TOO_MANY,
            f"{waiting} writes wait for {target.name}, and more than {target.configured.write_cap}"
            " at once need a person's word.",
        )
        return _gate(target, capped=True), next_look

    async def _uncapped(self) -> None:
        if self._gate is None or self._gate.capped:
            await self.world.obstacles.clear(TOO_MANY)

    async def _lane(self, user_id: int) -> None:
        recording: Recording = None
        try:
            while (
                self._gate is not None and self.world.well.is_set() and not self.world.holds_writes
            ):
                claimed_at = time.monotonic()
                claimed = await effects.claim(self.world.pool, self.world.name, user_id, self._gate)
                if claimed is None:
                    return
                before, recording = recording, await self.writer.carry_out(claimed, claimed_at)
                if before is not None:
                    await before
        except TRANSIENT as error:
            log.warning("writers_wait_for_database", error=type(error).__name__)
            await asyncio.sleep(0.3)
        finally:
            if recording is not None:
                await asyncio.wait([recording])
            self._running.pop(user_id, None)
            self.world.wake.set()


def _gate(target: Target, *, capped: bool = False) -> Gate:
    return Gate(
        writing=target.writing,
        start_on=target.start_on,
        capped=capped,
        grace=timedelta(seconds=target.configured.grace_seconds),
    )

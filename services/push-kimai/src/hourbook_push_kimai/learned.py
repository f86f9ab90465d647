"""What a Kimai does not tell and answers teach: its rounding, its lockdown, whether it lets us see others.

Rounding and overlap concern plans, so they are told on the control topic; the rest is push's own.
"""

import json
from dataclasses import dataclass, field
from datetime import datetime

import asyncpg
import structlog

from hourbook_contracts.codec import encode
from hourbook_contracts.control import TargetLearned
from hourbook_contracts.topics import CONTROL
from hourbook_kit import clock, outbox
from hourbook_kit.control import ControlTail
from hourbook_push_kimai.rounding import Guess, Guesses, Times

log = structlog.get_logger()

BY = "push-kimai"


@dataclass
class Learned:
    target: str
    pool: asyncpg.Pool
    control: ControlTail
    locked_until: datetime | None = None
    """The last begin that Kimai was seen to lock."""
    guesses: dict[int, Guesses] = field(default_factory=dict)
    """By weekday."""
    _told: TargetLearned | None = None
    _is_read: bool = False

    async def read(self) -> None:
        """What an earlier process has learned."""
        if self._is_read:
            return
        self.locked_until = await self.pool.fetchval(
            "SELECT locked_until FROM push.observed WHERE target = $1", self.target
        )
        rows = await self.pool.fetch(
            "SELECT weekday, guesses FROM push.rounding WHERE target = $1", self.target
        )
        self.guesses = {row["weekday"]: _guesses(row["guesses"]) for row in rows}
        self._is_read = True

    async def lock(self, moment: datetime | None) -> None:
        """A begin that Kimai was seen to lock; None: it locks none any more."""
        if moment is not None and self.locked_until is not None:
            moment = max(moment, self.locked_until)
        if moment == self.locked_until:
            return
        self.locked_until = moment
        await self.pool.execute(
            "INSERT INTO push.observed (target, locked_until) VALUES ($1, $2)"
            " ON CONFLICT (target) DO UPDATE SET locked_until = excluded.locked_until",
            self.target,
            moment,
        )
        log.info("lockdown_learned", target=self.target, locked_until=moment)

    async def rounding(self, weekday: int, asked: Times, stored: Times) -> None:
        """What Kimai made of what we asked."""
        known = self.guesses.get(weekday, Guesses())
        learned = known.learn(asked, stored)
        if learned == known:
            return
        self.guesses[weekday] = learned
        await self.pool.execute(
            "INSERT INTO push.rounding (target, weekday, guesses) VALUES ($1, $2, $3)"
            " ON CONFLICT (target, weekday) DO UPDATE SET guesses = excluded.guesses",
            self.target,
            weekday,
            json.dumps([learned.begin, learned.end, learned.duration]),
        )
        if learned.step_seconds > self._known.step_seconds:
            await self._tell(step_seconds=learned.step_seconds)

    async def overlap(self, *, allowed: bool) -> None:
        if allowed != self._known.allows_overlap:
            await self._tell(allows_overlap=allowed)

    @property
    def _known(self) -> TargetLearned:
        """As told last, by us or by an earlier process."""
        target = self.control.installation.targets.get(self.target)
        said = target.learned if target else None
        if self._told is not None and said == self._told:
            self._told = None  # it was read back; from now on the topic says how it is
        return (
            self._told
            or said
            or TargetLearned(observed_at=clock.now(), by=BY, connection=self.target)
        )

    async def _tell(self, **learned: object) -> None:
        told = self._known.model_copy(update={"observed_at": clock.now(), "by": BY, **learned})
        async with self.pool.acquire() as connection, connection.transaction():
            await outbox.put(connection, "push", CONTROL.name, [encode(told)])
        self._told = told
        log.info("target_learned", target=self.target, **learned)


def _guesses(stored: str) -> Guesses:
    begin, end, duration = (
        tuple(Guess(step, direction) for step, direction in axis) for axis in json.loads(stored)
    )
    return Guesses(begin, end, duration)

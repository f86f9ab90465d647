"""One Kimai as this process knows it: its settings, what stands in its way, and when to try again."""

import asyncio
import random
import time
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from zoneinfo import ZoneInfo

import asyncpg
import structlog

from hourbook_contracts.installation import Target
from hourbook_contracts.kimai.rules import Rules
from hourbook_contracts.kimai.violations import LOCKED
from hourbook_contracts.ledger import TimesheetRequested
from hourbook_kit.control import ControlTail
from hourbook_kit.health import Health
from hourbook_kit.postgres import TRANSIENT
from hourbook_kit.target import protocol
from hourbook_kit.target.protocol import BrokenWorldError, Caller, NotReadableError, Timesheet
from hourbook_kit.vault import Vault
from hourbook_push_kimai.directory import Directory
from hourbook_push_kimai.learned import Learned
from hourbook_push_kimai.rounding import NOTHING_LEARNED, Guesses, weekday_of

log = structlog.get_logger()

FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 0.25, 20.0
RULES_SECONDS = 300
AGAIN_SECONDS = 60.0
UNREACHABLE, UNFIT, BLIND = "unreachable", "unfit", "blind"
NO_SIGHT = (
    "The token may write timesheets for others and not see them: nothing more is written, since a"
    " write whose answer is lost could not be found again. Grant its role view_other_timesheet in"
    " Kimai under System → Roles."
)


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
    kimai: protocol.Target
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
    rules: Rules | None = None
    rules_read_at: float = 0.0
    """By the monotonic clock."""
    directory: Directory = field(init=False)
    learned: Learned = field(init=False)
    sees_others: bool = False
    """Whether a row of somebody else's was ever shown to us: without view_other_timesheet none is."""
    blind: bool = False
    """Kimai did not show us a row that we wrote: nothing more is written."""
    alarmed: bool = False
    """So many rows were missing at once that nothing is believed and nothing written."""
    _sick: asyncio.Event = field(default_factory=asyncio.Event)
    _looked_again_at: float = -AGAIN_SECONDS

    def __post_init__(self) -> None:
        self.directory = Directory(self.name, self.kimai, self.pool, self.control)
        self.learned = Learned(self.name, self.pool, self.control)

    @property
    def target(self) -> Target | None:
        """As set now; None: it was removed."""
        return self.control.installation.targets.get(self.name)

    @property
    def holds_writes(self) -> bool:
        """Whether nothing may be written for reasons of this Kimai."""
        return self.blind or self.alarmed

    @property
    def allows_overlap(self) -> bool:
        return self.rules is None or self.rules.allows_overlap

    @property
    def allows_future(self) -> bool:
        return self.rules is None or self.rules.allows_future

    def guesses_of(self, row: Timesheet) -> Guesses:
        """Of Kimai's rounding on the day on which the row ends."""
        weekday = weekday_of(row, self.zone_of(row.user_id))
        return self.learned.guesses.get(weekday, NOTHING_LEARNED)

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
        self._fall_ill()
        await self.obstacles.hinder(UNREACHABLE, sentence)

    async def learn_rules(self) -> Rules:
        """How this Kimai is set now; one that is set so that we cannot work with it makes us wait."""
        before, self.rules = self.rules, await self.kimai.rules(self.rules)
        self.rules_read_at = time.monotonic()
        if self.rules.unfit is not None:
            self._fall_ill()
            await self.obstacles.hinder(UNFIT, self.rules.unfit)
        elif before is None or before.unfit is not None:
            await self.obstacles.clear(UNFIT)
        await self.learned.overlap(allowed=self.rules.allows_overlap)
        return self.rules

    async def look_again(self) -> bool:
        """Whether what is remembered of projects and locks was read anew: at most once a minute."""
        now = time.monotonic()
        if now - self._looked_again_at < AGAIN_SECONDS:
            return False
        self._looked_again_at = now
        await self.directory.fresh()
        await self.check_lock()
        return True

    async def check_lock(self) -> None:
        """Ask whether what was seen to be locked still is: Kimai judges a new row there, and takes none."""
        until = self.learned.locked_until
        if until is None:
            return
        ends_at = until + timedelta(minutes=1)
        form = await self.kimai.form(begin=until.isoformat(), end=ends_at.isoformat())
        if form is not None and LOCKED not in form.everywhere:
            await self.learned.lock(None)

    async def known_rules(self) -> Rules:
        """As they were a few minutes ago, or are now: what Kimai refuses makes us look at once."""
        if self.rules is None or time.monotonic() - self.rules_read_at >= RULES_SECONDS:
            return await self.learn_rules()
        return self.rules

    async def saw(self, rows: Iterable[Timesheet]) -> None:
        """Rows that Kimai showed us; one of somebody else's proves that we would find our own."""
        if self.caller is None or (self.sees_others and not self.blind):
            return
        if any(row.user_id != self.caller.id for row in rows):
            self.sees_others, self.blind = True, False
            await self.obstacles.clear(BLIND)
            self.wake.set()

    async def look_back(self, row: Timesheet) -> None:
        """A token that may write and not see would never find what an uncertain write has left."""
        if self.sees_others or self.caller is None or row.user_id == self.caller.id:
            return
        try:
            seen = await self.kimai.read(row.id)
        except NotReadableError:
            self.blind = True
            await self.obstacles.hinder(BLIND, NO_SIGHT)
        except BrokenWorldError as error:
            log.warning("not_looked_back", sentence=str(error))
        else:
            await self.saw([seen] if seen else [])

    async def _remember(self) -> None:
        """What an earlier process knew of this Kimai."""
        await self.learned.read()
        alarmed_at = await self.pool.fetchval(
            "SELECT alarmed_at FROM push.observed WHERE target = $1", self.name
        )
        self.alarmed = alarmed_at is not None

    def _fall_ill(self) -> None:
        self.well.clear()
        self._sick.set()

    async def heal(self) -> None:
        """Ask who we are until Kimai answers, ever more patiently; then let the others go on."""
        pause = FIRST_PAUSE_SECONDS
        while True:
            try:
                self.caller = await self.kimai.me()
                await self._remember()
                rules = await self.learn_rules()
            except BrokenWorldError as error:
                await self.obstacles.hinder(UNREACHABLE, str(error))
                pause = await _paused(pause)
                continue
            except TRANSIENT as error:
                log.warning("healing_waits_for_database", error=type(error).__name__)
                pause = await _paused(FIRST_PAUSE_SECONDS)
                continue
            await self.obstacles.clear(UNREACHABLE)
            if rules.unfit is not None:
                pause = await _paused(pause)
                continue
            self._sick.clear()
            self.well.set()
            self.wake.set()
            await self._sick.wait()
            pause = await _paused(FIRST_PAUSE_SECONDS)


async def _paused(seconds: float) -> float:
    """Wait about so long; gives how long to wait the next time."""
    await asyncio.sleep(seconds * random.uniform(0.7, 1.3))  # noqa: S311 -- so that replicas do not march in step
    return min(LONGEST_PAUSE_SECONDS, seconds * 2)

"""The look before a write, taken in Kimai: the worker's day or the row, and the markers of earlier attempts."""

import asyncio
import time
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from datetime import time as time_of_day
from zoneinfo import ZoneInfo

from opentelemetry import trace

from hourbook_contracts.ids import number_of
from hourbook_contracts.installation import Target
from hourbook_kit.target.protocol import BrokenWorldError, end_of
from hourbook_push_kimai import effects, look, readings
from hourbook_push_kimai.effects import Claim
from hourbook_push_kimai.look import Asked, Refuse, Verdict
from hourbook_push_kimai.looks import Day, DayLook, Looks
from hourbook_push_kimai.rounding import NOTHING_LEARNED
from hourbook_push_kimai.world import World

SPILL = timedelta(days=1)
"""A timesheet that begins before a day may last into it; a longer one is left to Kimai's own test."""
AHEAD = timedelta(days=15)
"""Days as near as this that wait for creates are read with the one that is looked at."""


@dataclass(frozen=True, slots=True)
class Looked:
    """What the look says, the number it was taken under, and from when its age counts."""

    verdict: Verdict
    no: int
    since: float


@dataclass(frozen=True, slots=True)
class Looking:
    world: World
    looks: Looks

    async def look(self, claimed: Claim, target: Target) -> Looked:
        asked = self._asked(claimed, target)
        with trace.get_tracer("hourbook").start_as_current_span("look"):
            if claimed.request.op == "create":
                return await self._at_day(claimed, asked)
            return await self._at_row(claimed, asked)

    def _asked(self, claimed: Claim, target: Target) -> Asked:
        zones = self.world.zones_of(claimed.request)
        work = claimed.request.want or claimed.request.expected
        assert work is not None  # noqa: S101 -- a request of nothing from nothing is no effect
        ends_at = end_of(work).astimezone(zones[claimed.user_id])
        return Asked(
            request=claimed.request,
            target=self.world.name,
            zone=zones[claimed.user_id],
            code=claimed.code,
            first=claimed.first,
            closed=any(target.is_closed(day) for day in look.days_of(claimed.request, zones)),
            begins_at=claimed.begins_at,
            guesses=self.world.learned.guesses.get(ends_at.isoweekday(), NOTHING_LEARNED),
        )

    async def _at_day(self, claimed: Claim, asked: Asked) -> Looked:
        """The worker's day; by marker too where an earlier attempt or create may have left a row."""
        world, request = self.world, claimed.request
        assert request.want is not None  # noqa: S101 -- a create wants something
        earlier = frozenset[str]()
        if request.gen > 1:
            earlier = await effects.earlier_codes(world.pool, request)
        seen = await self.day(claimed.user_id, look.day_of(request.want, asked.zone), asked.zone)
        no, rows = seen.no, list(seen.rows.values())
        codes = sorted(earlier if claimed.first else earlier | {claimed.code or ""})
        if codes:
            no = await readings.next_no(world.pool)
            for code in codes:
                rows += await world.kimai.with_marker(code)
        asked = replace(asked, earlier_codes=earlier)
        suspects = [row.sheet(world.name) for row in look.suspects(asked, rows)]
        tied = await effects.tied_to(world.pool, suspects) if suspects else {}
        return Looked(look.at_create(asked, rows, tied), no, seen.taken_at)

    async def day(self, user_id: int, on: date, zone: ZoneInfo) -> DayLook:
        """What the worker's day holds; where begins are packed, also what lasts into it."""
        seen = self.looks.find(user_id, on)
        if seen is None:
            read = await self._read_days(user_id, on, zone)
            self.looks.keep(read.items())
            seen = read[on]
        return seen

    async def _read_days(self, user_id: int, on: date, zone: ZoneInfo) -> dict[date, DayLook]:
        """The day and those near it that wait for creates, too: in one look, which serves them all."""
        world, taken_at = self.world, time.monotonic()
        no, waiting = await asyncio.gather(
            readings.next_no(world.pool),
            effects.days_that_wait(world.pool, world.name, user_id, on - AHEAD, on + AHEAD),
        )
        if world.caller is None:
            raise BrokenWorldError("Kimai has not said yet who we are.")
        spill = timedelta(0) if world.allows_overlap else SPILL
        days = {day: _day(user_id, day, zone) for day in {on, *waiting}}
        rows = await world.kimai.begun_in(
            user_id, days[min(days)].first - spill, days[max(days)].last, world.caller
        )
        looks = {day: DayLook(it, it.first - spill, no, taken_at, {}) for day, it in days.items()}
        for look_ in looks.values():
            look_.rows.update((row.id, row) for row in rows if look_.lists(row))
        return looks

    async def _at_row(self, claimed: Claim, asked: Asked) -> Looked:
        world, sheet = self.world, claimed.request.sheet
        since, no = time.monotonic(), await readings.next_no(world.pool)
        if sheet is None:
            return Looked(Refuse("invalid", detail="The request names no timesheet."), no, since)
        row, tied = await asyncio.gather(
            world.kimai.read(number_of(sheet)), effects.tied_to(world.pool, [sheet])
        )
        judge = look.at_adopt if claimed.request.op == "adopt" else look.at_row
        return Looked(judge(asked, row, tied.get(sheet)), no, since)


def _day(user_id: int, on: date, zone: ZoneInfo) -> Day:
    return Day(user_id, midnight(on, zone), midnight(on + timedelta(days=1), zone))


def midnight(on: date, zone: ZoneInfo) -> datetime:
    return datetime.combine(on, time_of_day(), tzinfo=zone)

"""One write: look, compare, place, send, and record what became of it.

Its fence is the row itself: the claim's attempt is asked before anything is sent, unless the claim was made
just now; its age is taken by our own clock, and the outcome is recorded by compare-and-set.
"""

import asyncio
import time
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta

import structlog
from opentelemetry import trace

from hourbook_contracts.installation import Target
from hourbook_contracts.kimai.violations import CREATE_OTHER
from hourbook_contracts.ledger import Work
from hourbook_kit import clock
from hourbook_kit.crash import spawn
from hourbook_kit.postgres import TRANSIENT
from hourbook_kit.target.protocol import (
    BrokenWorld,
    BrokenWorldError,
    Forbidden,
    Gone,
    NotReadableError,
    NotSent,
    Outcome,
    Refused,
    Timesheet,
    Unknown,
    Written,
    end_of,
)
from hourbook_kit.telemetry import trace_of
from hourbook_push_kimai import effects, look
from hourbook_push_kimai.effects import Claim
from hourbook_push_kimai.explaining import Explaining
from hourbook_push_kimai.look import Absent, Holds, Refuse, Send
from hourbook_push_kimai.looking import Looking
from hourbook_push_kimai.looks import Looks
from hourbook_push_kimai.packing import Span, busy_of, slot
from hourbook_push_kimai.preflight import Circumstances, Wait, stands_against
from hourbook_push_kimai.recorder import Recorder
from hourbook_push_kimai.rounding import times_of, times_of_work, weekday_of
from hourbook_push_kimai.wording import text_of
from hourbook_push_kimai.world import World

log = structlog.get_logger()

SERVER_ERRORS_MAX = 5
"""Some of Kimai's 500s are definite (kimai-api.md 6): after so many that left nothing, we stop asking."""
DAY_FULL = (
    "This Kimai forbids overlap, and the worker's {0} has no free {1} minutes left: shorten or move"
    " something there, or allow overlap in Kimai (timesheet.rules.allow_overlapping_records)."
)
FRESH_SECONDS = 0.05
"""So young a claim, and younger than half its grace, is nobody else's: whoever would take it waits for that."""
STILL_FUTURE = timedelta(minutes=1)
"""Kimai's clock is behind ours: what it calls future is tried again so much later."""

Recording = asyncio.Task[None] | None
"""What still records Kimai's answer, if anything does: it needs nothing more of Kimai, and nobody else may do it."""


@dataclass(frozen=True, slots=True)
class Ready:
    """What is to be sent: the work with the begin it gets, and the row as it stands."""

    work: Work | None
    row: Timesheet | None


@dataclass(frozen=True, slots=True)
class Writer:
    """Carries out claimed rows of one target."""

    world: World
    looking: Looking
    recorder: Recorder
    explaining: Explaining
    crowded: set[tuple[str, int]] = field(default_factory=set)
    """Requests that Kimai refused as overlapping though we had found a free time."""

    async def carry_out(self, claimed: Claim, claimed_at: float) -> Recording:
        """`claimed_at`: the monotonic clock just before the claim."""
        request = claimed.request
        parent = [("traceparent", claimed.traceparent.encode())] if claimed.traceparent else []
        tracer = trace.get_tracer("hourbook")
        attributes = {"hourbook.posting": request.posting, "hourbook.op": request.op}
        with (
            structlog.contextvars.bound_contextvars(
                book=request.book, posting=request.posting, gen=request.gen
            ),
            tracer.start_as_current_span(
                f"push {request.op}", context=trace_of(parent), attributes=attributes
            ),
        ):
            return await self._carry_out(claimed, claimed_at)

    async def _carry_out(self, claimed: Claim, claimed_at: float) -> Recording:
        target = self.world.target
        if target is None or not self._in_time(target, claimed_at):
            await effects.not_sent(self.world.pool, claimed)
            return None
        try:
            looked = await self.looking.look(claimed, target)
            if not isinstance(looked.verdict, Send):
                await self.recorder.conclude(claimed, looked.verdict, no=looked.no)
            elif claimed.server_errors >= SERVER_ERRORS_MAX:
                detail = f"Kimai answered this write with {claimed.server_errors} server errors."
                refuse = Refuse("invalid", looked.verdict.row, detail=detail)
                await self.recorder.conclude(claimed, refuse, no=looked.no)
            else:
                return await self._send(claimed, looked.verdict, claimed_at, looked.since)
        except NotReadableError:
            detail = self.explaining.unseen(claimed.request)
            await self.recorder.conclude(claimed, Refuse("missing_permission", detail=detail))
        except BrokenWorldError as error:
            await effects.not_sent(self.world.pool, claimed)
            await self.world.broken(str(error))
        return None

    # ------------------------------------------------------------------------------------------ send
    async def _send(
        self, claimed: Claim, allowed: Send, claimed_at: float, looked_at: float
    ) -> Recording:
        world, target = self.world, self.world.target
        days = look.days_of(claimed.request, world.zones_of(claimed.request))
        if target is None or not all(target.may_write(day) for day in days):
            await self._hold_back(claimed, min(days))
            return None
        if any(target.is_closed(day) for day in days):
            await self.recorder.conclude(claimed, Refuse("closed", allowed.row))
            return None
        ready = await self._ready(claimed, allowed, target)
        if isinstance(ready, Refuse):
            await self.recorder.conclude(claimed, ready)
            return None
        if isinstance(ready, Wait):
            await effects.hold(world.pool, claimed, ready.until)
            return None
        text = await text_of(world.vault, claimed)
        chosen = _chosen(claimed, ready)
        fresh = time.monotonic() - claimed_at <= min(
            FRESH_SECONDS, target.configured.grace_seconds / 2
        )
        known = fresh and chosen is None
        if not known and not await effects.still_mine(world.pool, claimed, begins_at=chosen):
            return None
        if not self._in_time(target, min(claimed_at, looked_at)):
            await effects.not_sent(world.pool, claimed)
            return None
        method = {"create": "POST", "update": "PATCH"}.get(claimed.request.op, "DELETE")
        with trace.get_tracer("hourbook").start_as_current_span(method):
            outcome = await self._call(claimed, ready, text)
        return await self._settle(claimed, ready, outcome)

    async def _ready(self, claimed: Claim, allowed: Send, target: Target) -> Ready | Refuse | Wait:
        """The work with its begin, unless something stands against it."""
        world, work = self.world, claimed.request.want
        if work is not None and not world.allows_overlap:
            begins_at = await self._slot(claimed, work, allowed.row, target)
            if begins_at is None:
                on = look.day_of(work, world.zone_of(claimed.user_id))
                detail = DAY_FULL.format(on, -(-work.duration_seconds // 60))
                return Refuse("day_full", allowed.row, detail=detail)
            work = work.model_copy(update={"began_at": begins_at})
        against = stands_against(work, allowed.row, self._circumstances(claimed, target))
        if isinstance(against, Refuse) and await world.look_again():
            against = stands_against(work, allowed.row, self._circumstances(claimed, target))
        return Ready(work, allowed.row) if against is None else against

    async def _slot(
        self, claimed: Claim, want: Work, row: Timesheet | None, target: Target
    ) -> datetime | None:
        """Where it fits into the worker's day: where it is or was to be, else as near as it goes."""
        zone = self.world.zone_of(claimed.user_id)
        on = look.day_of(want, zone)
        seen = await self.looking.day(claimed.user_id, on, zone)
        wanted = want.began_at
        if row is not None and look.day_of(row.work(target.name), zone) == on:
            wanted = row.began_at
        length = timedelta(seconds=want.duration_seconds + (row.break_seconds if row else 0))
        busy = busy_of(seen.rows.values(), apart_from=row.id if row else None)
        day = Span(seen.day.first.astimezone(UTC), seen.day.last.astimezone(UTC))
        by_now = Span(day.begins, min(day.ends, max(day.begins, clock.now())))
        spans = [day] if self.world.allows_future else [by_now, day]
        found = (slot(span, wanted, length, busy, target.step_seconds) for span in spans)
        return next((begins for begins in found if begins is not None), None)

    def _circumstances(self, claimed: Claim, target: Target) -> Circumstances:
        return Circumstances(
            now=clock.now(),
            target=target,
            allows_future=self.world.allows_future,
            names=self.world.directory.names,
            zones=self.world.zones_of(claimed.request),
            locked_until=self.world.learned.locked_until,
        )

    async def _hold_back(self, claimed: Claim, day: date) -> None:
        """Writing was switched off, or begins later, while we looked."""
        if claimed.first:
            await effects.not_sent(self.world.pool, claimed, day=day)
        else:
            await effects.looked_up(self.world.pool, claimed, day=day)

    async def _call(self, claimed: Claim, ready: Ready, text: str) -> Outcome:
        kimai = self.world.kimai
        if ready.work is None and ready.row is not None:
            return await kimai.delete(ready.row.id)
        assert ready.work is not None  # noqa: S101 -- only a delete wants nothing
        if ready.row is None:
            return await kimai.create(ready.work, text)
        return await kimai.change(ready.row, ready.work, claimed.marker, claimed.request.text)

    async def _settle(self, claimed: Claim, ready: Ready, outcome: Outcome) -> Recording:
        """What the answer to our write means for its row."""
        world, request, conclude = self.world, claimed.request, self.recorder.conclude
        match outcome:
            case Written(row=None):
                self._forget(ready.row)
                await conclude(claimed, Absent())
            case Written(row=row) if row is not None:
                return await self._written(claimed, ready, row)
            case Gone():
                self._forget(ready.row)
                await conclude(claimed, Absent() if request.op == "delete" else Refuse("gone"))
            case Refused(why="future"):
                ends_at = end_of(ready.work) if ready.work else clock.now()
                later = max(ends_at, clock.now() + STILL_FUTURE)
                await effects.hold(world.pool, claimed, later)
            case Refused(why="overlap") if await self._may_pack_anew(claimed):
                await effects.not_sent(world.pool, claimed)
            case Refused():
                self.looking.looks.forget(claimed.user_id)
                refuse = await self.explaining.refused(request, ready.row, outcome)
                await conclude(claimed, refuse)
            case Forbidden():
                await conclude(claimed, await self.explaining.forbidden(request, ready.row))
            case Unknown(sentence=sentence, server_error=server_error):
                for user_id in world.zones_of(request):
                    self.looking.looks.forget(user_id)
                log.warning("write_uncertain", sentence=sentence)
                await effects.uncertain(world.pool, claimed, server_error=server_error)
            case NotSent(sentence=sentence) | BrokenWorld(sentence=sentence):
                await effects.not_sent(world.pool, claimed)
                await world.broken(sentence)
            case _:
                raise AssertionError(outcome)
        return None

    async def _written(self, claimed: Claim, ready: Ready, row: Timesheet) -> Recording:
        """Kimai's answer to our write; a row on another user than asked for is no answer to it."""
        place = ready.work.place if ready.work else None
        if place is not None and row.user_id != place.user_id:
            await self.recorder.conclude(claimed, await self._on_another(ready, row, place.user_id))
            return None
        self.looking.looks.written(row)
        self.crowded.discard((claimed.request.posting, claimed.request.gen))
        name = f"recording of {claimed.request.posting}"
        recording = spawn(self.recorder.conclude(claimed, Holds(row, sure=True)), name)
        if row.marker != claimed.marker:  # only its tie tells the next look whose it is
            await recording
        try:
            await self._learn(ready, row)
        except TRANSIENT:
            await recording  # for whom we leave nobody waits
            raise
        return recording

    async def _learn(self, ready: Ready, row: Timesheet) -> None:
        """Whether what we write can be seen, and what Kimai made of its times."""
        await self.world.look_back(row)
        stored = times_of(row)
        if ready.work is not None and stored is not None:
            weekday = weekday_of(row, self.world.zone_of(row.user_id))
            asked = times_of_work(ready.work, row.break_seconds)
            await self.world.learned.rounding(weekday, asked, stored)

    async def _on_another(self, ready: Ready, row: Timesheet, user_id: int) -> Refuse:
        """Never booked on the bot: what our own POST just left there is taken back."""
        detail = f"Kimai booked on its user {row.user_id} instead of {user_id}. {CREATE_OTHER}"
        if ready.row is not None:
            return Refuse("missing_permission", row, detail=detail)
        outcome = await self.world.kimai.delete(row.id)
        if not isinstance(outcome, Written | Gone):
            detail = f"{detail} Timesheet {row.id} still stands there: delete it in Kimai."
        return Refuse("missing_permission", detail=detail)

    async def _may_pack_anew(self, claimed: Claim) -> bool:
        """Overlap was forbidden, or a person booked there, since we looked; twice in a row it is an answer."""
        self.looking.looks.forget(claimed.user_id)
        key = (claimed.request.posting, claimed.request.gen)
        if key in self.crowded:
            self.crowded.discard(key)
            return False
        if not (await self.world.learn_rules()).allows_overlap:
            self.crowded.add(key)
        return key in self.crowded

    def _forget(self, row: Timesheet | None) -> None:
        if row is not None:
            self.looking.looks.removed(row.id)

    def _in_time(self, target: Target, since: float) -> bool:
        return time.monotonic() - since <= target.configured.send_window_seconds


def writer(world: World, looks: Looks) -> Writer:
    return Writer(world, Looking(world, looks), Recorder(world), Explaining(world))


def _chosen(claimed: Claim, ready: Ready) -> datetime | None:
    """The begin, where it is another than a later attempt would take it to be."""
    want = claimed.request.want
    if ready.work is None or want is None:
        return None
    taken_for = claimed.begins_at or want.began_at
    return None if ready.work.began_at == taken_for else ready.work.began_at

"""One write: look, compare, send, and record what became of it.

Its fence is the row itself: the claim's attempt is asked before the look and before anything is
sent, its age is taken by our own clock, and the outcome is recorded by compare-and-set.
"""

import asyncio
import time
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from datetime import time as time_of_day
from zoneinfo import ZoneInfo

import structlog
from opentelemetry import trace

from hourbook_contracts.codec import Record, encode, header
from hourbook_contracts.ids import number_of
from hourbook_contracts.installation import Target
from hourbook_contracts.ledger import PushRefused, TimesheetRequested, TimesheetWritten
from hourbook_contracts.marker import Marker
from hourbook_contracts.sealed import Sealed
from hourbook_kit import clock
from hourbook_kit.postgres import TRANSIENT
from hourbook_kit.sealing import TamperedError, unseal
from hourbook_kit.telemetry import trace_of, with_trace
from hourbook_push_kimai import answers, effects, look, readings
from hourbook_push_kimai.effects import Claim, TiedElsewhereError
from hourbook_push_kimai.kimai import BrokenWorldError, NotReadableError
from hourbook_push_kimai.look import Absent, Asked, Holds, Refuse, Send, Verdict
from hourbook_push_kimai.looks import Day, DayLook, Looks
from hourbook_push_kimai.outcome import (
    BrokenWorld,
    Forbidden,
    Gone,
    NotSent,
    Outcome,
    Refused,
    Unknown,
    Written,
)
from hourbook_push_kimai.payload import to_create, to_update
from hourbook_push_kimai.text import description
from hourbook_push_kimai.timesheet import Timesheet
from hourbook_push_kimai.world import World

log = structlog.get_logger()

SERVER_ERRORS_MAX = 5
"""Some of Kimai's 500s are definite (kimai-api.md 6): after so many that left nothing, we stop asking."""
TITLE = "title"
FORBIDDEN = (
    "Kimai answers 403: the token may not change this, or Kimai's own lockdown closed its period."
)


@dataclass(frozen=True, slots=True)
class Looked:
    """What the look says, the number it was taken under, and from when its age counts."""

    verdict: Verdict
    no: int
    since: float


@dataclass(frozen=True, slots=True)
class Writer:
    """Carries out claimed rows of one target."""

    world: World
    looks: Looks

    async def carry_out(self, claimed: Claim, claimed_at: float) -> None:
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
            await self._carry_out(claimed, claimed_at)

    async def _carry_out(self, claimed: Claim, claimed_at: float) -> None:
        target = self.world.target
        if target is None or not self._in_time(target, claimed_at):
            await effects.not_sent(self.world.pool, claimed)
            return
        try:
            looked = await self._look(claimed, target)
        except NotReadableError:
            await self._conclude(claimed, Refuse("missing_permission", detail=FORBIDDEN), no=None)
            return
        except BrokenWorldError as error:
            await effects.not_sent(self.world.pool, claimed)
            await self.world.broken(str(error))
            return
        if not isinstance(looked.verdict, Send):
            await self._conclude(claimed, looked.verdict, no=looked.no)
        elif claimed.server_errors >= SERVER_ERRORS_MAX:
            detail = f"Kimai answered this write with a server error {claimed.server_errors} times."
            await self._conclude(
                claimed, Refuse("invalid", looked.verdict.row, detail=detail), no=looked.no
            )
        else:
            await self._send(claimed, looked.verdict, min(claimed_at, looked.since))

    # ------------------------------------------------------------------------------------------ look
    async def _look(self, claimed: Claim, target: Target) -> Looked:
        asked = self._asked(claimed, target)
        with trace.get_tracer("hourbook").start_as_current_span("look"):
            if claimed.request.op == "create":
                return await self._look_at_day(claimed, asked)
            return await self._look_at_row(claimed, asked)

    def _asked(self, claimed: Claim, target: Target) -> Asked:
        zones = self.world.zones_of(claimed.request)
        return Asked(
            request=claimed.request,
            target=self.world.name,
            zone=zones[claimed.user_id],
            code=claimed.code,
            first=claimed.first,
            closed=any(target.is_closed(day) for day in look.days_of(claimed.request, zones)),
        )

    async def _look_at_day(self, claimed: Claim, asked: Asked) -> Looked:
        """The worker's day; by marker too where an earlier attempt or create may have left a row."""
        world, request = self.world, claimed.request
        earlier = frozenset[str]()
        if request.gen > 1:
            earlier = await effects.earlier_codes(world.pool, request)
        seen = await self._day(claimed, asked.zone)
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

    async def _day(self, claimed: Claim, zone: ZoneInfo) -> DayLook:
        want = claimed.request.want
        assert want is not None  # noqa: S101 -- a create wants something
        on = look.day_of(want, zone)
        seen = self.looks.find(claimed.user_id, on)
        if seen is None:
            seen = await self._read_day(claimed.user_id, on, zone)
            self.looks.keep(claimed.user_id, on, seen)
        return seen

    async def _read_day(self, user_id: int, on: date, zone: ZoneInfo) -> DayLook:
        day = Day(user_id, _midnight(on, zone), _midnight(on + timedelta(days=1), zone))
        taken_at, no = time.monotonic(), await readings.next_no(self.world.pool)
        caller = self.world.caller
        if caller is None:
            raise BrokenWorldError("Kimai has not said yet who we are.")
        rows = await self.world.kimai.of_day(user_id, day.first, day.last, caller)
        return DayLook(day, no, taken_at, {row.id: row for row in rows})

    async def _look_at_row(self, claimed: Claim, asked: Asked) -> Looked:
        world, sheet = self.world, claimed.request.sheet
        since, no = time.monotonic(), await readings.next_no(world.pool)
        if sheet is None:
            return Looked(Refuse("invalid", detail="The request names no timesheet."), no, since)
        row, tied = await asyncio.gather(
            world.kimai.read(number_of(sheet)), effects.tied_to(world.pool, [sheet])
        )
        judge = look.at_adopt if claimed.request.op == "adopt" else look.at_row
        return Looked(judge(asked, row, tied.get(sheet)), no, since)

    # ------------------------------------------------------------------------------------------ send
    async def _send(self, claimed: Claim, allowed: Send, since: float) -> None:
        world, target = self.world, self.world.target
        days = look.days_of(claimed.request, world.zones_of(claimed.request))
        if target is None or not all(target.may_write(day) for day in days):
            await self._hold_back(claimed, min(days))
            return
        if any(target.is_closed(day) for day in days):
            await self._conclude(claimed, Refuse("closed", allowed.row), no=None)
            return
        text = await self._text(claimed)
        if not await effects.still_mine(world.pool, claimed):
            return
        if not self._in_time(target, since):
            await effects.not_sent(world.pool, claimed)
            return
        method = {"create": "POST", "update": "PATCH"}.get(claimed.request.op, "DELETE")
        with trace.get_tracer("hourbook").start_as_current_span(method):
            outcome = await self._call(claimed, allowed, text)
        await self._settle(claimed, allowed, outcome)

    async def _hold_back(self, claimed: Claim, day: date) -> None:
        """Writing was switched off, or begins later, while we looked."""
        if claimed.first:
            await effects.not_sent(self.world.pool, claimed, day=day)
        else:
            await effects.looked_up(self.world.pool, claimed, day=day)

    async def _call(self, claimed: Claim, allowed: Send, text: str) -> Outcome:
        kimai, request = self.world.kimai, claimed.request
        if request.want is None and allowed.row is not None:
            return await kimai.delete(allowed.row.id)
        assert request.want is not None  # noqa: S101 -- only a delete wants nothing
        if allowed.row is None:
            return await kimai.create(to_create(request.want, text))
        changes = to_update(request.want, allowed.row, self._marker(claimed))
        return await kimai.change(allowed.row.id, changes)

    async def _settle(self, claimed: Claim, allowed: Send, outcome: Outcome) -> None:
        """What the answer to our write means for its row."""
        world, request = self.world, claimed.request
        match outcome:
            case Written(row=None):
                self._forget(allowed.row)
                await self._conclude(claimed, Absent(), no=None)
            case Written(row=row) if row is not None:
                self.looks.written(row)
                await self._conclude(claimed, _as_asked(request, row), no=None)
            case Gone():
                self._forget(allowed.row)
                gone = Absent() if request.op == "delete" else Refuse("gone")
                await self._conclude(claimed, gone, no=None)
            case Refused(why=why, detail=detail):
                await self._conclude(claimed, Refuse(why, allowed.row, detail=detail), no=None)
            case Forbidden():
                await self._conclude(claimed, await self._forbidden(allowed.row), no=None)
            case Unknown(sentence=sentence, server_error=server_error):
                for user_id in world.zones_of(request):
                    self.looks.forget(user_id)
                log.warning("write_uncertain", sentence=sentence)
                await effects.uncertain(world.pool, claimed, server_error=server_error)
            case NotSent(sentence=sentence) | BrokenWorld(sentence=sentence):
                await effects.not_sent(world.pool, claimed)
                await world.broken(sentence)
            case _:
                raise AssertionError(outcome)

    def _forget(self, row: Timesheet | None) -> None:
        if row is not None:
            self.looks.removed(row.id)

    async def _forbidden(self, row: Timesheet | None) -> Refuse:
        """403 does not say why: an exported row is told by reading it again (kimai-api.md 5)."""
        if row is None:
            return Refuse("missing_permission", detail=FORBIDDEN)
        try:
            now = await self.world.kimai.read(row.id)
        except (BrokenWorldError, NotReadableError):
            now = row
        if now is None:
            return Refuse("gone")
        if now.exported:
            return Refuse("locked", now)
        return Refuse("missing_permission", now, detail=FORBIDDEN)

    def _in_time(self, target: Target, since: float) -> bool:
        return time.monotonic() - since <= target.configured.send_window_seconds

    def _marker(self, claimed: Claim) -> Marker:
        return Marker(claimed.code or "", claimed.request.gen)

    async def _text(self, claimed: Claim) -> str:
        """Of a new row; without the title where its key was destroyed."""
        parts = claimed.request.text
        if claimed.request.op != "create":
            return ""
        title = None if parts is None else await self._opened(parts.title)
        return description(parts, title, self._marker(claimed))

    async def _opened(self, title: Sealed | None) -> str | None:
        if title is None:
            return None
        key = (await self.world.vault.keys_of([title.key_id]))[title.key_id]
        if key is None:
            return None
        try:
            return unseal(title, key=key, field=TITLE)
        except TamperedError:
            log.error("title_does_not_open", key_id=title.key_id)
            return None

    # ---------------------------------------------------------------------------------------- record
    async def _conclude(self, claimed: Claim, verdict: Verdict, *, no: int | None) -> None:
        """Record the one answer, as often as it takes: no one else can, for the attempt is ours.

        `no`: of the look that gave the verdict; None: it came with the answer to a write.
        """
        while True:
            try:
                no = await readings.next_no(self.world.pool) if no is None else no
                recorded = await self._record(claimed, await self._outcome(claimed, verdict, no))
            except TRANSIENT as error:
                log.warning("answer_waits_for_database", error=type(error).__name__)
                await asyncio.sleep(0.2)
            except TiedElsewhereError:
                if not isinstance(verdict, Holds):
                    raise
                verdict = Refuse("possible_duplicate", candidates=(verdict.row,))
            else:
                log.info(_event(verdict), recorded=recorded, op=claimed.request.op)
                return

    async def _record(self, claimed: Claim, outcome: effects.Outcome) -> bool:
        """What we say and store now need not be learned again when it is read back."""
        ce_id = header(outcome.answer.headers, "ce_id") or ""
        self.world.said[ce_id] = outcome.answer.value
        recorded = False
        try:
            recorded = await effects.record(self.world.pool, claimed, outcome)
        finally:
            if not recorded:
                self.world.said.pop(ce_id, None)
        return recorded

    async def _outcome(self, claimed: Claim, verdict: Verdict, no: int) -> effects.Outcome:
        request, name, at = claimed.request, self.world.name, clock.now()
        match verdict:
            case Holds(row=row, sure=sure):
                reading = await readings.describe(self.world.vault, row, name, request.book)
                answer = answers.written(request, name, reading, no=no, sure=sure, at=at)
                ties = request.op in effects.CREATES
                return effects.Outcome(
                    _record(answer), no, reading.sheet, "holds", reading.value, ties
                )
            case Absent():
                gone = answers.deleted(request, name, no=no, at=at)
                assert gone is not None  # noqa: S101 -- only a request that names a row finds it absent
                return effects.Outcome(_record(gone), no, gone.sheet, "gone")
            case Refuse(row=None) as refuse:
                said = answers.refused(request, name, refuse, no=no, at=at)
                state: effects.State = "gone" if refuse.why == "gone" else "nothing said"
                return effects.Outcome(_record(said), no, said.sheet, state)
            case Refuse(row=Timesheet() as row) as refuse:
                reading = await readings.describe(self.world.vault, row, name, request.book)
                said = answers.refused(request, name, refuse, no=no, at=at)
                return effects.Outcome(_record(said), no, said.sheet, "holds", reading.value)
            case _:
                raise AssertionError(verdict)


def _as_asked(request: TimesheetRequested, row: Timesheet) -> Holds | Refuse:
    """Kimai's answer to our write; a row on another user than asked for is not an answer to it."""
    place = None if request.want is None else request.want.place
    if place is not None and row.user_id != place.user_id:
        detail = (
            f"Kimai booked timesheet {row.id} on user {row.user_id} instead of {place.user_id}:"
            " the token may not write for others."
        )
        return Refuse("missing_permission", detail=detail)
    return Holds(row, sure=True)


def _record(answer: TimesheetWritten | PushRefused) -> Record:
    record = encode(answer)
    return record._replace(headers=with_trace(record.headers))


def _event(verdict: Verdict) -> str:
    match verdict:
        case Refuse():
            return f"push_refused_{verdict.why}"
        case _:
            return "timesheet_written"


def _midnight(on: date, zone: ZoneInfo) -> datetime:
    return datetime.combine(on, time_of_day(), tzinfo=zone)

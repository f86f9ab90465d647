"""The one answer to a request: recorded with the reading it carries, and said."""

import asyncio
from dataclasses import dataclass, replace

import structlog

from hourbook_contracts.codec import Record, encode, header
from hourbook_contracts.ledger import PushRefused, TimesheetRequested, TimesheetWritten
from hourbook_kit import clock
from hourbook_kit.postgres import TRANSIENT
from hourbook_kit.target.protocol import Timesheet
from hourbook_kit.telemetry import with_trace
from hourbook_push_kimai import answers, effects, readings
from hourbook_push_kimai.effects import Claim, TiedElsewhereError
from hourbook_push_kimai.look import Absent, Holds, Refuse, Verdict
from hourbook_push_kimai.observe import Reading
from hourbook_push_kimai.rounding import rounded, times_of_work
from hourbook_push_kimai.world import World

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Recorder:
    world: World

    async def conclude(self, claimed: Claim, verdict: Verdict, *, no: int | None = None) -> None:
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
                said = answers.refused(request, name, refuse, None, no=no, at=at)
                state: effects.State = "gone" if refuse.why == "gone" else "nothing said"
                return effects.Outcome(_record(said), no, said.sheet, state)
            case Refuse(row=Timesheet() as row) as refuse:
                reading = await self._read(request, row)
                said = answers.refused(request, name, refuse, reading, no=no, at=at)
                return effects.Outcome(_record(said), no, said.sheet, "holds", reading.value)
            case _:
                raise AssertionError(verdict)

    async def _read(self, request: TimesheetRequested, row: Timesheet) -> Reading:
        """The row, told apart from an edit where Kimai has only rounded what was expected."""
        world, expected = self.world, request.expected
        reading = await readings.describe(world.vault, row, world.name, request.book)
        if expected is None or expected.place != reading.work.place:
            return reading
        before = times_of_work(expected, row.break_seconds)
        if rounded(before, reading.times, world.guesses_of(row)):
            return replace(reading, rounded_from=expected)
        return reading


def _record(answer: TimesheetWritten | PushRefused) -> Record:
    record = encode(answer)
    return record._replace(headers=with_trace(record.headers))


def _event(verdict: Verdict) -> str:
    match verdict:
        case Refuse():
            return f"push_refused_{verdict.why}"
        case _:
            return "timesheet_written"

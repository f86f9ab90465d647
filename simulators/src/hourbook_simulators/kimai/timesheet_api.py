"""Endpoints of timesheets (kimai-api.md 2.4)."""

from collections.abc import Callable
from datetime import datetime

from starlette.requests import Request
from starlette.responses import Response

from hourbook_simulators.kimai import listing, writing
from hourbook_simulators.kimai.answers import answer, nothing, raw
from hourbook_simulators.kimai.asking import found, query_of, submitted_of
from hourbook_simulators.kimai.memory import Memory
from hourbook_simulators.kimai.permissions import Caller
from hourbook_simulators.kimai.records import Timesheet
from hourbook_simulators.kimai.refusals import masked
from hourbook_simulators.kimai.timesheet_shapes import (
    timesheet_entity,
    timesheet_expanded,
    timesheet_row,
)


class TimesheetApi:
    """One method an endpoint; who calls was found out before."""

    def __init__(self, memory: Memory, now: Callable[[], datetime]) -> None:
        self.memory = memory
        self.now = now

    async def timesheets(self, request: Request, caller: Caller) -> Response:
        if not caller.may("view_own_timesheet") and not caller.may("view_other_timesheet"):
            raise masked(403)
        query = query_of(request, listing.PATTERNS)
        page = listing.page_of(query, self.memory, caller, self.now())
        if query.get("full") in {"1", "true"}:
            expanded = [timesheet_expanded(row, self.memory, caller) for row in page.rows]
            return answer(expanded, headers=page.headers)
        rows = (timesheet_row(row, self.memory, caller) for row in page.rows)
        return raw("[" + ",".join(rows) + "]", headers=page.headers)

    async def timesheet(self, request: Request, caller: Caller) -> Response:
        held = found(self.memory.timesheets, request)
        if not writing.may(self.memory, caller, "view", held):
            raise masked(403)
        return self._entity(held, caller)

    async def create(self, request: Request, caller: Caller) -> Response:
        submitted = await submitted_of(request)
        held = writing.create(self.memory, caller, submitted, self.now(), request.query_params)
        if "full" not in request.query_params:
            return self._entity(held, caller, caller.timezone)
        return answer(
            timesheet_expanded(held, self.memory, caller, shown_in=caller.timezone, is_entity=True)
        )

    async def change(self, request: Request, caller: Caller) -> Response:
        submitted = await submitted_of(request)
        held = found(self.memory.timesheets, request)
        shown_in = writing.change(self.memory, caller, held, submitted, self.now())
        return self._entity(held, caller, shown_in)

    async def delete(self, request: Request, caller: Caller) -> Response:
        held = found(self.memory.timesheets, request)
        writing.delete(self.memory, caller, held, self.now())
        return nothing()

    async def stop(self, request: Request, caller: Caller) -> Response:
        held = found(self.memory.timesheets, request)
        return self._entity(held, caller, writing.stop(self.memory, caller, held, self.now()))

    async def active(self, _: Request, caller: Caller) -> Response:
        """The caller's own; the last started one first."""
        if not caller.may("view_own_timesheet"):
            raise masked(403)
        rows = reversed(self.memory.running(caller.user_id))
        return answer([timesheet_expanded(row, self.memory, caller) for row in rows])

    async def recent(self, request: Request, caller: Caller) -> Response:
        if not caller.may("view_own_timesheet"):
            raise masked(403)
        query = query_of(request, listing.RECENT)
        rows = listing.recent(query, self.memory, caller)
        return answer([timesheet_expanded(row, self.memory, caller) for row in rows])

    async def restart(self, request: Request, caller: Caller) -> Response:
        submitted = await submitted_of(request)
        held = found(self.memory.timesheets, request)
        started = writing.restart(self.memory, caller, held, submitted, self.now())
        return self._entity(started, caller, caller.timezone)

    async def duplicate(self, request: Request, caller: Caller) -> Response:
        held = found(self.memory.timesheets, request)
        copy, shown_in = writing.duplicate(self.memory, caller, held, self.now())
        return self._entity(copy, caller, shown_in)

    async def export(self, request: Request, caller: Caller) -> Response:
        held = found(self.memory.timesheets, request)
        shown_in = writing.toggle_export(self.memory, caller, held, self.now())
        return self._entity(held, caller, shown_in)

    def _entity(self, held: Timesheet, caller: Caller, shown_in: str | None = None) -> Response:
        return answer(timesheet_entity(held, self.memory, caller, shown_in))

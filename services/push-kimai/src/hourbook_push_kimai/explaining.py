"""Why Kimai said no, where its answer does not tell: asked of Kimai, and put into a sentence."""

from dataclasses import dataclass

import structlog

from hourbook_contracts.kimai.names import TEAMS, unoffered
from hourbook_contracts.kimai.violations import CREATE_OTHER, LOCKED
from hourbook_contracts.ledger import TimesheetRequested
from hourbook_kit.target.protocol import (
    BrokenWorldError,
    NotReadableError,
    Refused,
    Timesheet,
    end_of,
)
from hourbook_push_kimai.look import Refuse
from hourbook_push_kimai.preflight import LOCKDOWN
from hourbook_push_kimai.world import World

log = structlog.get_logger()

CREATE_OWN = (
    "The token's role lacks create_own_timesheet, without which Kimai lets it create for nobody."
    " Grant it in Kimai under System → Roles."
)
NOT_CREATED = (
    "Kimai answers 403 to a new timesheet of user {0}: the token's role lacks create_other_timesheet"
    " or start_other_timesheet (System → Roles), or its account may not use the project or activity:"
    f" add it to a team {TEAMS}"
)
NOT_CHANGED = (
    "Kimai answers 403 to a change of its timesheet {0}: the token's role lacks {1} (System → Roles),"
    f" or its account leads no team of user {{2}}: make it teamlead of one {TEAMS}"
)
NOT_SEEN = (
    "Kimai answers 403 to a look at timesheets of user {0}: the token's role lacks view_other_timesheet"
    f" (System → Roles), or its account leads no team of this user: make it teamlead of one {TEAMS}"
)


@dataclass(frozen=True, slots=True)
class Explaining:
    world: World

    async def refused(
        self, request: TimesheetRequested, row: Timesheet | None, said: Refused
    ) -> Refuse:
        """A 400; what it says of a user, project or activity is looked up."""
        if said.why == "locked" and row is not None:
            return await self._exported(row)
        if said.why == "lockdown" and request.want is not None:
            await self.world.learned.lock(request.want.began_at)
        place = request.want.place if request.want else None
        found = None
        if place is not None and said.said.refuses_a_choice:
            try:
                found = unoffered(said.said, place, await self.world.directory.fresh())
            except BrokenWorldError as error:
                log.warning("refusal_not_explained", sentence=str(error))
        if found is None:
            return Refuse(said.why, row, detail=said.detail)
        return Refuse(found.why, row, detail=found.sentence)

    async def forbidden(self, request: TimesheetRequested, row: Timesheet | None) -> Refuse:
        """403 is said alike of exported, locked and foreign rows (kimai-api.md 5)."""
        try:
            if row is None:
                return await self._not_created(request)
            now = await self.world.kimai.read(row.id)
            if now is None:
                return Refuse("gone")
            if now.exported:
                return Refuse("locked", now)
            return await self._not_changed(request, now)
        except (BrokenWorldError, NotReadableError):
            return Refuse("missing_permission", row, detail=self.unseen(request))

    def unseen(self, request: TimesheetRequested) -> str:
        """Why we may not look at what a request is about."""
        work = request.want or request.expected
        place = work.place if work else None
        return NOT_SEEN.format(place.user_id if place else "?")

    async def _exported(self, row: Timesheet) -> Refuse:
        try:
            now = await self.world.kimai.read(row.id)
        except (BrokenWorldError, NotReadableError):
            now = row
        return Refuse("gone") if now is None else Refuse("locked", now)

    async def _not_created(self, request: TimesheetRequested) -> Refuse:
        form = await self.world.kimai.form()
        place = request.want.place if request.want else None
        if form is None:
            return Refuse("missing_permission", detail=CREATE_OWN)
        if form.lacks("user"):
            return Refuse("missing_permission", detail=CREATE_OTHER)
        detail = NOT_CREATED.format(place.user_id if place else "?")
        return Refuse("missing_permission", detail=detail)

    async def _not_changed(self, request: TimesheetRequested, row: Timesheet) -> Refuse:
        """Kimai tells a lock apart from a missing right when it judges a new row at the same time."""
        work = row.work(self.world.name)
        ends_at = row.ended_at or end_of(work)
        form = await self.world.kimai.form(
            user=row.user_id, begin=row.began_at.isoformat(), end=ends_at.isoformat()
        )
        if form is not None and LOCKED in form.everywhere:
            await self.world.learned.lock(row.began_at)
            shown = row.began_at.astimezone(self.world.zone_of(row.user_id))
            return Refuse("lockdown", row, detail=LOCKDOWN.format(shown))
        caller = self.world.caller
        whose = "own" if caller is not None and caller.id == row.user_id else "other"
        verb = "delete" if request.op == "delete" else "edit"
        detail = NOT_CHANGED.format(row.id, f"{verb}_{whose}_timesheet", row.user_id)
        return Refuse("missing_permission", row, detail=detail)

"""A Kimai, tried: may the token do what we need, and may it nothing that opens accounting's locks.

Rights are found out by what Kimai says to a timesheet that names no project, and to a change that
names an unknown field: both are refused whatever the token may, and nothing is written
(kimai-api.md 1.4, 3.1).
"""

import asyncio
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from hourbook_contracts.kimai.names import Named, named_of, unoffered
from hourbook_contracts.kimai.rules import Rules, rules_of
from hourbook_contracts.kimai.violations import (
    CREATE_OTHER,
    LOCKED,
    Violations,
    violations_of,
)
from hourbook_contracts.ledger import Place
from hourbook_kit import clock
from hourbook_query_api.connector_models import KimaiConnector, least_grace
from hourbook_query_api.doctor import Doctor, Step, TestReport

ROLES = "in Kimai under System → Roles"
SHOWN = 5
"""Of what is wrong with many workers: so many are named."""
AT_ONCE = 8
UNTRIED_DELETE = (
    f"Whether its role has delete_other_timesheet cannot be tried without deleting: look {ROLES}."
)
ADMINISTRATORS = frozenset({"ROLE_ADMIN", "ROLE_SUPER_ADMIN"})
"""By default both may change what is exported or locked (kimai-api.md 1.4)."""
UNDER_A_PATH = (
    "A Kimai under a path takes no API tokens, for it looks for `/api/` at the beginning of the path:"
    " give it a host name of its own."
)
PROBE = {"hourbook_doctor": "unknown field"}


@dataclass(frozen=True, slots=True)
class Worker:
    """A mapping of an agent to a user of this Kimai."""

    user_id: int
    time_zone: str | None


@dataclass(frozen=True, slots=True)
class Known:
    """What we know of this Kimai, and it does not tell."""

    connector: KimaiConnector
    workers: Sequence[Worker]
    project_ids: Sequence[int]
    activity_ids: Sequence[int]
    locked_until: datetime | None
    """As a refusal of Kimai's has taught push."""
    our_timesheets: Sequence[int]
    """Some that push has written, the newest first."""


Json = dict[str, Any]
Names = Mapping[tuple[str, int], Named]


@dataclass
class KimaiDoctor:
    doctor: Doctor
    known: Known
    me: Json

    async def examine(self) -> None:
        """Everything that comes after `/users/me` and the version were answered."""
        self._grace()
        names = await self._names()
        if not await self._create():
            return
        await self._see()
        await self._workers(names)
        self._zones(names)
        self._mapped(names)
        await self._change()
        await self._exported()
        await self._lockdown()

    def _grace(self) -> None:
        """One that was set before the API refused it (kept, for the log is for ever)."""
        ours = self.known.connector
        least = least_grace(ours.send_window_seconds, ours.timeout_seconds)
        if ours.grace_seconds < least:
            sentence = (
                f"Unclear writes wait {ours.grace_seconds:g} s, and a request may be under way for"
                f" {least - 1:g} s: what Kimai stores late may stand twice. Let them wait at least"
                f" {least:g} s (60 is usual) in this connection's fine tuning."
            )
            self.doctor.note("grace", "failed", sentence)

    # ------------------------------------------------------------------------------------ its lists
    async def _names(self) -> Names:
        found: dict[tuple[str, int], Named] = {}
        lists: tuple[tuple[str, Step, str], ...] = (
            ("user", "users", "view_user: workers are mapped by it"),
            ("customer", "customers", "view_customer"),
            ("project", "projects", "view_project"),
            ("activity", "activities", "view_activity"),
        )
        for kind, step, right in lists:
            params: dict[str, str | int] = {"visible": 3}
            if kind == "project":
                params["ignoreDates"] = 1
            rows = await self.doctor.ask(
                step, f"/{step}", f"Grant its role {right} ({ROLES}).", **params
            )
            for row in rows if isinstance(rows, list) else ():
                named = named_of(kind, row)
                found[kind, named.id] = named
        return found

    # ------------------------------------------------------------------------------------ its rights
    async def _create(self) -> bool:
        began = time.monotonic()
        form, sentence = await self._form({})
        if form is None:
            self.doctor.note("create", "failed", sentence, since=began)
            return False
        if form.lacks("begin") or form.lacks("end"):
            self.doctor.note("create", "failed", "Kimai takes no begin and end.", since=began)
            return False
        if form.lacks("user"):
            self.doctor.note("create", "failed", CREATE_OTHER, since=began)
            return False
        fields = ", ".join(form.at or ())
        self.doctor.note(
            "create", "ok", f"It may create for others, and send {fields}.", since=began
        )
        return True

    async def _form(self, body: Json) -> tuple[Violations | None, str]:
        """What Kimai says to a timesheet without a project, which it never takes."""
        answer, sentence = await self.doctor.exchange("POST", "/timesheets", json=body)
        if answer is None:
            return None, sentence
        if answer.status_code == HTTPStatus.FORBIDDEN:
            return (
                None,
                f"Grant its role create_own_timesheet, also to create for others ({ROLES}).",
            )
        if answer.status_code != HTTPStatus.BAD_REQUEST:
            return None, f"Kimai answers {answer.status_code} to an empty timesheet: is it a Kimai?"
        return violations_of(answer.content), sentence

    async def _see(self) -> None:
        began = time.monotonic()
        grant = (
            f"Grant its role view_other_timesheet ({ROLES}): we write for others, and look before."
        )
        for number in self.known.our_timesheets[:1]:
            answer, _ = await self.doctor.exchange("GET", f"/timesheets/{number}")
            if answer is not None and answer.status_code == HTTPStatus.FORBIDDEN:
                self.doctor.note("timesheets", "failed", grant, since=began)
                return
        rows = await self._rows(size=50)
        if rows is None:
            self.doctor.note("timesheets", "failed", grant, since=began)
        elif any(row["user"] != self.me["id"] for row in rows):
            self.doctor.note("timesheets", "ok", "It sees others' timesheets.", since=began)
        else:
            sentence = (
                "It shows no timesheet of anybody else: there is none yet, or its role lacks"
                f" view_other_timesheet ({ROLES})."
            )
            self.doctor.note("timesheets", "untried", sentence, since=began)

    async def _rows(self, **params: str | int) -> list[Json] | None:
        answer, _ = await self.doctor.exchange(
            "GET", "/timesheets", params={"user": "all", **params}
        )
        if answer is None or answer.status_code != HTTPStatus.OK:
            return None
        rows = answer.json()
        return rows if isinstance(rows, list) else None

    async def _change(self) -> None:
        """Whether others' timesheets may be edited, tried with a field that no form has."""
        began = time.monotonic()
        rows = await self._rows(exported=0, size=20) or []
        others = [row["id"] for row in rows if row["user"] != self.me["id"]]
        if not others:
            sentence = (
                "There is no open timesheet of others to try edit_other_timesheet on: look whether"
                f" its role has it ({ROLES})."
            )
            self.doctor.note("edit", "untried", sentence, since=began)
        elif await self._may_change(others[0]):
            self.doctor.note("edit", "ok", "It may change others' timesheets.", since=began)
        else:
            sentence = (
                f"Kimai answers 403 to a change of timesheet {others[0]}: grant its role"
                f" edit_other_timesheet ({ROLES}), unless Kimai's lockdown closed that day."
            )
            self.doctor.note("edit", "failed", sentence, since=began)
        self.doctor.note("delete", "untried", UNTRIED_DELETE)

    async def _may_change(self, timesheet_id: int) -> bool:
        """403: not; 400: yes, but for the field that we made up."""
        answer, _ = await self.doctor.exchange("PATCH", f"/timesheets/{timesheet_id}", json=PROBE)
        return answer is not None and answer.status_code == HTTPStatus.BAD_REQUEST

    # ------------------------------------------------------------------------------- who and where
    async def _workers(self, names: Names) -> None:
        """Whether Kimai offers each mapped worker, who may be disabled or in a foreign team."""
        began = time.monotonic()
        limit = asyncio.Semaphore(AT_ONCE)

        async def why_not(worker: Worker) -> str | None:
            async with limit:
                form, sentence = await self._form({"user": worker.user_id})
            if form is None:
                return sentence
            place = Place(target="", user_id=worker.user_id, project_id=0, activity_id=0)
            found = unoffered(form, place, names) if form.refuses_choice("user") else None
            return None if found is None else found.sentence

        found = await asyncio.gather(*(why_not(worker) for worker in self.known.workers))
        wrong = [sentence for sentence in found if sentence is not None]
        if wrong:
            self.doctor.note("workers", "failed", _some(wrong), since=began)
        elif found:
            sentence = f"It may book for all {len(found)} mapped workers."
            self.doctor.note("workers", "ok", sentence, since=began)
        else:
            self.doctor.note("workers", "untried", "No worker is mapped to this Kimai yet.")

    def _zones(self, names: Names) -> None:
        wrong = []
        for worker in self.known.workers:
            named = names.get(("user", worker.user_id))
            if named and named.time_zone and worker.time_zone != named.time_zone:
                wrong.append(
                    f"User {worker.user_id} is in {named.time_zone} in Kimai and in"
                    f" {worker.time_zone or 'UTC'} here: their days begin at another hour."
                )
        if wrong:
            sentence = f"{_some(wrong)} Set the zone of the worker's mapping to Kimai's."
            self.doctor.note("zone", "failed", sentence)
        elif self.known.workers:
            self.doctor.note("zone", "ok", "Workers' zones are as Kimai has them.")

    def _mapped(self, names: Names) -> None:
        today, wrong = clock.now().date(), []
        ids = [("project", id_) for id_ in self.known.project_ids]
        for kind, id_ in [*ids, *(("activity", id_) for id_ in self.known.activity_ids)]:
            named = names.get((kind, id_))
            if named is None:
                wrong.append(
                    f"Kimai shows the token no {kind} {id_}: map anew, or give it the team."
                )
            elif not named.visible:
                wrong.append(f"Kimai's {kind} {id_} is hidden: show it, or map anew.")
            elif named.ends_on is not None and named.ends_on < today:
                wrong.append(f"Kimai's project {id_} ended on {named.ends_on}: map anew.")
        if wrong:
            self.doctor.note("mappings", "failed", _some(wrong))
        elif self.known.project_ids:
            self.doctor.note("mappings", "ok", "All that is mapped is there.")

    # ------------------------------------------------------------------------------- what must hold
    async def _exported(self) -> None:
        """A token that may change exported timesheets makes accounting's locks hang on us alone."""
        began = time.monotonic()
        take = f"Take edit_exported_timesheet from its role ({ROLES})"
        rows = await self._rows(exported=1, size=1) or []
        if rows and await self._may_change(rows[0]["id"]):
            sentence = (
                f"It may change exported timesheets. {take}, so that Kimai itself refuses it."
            )
            self.doctor.note("exported", "failed", sentence, since=began)
        elif rows:
            self.doctor.note("exported", "ok", "It may not change what is exported.", since=began)
        elif ADMINISTRATORS & set(self.me.get("roles") or ()):
            sentence = (
                f"An administrator may change exported timesheets. {take}, or take another role."
            )
            self.doctor.note("exported", "failed", sentence, since=began)
        else:
            sentence = (
                f"Nothing is exported yet to try it on: see that its role lacks edit_exported_timesheet"
                f" ({ROLES})."
            )
            self.doctor.note("exported", "untried", sentence, since=began)

    async def _lockdown(self) -> None:
        """Asks for a new timesheet at a time that is known to be locked, for nobody and nowhere."""
        began = time.monotonic()
        until = self._locked_until()
        if until is None:
            sentence = (
                "We know of no lockdown: if this Kimai has one (System → Settings → Timesheet), enter"
                " it here, for its API does not tell."
            )
            self.doctor.note("lockdown", "untried", sentence, since=began)
            return
        begins_at = until - timedelta(days=1)
        ends_at = begins_at + timedelta(minutes=1)
        form, sentence = await self._form(
            {"begin": begins_at.isoformat(), "end": ends_at.isoformat()}
        )
        if form is None:
            self.doctor.note("lockdown", "failed", sentence, since=began)
        elif LOCKED in form.everywhere:
            self.doctor.note("lockdown", "ok", "Kimai's lockdown holds against it.", since=began)
        else:
            sentence = (
                f"Kimai would take a timesheet of {begins_at:%Y-%m-%d}, which is locked: take"
                f" lockdown_override_timesheet and lockdown_grace_timesheet from its role ({ROLES}), or"
                " correct the lockdown that was entered here."
            )
            self.doctor.note("lockdown", "failed", sentence, since=began)

    def _locked_until(self) -> datetime | None:
        entered = self.known.connector.lockdown
        if entered is None:
            return self.known.locked_until
        zone = ZoneInfo(str(self.me.get("timezone") or "UTC"))
        return entered.locked_until(clock.now(), zone)


def _some(sentences: Sequence[str]) -> str:
    more = len(sentences) - SHOWN
    return " ".join(sentences[:SHOWN]) + (f" And {more} more." if more > 0 else "")


async def examine(doctor: Doctor, known: Known) -> TestReport:
    """From the network to the locks; what needs a step that failed is left out."""
    if not await doctor.reach(known.connector.base_url):
        return doctor.report()
    api_access = f"This token may not use the API: grant its role api_access ({ROLES})."
    answer = await doctor.get("who", "/users/me", api_access)
    if answer is None:
        if urlsplit(known.connector.base_url).path:
            doctor.note("path", "warning", UNDER_A_PATH)
        return doctor.report()
    me = answer.json()
    if not isinstance(me, dict) or "id" not in me:
        doctor.note("who", "failed", "What answers is not a Kimai: look at the address.")
        return doctor.report()
    doctor.clock(answer)
    version = await doctor.ask("version", "/version", api_access)
    config = await doctor.ask("configuration", "/config/timesheet", api_access)
    if isinstance(version, dict) and isinstance(config, dict):
        rules = rules_of(version, config)
        _rules(doctor, rules)
        if rules.unfit is None:
            await KimaiDoctor(doctor, known, me).examine()
    shown = version.get("version") if isinstance(version, dict) else None
    return doctor.report(version=None if shown is None else str(shown))


def _rules(doctor: Doctor, rules: Rules) -> None:
    if rules.unfit is not None:
        doctor.note("fit", "failed", rules.unfit)
        return
    doctor.note("fit", "ok", f"Kimai {rules.version}, tracking mode {rules.tracking_mode}.")
    overlap = (
        "Timesheets of one worker may overlap."
        if rules.allows_overlap
        else "Timesheets may not overlap: begins are packed within the worker's day."
    )
    future = "" if rules.allows_future else " What ends in the future waits until it is over."
    doctor.note("overlap", "ok", overlap + future)

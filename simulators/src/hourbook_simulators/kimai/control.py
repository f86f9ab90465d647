"""The test's hand inside the twin: clock, settings, exports, records, and all that it holds.

Under /_twin and without authentication; what both twins have there is in `faults.control`.
"""

from dataclasses import fields
from datetime import date, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Body, HTTPException
from pydantic import BaseModel, ConfigDict, TypeAdapter

from hourbook_simulators.kimai.memory import Memory
from hourbook_simulators.kimai.records import (
    Activity,
    Customer,
    Project,
    Tag,
    Team,
    Timesheet,
    Token,
    User,
)
from hourbook_simulators.kimai.seeds import seeded

JsonBody = Annotated[dict[str, Any], Body()]
KINDS: dict[str, tuple[str, Any]] = {
    "users": ("user", User),
    "customers": ("customer", Customer),
    "projects": ("project", Project),
    "activities": ("activity", Activity),
    "tags": ("tag", Tag),
    "teams": ("team", Team),
}
LOCKDOWN = "timesheet.rules.lockdown_"


class _Wish(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Clock(_Wish):
    offset_seconds: float = 0.0


class Export(_Wish):
    ids: list[int]
    exported: bool = True


class Lockdown(_Wish):
    """PHP's relative dates or ISO dates; both null: nothing is locked."""

    start: str | None = None
    end: str | None = None
    timezone: str | None = None
    grace: str | None = None


class Seed(_Wish):
    seed: str = "demo"


class Modified(_Wish):
    """Sets the hidden `modified_at`; without ids of all records."""

    at: datetime
    ids: list[int] | None = None


def twin_router(memory: Memory) -> APIRouter:
    router = APIRouter(prefix="/_twin", include_in_schema=False)
    _add_world(router, memory)
    _add_records(router, memory)
    return router


def _add_world(router: APIRouter, memory: Memory) -> None:
    @router.post("/clock")
    async def set_clock(wish: Clock) -> Clock:
        memory.clock_offset_seconds = wish.offset_seconds
        memory.changed()
        return wish

    @router.put("/settings")
    async def set_settings(wish: JsonBody) -> dict[str, Any]:
        """The settings that hold from now on; what is not named has Kimai's default again."""
        memory.settings = dict(wish)
        memory.changed()
        return memory.settings

    @router.patch("/settings")
    async def change_settings(wish: JsonBody) -> dict[str, Any]:
        """The others stay; null gives one its default again."""
        memory.settings |= wish
        memory.changed()
        return memory.settings

    @router.post("/lockdown")
    async def lock(wish: Lockdown) -> dict[str, Any]:
        memory.settings |= {
            LOCKDOWN + "period_start": wish.start,
            LOCKDOWN + "period_end": wish.end,
            LOCKDOWN + "period_timezone": wish.timezone,
            LOCKDOWN + "grace_period": wish.grace,
        }
        memory.changed()
        return memory.settings

    @router.put("/roles/{name}")
    async def set_role(name: str, permissions: Annotated[list[str], Body()]) -> list[str]:
        memory.roles[name] = permissions
        memory.changed()
        return permissions

    @router.post("/reset")
    async def reset(wish: Seed) -> dict[str, Any]:
        try:
            memory.become(seeded(wish.seed))
        except ValueError as error:
            raise HTTPException(422, str(error)) from error
        return state_of(memory)

    @router.get("/state")
    async def state() -> dict[str, Any]:
        return state_of(memory)


def _add_records(router: APIRouter, memory: Memory) -> None:
    @router.post("/export")
    async def export(wish: Export) -> Export:
        memory.export(wish.ids, exported=wish.exported)
        return wish

    @router.post("/modified")
    async def set_modified(wish: Modified) -> Modified:
        ids = memory.timesheets.keys() if wish.ids is None else wish.ids
        for timesheet_id in list(ids):
            memory.touch(memory.timesheets[timesheet_id], wish.at)
        return wish

    @router.post("/tokens")
    async def add_token(wish: JsonBody) -> dict[str, Any]:
        memory.add_token(TypeAdapter(Token).validate_python(wish))
        return wish

    @router.post("/{kind}")
    async def add_record(kind: str, wish: JsonBody) -> dict[str, Any]:
        """Fields as the records of `memory` name them; without an id it gets the next one."""
        name, record_type, records = _kind(memory, kind)
        record_id = wish.get("id") or memory.next_id(name)
        memory.last_ids[name] = max(memory.last_ids.get(name, 0), record_id)
        records[record_id] = _record(record_type, wish | {"id": record_id})
        memory.shown.clear()
        memory.changed()
        return _row(records[record_id])

    @router.patch("/{kind}/{record_id}")
    async def change_record(kind: str, record_id: int, wish: JsonBody) -> dict[str, Any]:
        _, record_type, records = _kind(memory, kind)
        if record_id not in records:
            raise HTTPException(404)
        fresh = _record(record_type, _row(records[record_id]) | wish)
        records[record_id] = fresh
        memory.shown.clear()
        memory.changed()
        return _row(fresh)


def _kind(memory: Memory, kind: str) -> tuple[str, Any, dict[int, Any]]:
    if kind not in KINDS:
        raise HTTPException(404)
    return *KINDS[kind], getattr(memory, kind)


def _record(record_type: Any, values: dict[str, Any]) -> Any:
    unknown = values.keys() - {each.name for each in fields(record_type)}
    if unknown:
        raise HTTPException(422, f"unknown fields: {', '.join(sorted(unknown))}")
    return TypeAdapter(record_type).validate_python(values)


def _row(record: Any) -> dict[str, Any]:
    values = {each.name: getattr(record, each.name) for each in fields(record)}
    return {
        name: value.isoformat() if isinstance(value, date) else value
        for name, value in values.items()
    }


def state_of(memory: Memory) -> dict[str, Any]:
    """Everything, times in UTC."""
    kinds = {kind: [_row(record) for record in getattr(memory, kind).values()] for kind in KINDS}
    return kinds | {
        "timesheets": [_timesheet(row) for row in memory.timesheets.values()],
        "settings": memory.settings,
        "roles": memory.roles,
        "clock_offset_seconds": memory.clock_offset_seconds,
    }


def _timesheet(row: Timesheet) -> dict[str, Any]:
    return {
        "id": row.id,
        "user": row.user_id,
        "project": row.project_id,
        "activity": row.activity_id,
        "begin": row.begin.isoformat(),
        "end": row.end.isoformat() if row.end else None,
        "duration": row.duration_seconds,
        "description": row.description,
        "exported": row.exported,
        "billable": row.billable,
        "tags": row.tag_ids,
        "zone": row.zone,
        "modified_at": row.modified_at.isoformat(),
        "committed_at": row.committed_at.isoformat(),
    }

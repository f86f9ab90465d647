"""Timesheets as Kimai serialises them, flat and expanded (kimai-api.md 2.4)."""

from hourbook_simulators.kimai.catalogue_shapes import activity_expanded, project_expanded
from hourbook_simulators.kimai.memory import Memory
from hourbook_simulators.kimai.permissions import Caller
from hourbook_simulators.kimai.records import Timesheet
from hourbook_simulators.kimai.shape import Shape, as_json
from hourbook_simulators.kimai.user_shapes import user_row
from hourbook_simulators.kimai.zones import printed


def _times(timesheet: Timesheet, shown_in: str) -> Shape:
    return {
        "id": timesheet.id,
        "begin": printed(timesheet.begin, shown_in),
        "end": timesheet.end and printed(timesheet.end, shown_in),
        "duration": timesheet.duration_seconds,
        "break": timesheet.break_seconds,
    }


def _rates(timesheet: Timesheet, *, has_rates: bool, is_entity: bool) -> Shape:
    if not has_rates:
        return {}
    shown = {"rate": timesheet.rate, "internalRate": timesheet.internal_rate}
    if is_entity:
        shown |= {"fixedRate": timesheet.fixed_rate, "hourlyRate": timesheet.hourly_rate}
    return shown


def _flags(timesheet: Timesheet) -> Shape:
    return {"exported": timesheet.exported, "billable": timesheet.billable, "metaFields": []}


def _tags(timesheet: Timesheet, memory: Memory) -> list[str]:
    return [memory.tags[tag_id].name for tag_id in timesheet.tag_ids if tag_id in memory.tags]


def _flat(
    timesheet: Timesheet, memory: Memory, shown_in: str, *, has_rates: bool, is_entity: bool
) -> Shape:
    return {
        "activity": timesheet.activity_id,
        "project": timesheet.project_id,
        "user": timesheet.user_id,
        "tags": _tags(timesheet, memory),
        **_times(timesheet, shown_in),
        "description": timesheet.description,
        **_rates(timesheet, has_rates=has_rates, is_entity=is_entity),
        **_flags(timesheet),
    }


def timesheet_entity(
    timesheet: Timesheet, memory: Memory, caller: Caller, shown_in: str | None = None
) -> Shape:
    """A write's answer may be shown in another zone than the record's (kimai-api.md 3.2)."""
    has_rates = caller.may_on("view_rate", timesheet.user_id)
    zone = shown_in or timesheet.zone
    return _flat(timesheet, memory, zone, has_rates=has_rates, is_entity=True)


def timesheet_row(timesheet: Timesheet, memory: Memory, caller: Caller) -> str:
    """JSON of a row of the plain list; remembered until the record changes."""
    has_rates = caller.may_on("view_rate", timesheet.user_id)
    key = (timesheet.id, "rated" if has_rates else "plain")
    row = memory.shown.get(key)
    if row is None:
        shape = _flat(timesheet, memory, timesheet.zone, has_rates=has_rates, is_entity=False)
        row = memory.shown[key] = as_json(shape)
    return row


def timesheet_expanded(
    timesheet: Timesheet,
    memory: Memory,
    caller: Caller,
    *,
    shown_in: str | None = None,
    is_entity: bool = False,
) -> Shape:
    has_rates = caller.may_on("view_rate", timesheet.user_id)
    return {
        "tags": _tags(timesheet, memory),
        **_times(timesheet, shown_in or timesheet.zone),
        "user": user_row(memory.users[timesheet.user_id]),
        "activity": activity_expanded(memory.activities[timesheet.activity_id], memory),
        "project": project_expanded(memory.projects[timesheet.project_id], memory),
        "description": timesheet.description,
        **_rates(timesheet, has_rates=has_rates, is_entity=is_entity),
        **_flags(timesheet),
    }

"""What a write does once it may: validate, calculate and round, then hold (kimai-api.md 3.3)."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from hourbook_simulators.kimai.forms import (
    DESCRIPTION_BYTES,
    Draft,
    fill,
    is_offered,
    is_usable,
    timesheet_fields,
)
from hourbook_simulators.kimai.memory import Memory
from hourbook_simulators.kimai.permissions import Caller
from hourbook_simulators.kimai.rates import priced
from hourbook_simulators.kimai.records import Timesheet
from hourbook_simulators.kimai.refusals import (
    CANNOT_STOP,
    Violation,
    masked,
    service_refusal,
)
from hourbook_simulators.kimai.rounding import round_seconds, rounded, rounding_of
from hourbook_simulators.kimai.rules import is_locked, violations
from hourbook_simulators.kimai.teams import reaches_timesheet
from hourbook_simulators.kimai.zones import instant, read_in_query, zone


def create(
    memory: Memory,
    caller: Caller,
    submitted: dict[str, Any],
    now: datetime,
    preset: Mapping[str, str] = {},
) -> Timesheet:
    """`preset`: parameters of the URL, which may say when a record begins and ends."""
    if not caller.may("create_own_timesheet"):  # also when it is for somebody else
        raise masked(403)
    _check_mode(memory)
    fields = timesheet_fields(memory, caller, is_new=True, owner_id=caller.user_id)
    draft = Draft(caller.user_id, _first_begin(memory, caller, now), caller.timezone)
    if preset and memory.setting("timesheet.mode") == "default":
        _preset(draft, preset)
    errors = fill(draft, submitted, fields, memory, caller)
    errors.place(violations(draft, memory, caller, now))
    if errors:
        raise errors.refusal()
    verb = "start" if draft.end is None else "create"
    if not caller.may_on(verb, draft.user_id):
        raise masked(403)
    held = _hold(memory, draft)
    if held.end is None and _stop_others(memory, caller, held, now):
        errors.at_form.append(CANNOT_STOP)
        raise errors.refusal()
    memory.touch(held, now)
    return held


def _check_mode(memory: Memory) -> None:
    if memory.setting("timesheet.mode") == "duration_only":  # removed in 2.0
        raise masked(500)


def _first_begin(memory: Memory, caller: Caller, now: datetime) -> datetime:
    """Where a record begins that does not say so (kimai-api.md 3.1)."""
    now = now.replace(microsecond=0)
    mode = memory.setting("timesheet.mode")
    if mode == "punch":
        return now
    if mode == "duration_fixed_begin":
        today = now.astimezone(zone(caller.timezone)).date().isoformat()
        clock = memory.setting("timesheet.default_begin")
        return instant(datetime.fromisoformat(f"{today}T{clock}"), caller.timezone)
    minutes = int(memory.setting("timesheet.rounding.default.begin"))
    seconds = round_seconds(int(now.timestamp()), minutes, "floor", "default")
    return datetime.fromtimestamp(seconds, tz=now.tzinfo)


def _preset(draft: Draft, preset: Mapping[str, str]) -> None:
    """`begin` and `end` are days, of which the working hours are taken; `from` and `to` moments."""
    for name, clock in (("begin", "T10:00:00"), ("end", "T18:00:00"), ("from", ""), ("to", "")):
        at = read_in_query(preset.get(name, "") + clock, draft.zone)
        if at is not None and name in {"begin", "from"}:
            draft.begin = at
        elif at is not None:
            draft.end = at


def _hold(memory: Memory, draft: Draft) -> Timesheet:
    """The new record, calculated; its number is spent even if it is not kept after all."""
    if draft.project_id is None or draft.activity_id is None:
        raise masked(500)  # validation has said so before
    _check_length(draft)
    billable = _is_billable(memory, draft) if draft.billable is None else draft.billable
    given = draft.values() | {"billable": billable}
    held = Timesheet(id=memory.next_id("timesheet"), **given)
    calculate(memory, held)
    held.zone = memory.users[held.user_id].timezone
    return held


def _check_length(draft: Draft) -> None:
    if len((draft.description or "").encode()) > DESCRIPTION_BYTES:  # the column's end
        raise masked(500)


def _is_billable(memory: Memory, draft: Draft) -> bool:
    project = memory.projects[draft.project_id or 0]
    activity = memory.activities[draft.activity_id or 0]
    return activity.billable and project.billable and memory.customers[project.customer_id].billable


def change(
    memory: Memory, caller: Caller, held: Timesheet, submitted: dict[str, Any], now: datetime
) -> str:
    """The name of the zone in which the answer shows times: the record's before this save."""
    if not may_change(memory, caller, held, now, "edit"):
        raise masked(403)
    _check_mode(memory)
    shown_in = held.zone
    fields = timesheet_fields(memory, caller, is_new=False, owner_id=held.user_id)
    before, draft = Draft.of(held), Draft.of(held)
    errors = fill(draft, submitted, fields, memory, caller)
    errors.place(violations(draft, memory, caller, now, held_id=held.id))
    if errors:
        raise errors.refusal()
    _check_length(draft)
    if draft != before:
        _reset_rates(memory, before, draft)
        changed = replace(held, **draft.values())
        calculate(memory, changed)
        changed.zone = memory.users[changed.user_id].timezone
        _keep(memory, held, changed, now)
    return shown_in


def _keep(memory: Memory, held: Timesheet, changed: Timesheet, now: datetime) -> None:
    for name, value in _values(changed).items():
        setattr(held, name, value)
    memory.touch(held, now)


def _values(timesheet: Timesheet) -> dict[str, Any]:
    return {name: getattr(timesheet, name) for name in Timesheet.__dataclass_fields__}


def _reset_rates(memory: Memory, before: Draft, draft: Draft) -> None:
    """A move forgets the rates and what the same request says of billable (kimai-api.md 0.12)."""
    moved = (before.project_id, before.activity_id, before.user_id) != (
        draft.project_id,
        draft.activity_id,
        draft.user_id,
    )
    rates = (before.fixed_rate, before.hourly_rate)
    if moved and rates == (draft.fixed_rate, draft.hourly_rate):
        draft.fixed_rate = draft.hourly_rate = None
        draft.billable = _is_billable(memory, draft)


def calculate(memory: Memory, timesheet: Timesheet) -> None:
    """Round, then rate; a running record is neither (kimai-api.md 3.3)."""
    if timesheet.end is None:
        timesheet.duration_seconds = 0
        timesheet.rate = 0.0
        timesheet.internal_rate = 0.0
        return
    keys = ("begin", "end", "duration", "mode", "days")
    rounding = rounding_of(
        {key: memory.setting(f"timesheet.rounding.default.{key}") for key in keys}
    )
    result = rounded(
        timesheet.begin, timesheet.end, timesheet.break_seconds, timesheet.zone, rounding
    )
    timesheet.begin, timesheet.end = result.begin, result.end
    timesheet.duration_seconds = result.duration_seconds
    priced(memory, timesheet)


def may(memory: Memory, caller: Caller, verb: str, held: Timesheet) -> bool:
    return caller.may_on(verb, held.user_id) and reaches_timesheet(caller, memory, held)


def _may_use(memory: Memory, caller: Caller, held: Timesheet) -> bool:
    """Whether a new record could stand where this one does."""
    activity = memory.activities.get(held.activity_id)
    return is_usable(activity, caller) and is_offered(memory, caller, held.project_id)


def may_change(memory: Memory, caller: Caller, held: Timesheet, now: datetime, verb: str) -> bool:
    """`edit` or `delete`; exported, locked and foreign look the same from outside (5)."""
    return (
        may(memory, caller, verb, held)
        and (not held.exported or caller.may("edit_exported_timesheet"))
        and not is_locked(held.begin, held.zone, memory, caller, now)
    )


def stop(memory: Memory, caller: Caller, held: Timesheet, now: datetime) -> str:
    """Stopping what is stopped changes nothing; exported records are not looked at."""
    if not may(memory, caller, "stop", held):
        raise masked(403)
    shown_in = held.zone
    if held.end is None:
        found = _against_stopping(memory, caller, held, now)
        if found:
            raise service_refusal(found, caller.language)
        _stop_now(memory, held, now)
    return shown_in


def _against_stopping(
    memory: Memory, caller: Caller, held: Timesheet, now: datetime
) -> list[Violation]:
    draft = Draft.of(held)
    draft.end = now.replace(microsecond=0)
    return violations(draft, memory, caller, now, held_id=held.id)


def _stop_now(memory: Memory, held: Timesheet, now: datetime) -> None:
    changed = replace(held, end=now.replace(microsecond=0))
    calculate(memory, changed)
    changed.zone = memory.users[held.user_id].timezone
    _keep(memory, held, changed, now)


def _stop_others(memory: Memory, caller: Caller, new: Timesheet, now: datetime) -> list[Violation]:
    """Older running records of the owner are stopped while there are too many of them (3.6).

    All or none: what speaks against stopping one of them is given back.
    """
    limit = int(memory.setting("timesheet.active_entries.hard_limit"))
    running = memory.running(new.user_id)
    surplus = running[: max(0, len(running) + 1 - limit)]
    for other in surplus:
        found = _against_stopping(memory, caller, other, now)
        if found:
            return found
    for other in surplus:
        _stop_now(memory, other, now)
    return []


def duplicate(
    memory: Memory, caller: Caller, held: Timesheet, now: datetime
) -> tuple[Timesheet, str]:
    """Text and tags and all, also a marker that somebody put there; only `exported` is not copied."""
    allowed = may(memory, caller, "start", held) and caller.may_on("create", held.user_id)
    if not allowed or not _may_use(memory, caller, held):
        raise masked(403)
    draft = Draft.of(held)
    draft.exported = False
    found = violations(draft, memory, caller, now)
    if found:
        raise service_refusal(found, caller.language)
    return _started(memory, caller, draft, now), held.zone


def restart(
    memory: Memory, caller: Caller, held: Timesheet, submitted: dict[str, Any], now: datetime
) -> Timesheet:
    """A new running record of the caller's; text and tags come along with `copy: all` alone."""
    if not may(memory, caller, "start", held) or not _may_use(memory, caller, held):
        raise masked(403)
    begin = submitted.get("begin") or None
    at = read_in_query(str(begin), caller.timezone) if begin else _first_begin(memory, caller, now)
    copy = submitted.get("copy") or None
    if at is None or copy not in {None, "all"}:
        raise masked(400)
    draft = Draft(caller.user_id, at, caller.timezone)
    draft.project_id, draft.activity_id = held.project_id, held.activity_id
    if copy is not None:
        draft.description, draft.tag_ids = held.description, list(held.tag_ids)
    found = violations(draft, memory, caller, now)
    if found:
        raise service_refusal(found, caller.language)
    return _started(memory, caller, draft, now)


def _started(memory: Memory, caller: Caller, draft: Draft, now: datetime) -> Timesheet:
    started = _hold(memory, draft)
    if started.end is None:
        found = _stop_others(memory, caller, started, now)
        if found:
            raise service_refusal(found, caller.language, CANNOT_STOP)
    memory.touch(started, now)
    return started


def toggle_export(memory: Memory, caller: Caller, held: Timesheet, now: datetime) -> str:
    """Not validated and not held by a lock; taking it back needs another permission."""
    is_allowed = may(memory, caller, "edit_export", held)
    if not is_allowed or (held.exported and not caller.may("edit_exported_timesheet")):
        raise masked(403)
    shown_in = held.zone
    changed = replace(held, exported=not held.exported)
    calculate(memory, changed)
    _keep(memory, held, changed, now)
    return shown_in


def delete(memory: Memory, caller: Caller, held: Timesheet, now: datetime) -> None:
    """No tombstone, no event (7)."""
    if not may_change(memory, caller, held, now, "delete"):
        raise masked(403)
    memory.forget(held.id)

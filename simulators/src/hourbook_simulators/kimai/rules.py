"""What rejects a write (kimai-api.md 4): all violations are collected, in Kimai's order.

They see unrounded values.
"""

import re
from datetime import datetime, time, timedelta
from typing import Any

from hourbook_simulators.kimai.budgets import overdrawn
from hourbook_simulators.kimai.forms import Draft
from hourbook_simulators.kimai.memory import Memory
from hourbook_simulators.kimai.permissions import Caller
from hourbook_simulators.kimai.refusals import Violation
from hourbook_simulators.kimai.settings import is_on
from hourbook_simulators.kimai.zones import zone

LONGEST_SECONDS = 31_536_000
SECOND = timedelta(seconds=1)
RELATIVE = re.compile(r"(first|last) day of (last|this|next) month(?: (\d\d:\d\d(?::\d\d)?))?")
SHIFT = re.compile(r"([+-]?\d+) (minute|hour|day|week)s?")


def violations(
    draft: Draft, memory: Memory, caller: Caller, now: datetime, *, held_id: int | None = None
) -> list[Violation]:
    """`held_id`: of the record that is being changed, None for a new one."""
    held = memory.timesheets.get(held_id or 0)
    return [
        *_missing(draft, memory),
        *_mismatched(draft, memory),
        *_durations(draft, memory),
        *_future(draft, memory, now),
        *_overlap(draft, memory, held_id),
        *_locked(draft, memory, caller, now),
        *_outside_project(draft, memory),
        *_disabled(draft, memory, is_new=held_id is None),
        *overdrawn(draft, memory, caller, held),
        *_may_not_run(draft, memory, caller, held_id),
    ]


def _missing(draft: Draft, memory: Memory) -> list[Violation]:
    found = []
    if draft.project_id is None:
        found += [
            Violation("project", "A project needs to be selected."),
            Violation("project", "This value should not be null."),
        ]
    if draft.activity_id is None:
        if is_on(memory.setting("timesheet.rules.require_activity")):
            found.append(Violation("activity", "An activity needs to be selected."))
        found.append(Violation("activity", "This value should not be null."))
    return found


def _mismatched(draft: Draft, memory: Memory) -> list[Violation]:
    project = memory.projects.get(draft.project_id or 0)
    activity = memory.activities.get(draft.activity_id or 0)
    if project is None or activity is None:
        return []
    if activity.project_id is None and not project.global_activities:
        text = "Global activities are forbidden for the selected project."
        return [Violation("activity", text)]
    if activity.project_id not in {None, project.id}:
        text = "Project mismatch, project specific activity and timesheet project are different."
        return [Violation("project", text)]
    return []


def _durations(draft: Draft, memory: Memory) -> list[Violation]:
    if draft.end is None:
        return []
    found = []
    if draft.end < draft.begin:
        text = "The end date must not be earlier than the start date."
        found.append(Violation("end_date", text))
    seconds = int((draft.end - draft.begin).total_seconds()) - draft.break_seconds
    longest_minutes = int(memory.setting("timesheet.rules.long_running_duration") or 0)
    if seconds < 0:
        found.append(Violation("duration", "Duration cannot be negative."))
    elif seconds == 0 and not is_on(memory.setting("timesheet.rules.allow_zero_duration")):
        found.append(Violation("duration", "An empty duration is not allowed."))
    elif seconds > LONGEST_SECONDS:
        found.append(Violation("duration", "Maximum duration exceeded."))
    elif longest_minutes > 0 and seconds > longest_minutes * 60:
        hours, minutes = divmod(longest_minutes, 60)
        found.append(Violation("duration", f"Maximum {hours}:{minutes:02} hours allowed."))
    return found


def _future(draft: Draft, memory: Memory, now: datetime) -> list[Violation]:
    """Tolerated is what rounding may add, and a minute."""
    if is_on(memory.setting("timesheet.rules.allow_future_times")):
        return []
    found = []
    begin_minutes = max(0, int(memory.setting("timesheet.rounding.default.begin"))) + 1
    end_minutes = max(0, int(memory.setting("timesheet.rounding.default.end"))) + 1
    if draft.begin > now + timedelta(minutes=begin_minutes):
        found.append(Violation("begin_date", "The begin date cannot be in the future."))
    if draft.end is not None and draft.end > now + timedelta(minutes=end_minutes):
        found.append(Violation("end_time", "The end date cannot be in the future."))
    return found


def _overlap(draft: Draft, memory: Memory, held_id: int | None) -> list[Violation]:
    """Touching is fine, but a record of no length collides where it touches."""
    if is_on(memory.setting("timesheet.rules.allow_overlapping_records")):
        return []
    begin = draft.begin + SECOND
    end = draft.end - SECOND if draft.end is not None else begin
    first = min(begin, end) - memory.longest
    for other in memory.of_users([draft.user_id], first, max(begin, end)):
        if other.end is None or other.id == held_id:
            continue
        if (
            other.begin <= begin <= other.end
            or other.begin <= end <= other.end
            or begin <= other.begin <= other.end <= end
        ):
            return [Violation("begin_date", "You already have an entry for this time.")]
    return []


def _locked(draft: Draft, memory: Memory, caller: Caller, now: datetime) -> list[Violation]:
    if not is_locked(draft.begin, draft.zone, memory, caller, now):
        return []
    return [Violation("begin_date", "This period is locked. Please choose a later date.")]


def is_locked(
    begin: datetime, record_zone: str, memory: Memory, caller: Caller, now: datetime
) -> bool:
    """Everything before the period's start is locked for ever (kimai-api.md 4, lockdown)."""
    rule = "timesheet.rules.lockdown_"
    start, end = memory.setting(rule + "period_start"), memory.setting(rule + "period_end")
    if not start or not end or caller.may("lockdown_override_timesheet"):
        return False
    here = now.astimezone(zone(memory.setting(rule + "period_timezone") or record_zone))
    starts, ends = moment(start, here), moment(end, here)
    if starts is None or ends is None or ends < starts or begin > ends:
        return False
    grace_ends = moment(memory.setting(rule + "grace_period") or "", ends) or ends
    in_grace = now <= grace_ends or caller.may("lockdown_grace_timesheet")
    return not (begin >= starts and in_grace)


def moment(text: str, base: datetime) -> datetime | None:
    """PHP's relative dates as far as the recordings use them, and ISO dates; None: unreadable.

    `first day of last month` keeps the time of day of `base`, as PHP does.
    """
    if match := RELATIVE.fullmatch(text.strip()):
        which, month, clock = match.groups()
        months = base.year * 12 + base.month - 1 + {"last": -1, "this": 0, "next": 1}[month]
        first = base.replace(year=months // 12, month=months % 12 + 1, day=1)
        if which == "last":
            first = (first + timedelta(days=32)).replace(day=1) - timedelta(days=1)
        at = time.fromisoformat(clock) if clock else first.time()
        return datetime.combine(first.date(), at, tzinfo=base.tzinfo)
    if match := SHIFT.fullmatch(text.strip()):
        return base + timedelta(**{f"{match[2]}s": int(match[1])})
    try:
        read = datetime.fromisoformat(text.strip())
    except ValueError:
        return None
    return read if read.tzinfo else read.replace(tzinfo=base.tzinfo)


def _outside_project(draft: Draft, memory: Memory) -> list[Violation]:
    """Both ends are looked at by themselves; the last day belongs to the project."""
    project = memory.projects.get(draft.project_id or 0)
    if project is None:
        return []
    found = []
    for path, at in (("begin_date", draft.begin), ("end_date", draft.end)):
        if at is None:
            continue
        on = at.astimezone(zone(draft.zone)).date()
        if project.start is not None and on < project.start:
            found.append(Violation(path, "The project has not started at that time."))
        elif project.end is not None and on > project.end:
            found.append(Violation(path, "The project is finished at that time."))
    return found


def _disabled(draft: Draft, memory: Memory, *, is_new: bool) -> list[Violation]:
    """Each is said twice: the constraint is registered twice."""
    if not is_new and draft.end is not None:
        return []
    project = memory.projects.get(draft.project_id or 0)
    activity = memory.activities.get(draft.activity_id or 0)
    closed: list[tuple[str, Any]] = [("activity", activity), ("project", project)]
    if project is not None:
        closed.append(("customer", memory.customers[project.customer_id]))
    found = []
    for path, record in closed:
        if record is not None and not record.visible:
            found += [Violation(path, f"Cannot start a disabled {path}.")] * 2
    return found


def _may_not_run(
    draft: Draft, memory: Memory, caller: Caller, held_id: int | None
) -> list[Violation]:
    was_running = held_id is not None and memory.timesheets[held_id].end is None
    if draft.end is not None or was_running or caller.may_on("start", draft.user_id):
        return []
    text = "You are not allowed to start this timesheet record."
    return [Violation("end_date", text)]

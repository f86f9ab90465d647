"""Bodies as Kimai's form takes them: matched to fields, turned into a draft (kimai-api.md 3.1)."""

import re
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from hourbook_simulators.kimai.memory import Memory
from hourbook_simulators.kimai.permissions import Caller
from hourbook_simulators.kimai.records import Activity, Project, Timesheet, User
from hourbook_simulators.kimai.refusals import FormErrors, masked
from hourbook_simulators.kimai.settings import is_on
from hourbook_simulators.kimai.teams import led_by, reaches
from hourbook_simulators.kimai.zones import read_in_body

EXTRA_FIELD = "This form should not contain extra fields."
NO_CHOICE = "The selected choice is invalid."
NO_DATE = "Please enter a valid date and time."
NO_MONEY = "Please enter a valid money amount."
NO_VALUE = "This value is not valid."
NEGATIVE = "This value should be greater than or equal to 0."
DESCRIPTION_BYTES = 65_535
DURATION = re.compile(r"-?(?:(\d+):(\d\d)(?::(\d\d))?|(?:(\d+)h)?(?:(\d+)m)?)")


def timesheet_fields(
    memory: Memory, caller: Caller, *, is_new: bool, owner_id: int
) -> tuple[str, ...]:
    """In the order of `errors.children`; rights and tracking mode decide (kimai-api.md 1.4, 3.1)."""
    mode = memory.setting("timesheet.mode")
    names: list[str] = []
    if mode == "default" or caller.may("view_other_timesheet"):
        names += ["begin", "end"]
    if is_on(memory.setting("timesheet.rules.break_time_active")):
        names.append("break")
    names += ["project", "activity", "description"]
    if caller.may_on("edit_rate", owner_id):
        names += ["fixedRate", "hourlyRate"]
    if not is_new or caller.may("create_other_timesheet"):
        names.append("user")
    names.append("tags")
    if caller.may_on("edit_export", owner_id):
        names.append("exported")
    if caller.may_on("edit_billable", owner_id):
        names.append("billable")
    return tuple(names)


@dataclass(slots=True)
class Draft:
    """A timesheet before it is held: nothing here was validated or rounded yet."""

    user_id: int
    begin: datetime
    zone: str
    end: datetime | None = None
    project_id: int | None = None
    activity_id: int | None = None
    break_seconds: int = 0
    description: str | None = None
    fixed_rate: float | None = None
    hourly_rate: float | None = None
    tag_ids: list[int] = field(default_factory=list)
    exported: bool = False
    billable: bool | None = None
    """None: as the activity, the project and the customer are."""

    def values(self) -> dict[str, Any]:
        """Not `asdict`, which copies every datetime."""
        return {name: getattr(self, name) for name in Draft.__dataclass_fields__}

    @classmethod
    def of(cls, held: Timesheet) -> "Draft":
        return cls(
            user_id=held.user_id,
            begin=held.begin,
            zone=held.zone,
            end=held.end,
            project_id=held.project_id,
            activity_id=held.activity_id,
            break_seconds=held.break_seconds,
            description=held.description,
            fixed_rate=held.fixed_rate,
            hourly_rate=held.hourly_rate,
            tag_ids=list(held.tag_ids),
            exported=held.exported,
            billable=held.billable,
        )


def fill(
    draft: Draft, submitted: dict[str, Any], fields: tuple[str, ...], memory: Memory, caller: Caller
) -> FormErrors:
    """A partial submit: what is absent keeps its value (kimai-api.md 3.1)."""
    errors = FormErrors(fields)
    known = set(fields)
    if "billable" in submitted:
        known.add("billableMode")  # the form adds it for this one, and takes no notice of it
    if not submitted.keys() <= known:
        errors.at_form.append(EXTRA_FIELD)
    given = {name: value for name, value in submitted.items() if name in fields}
    _fill_times(draft, given, errors)
    _fill_choices(draft, given, errors, memory, caller)
    _fill_words(draft, given, errors, memory)
    _fill_money(draft, given, errors)
    if "exported" in given:
        draft.exported = given["exported"] is not None
    if "billable" in given and (given["billable"] != "" or draft.billable is None):
        draft.billable = given["billable"] not in {None, "", "0"}  # null only counts in a POST
    return errors


def _is_nothing(value: Any) -> bool:
    """A field that was submitted empty: false and null in JSON."""
    return value is None or value == ""


def _fill_times(draft: Draft, given: dict[str, Any], errors: FormErrors) -> None:
    for name in ("begin", "end"):
        if name not in given:
            continue
        value = given[name]
        if _is_nothing(value):
            if name == "begin":
                raise masked(500)
            draft.end = None
            continue
        read = read_in_body(value, draft.zone) if isinstance(value, str) else None
        if read is None:
            errors.of(name, NO_DATE)
        elif name == "begin":
            draft.begin = read
        else:
            draft.end = read
    if "break" in given:
        seconds = _seconds(given["break"])
        if seconds is None:
            errors.of("break", NO_VALUE)
        else:
            draft.break_seconds = seconds


def _seconds(value: Any) -> int | None:
    """`0:30`, `1h30m`, and a bare number means hours."""
    if not value:
        return 0
    if not isinstance(value, str):
        return None
    try:
        return round(float(value.replace(",", ".")) * 3600)
    except ValueError:
        match = DURATION.fullmatch(value)
    if match is None:
        return None
    clock_hours, minutes, seconds, hours, more_minutes = (int(part or 0) for part in match.groups())
    total = (clock_hours + hours) * 3600 + (minutes + more_minutes) * 60 + seconds
    return -total if value.startswith("-") else total


def _fill_choices(
    draft: Draft, given: dict[str, Any], errors: FormErrors, memory: Memory, caller: Caller
) -> None:
    if "project" in given:
        chosen = _id(given["project"])
        if chosen is None or chosen == draft.project_id or is_offered(memory, caller, chosen):
            draft.project_id = chosen
        else:
            errors.of("project", NO_CHOICE)
            errors.unread.add("activity")
    if "activity" in given and "activity" not in errors.unread:
        chosen = _id(given["activity"])
        project = memory.projects.get(draft.project_id or 0)
        activity = memory.activities.get(chosen or 0)
        fits = is_usable(activity, caller) and _belongs(activity, project)
        if fits or chosen is None or chosen == draft.activity_id:
            draft.activity_id = chosen
        else:
            errors.of("activity", NO_CHOICE)
    if "user" in given and _is_nothing(given["user"]):
        errors.of("user", "This value should not be null.")
    elif "user" in given:
        user = memory.users.get(_id(given["user"]) or 0)
        if user is not None and _is_choice(user, caller, memory):
            draft.user_id = user.id
        else:
            errors.of("user", NO_CHOICE)


def _is_choice(user: User, caller: Caller, memory: Memory) -> bool:
    """Disabled users and system accounts never are, not even oneself."""
    is_reached = caller.may("view_all_data") or user.id in led_by(caller, memory)
    return is_reached and user.enabled and not user.system_account


def is_offered(memory: Memory, caller: Caller, project_id: int) -> bool:
    project = memory.projects.get(project_id)
    if project is None:
        return False
    customer = memory.customers[project.customer_id]
    return project.visible and customer.visible and reaches(caller, customer, project)


def is_usable(activity: Activity | None, caller: Caller) -> bool:
    return activity is not None and activity.visible and reaches(caller, activity)


def _belongs(activity: Activity | None, project: Project | None) -> bool:
    if activity is None:
        return False
    if activity.project_id is None:
        return project is None or project.global_activities
    return project is not None and activity.project_id == project.id


def _id(value: Any) -> int | None:
    """None for nothing, 0 (which nobody has) for what is no number."""
    if isinstance(value, dict):
        raise masked(500)
    if _is_nothing(value):
        return None
    return int(value) if isinstance(value, str) and re.fullmatch(r"[0-9]{1,15}", value) else 0


def _fill_words(draft: Draft, given: dict[str, Any], errors: FormErrors, memory: Memory) -> None:
    if "description" in given:
        value = given["description"]
        if isinstance(value, list | dict):
            errors.of("description", NO_VALUE)
        else:
            draft.description = (value or "").strip() or None
    if "tags" in given:
        value = given["tags"]
        if isinstance(value, list | dict):
            errors.of("tags", NO_VALUE)
        else:
            named = (memory.tag_named(name.strip()) for name in (value or "").split(","))
            draft.tag_ids = list(dict.fromkeys(tag.id for tag in named if tag is not None))


def _fill_money(draft: Draft, given: dict[str, Any], errors: FormErrors) -> None:
    for name in ("fixedRate", "hourlyRate"):
        if name not in given:
            continue
        try:
            value = given[name]
            amount = float(value.replace(",", ".")) if value else None
        except (AttributeError, ValueError):
            errors.of(name, NO_MONEY)
            continue
        if amount is not None and amount < 0:
            errors.of(name, NEGATIVE)
        elif name == "fixedRate":
            draft.fixed_rate = amount
        else:
            draft.hourly_rate = amount

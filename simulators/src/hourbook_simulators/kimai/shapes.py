"""Records as Kimai serialises them: keys, their order, and who sees rates (kimai-api.md 2)."""

import json
from typing import Any
from zlib import crc32

from hourbook_simulators.kimai.memory import (
    Activity,
    Customer,
    Memory,
    Project,
    Tag,
    Timesheet,
    User,
)
from hourbook_simulators.kimai.permissions import Caller
from hourbook_simulators.kimai.zones import printed

PALETTE = ("#041fd1", "#85144b", "#2ECC40", "#E91E63", "#00BCD4", "#FF851B", "#3F51B5", "#673AB7")
PREFERENCES: dict[str, str | None] = {
    "work_contract_type": "none",
    "work_monday": "0",
    "work_tuesday": "0",
    "work_wednesday": "0",
    "work_thursday": "0",
    "work_friday": "0",
    "work_saturday": "0",
    "work_sunday": "0",
    "public_holiday_group": None,
    "holidays": "0",
    "work_start_day": None,
    "work_last_day": None,
}
Shape = dict[str, Any]


def as_json(answer: Any) -> str:
    """Non-ASCII escaped, floats keep their .0, and no blanks."""
    return json.dumps(answer, separators=(",", ":"))


def _color(name: str, color: str | None) -> str:
    return color or PALETTE[crc32(name.encode()) % len(PALETTE)]


# Users


def user_row(user: User) -> Shape:
    return {
        "apiToken": False,
        "locale": user.language,
        "timezone": user.timezone,
        "language": user.language,
        **_user_start(user),
        **_user_name(user),
        "systemAccount": user.system_account,
        "color": None,
    }


def user_entity(user: User) -> Shape:
    """Also each row of the list with `full`."""
    return {
        "apiToken": False,
        "preferences": [{"name": name, "value": value} for name, value in PREFERENCES.items()],
        "locale": user.language,
        "timezone": user.timezone,
        "language": user.language,
        "teams": [],
        **_user_start(user),
        "memberships": [],
        **_user_name(user),
        "roles": [role for role in user.roles if role != "ROLE_USER"],
        "systemAccount": user.system_account,
        "supervisor": None,
        "color": None,
    }


def _user_start(user: User) -> Shape:
    shown = user.alias or user.username
    return {
        "initials": shown[:2].upper(),
        "color-safe": _color(shown, None),
        "id": user.id,
        "alias": user.alias,
        "title": user.title,
        "avatar": None,
    }


def _user_name(user: User) -> Shape:
    return {
        "username": user.username,
        "email": user.email,
        "accountNumber": user.account_number,
        "enabled": user.enabled,
    }


# Customers, projects, activities, tags

NO_BUDGET: Shape = {"budget": 0.0, "timeBudget": 0, "budgetType": None}


def _budget(caller: Caller, kind: str) -> Shape:
    return NO_BUDGET if caller.may(f"budget_{kind}") else {}


def _customer_start(customer: Customer) -> Shape:
    return {
        "color-safe": _color(customer.name, customer.color),
        "id": customer.id,
        "name": customer.name,
        "number": customer.number,
        "comment": customer.comment,
        "visible": customer.visible,
        "billable": customer.billable,
        "company": customer.company,
    }


def _customer_place(customer: Customer, *, has_email: bool = False) -> Shape:
    return {
        "country": customer.country,
        "language": "en",
        "currency": customer.currency,
        "phone": None,
        "fax": None,
        "mobile": None,
        **({"email": None} if has_email else {}),
        "homepage": None,
        "timezone": customer.timezone,
        "metaFields": [],
    }


ADDRESS = {"addressLine1": None, "addressLine2": None, "addressLine3": None}
CITY = {"postCode": None, "city": None}


def customer_row(customer: Customer, caller: Caller, *, full: bool = False) -> Shape:
    full = full and caller.may("details_customer")
    return {
        **_customer_start(customer),
        **({"vatId": None} if full else {}),
        **_customer_place(customer),
        "teams": [],
        **(ADDRESS | CITY if full else {}),
        **_budget(caller, "customer"),
        "color": customer.color,
    }


def customer_entity(customer: Customer, caller: Caller) -> Shape:
    return {
        **_customer_start(customer),
        "vatId": None,
        "contact": None,
        "address": None,
        **_customer_place(customer, has_email=True),
        "teams": [],
        **ADDRESS,
        **CITY,
        "invoiceEmail": None,
        "buyerReference": None,
        **_budget(caller, "customer"),
        "color": customer.color,
    }


def _project_dates(project: Project) -> Shape:
    return {
        "name": project.name,
        "orderNumber": project.order_number,
        "orderDate": None,
        "start": project.start and project.start.isoformat(),
        "end": project.end and project.end.isoformat(),
        "comment": project.comment,
        "visible": project.visible,
        "billable": project.billable,
        "metaFields": [],
    }


def project_row(project: Project, memory: Memory, caller: Caller) -> Shape:
    return {
        "parentTitle": memory.customers[project.customer_id].name,
        "customer": project.customer_id,
        "color-safe": _color(project.name, project.color),
        "id": project.id,
        **_project_dates(project),
        "teams": [],
        "globalActivities": project.global_activities,
        "number": project.number,
        **_budget(caller, "project"),
        "color": project.color,
    }


def project_expanded(project: Project, memory: Memory) -> Shape:
    customer = memory.customers[project.customer_id]
    return {
        "color-safe": _color(project.name, project.color),
        "id": project.id,
        "customer": {
            **_customer_start(customer),
            **_customer_place(customer),
            "color": customer.color,
        },
        **_project_dates(project),
        "globalActivities": project.global_activities,
        "number": project.number,
        "color": project.color,
    }


def activity_row(activity: Activity, memory: Memory, caller: Caller) -> Shape:
    project = memory.projects.get(activity.project_id or 0)
    return {
        "parentTitle": project and project.name,
        "project": activity.project_id,
        "color-safe": _color(activity.name, activity.color),
        "id": activity.id,
        **_activity_end(activity, teams=True),
        **_budget(caller, "activity"),
        "color": activity.color,
    }


def activity_expanded(activity: Activity, memory: Memory) -> Shape:
    project = memory.projects.get(activity.project_id or 0)
    return {
        "color-safe": _color(activity.name, activity.color),
        "id": activity.id,
        "project": project and project_expanded(project, memory),
        **_activity_end(activity, teams=False),
        "color": activity.color,
    }


def _activity_end(activity: Activity, *, teams: bool) -> Shape:
    return {
        "name": activity.name,
        "comment": activity.comment,
        "visible": activity.visible,
        "billable": activity.billable,
        "metaFields": [],
        **({"teams": []} if teams else {}),
        "number": activity.number,
    }


def tag_row(tag: Tag) -> Shape:
    return {
        "color-safe": _color(tag.name, tag.color),
        "id": tag.id,
        "name": tag.name,
        "visible": tag.visible,
        "color": tag.color,
    }


# Timesheets


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

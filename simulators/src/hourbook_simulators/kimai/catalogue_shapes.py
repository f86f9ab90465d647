"""Customers, projects, activities and tags as Kimai serialises them (kimai-api.md 2.3, 2.5)."""

from hourbook_simulators.kimai.memory import Memory
from hourbook_simulators.kimai.permissions import Caller
from hourbook_simulators.kimai.records import Activity, Customer, Project, Tag
from hourbook_simulators.kimai.shape import Shape, color, team_row
from hourbook_simulators.kimai.teams import Restricted


def _teams(record: Restricted, memory: Memory) -> list[Shape]:
    return [team_row(memory.teams[each]) for each in record.team_ids if each in memory.teams]


def _budget(caller: Caller, kind: str, record: Restricted) -> Shape:
    """A project's team sees its time at least (recording 12)."""
    time = {"timeBudget": record.time_budget_seconds, "budgetType": record.budget_type}
    if caller.may(f"budget_{kind}"):
        return {"budget": record.budget, **time}
    is_in_team = not caller.teams.isdisjoint(record.team_ids)
    return time if is_in_team and caller.may(f"time_team_{kind}") else {}


def _customer_start(customer: Customer) -> Shape:
    return {
        "color-safe": color(customer.name, customer.color),
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


def customer_row(
    customer: Customer, memory: Memory, caller: Caller, *, full: bool = False
) -> Shape:
    full = full and caller.may("details_customer")
    return {
        **_customer_start(customer),
        **({"vatId": None} if full else {}),
        **_customer_place(customer),
        "teams": _teams(customer, memory),
        **(ADDRESS | CITY if full else {}),
        **_budget(caller, "customer", customer),
        "color": customer.color,
    }


def customer_entity(customer: Customer, memory: Memory, caller: Caller) -> Shape:
    return {
        **_customer_start(customer),
        "vatId": None,
        "contact": None,
        "address": None,
        **_customer_place(customer, has_email=True),
        "teams": _teams(customer, memory),
        **ADDRESS,
        **CITY,
        "invoiceEmail": None,
        "buyerReference": None,
        **_budget(caller, "customer", customer),
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
        "color-safe": color(project.name, project.color),
        "id": project.id,
        **_project_dates(project),
        "teams": _teams(project, memory),
        "globalActivities": project.global_activities,
        "number": project.number,
        **_budget(caller, "project", project),
        "color": project.color,
    }


def project_expanded(project: Project, memory: Memory) -> Shape:
    customer = memory.customers[project.customer_id]
    return {
        "color-safe": color(project.name, project.color),
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
        "color-safe": color(activity.name, activity.color),
        "id": activity.id,
        **_activity_end(activity, _teams(activity, memory)),
        **_budget(caller, "activity", activity),
        "color": activity.color,
    }


def activity_expanded(activity: Activity, memory: Memory) -> Shape:
    project = memory.projects.get(activity.project_id or 0)
    return {
        "color-safe": color(activity.name, activity.color),
        "id": activity.id,
        "project": project and project_expanded(project, memory),
        **_activity_end(activity, None),
        "color": activity.color,
    }


def _activity_end(activity: Activity, teams: list[Shape] | None) -> Shape:
    return {
        "name": activity.name,
        "comment": activity.comment,
        "visible": activity.visible,
        "billable": activity.billable,
        "metaFields": [],
        **({} if teams is None else {"teams": teams}),
        "number": activity.number,
    }


def tag_row(tag: Tag) -> Shape:
    return {
        "color-safe": color(tag.name, tag.color),
        "id": tag.id,
        "name": tag.name,
        "visible": tag.visible,
        "color": tag.color,
    }

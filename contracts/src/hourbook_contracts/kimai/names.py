"""Kimai's users, customers, projects and activities, and why it does not offer one of them: pure."""

from collections.abc import Mapping
from datetime import date
from typing import Any, NamedTuple

from hourbook_contracts.kimai.violations import Violations
from hourbook_contracts.ledger import Place

TEAMS = "in Kimai under System → Teams, or grant its role view_all_data."


class Named(NamedTuple):
    """One of them, as people know it."""

    kind: str
    id: int
    name: str
    parent_id: int | None = None
    """Of a project its customer; of an activity its project, None where it is global."""
    visible: bool = True
    """Of a user: enabled."""
    time_zone: str | None = None
    system: bool = False
    """Of a user: a system account, on which nobody can book."""
    begins_on: date | None = None
    ends_on: date | None = None
    """Of a project, both of its days."""
    takes_globals: bool = True
    """Of a project: whether global activities may be used with it."""


Names = Mapping[tuple[str, int], Named]
"""By kind and id: what the token may list, hidden ones too."""


class Unoffered(NamedTuple):
    """Why Kimai does not offer a user, project or activity, as a reason and a sentence."""

    why: str
    sentence: str


def named_of(kind: str, shown: Mapping[str, Any]) -> Named:
    """Of an element of Kimai's list; a missing key has Kimai's default (kimai-api.md 2.2, 2.3)."""
    if kind == "user":
        return Named(
            kind,
            int(shown["id"]),
            str(shown.get("alias") or shown.get("username")),
            visible=bool(shown.get("enabled", True)),
            time_zone=shown.get("timezone"),
            system=bool(shown.get("systemAccount", False)),
        )
    return Named(
        kind,
        int(shown["id"]),
        str(shown["name"]),
        parent_id=shown.get({"project": "customer", "activity": "project"}.get(kind, "")),
        visible=bool(shown.get("visible", True)),
        begins_on=_day(shown.get("start")),
        ends_on=_day(shown.get("end")),
        takes_globals=bool(shown.get("globalActivities", True)),
    )


def _day(shown: str | None) -> date | None:
    return date.fromisoformat(shown[:10]) if shown else None


def unoffered(said: Violations, place: Place, names: Names) -> Unoffered | None:
    """Kimai tells all of it alike, "The selected choice is invalid."; None where it said something else."""
    if said.refuses_choice("user"):
        return _user(place.user_id, names)
    if said.refuses_choice("project"):
        return _project(place.project_id, names)
    if said.refuses_choice("activity"):
        return _activity(place, names)
    return None


def _user(user_id: int, names: Names) -> Unoffered:
    found = names.get(("user", user_id))
    if not any(kind == "user" for kind, _ in names):
        sentence = (
            f"Kimai does not offer its user {user_id}: disabled, a system account, or in no team that"
            " the token's account leads. Grant its role view_user, so that we can tell."
        )
    elif found is None:
        sentence = f"Kimai has no user {user_id} any more: map the worker anew."
    elif found.system:
        sentence = f"Kimai's user {user_id} is a system account: map the worker to a person's."
    elif not found.visible:
        sentence = f"Kimai's user {user_id} is disabled: enable it, or map the worker anew."
    else:
        sentence = (
            f"Kimai's user {user_id} is in no team that the token's account leads: make it teamlead"
            f" of one {TEAMS}"
        )
    return Unoffered("missing_permission", sentence)


def _project(project_id: int, names: Names) -> Unoffered:
    found = names.get(("project", project_id))
    if found is None:
        sentence = (
            f"Kimai shows the token no project {project_id}: it was deleted, or the token's account is"
            f" in none of its teams. Map the customer anew, or add the account to a team {TEAMS}"
        )
        return Unoffered("missing_permission", sentence)
    customer = names.get(("customer", found.parent_id or 0))
    for what, named in (("project", found), ("customer", customer)):
        if named is not None and not named.visible:
            sentence = f"Kimai's {what} {named.id} is hidden: show it again, or map to another."
            return Unoffered("project_closed", sentence)
    sentence = (
        f"The token's account is in no team of project {project_id} or its customer: add it {TEAMS}"
    )
    return Unoffered("missing_permission", sentence)


def _activity(place: Place, names: Names) -> Unoffered:
    activity_id, project_id = place.activity_id, place.project_id
    found, project = names.get(("activity", activity_id)), names.get(("project", project_id))
    if found is None:
        sentence = (
            f"Kimai shows the token no activity {activity_id}: it was deleted, or the token's account"
            f" is in none of its teams. Map the activity anew, or add the account to a team {TEAMS}"
        )
        return Unoffered("missing_permission", sentence)
    if not found.visible:
        sentence = f"Kimai's activity {activity_id} is hidden: show it again, or map to another."
        return Unoffered("project_closed", sentence)
    if found.parent_id not in (None, project_id):
        sentence = (
            f"Kimai's activity {activity_id} belongs to project {found.parent_id} and cannot be used"
            f" with project {project_id}: map the activity or the customer anew."
        )
        return Unoffered("invalid", sentence)
    if found.parent_id is None and project is not None and not project.takes_globals:
        sentence = (
            f"Kimai's project {project_id} takes no global activities, and activity {activity_id} is"
            " one: allow them in the project, or map the activity to one of its own."
        )
        return Unoffered("invalid", sentence)
    return Unoffered(
        "missing_permission",
        f"The token's account is in no team of activity {activity_id}: add it {TEAMS}",
    )

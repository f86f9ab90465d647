"""What an exchange that is not judged left behind in the instance, taken from its answer."""

from collections.abc import Callable
from datetime import UTC, date, datetime
from http.client import NO_CONTENT, OK
from typing import Any

from hourbook_kit.clock import now as real_now
from hourbook_simulators.conformance.compare import restored
from hourbook_simulators.conformance.recordings import Exchange
from hourbook_simulators.conformance.scope import READS
from hourbook_simulators.kimai.memory import Memory
from hourbook_simulators.kimai.records import (
    Activity,
    Customer,
    Project,
    Rate,
    Tag,
    Team,
    Timesheet,
)

COMMON = ("number", "comment", "visible", "billable", "color")
CUSTOMER = (*COMMON, "company", "country", "currency", "timezone")


def carry_over(memory: Memory, exchange: Exchange) -> None:
    """Nothing, unless it was a change that the instance accepted."""
    parts = exchange.route.lstrip("/").split("/")
    if exchange.status not in {OK, NO_CONTENT} or exchange.method in READS:
        return
    shown = exchange.response
    match [exchange.method, *parts]:
        case ["POST", kind, record_id, "rates"]:
            memory.rates.append(_rate(kind, int(record_id), shown))
        case [_, "customers" | "projects" | "activities", _, "rates" | "meta", *_]:
            pass
        case ["DELETE", "customers" | "projects" | "activities" as kind, record_id]:
            memory.drop(kind, int(record_id))
        case [_, "customers" | "projects" | "activities" as kind, *_]:
            show_in_catalogue(memory, kind, shown)
        case ["DELETE", "teams", team_id]:
            memory.teams.pop(int(team_id), None)
        case [_, "teams", *_]:
            _show_team(memory, shown)
        case [_, "users", user_id, *_]:
            show_account(memory, int(user_id), shown)
        case _:
            pass
    memory.shown.clear()


def show_in_catalogue(memory: Memory, kind: str, shown: dict[str, Any]) -> None:
    """Budgets are kept where an answer is silent about them."""
    records: dict[int, Any] = getattr(memory, kind)
    fresh = FRESH[kind](shown)
    known = records.get(fresh.id)
    fresh.budget = shown.get("budget", known.budget if known else 0.0)
    fresh.time_budget_seconds = shown.get("timeBudget", known.time_budget_seconds if known else 0)
    fresh.budget_type = shown.get("budgetType", known.budget_type if known else None)
    fresh.team_ids = [team["id"] for team in shown.get("teams", ())]
    records[fresh.id] = fresh
    memory.last_ids[kind] = max(memory.last_ids.get(kind, 0), fresh.id)


def show(memory: Memory, kind: str, shown: dict[str, Any]) -> None:
    """A record stands in memory as an answer shows it, if it does not stand there already."""
    if shown["id"] in getattr(memory, kind):
        return
    if kind == "timesheets":
        _show_timesheet(memory, shown)
    elif kind == "tags":
        tag = Tag(shown["id"], shown["name"], visible=shown["visible"], color=shown["color"])
        memory.tags[tag.id] = tag
    else:
        show_in_catalogue(memory, kind, shown)


def _show_timesheet(memory: Memory, shown: dict[str, Any]) -> None:
    """Plain or expanded; rates are nothing where the answer is silent about them."""
    ids = {
        key: shown[key]["id"] if isinstance(shown[key], dict) else shown[key]
        for key in ("user", "project", "activity")
    }
    tags = (memory.tag_named(name) for name in shown["tags"])
    row = Timesheet(
        shown["id"],
        ids["user"],
        ids["project"],
        ids["activity"],
        begin=_instant(shown["begin"]),
        end=_instant(shown["end"]) if shown["end"] else None,
        zone=memory.users[ids["user"]].timezone,
        duration_seconds=shown["duration"],
        break_seconds=shown["break"],
        description=restored(shown["description"]),
        rate=shown.get("rate", 0.0),
        internal_rate=shown.get("internalRate", 0.0),
        fixed_rate=shown.get("fixedRate"),
        hourly_rate=shown.get("hourlyRate"),
        exported=shown["exported"],
        billable=shown["billable"],
        tag_ids=[tag.id for tag in tags if tag is not None],
    )
    memory.touch(row, memory.now(real_now()))


def _instant(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


def _customer(shown: dict[str, Any]) -> Customer:
    return Customer(shown["id"], shown["name"], **_taken(shown, CUSTOMER))


def _project(shown: dict[str, Any]) -> Project:
    return Project(
        shown["id"],
        shown["name"],
        shown["customer"],
        start=_day(shown["start"]),
        end=_day(shown["end"]),
        order_number=shown["orderNumber"],
        global_activities=shown["globalActivities"],
        **_taken(shown, COMMON),
    )


def _activity(shown: dict[str, Any]) -> Activity:
    return Activity(shown["id"], shown["name"], shown["project"], **_taken(shown, COMMON))


FRESH: dict[str, Callable[[dict[str, Any]], Customer | Project | Activity]] = {
    "customers": _customer,
    "projects": _project,
    "activities": _activity,
}


def _taken(shown: dict[str, Any], names: tuple[str, ...]) -> dict[str, Any]:
    return {name: shown[name] for name in names}


def _day(text: str | None) -> date | None:
    return date.fromisoformat(text) if text else None


def _rate(kind: str, record_id: int, shown: dict[str, Any]) -> Rate:
    user = shown["user"]
    return Rate(
        kind,
        record_id,
        shown["rate"],
        shown["internalRate"],
        is_fixed=shown["isFixed"],
        user_id=user and user["id"],
    )


def _show_team(memory: Memory, shown: dict[str, Any]) -> None:
    team = Team(
        shown["id"],
        shown["name"],
        [member["user"]["id"] for member in shown["members"]],
        [member["user"]["id"] for member in shown["members"] if member["teamlead"]],
        shown["color"],
    )
    memory.teams[team.id] = team
    for kind in FRESH:
        mine = {record["id"] for record in shown.get(kind, ())}
        for record in getattr(memory, kind).values():
            others = [each for each in record.team_ids if each != team.id]
            record.team_ids = sorted([*others, team.id]) if record.id in mine else others


def show_account(memory: Memory, user_id: int, shown: dict[str, Any]) -> None:
    user = memory.users[user_id]
    user.timezone = shown["timezone"]
    user.language = shown["language"]
    user.enabled = shown["enabled"]
    user.alias = shown["alias"]
    user.title = shown["title"]
    user.account_number = shown["accountNumber"]
    user.system_account = shown["systemAccount"]
    rates = {each["name"]: each["value"] for each in shown.get("preferences", ())}
    if "hourly_rate" in rates:
        user.hourly_rate = float(rates["hourly_rate"] or 0)
        internal = rates.get("internal_rate")
        user.internal_rate = None if internal in {None, ""} else float(internal)

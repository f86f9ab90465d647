"""Lists of users, customers, projects, activities and tags (kimai-api.md 2.2, 2.3, 2.5)."""

import re
from collections.abc import Callable, Iterable
from datetime import date, datetime
from typing import Any, TypeVar

from hourbook_simulators.kimai.catalogue_shapes import activity_row, customer_row, project_row
from hourbook_simulators.kimai.listing import Query
from hourbook_simulators.kimai.memory import Memory
from hourbook_simulators.kimai.permissions import Caller
from hourbook_simulators.kimai.records import Tag
from hourbook_simulators.kimai.refusals import FormErrors, masked
from hourbook_simulators.kimai.shape import Shape
from hourbook_simulators.kimai.teams import reaches
from hourbook_simulators.kimai.user_shapes import user_entity, user_row
from hourbook_simulators.kimai.zones import zone

Row = TypeVar("Row")
COMMON = {"visible": r"[123]", "order": r"ASC|DESC", "full": r"0|1|true|false"}
USERS = COMMON | {"orderBy": r"id|username|alias|email"}
CUSTOMERS = COMMON | {"orderBy": r"id|name"}
DAY = r"\d{4}-\d\d-\d\d(T\d\d:\d\d:\d\d)?"
PROJECTS = COMMON | {
    "orderBy": r"id|name|customer",
    "customer": r"\d+",
    "ignoreDates": r"1",
    "globalActivities": r"[01]",
    "start": DAY,
    "end": DAY,
}
ACTIVITIES = COMMON | {
    "orderBy": r"id|name|project",
    "project": r"\d+",
    "globals": r"0|1|true|false",
}
FORBIDDEN = 'The following characters are not allowed: < > " ='


def users(query: Query, memory: Memory, caller: Caller) -> list[Shape]:
    if not caller.may("view_user"):
        raise masked(403)
    is_seen = _visibility(query)
    term = (query.get("term") or "").lower()
    rows = [
        user
        for user in memory.users.values()
        if is_seen(user.enabled)
        and _mentions(term, user.alias, user.title, user.account_number, user.email, user.username)
    ]
    by = query.get("orderBy") or "username"
    rows = _sorted(rows, query, lambda user: str(getattr(user, by) or "").lower(), by_id=by == "id")
    if query.get("full") not in {"1", "true"}:
        return [user_row(user) for user in rows]
    return [
        user_entity(user, memory, caller, is_prepared=user.id == caller.user_id) for user in rows
    ]


def customers(query: Query, memory: Memory, caller: Caller) -> list[Shape]:
    is_seen = _visibility(query)
    term = (query.get("term") or "").lower()
    rows = [
        row
        for row in memory.customers.values()
        if is_seen(row.visible)
        and reaches(caller, row)
        and _mentions(term, row.name, row.comment, row.company, row.number)
    ]
    is_full = query.get("full") in {"1", "true"}
    rows = _sorted(rows, query, lambda row: row.name.lower())
    return [customer_row(row, memory, caller, full=is_full) for row in rows]


def projects(query: Query, memory: Memory, caller: Caller, now: datetime) -> list[Shape]:
    """Those that are active now unless asked otherwise; sorted by customer first, then name."""
    is_seen = _visibility(query)
    term = (query.get("term") or "").lower()
    wanted = _ids(query, "customer", "customers")
    today = now.astimezone(zone(caller.timezone)).date()
    start, end = _day(query.get("start"), today), _day(query.get("end"), today)
    ignores_dates = query.get("ignoreDates") == "1" or query.get("visible") in {"2", "3"}
    rows = [
        row
        for row in memory.projects.values()
        if is_seen(row.visible and memory.customers[row.customer_id].visible)
        and reaches(caller, row, memory.customers[row.customer_id])
        and (not wanted or row.customer_id in wanted)
        and (ignores_dates or _is_between(row.start, row.end, start, end))
        and _mentions(term, row.name, row.comment, row.number, row.order_number)
    ]
    if (allows := query.get("globalActivities")) is not None:
        rows = [row for row in rows if row.global_activities == (allows == "1")]
    names = {row.id: row.name.lower() for row in memory.customers.values()}
    by_customer = query.get("orderBy") == "customer"
    rows = _sorted(
        rows, query, lambda row: (names[row.customer_id] if by_customer else "", row.name.lower())
    )
    return [project_row(row, memory, caller) for row in rows]


def activities(query: Query, memory: Memory, caller: Caller) -> list[Shape]:
    """With projects: theirs and the global ones, unless the only project forbids those."""
    is_seen = _visibility(query)
    term = (query.get("term") or "").lower()
    wanted = _ids(query, "project", "projects")
    globals_only = query.get("globals") in {"1", "true"}
    only = memory.projects.get(next(iter(wanted))) if len(wanted) == 1 else None
    with_globals = only is None or only.global_activities
    rows = [
        row
        for row in memory.activities.values()
        if is_seen(row.visible)
        and reaches(caller, row, memory.projects.get(row.project_id or 0))
        and (row.project_id is None or not globals_only)
        and (not wanted or row.project_id in wanted or (row.project_id is None and with_globals))
        and _mentions(term, row.name, row.comment, row.number)
    ]
    names = {row.id: row.name.lower() for row in memory.projects.values()}
    by_project = query.get("orderBy") == "project"
    rows = _sorted(
        rows,
        query,
        lambda row: (names.get(row.project_id or 0, "") if by_project else "", row.name.lower()),
    )
    return [activity_row(row, memory, caller) for row in rows]


def _visibility(query: Query) -> Callable[[bool], bool]:
    """1 shown (also by default), 2 hidden, 3 both."""
    match query.get("visible"):
        case "3":
            return lambda _: True
        case "2":
            return lambda visible: not visible
        case _:
            return lambda visible: visible


def _mentions(term: str, *texts: str | None) -> bool:
    return not term or any(term in text.lower() for text in texts if text)


def _ids(query: Query, one: str, many: str) -> set[int]:
    asked = query.get(one)
    return set(query.numbers(many)) | ({int(asked)} if asked else set())


def _day(text: str | None, today: date) -> date:
    return date.fromisoformat(text[:10]) if text else today


def _is_between(first: date | None, last: date | None, start: date, end: date) -> bool:
    return (first is None or first <= max(start, end)) and (last is None or last >= min(start, end))


def _sorted(
    rows: Iterable[Row], query: Query, key: Callable[[Row], Any], *, by_id: bool = False
) -> list[Row]:
    falling = query.get("order") == "DESC"
    if by_id or query.get("orderBy") == "id":
        return sorted(rows, key=lambda row: row.id, reverse=falling)  # type: ignore[attr-defined]  # each has one
    return sorted(rows, key=key, reverse=falling)


# Tags


def tags(memory: Memory, part: str) -> list[Tag]:
    found = (tag for tag in memory.tags.values() if tag.visible)
    return sorted(
        (tag for tag in found if part.lower() in tag.name.lower()), key=lambda tag: tag.name.lower()
    )


def create_tag(memory: Memory, caller: Caller, submitted: dict[str, Any]) -> Tag:
    """Invisible unless it says otherwise (kimai-api.md 0.3)."""
    if not caller.may("create_tag") and not caller.may("manage_tag"):
        raise masked(403)
    errors = FormErrors(("name", "color", "visible"))
    if not submitted.keys() <= set(errors.fields):
        errors.at_form.append("This form should not contain extra fields.")
    name = str(submitted.get("name") or "").strip()
    color = submitted.get("color") or None
    for text in _faults_of(name, memory):
        errors.of("name", text)
    if color is not None and re.fullmatch(r"#[0-9a-fA-F]{6}", str(color)) is None:
        errors.of("color", "The given value is not a valid hexadecimal color.")
    if errors:
        raise errors.refusal()
    tag = Tag(
        memory.next_id("tag"), name, visible=submitted.get("visible") is not None, color=color
    )
    memory.tags[tag.id] = tag
    memory.changed()
    return tag


def delete_tag(memory: Memory, caller: Caller, tag: Tag) -> None:
    """Whoever bore it loses it without being modified."""
    if not caller.may("delete_tag"):
        raise masked(403)
    del memory.tags[tag.id]
    for row in memory.timesheets.values():
        if tag.id in row.tag_ids:
            row.tag_ids.remove(tag.id)
    memory.shown.clear()
    memory.changed()


def _faults_of(name: str, memory: Memory) -> list[str]:
    found = []
    if not name:
        found.append("This value should not be blank.")
    if memory.tag_named(name) is not None:
        found.append("This value is already used.")
    if len(name) < 2:  # noqa: PLR2004 -- the text says it
        found.append("This value is too short. It should have 2 characters or more.")
    if len(name) > 100:  # noqa: PLR2004 -- the text says it
        found.append("This value is too long. It should have 100 characters or less.")
    if "," in name:
        found.append("Tag name cannot contain comma")
    if set(name) & set('<>"='):
        found.append(FORBIDDEN)
    return found

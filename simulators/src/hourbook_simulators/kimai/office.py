"""The office of the recordings, and the words in which the conformance rows speak to it."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import httpx

from hourbook_kit.clock import now as real_now
from hourbook_simulators.kimai.in_process import bearer
from hourbook_simulators.kimai.memory import Memory
from hourbook_simulators.kimai.records import (
    Activity,
    Customer,
    Project,
    Team,
    Timesheet,
    Token,
)
from hourbook_simulators.kimai.seeds import add_user

SUPER, CHIEF, LEADER, JOHN, JANE = 1, 2, 3, 4, 5
"""The accounts of the office: two administrators, a teamlead, two users."""
NOON = datetime(2026, 11, 22, 11, 0, tzinfo=UTC)
WORK = {
    "project": 1,
    "activity": 1,
    "begin": "2026-11-19T09:00:00",
    "end": "2026-11-19T10:00:00",
}


def office(at: datetime = NOON) -> Memory:
    """The accounts and the catalogue of the recordings, on a clock that stands at `at`.

    Tokens are super, admin, teamlead, user and user2. Project 2 has an activity of its own and
    takes no other, and only in 2026; activity 3 and project 3 are hidden, customer 2 too.
    """
    memory = Memory()
    roles = ("ROLE_SUPER_ADMIN", "ROLE_ADMIN", "ROLE_TEAMLEAD", "ROLE_USER", "ROLE_USER")
    for name, role in zip(("super", "admin", "teamlead", "user", "user2"), roles, strict=True):
        user = add_user(memory, name, roles=[role])
        memory.add_token(Token(name, user.id))
    customers = [Customer(1, "Acme"), Customer(2, "Hidden", visible=False)]
    memory.customers = {row.id: row for row in customers}
    first, last = date(2026, 1, 1), date(2026, 12, 31)
    projects = [
        Project(1, "Proj", 1),
        Project(2, "Proj2", 1, global_activities=False, start=first, end=last),
        Project(3, "Hidden", 1, visible=False),
        Project(4, "OfHidden", 2),
    ]
    memory.projects = {row.id: row for row in projects}
    activities = [Activity(1, "Dev"), Activity(2, "ProjAct", 2), Activity(3, "Gone", visible=False)]
    memory.activities = {row.id: row for row in activities}
    memory.clock_offset_seconds = (at - real_now()).total_seconds()
    return memory


def hold(memory: Memory, user_id: int = JOHN, **values: Any) -> Timesheet:
    """An hour of the day before, unless told otherwise."""
    begin = values.pop("begin", NOON - timedelta(days=1))
    row = Timesheet(
        memory.next_id("timesheet"),
        user_id,
        values.pop("project_id", 1),
        values.pop("activity_id", 1),
        begin,
        values.pop("end", begin + timedelta(hours=1)),
        values.pop("zone", "Europe/Berlin"),
        duration_seconds=values.pop("duration_seconds", 3600),
        **values,
    )
    memory.touch(row, NOON)
    return row


def team(memory: Memory, *member_ids: int, leads: tuple[int, ...] = ()) -> Team:
    number = memory.next_id("team")
    memory.teams[number] = Team(number, f"T{number}", [*member_ids, *leads], list(leads))
    return memory.teams[number]


async def got(kimai: httpx.AsyncClient, path: str, who: str = "user") -> Any:
    """The answer, or the status where that is no success."""
    answer = await kimai.get(f"/api{path}", headers=bearer(who))
    return answer.json() if answer.is_success else answer.status_code


async def listed(kimai: httpx.AsyncClient, query: str, who: str = "user") -> Any:
    """Their numbers, or the status where that is no success."""
    answer = await kimai.get(f"/api/timesheets?{query}", headers=bearer(who))
    if not answer.is_success:
        return answer.status_code
    return [row["id"] for row in answer.json()]


async def post(kimai: httpx.AsyncClient, who: str = "user", /, **changes: Any) -> httpx.Response:
    """Work of an hour; `...` leaves a field out."""
    body = {name: value for name, value in (WORK | changes).items() if value is not ...}
    return await kimai.post("/api/timesheets", json=body, headers=bearer(who))


async def patch(
    kimai: httpx.AsyncClient, row: Timesheet | int, who: str = "user", verb: str = "", **body: Any
) -> httpx.Response:
    number = row if isinstance(row, int) else row.id
    url = f"/api/timesheets/{number}{verb and '/' + verb}"
    return await kimai.patch(url, json=body, headers=bearer(who))


async def delete(kimai: httpx.AsyncClient, number: int, who: str = "user") -> int:
    return (await kimai.delete(f"/api/timesheets/{number}", headers=bearer(who))).status_code


def said(answer: httpx.Response) -> dict[str, list[str]]:
    """What is wrong by field, and under "" with the form as a whole; a KeyError if nothing is."""
    errors = answer.json()["errors"]
    at_form = {"": errors["errors"]} if "errors" in errors else {}
    fields = errors["children"].items()
    return at_form | {name: child["errors"] for name, child in fields if child}

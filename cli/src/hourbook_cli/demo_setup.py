"""What an administrator does before the first hour travels: connect, map, switch on. Finds what is there."""

import secrets
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import httpx

from hourbook_cli.api import Api, ApiError, password_of
from hourbook_cli.settings import DemoSettings
from hourbook_kit import clock

DESK, HOURS = "desk", "hours"
Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Twins:
    """The two twins, each with the token that Hourbook uses."""

    zammad: httpx.AsyncClient
    kimai: httpx.AsyncClient

    async def of_zammad(self, path: str) -> Any:
        return _json(await self.zammad.get(f"/api/v1{path}"))

    async def of_kimai(self, path: str) -> Any:
        return _json(await self.kimai.get(f"/api{path}"))


@dataclass(frozen=True, slots=True)
class Names:
    """What both sides call things, as far as the demo maps them."""

    me: str
    """Whose token we have: no agent's."""
    agents: list[Json]
    organizations: list[Json]
    types: list[Json]
    users: list[Json]
    projects: list[Json]
    activities: list[Json]


@dataclass(frozen=True, slots=True)
class Prepared:
    """Who may book on what, so that it reaches Kimai."""

    agents: list[Json]
    """Mapped ones, as Zammad has them."""
    organizations: set[int]
    mappings_made: int


async def first_administrator(api: Api, settings: DemoSettings) -> bool:
    """Make the demo's own, where nobody can sign in yet; whether it was made."""
    token = await setup_token(api, settings)
    if token is None:
        return False
    body = {"name": settings.user, "password": password_of(settings)}
    await api.post("/api/auth/setup", body | {"token": token})
    return True


async def setup_token(api: Api, settings: DemoSettings) -> str | None:
    """What makes the first administrator; None where there is one."""
    if not (await api.get("/api/auth"))["needs_set_up"]:
        return None
    file = settings.setup_token_file
    if file is None or not file.exists():
        raise ApiError("Nobody can sign in yet: set HOURBOOK_SETUP_TOKEN_FILE to its file.")
    return file.read_text().strip()


async def prepare(api: Api, twins: Twins, settings: DemoSettings) -> Prepared:
    """All of it; what lets the reading begin comes last, so that nothing is read before it has a place."""
    prepared = await connect(api, twins, settings)
    await let_begin(api)
    return prepared


async def let_begin(api: Api) -> None:
    """Say what a unit is worth: nothing of a Zammad is read before."""
    if not (await api.get(f"/api/connectors/{DESK}"))["units"]:
        body = {"unit": "minute", "seconds_per_unit": 60}
        await api.post(f"/api/connectors/{DESK}/unit", body)


async def connect(api: Api, twins: Twins, settings: DemoSettings) -> Prepared:
    """Everything but `let_begin`."""
    await _connect_zammad(api, twins, settings)
    await _connect_kimai(api, settings)
    prepared = await _map(api, await _names(twins))
    if not (await api.get(f"/api/connectors/{HOURS}"))["writing"]:
        start_on = clock.now().date() - timedelta(days=30)
        body = {"on": True, "start_on": start_on.isoformat()}
        await api.put(f"/api/connectors/{HOURS}/writing", body)
    return prepared


async def _connect_zammad(api: Api, twins: Twins, settings: DemoSettings) -> None:
    """Both ends of the webhook get one secret, drawn here and kept nowhere else.

    The twin is told first: when we are stopped in between, the next start does both again.
    """
    if await api.find(f"/api/connectors/{DESK}") is None:
        endpoint = f"{settings.ingest_url}/api/webhook/zammad/{DESK}"
        secret = secrets.token_urlsafe(32)
        _json(await twins.zammad.put("/_twin/webhook", json={"url": endpoint, "secret": secret}))
        body = {
            "name": DESK,
            "kind": "zammad",
            "base_url": settings.zammad_url,
            "token": settings.zammad_token.get_secret_value(),
            "webhook_secret": secret,
            "poll_seconds": 2,
        }
        await api.post("/api/connectors", body)


async def _connect_kimai(api: Api, settings: DemoSettings) -> None:
    if await api.find(f"/api/connectors/{HOURS}") is not None:
        return
    body = {
        "name": HOURS,
        "kind": "kimai",
        "base_url": settings.kimai_url,
        "token": settings.kimai_token.get_secret_value(),
        "poll_seconds": 2,
        "send_window_seconds": 1,
        "timeout_seconds": 1,
        "grace_seconds": 3,
    }
    await api.post("/api/connectors", body)


async def _names(twins: Twins) -> Names:
    return Names(
        me=str((await twins.of_zammad("/users/me"))["id"]),
        agents=await twins.of_zammad("/users?per_page=1000"),
        organizations=await twins.of_zammad("/organizations?per_page=1000"),
        types=await twins.of_zammad("/time_accounting/types?per_page=1000"),
        users=await twins.of_kimai("/users"),
        projects=await twins.of_kimai("/projects"),
        activities=await twins.of_kimai("/activities"),
    )


async def _map(api: Api, names: Names) -> Prepared:
    """By e-mail and by name; what has no counterpart is left to a person."""
    wanted = [
        *_workers(names),
        *_customers(names),
        *_activities(names),
    ]
    made = 0
    for body in wanted:
        made += await api.post_new("/api/mappings", {"source": DESK, "target": HOURS, **body})
    mapped = {body["source_key"] for body in wanted if body["kind"] == "worker"}
    keys = [body["source_key"] for body in wanted if body["kind"] == "customer"]
    return Prepared(
        agents=[agent for agent in names.agents if str(agent["id"]) in mapped - {names.me}],
        organizations={int(key.removeprefix("organization:")) for key in keys if ":" in key},
        mappings_made=made,
    )


def _workers(names: Names) -> list[Json]:
    users = {(user.get("email") or user["username"]).lower(): user for user in names.users}
    return [
        {
            "kind": "worker",
            "source_key": str(agent["id"]),
            "target_id": user["id"],
            "time_zone": user.get("timezone"),
        }
        for agent in names.agents
        if (user := users.get((agent.get("email") or "").lower()))
    ]


def _customers(names: Names) -> list[Json]:
    """An organization is the project or customer of its name, else the next customer that is nobody's yet."""
    by_name = {project["name"].lower(): project["id"] for project in names.projects}
    of_customer: dict[str, int] = {}
    for project in sorted(names.projects, key=lambda one: one["id"]):
        of_customer.setdefault((project.get("parentTitle") or "").lower(), project["id"])
    known = by_name | of_customer
    matched = {
        one["id"]: known[one["name"].lower()]
        for one in names.organizations
        if one["name"].lower() in known
    }
    free = (project for project in of_customer.values() if project not in matched.values())
    default = min(known.values())
    found = [
        {
            "kind": "customer",
            "source_key": f"organization:{one['id']}",
            "target_id": matched.get(one["id"]) or next(free, default),
        }
        for one in names.organizations
    ]
    return [*found, {"kind": "customer", "source_key": "default", "target_id": default}]


def _activities(names: Names) -> list[Json]:
    activities = {activity["name"].lower(): activity["id"] for activity in names.activities}
    found = [
        {"kind": "activity", "source_key": str(kind["id"]), "target_id": activity}
        for kind in names.types
        if (activity := activities.get(kind["name"].lower()))
    ]
    untyped = activities.get("support") or names.activities[0]["id"]
    return [*found, {"kind": "activity", "source_key": "none", "target_id": untyped}]


def _json(answer: httpx.Response) -> Any:
    answer.raise_for_status()
    return answer.json() if answer.content else None

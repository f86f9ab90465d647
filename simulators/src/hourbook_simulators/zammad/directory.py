"""People, organizations, groups and settings: what a ticket's ids stand for (zammad-api.md 1.4, 2.5, 3.3)."""

from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response

from hourbook_simulators.zammad import shapes
from hourbook_simulators.zammad.asking import Asked, Asking
from hourbook_simulators.zammad.callers import identify
from hourbook_simulators.zammad.memory import Memory
from hourbook_simulators.zammad.records import (
    DEFAULT_SETTINGS,
    STATES,
    Group,
    Organization,
    User,
)
from hourbook_simulators.zammad.refusals import Refusal, answer, forbidden, not_found

router = APIRouter()
ORGANIZATION_COLUMNS = frozenset(Organization.__dataclass_fields__)
GROUP_COLUMNS = frozenset(Group.__dataclass_fields__)
PUBLIC_SETTINGS = [name for name in DEFAULT_SETTINGS if name.startswith("time_accounting")]


def _sees_all(ask: Asking, admin: str) -> bool:
    return ask.caller.may("ticket.agent") or ask.caller.may(admin)


def _user_row(ask: Asking, one: User) -> shapes.Row:
    return shapes.user_expanded(ask.memory, one) if ask.flag("expand") else shapes.user(one)


@router.get("/users")
async def list_users(ask: Asked) -> Response:
    everybody = _sees_all(ask, "admin.user")
    rows = list(ask.memory.books.users.values()) if everybody else [ask.caller.user]
    return ask.render(rows, lambda one: _user_row(ask, one), default=100, kind="User")


@router.get("/users/me")
async def show_me(ask: Asked) -> Response:
    return answer(_user_row(ask, ask.caller.user))


@router.get("/users/{user_id:int}")
async def show_user(ask: Asked, user_id: int) -> Response:
    one = ask.memory.books.users.get(user_id)
    if one is None:
        raise not_found("User", user_id)
    if one is not ask.caller.user and not _sees_all(ask, "admin.*"):
        raise forbidden()
    return answer(_user_row(ask, one))


@router.get("/organizations")
async def list_organizations(ask: Asked) -> Response:
    rows = ask.ordered(ask.memory.books.organizations.values(), ORGANIZATION_COLUMNS, ("id", "asc"))
    if not _sees_all(ask, "admin.organization"):
        rows = [one for one in rows if one.id == ask.caller.user.organization_id]
    return ask.render(rows, lambda one: shapes.organization(ask.memory, one), kind="Organization")


@router.get("/organizations/{organization_id:int}")
async def show_organization(ask: Asked, organization_id: int) -> Response:
    one = ask.memory.books.organizations.get(organization_id)
    if one is None:
        raise not_found("Organization", organization_id)
    if not _sees_all(ask, "admin.organization") and one.id != ask.caller.user.organization_id:
        raise forbidden()
    return answer(shapes.organization(ask.memory, one))


def _may_groups(ask: Asking) -> None:
    if not (_sees_all(ask, "admin.group") or ask.caller.may("ticket.customer")):
        ask.caller.require("ticket.agent")


@router.get("/groups")
async def list_groups(ask: Asked) -> Response:
    _may_groups(ask)
    rows = ask.ordered(ask.memory.books.groups.values(), GROUP_COLUMNS, ("id", "asc"))
    return ask.render(rows, lambda one: shapes.group(ask.memory, one), kind="Group")


@router.get("/groups/{group_id:int}")
async def show_group(ask: Asked, group_id: int) -> Response:
    _may_groups(ask)
    one = ask.memory.books.groups.get(group_id)
    if one is None:
        raise not_found("Group", group_id)
    return answer(shapes.group(ask.memory, one))


@router.get("/ticket_states")
async def list_states(ask: Asked) -> Response:
    ask.caller.require("ticket.agent")
    rows = [shapes.state(number, name) for number, name in STATES.items()]
    return ask.render(rows, lambda row: row, kind="TicketState")


@router.get("/settings")
async def list_settings(ask: Asked) -> Response:
    """Each row needs its own permission."""
    ask.caller.require("admin.*")
    current = ask.memory.books.settings
    rows = [
        shapes.setting(number, name, current[name], initial)
        for number, (name, initial) in enumerate(DEFAULT_SETTINGS.items(), start=1)
        if name != "version" and ask.caller.may(shapes.setting_permission(name))
    ]
    return ask.render(rows, lambda row: row, kind="Setting")


@router.get("/version")
async def version(ask: Asked) -> Response:
    ask.caller.require("admin")
    return answer({"version": ask.memory.books.settings["version"]})


@router.get("/signshow")
async def signshow(request: Request) -> Response:
    """200 for everybody; who is not known gets an `error` and the public part."""
    memory: Memory = request.app.state.memory
    books = memory.books
    body: dict[str, Any] = {"config": {name: books.settings[name] for name in PUBLIC_SETTINGS}}
    try:
        caller = identify(memory, request)
    except Refusal:
        return answer({"error": "no valid session", **body})
    if not caller.may("ticket.agent") and not books.unknowns["signshow_for_time_only"]:
        return answer({"error": "no valid session", "config": {}})
    types = {one.id: shapes.activity_type(one) for one in books.types.values()}
    me = shapes.user(caller.user)
    assets = {"TicketTimeAccountingType": types, "User": {caller.user.id: me}}
    return answer({"session": me, "models": {}, "collections": {}, **body, "assets": assets})

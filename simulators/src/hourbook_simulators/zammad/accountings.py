"""Time accountings under a ticket and of all tickets, and their activity types (zammad-api.md 1.4, 2.2)."""

from typing import Any

from fastapi import APIRouter
from fastapi.responses import Response

from hourbook_simulators.zammad import shapes, units
from hourbook_simulators.zammad.asking import Asked, Asking, looked_up, resolved
from hourbook_simulators.zammad.records import ActivityType, TimeAccounting
from hourbook_simulators.zammad.refusals import (
    Refusal,
    answer,
    forbidden,
    no_route,
    not_found,
    unprocessable,
)

router = APIRouter()
PERMISSION = "admin.time_accounting"
KIND = "Ticket::TimeAccounting"
COLUMNS = frozenset(TimeAccounting.__dataclass_fields__)
TYPE_COLUMNS = frozenset(ActivityType.__dataclass_fields__)
DISABLED = "Not authorized (Time Accounting is not enabled)!"


def _scope(ask: Asking, ticket_id: int | None) -> int | None:
    """The ticket asked about: its path, or a parameter."""
    if ticket_id is not None:
        return ticket_id
    return ask.integer("ticket_id", default=0) if ask.params.get("ticket_id") is not None else None


def _may_read(ask: Asking, ticket_id: int | None) -> None:
    """Administrators; agents who may change the ticket that they name. Reading is not enough (1.4)."""
    if ask.caller.may(PERMISSION):
        return
    if not ticket_id:
        raise forbidden()
    _may_ticket(ask, ticket_id, "change")


def _may_create(ask: Asking, ticket_id: int | None) -> None:
    if ask.caller.may(PERMISSION):
        return
    _may_ticket(ask, ticket_id or 0, "change", "create")
    if not ask.memory.books.settings["time_accounting"]:
        raise forbidden(DISABLED)


def _may_ticket(ask: Asking, ticket_id: int, *accesses: str) -> None:
    ticket = ask.memory.books.tickets.get(ticket_id)
    if ticket is None:
        raise not_found("Ticket", ticket_id)
    if not any(ask.caller.may_ticket(ticket, access) for access in accesses):
        raise forbidden()


def _found(ask: Asking, entry_id: int, ticket_id: int | None) -> TimeAccounting:
    entry = ask.memory.books.accountings.get(entry_id)
    if entry is None or (ticket_id is not None and entry.ticket_id != ticket_id):
        scoped = ' [WHERE "ticket_time_accountings"."ticket_id" = $1]'
        raise not_found(KIND, entry_id, scoped if ticket_id is not None else "")
    return entry


@router.get("/tickets/{ticket_id:int}/time_accountings")
@router.get("/time_accountings")
async def index(ask: Asked, ticket_id: int | None = None) -> Response:
    """An administrator asking about no ticket at all gets no time, not a 404."""
    if ticket_id is None and ask.memory.is_before(6, 2):
        raise no_route(ask.memory, "GET", "/api/v1/time_accountings")
    scope = _scope(ask, ticket_id)
    _may_read(ask, scope)
    rows = _ordered(ask, scope)
    if ask.flag("expand"):
        return answer(
            [shapes.accounting_expanded(ask.memory, one) for one in ask.page_of(rows, 500, 1000)]
        )
    return ask.render(rows, shapes.accounting, kind="TicketTimeAccounting")


def _ordered(ask: Asking, scope: int | None) -> list[TimeAccounting]:
    """Nobody has seen these sorted by anything but their ids (zammad-api.md 12.3)."""
    rows, sorting = ask.memory.entries(scope), ask.memory.books.unknowns["sorting"]
    if sorting != "works" and ask.listed("sort_by") not in ([], ["id"]):
        if sorting == "refused":
            raise Refusal(500, "Found invalid column 'updated_at' for sorting.", human=False)
        return list(rows)
    return ask.ordered(rows, COLUMNS, ("id", "asc"))


@router.get("/tickets/{ticket_id:int}/time_accountings/{entry_id:int}")
@router.get("/time_accountings/{entry_id:int}")
async def show(ask: Asked, entry_id: int, ticket_id: int | None = None) -> Response:
    scope = _scope(ask, ticket_id)
    _may_read(ask, scope)
    entry = _found(ask, entry_id, scope)
    if ask.flag("expand"):
        return answer(shapes.accounting_expanded(ask.memory, entry))
    return answer(shapes.accounting(entry))


def _wish(ask: Asking) -> dict[str, Any]:
    """What of an entry the parameters set; whatever else they name is ignored (2.2)."""
    params, books = ask.params, ask.memory.books
    wish: dict[str, Any] = {}
    if "type" in params:
        names = ((one.id, one.name) for one in books.types.values())
        wish["type_id"] = looked_up(params["type"], names, "type")
    if "type_id" in params:
        wish["type_id"] = resolved(params["type_id"], books.types, "type_id")
    if "ticket_article_id" in params:
        wish["ticket_article_id"] = resolved(
            params["ticket_article_id"], books.articles, "ticket_article_id"
        )
    if "time_unit" in params:
        value = units.read(params["time_unit"])
        if value is None:
            raise unprocessable("Time unit can't be blank")
        wish["time_unit"] = value
    return wish


@router.post("/tickets/{ticket_id:int}/time_accountings")
@router.post("/time_accountings")
async def create(ask: Asked, ticket_id: int | None = None) -> Response:
    scope = _scope(ask, ticket_id)
    _may_create(ask, scope)
    wish = _wish(ask)
    ticket = ask.memory.books.tickets.get(scope or 0)
    if ticket is None:
        raise unprocessable("Ticket must exist")
    if "time_unit" not in wish:
        raise unprocessable("Time unit can't be blank")
    entry = ask.memory.book(
        ticket,
        wish["time_unit"],
        ask.caller.user.id,
        type_id=wish.get("type_id"),
        article_id=wish.get("ticket_article_id"),
    )
    return answer(shapes.accounting(entry), 201)


@router.put("/tickets/{ticket_id:int}/time_accountings/{entry_id:int}")
@router.put("/time_accountings/{entry_id:int}")
async def update(ask: Asked, entry_id: int, ticket_id: int | None = None) -> Response:
    ask.caller.require(PERMISSION)
    entry = _found(ask, entry_id, _scope(ask, ticket_id))
    ask.memory.rebook(entry, ask.caller.user.id, _wish(ask))
    return answer(shapes.accounting(entry))


@router.delete("/tickets/{ticket_id:int}/time_accountings/{entry_id:int}")
@router.delete("/time_accountings/{entry_id:int}")
async def destroy(ask: Asked, entry_id: int, ticket_id: int | None = None) -> Response:
    """The reference check before it turns the 404 of a missing one into a 422 (2.2)."""
    ask.caller.require(PERMISSION)
    try:
        _found(ask, entry_id, None)
    except Refusal as missing:
        status = ask.memory.books.unknowns["delete_of_missing"]
        raise Refusal(status, missing.text) from missing
    ask.memory.unbook(_found(ask, entry_id, _scope(ask, ticket_id)), ask.caller.user.id)
    return answer({})


@router.get("/time_accounting/types")
async def list_types(ask: Asked) -> Response:
    ask.caller.require(PERMISSION)
    rows = ask.ordered(ask.memory.books.types.values(), TYPE_COLUMNS, ("id", "asc"))
    return ask.render(rows, shapes.activity_type, kind="TicketTimeAccountingType")


def _name_of_type(ask: Asking, own_id: int | None = None) -> str:
    name = str(ask.params.get("name") or "").strip()
    if not name:
        raise unprocessable("Name can't be blank")
    for one in ask.memory.books.types.values():
        if one.name.lower() == name.lower() and one.id != own_id:
            raise unprocessable("Name has already been taken")
    return name


@router.post("/time_accounting/types")
async def create_type(ask: Asked) -> Response:
    ask.caller.require(PERMISSION)
    name, memory, author = _name_of_type(ask), ask.memory, ask.caller.user.id
    now = memory.now()
    active = ask.params.get("active", True) in {True, "true", "1"}
    note = ask.params.get("note")
    one = ActivityType(memory.next_id("type"), name, now, now, active, note, author, author)
    memory.books.types[one.id] = one
    memory.written()
    return answer(shapes.activity_type(one), 201)


@router.put("/time_accounting/types/{type_id:int}")
async def update_type(ask: Asked, type_id: int) -> Response:
    ask.caller.require(PERMISSION)
    one = ask.memory.books.types.get(type_id)
    if one is None:
        raise not_found("Ticket::TimeAccounting::Type", type_id)
    if "name" in ask.params:
        one.name = _name_of_type(ask, type_id)
    if "active" in ask.params:
        one.active = ask.flag("active")
    if "note" in ask.params:
        one.note = ask.params["note"]
    one.updated_at, one.updated_by_id = ask.memory.now(), ask.caller.user.id
    ask.memory.written()
    return answer(shapes.activity_type(one))

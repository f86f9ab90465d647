"""Tickets, their search, their articles, their merging (zammad-api.md 3.1, 3.2, 5)."""

from decimal import Decimal
from typing import Any

from fastapi import APIRouter
from fastapi.responses import HTMLResponse, Response

from hourbook_simulators.zammad import shapes, units
from hourbook_simulators.zammad.accountings import DISABLED
from hourbook_simulators.zammad.asking import Asked, Asking, looked_up, resolved
from hourbook_simulators.zammad.records import PRIORITIES, STATES, Article, Link, Ticket
from hourbook_simulators.zammad.refusals import (
    answer,
    forbidden,
    not_found,
    unprocessable,
)

router = APIRouter()
COLUMNS = frozenset(Ticket.__dataclass_fields__)
AGENT = "ticket.agent"


def _found(ask: Asking, ticket_id: int, access: str) -> Ticket:
    ticket = ask.memory.books.tickets.get(ticket_id)
    if ticket is None:
        raise not_found("Ticket", ticket_id)
    if not ask.caller.may_ticket(ticket, access):
        raise forbidden()
    return ticket


def assets_of(ask: Asking, tickets: list[Ticket]) -> dict[str, Any]:
    books = ask.memory.books
    users = {one.customer_id for one in tickets} | {one.owner_id for one in tickets}
    organizations = {one.organization_id for one in tickets if one.organization_id is not None}
    if not tickets:
        return {}
    assets: dict[str, Any] = {
        "Ticket": {one.id: shapes.ticket_with_ids(ask.memory, one) for one in tickets},
        "User": {user_id: shapes.user(books.users[user_id]) for user_id in sorted(users)},
        "Organization": {
            one: shapes.organization(ask.memory, books.organizations[one])
            for one in sorted(organizations)
        },
    }
    if ask.memory.is_before(6, 5):
        groups = sorted({one.group_id for one in tickets})
        roles = sorted({role for user_id in users for role in books.users[user_id].role_ids})
        assets["Group"] = {one: shapes.group(ask.memory, books.groups[one]) for one in groups}
        assets["Role"] = {role: shapes.role(role) for role in roles}
    return assets


@router.get("/tickets")
async def index(ask: Asked) -> Response:
    """By id always, and never more than a hundred."""
    mine = [one for one in ask.memory.books.tickets.values() if ask.caller.may_list(one)]
    rows = ask.page_of(mine, 100, 100)
    if ask.flag("expand"):
        return answer([shapes.ticket_expanded(ask.memory, one) for one in rows])
    if ask.flag("full"):
        return answer({"record_ids": [one.id for one in rows], "assets": assets_of(ask, rows)})
    return answer([shapes.ticket(ask.memory, one) for one in rows])


@router.get("/tickets/{ticket_id:int}")
async def show(ask: Asked, ticket_id: int) -> Response:
    ticket = _found(ask, ticket_id, "read")
    if ask.flag("all"):
        return answer(_all(ask, ticket))
    if ask.flag("expand"):
        return answer(shapes.ticket_expanded(ask.memory, ticket))
    if ask.flag("full"):
        return answer({"id": ticket.id, "assets": assets_of(ask, [ticket])})
    return answer(shapes.ticket(ask.memory, ticket))


def _all(ask: Asking, ticket: Ticket) -> dict[str, Any]:
    """Everything about a ticket; whether its time is shown to who may only read it is not known (12.6)."""
    found = {
        "ticket_id": ticket.id,
        "ticket_article_ids": list(ask.memory.articles_of.get(ticket.id, ())),
        "assets": assets_of(ask, [ticket]),
        "links": links_of(ask, ticket.id),
        "tags": [],
        "mentions": [],
    }
    if ask.memory.books.unknowns["all_shows_time"]:
        names = ("id", "ticket_id", "ticket_article_id", "time_unit", "type_id")
        rows = map(shapes.accounting, ask.memory.entries(ticket.id))
        found["time_accountings"] = [{name: row[name] for name in names} for row in rows]
    return found


def links_of(ask: Asking, ticket_id: int) -> list[dict[str, Any]]:
    """As each end sees it: who has a child is its parent."""
    found = []
    other_way = {"parent": "child", "child": "parent"}
    for link in ask.memory.books.links:
        if ticket_id == link.target_id:
            found.append((link.kind, link.source_id))
        elif ticket_id == link.source_id:
            found.append((other_way.get(link.kind, link.kind), link.target_id))
    return [
        {"link_type": kind, "link_object": "Ticket", "link_object_value": value}
        for kind, value in found
        if ask.caller.may_ticket(ask.memory.books.tickets[value], "read")
    ]


@router.get("/links")
async def list_links(ask: Asked) -> Response:
    """Of tickets only; their rows come along."""
    ticket = _found(ask, ask.integer("link_object_value", default=0), "read")
    links = links_of(ask, ticket.id)
    linked = [ask.memory.books.tickets[link["link_object_value"]] for link in links]
    return answer({"links": links, "assets": assets_of(ask, linked)})


@router.post("/links/add")
async def add_link(ask: Asked) -> Response:
    target = _found(ask, ask.integer("link_object_target_value", default=0), "change")
    source = ask.memory.numbered(str(ask.params.get("link_object_source_number")))
    if source is None:
        raise unprocessable("The object could not be found.")
    link = Link(str(ask.params.get("link_type")), source.id, target.id)
    ask.memory.books.links.append(link)
    ask.memory.written()
    number, at = len(ask.memory.books.links), ask.memory.now()
    return answer(shapes.link(number, link.kind, source.id, target.id, at), 201)


def _wish(ask: Asking) -> dict[str, Any]:
    """What of a ticket the parameters set: ids, or names that are looked up."""
    params, books = ask.params, ask.memory.books
    wish: dict[str, Any] = {
        name: params[name] for name in ("title", "note", "type") if name in params
    }
    names = {
        "group": ((one.id, one.name) for one in books.groups.values()),
        "state": iter(STATES.items()),
        "priority": iter(PRIORITIES.items()),
        "owner": ((one.id, one.login) for one in books.users.values()),
        "customer": ((one.id, one.email) for one in books.users.values()),
        "organization": ((one.id, one.name) for one in books.organizations.values()),
    }
    known: dict[str, dict[int, Any]] = {
        "group": books.groups,
        "state": STATES,
        "priority": PRIORITIES,
        "owner": books.users,
        "customer": books.users,
        "organization": books.organizations,
    }
    for name, those in names.items():
        if name in params:
            wish[f"{name}_id"] = looked_up(params[name], those, name)
        if f"{name}_id" in params:
            wish[f"{name}_id"] = resolved(params[f"{name}_id"], known[name], f"{name}_id")
        if name != "organization" and wish.get(f"{name}_id", 0) is None:
            del wish[f"{name}_id"]  # none of these can be nothing
    return wish


@router.post("/tickets")
async def create(ask: Asked) -> Response:
    ask.caller.require(AGENT)
    wish, memory = _wish(ask), ask.memory
    if not wish.get("group_id"):
        raise unprocessable("Group can't be blank")
    if not ask.caller.user.may_in(wish["group_id"], "create"):
        raise forbidden()
    if not wish.get("customer_id"):
        raise unprocessable("Missing required value for field 'customer_id'!")
    customer = memory.books.users[wish["customer_id"]]
    wish.setdefault("organization_id", customer.organization_id)
    title = str(wish.pop("title", "") or "-")
    body = str((ask.params.get("article") or {}).get("body", "..."))
    ticket = memory.open_ticket(title, ask.caller.user.id, body=body, **wish)
    return answer(shapes.ticket_with_ids(memory, ticket), 201)


@router.put("/tickets/{ticket_id:int}")
async def update(ask: Asked, ticket_id: int) -> Response:
    """With an article and its time in it, all of it happens or nothing."""
    ticket = _found(ask, ticket_id, "change")
    wish = _wish(ask)
    if ask.params.get("article"):
        _write_article(ask, ticket, ask.params["article"], wish)
    else:
        ask.memory.change_ticket(ticket, ask.caller.user.id, wish)
    return answer(shapes.ticket_with_ids(ask.memory, ticket))


def _write_article(
    ask: Asking, ticket: Ticket, params: dict[str, Any], wish: dict[str, Any]
) -> Article:
    return ask.memory.write_article(
        ticket,
        str(params.get("body") or ""),
        ask.caller.user.id,
        internal=params.get("internal") in {True, "true", "1"},
        subject=params.get("subject"),
        time=_time(ask, params),
        wish=wish,
    )


def _time(ask: Asking, params: dict[str, Any]) -> tuple[Decimal, int | None] | None:
    """The time that comes with an article (3.1)."""
    value = units.read(params.get("time_unit"))
    if value is None:
        return None
    books = ask.memory.books
    if not books.settings["time_accounting"]:
        raise forbidden(DISABLED)
    names = ((one.id, one.name) for one in books.types.values())
    by_name = looked_up(params.get("accounted_time_type"), names, "accounted_time_type")
    by_id = resolved(params.get("accounted_time_type_id"), books.types, "accounted_time_type_id")
    return value, by_id or by_name


@router.delete("/tickets/{ticket_id:int}")
async def destroy(ask: Asked, ticket_id: int) -> Response:
    if ticket_id not in ask.memory.books.tickets:
        raise not_found("Ticket", ticket_id)
    if not ask.caller.may("admin"):
        raise forbidden("Not authorized (admin permission required)!")
    ask.memory.delete_ticket(ask.memory.books.tickets[ticket_id])
    return HTMLResponse("")


@router.put("/ticket_merge/{source_id:int}/{target_number}")
async def merge(ask: Asked, source_id: int, target_number: str) -> Response:
    ask.caller.require(AGENT)
    memory = ask.memory
    target, source = memory.numbered(target_number), memory.books.tickets.get(source_id)
    for which, ticket in (("target", target), ("source", source)):
        if ticket is None:
            numbered = " number" if which == "target" else ""
            message = f"The {which} ticket{numbered} could not be found."
            return answer({"result": "failed", "message": message})
        if not ask.caller.may_ticket(ticket, "change"):
            raise forbidden()
    if source is not None and target is not None:
        memory.merge(source, target, ask.caller.user.id)
    rows = {"target_ticket": target, "source_ticket": source}
    shown = {name: shapes.ticket(ask.memory, one) for name, one in rows.items() if one is not None}
    return answer({"result": "success", **shown})


@router.get("/ticket_articles/by_ticket/{ticket_id:int}")
async def list_articles(ask: Asked, ticket_id: int) -> Response:
    _found(ask, ticket_id, "read")
    articles = ask.memory.articles_of.get(ticket_id, {}).values()
    return answer([shapes.article(ask.memory, one) for one in articles])


def _article(ask: Asking, article_id: int, access: str) -> Article:
    article = ask.memory.books.articles.get(article_id)
    if article is None:
        raise not_found("Ticket::Article", article_id)
    _found(ask, article.ticket_id, access)
    return article


@router.get("/ticket_articles/{article_id:int}")
async def show_article(ask: Asked, article_id: int) -> Response:
    return answer(shapes.article(ask.memory, _article(ask, article_id, "read")))


@router.post("/ticket_articles")
async def create_article(ask: Asked) -> Response:
    ticket = _found(ask, ask.integer("ticket_id", default=0), "change")
    return answer(shapes.article(ask.memory, _write_article(ask, ticket, ask.params, {})), 201)


@router.delete("/ticket_articles/{article_id:int}")
async def destroy_article(ask: Asked, article_id: int) -> Response:
    article = _article(ask, article_id, "change")
    if article.created_by_id != ask.caller.user.id:
        raise forbidden()
    ask.memory.delete_article(article, ask.caller.user.id)
    return answer({})

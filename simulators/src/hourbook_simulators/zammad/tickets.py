"""Tickets, their search, their articles, their merging (zammad-api.md 3.1, 3.2, 5)."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from fastapi import APIRouter
from fastapi.responses import HTMLResponse, Response

from hourbook_simulators.zammad import shapes, units
from hourbook_simulators.zammad.accountings import DISABLED
from hourbook_simulators.zammad.asking import Asked, Asking, looked_up, resolved
from hourbook_simulators.zammad.records import PRIORITIES, STATES, Article, Ticket
from hourbook_simulators.zammad.refusals import (
    Refusal,
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


def _assets(ask: Asking, tickets: list[Ticket]) -> dict[str, Any]:
    books = ask.memory.books
    users = {one.customer_id for one in tickets} | {one.owner_id for one in tickets}
    organizations = {one.organization_id for one in tickets if one.organization_id is not None}
    if not tickets:
        return {}
    return {
        "Ticket": {one.id: shapes.ticket_with_ids(ask.memory, one) for one in tickets},
        "User": {user_id: shapes.user(books.users[user_id]) for user_id in sorted(users)},
        "Organization": {
            one: shapes.organization(ask.memory, books.organizations[one])
            for one in sorted(organizations)
        },
    }


@router.get("/tickets")
async def index(ask: Asked) -> Response:
    """By id always, and never more than a hundred."""
    mine = [one for one in ask.memory.books.tickets.values() if ask.caller.may_list(one)]
    rows = ask.page_of(mine, 100, 100)
    if ask.flag("expand"):
        return answer([shapes.ticket_expanded(ask.memory, one) for one in rows])
    if ask.flag("full"):
        return answer({"record_ids": [one.id for one in rows], "assets": _assets(ask, rows)})
    return answer([shapes.ticket(one) for one in rows])


@router.get("/tickets/search")
@router.post("/tickets/search")
async def search(ask: Asked) -> Response:
    """Without a search server: `query` is a part of title, number or an article (3.2)."""
    holds = [_condition(name, one) for name, one in (ask.params.get("condition") or {}).items()]
    query = str(ask.params.get("query") or "").strip("* ").lower()
    ids = {int(one) for one in ask.listed("ids")}
    found = [
        one
        for one in ask.memory.books.tickets.values()
        if ask.caller.may_list(one)
        and all(test(one) for test in holds)
        and (not query or _mentions(ask, one, query))
        and (not ids or one.id in ids)
    ]
    rows = ask.ordered(found, COLUMNS, ("updated_at", "desc"))
    return _search_answer(ask, rows)


def _search_answer(ask: Asking, rows: list[Ticket]) -> Response:
    shown = ask.page_of(rows, 50, 200)
    if ask.flag("expand"):
        return answer([shapes.ticket_expanded(ask.memory, one) for one in shown])
    ids = [one.id for one in shown]
    if ask.caller.speaks_old:
        assets = _assets(ask, shown)
        return answer({"tickets": ids, "tickets_count": len(ids), "assets": assets})
    if ask.flag("only_total_count"):
        return answer({"total_count": len(rows)})
    if ask.flag("full"):
        assets = _assets(ask, shown)
        return answer({"record_ids": ids, "assets": assets, "total_count": len(rows)})
    return answer([shapes.ticket_with_ids(ask.memory, one) for one in shown])


def _mentions(ask: Asking, ticket: Ticket, query: str) -> bool:
    if query in ticket.title.lower() or query in ticket.number:
        return True
    return any(
        query in one.body.lower() for one in ask.memory.articles_of.get(ticket.id, {}).values()
    )


def _condition(name: str, condition: dict[str, Any]) -> Callable[[Ticket], bool]:
    """`after (absolute)` is >= and `before (absolute)` is <=, as in Zammad's selector."""
    column = name.removeprefix("ticket.")
    operator, value = condition.get("operator"), condition.get("value")
    if column not in COLUMNS or not name.startswith("ticket."):
        raise unprocessable(f"Invalid selector {name}")
    wanted = {str(one) for one in (value if isinstance(value, list) else [value])}
    moment = _moment(str(value))
    tests: dict[Any, Callable[[Ticket], bool]] = {
        "after (absolute)": lambda one: getattr(one, column) >= moment,
        "before (absolute)": lambda one: getattr(one, column) <= moment,
        "is": lambda one: str(getattr(one, column)) in wanted,
        "is not": lambda one: str(getattr(one, column)) not in wanted,
    }
    if operator not in tests:
        raise Refusal(500, f"Invalid operator '{operator}' for '{value}'", human=False)
    return tests[operator]


def _moment(value: str) -> str:
    """With milliseconds, so that texts compare as times do."""
    whole, _, fraction = value.removesuffix("Z").removesuffix("+00:00").partition(".")
    return f"{whole}.{fraction[:3]:0<3}Z"


@router.get("/tickets/{ticket_id:int}")
async def show(ask: Asked, ticket_id: int) -> Response:
    ticket = _found(ask, ticket_id, "read")
    if ask.flag("expand"):
        return answer(shapes.ticket_expanded(ask.memory, ticket))
    if ask.flag("full"):
        return answer({"id": ticket.id, "assets": _assets(ask, [ticket])})
    return answer(shapes.ticket(ticket))


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
    shown = {name: shapes.ticket(one) for name, one in rows.items() if one is not None}
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

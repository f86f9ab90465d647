"""The search for tickets, without a search server (zammad-api.md 3.2)."""

from collections.abc import Callable
from typing import Any

from fastapi import APIRouter
from fastapi.responses import Response

from hourbook_simulators.zammad import shapes
from hourbook_simulators.zammad.asking import Asked, Asking
from hourbook_simulators.zammad.records import Ticket
from hourbook_simulators.zammad.refusals import Refusal, answer, unprocessable
from hourbook_simulators.zammad.tickets import COLUMNS, assets_of

router = APIRouter()


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
        assets = assets_of(ask, shown)
        return answer({"tickets": ids, "tickets_count": len(ids), "assets": assets})
    if ask.flag("only_total_count"):
        return answer({"total_count": len(rows)})
    if ask.flag("full"):
        assets = assets_of(ask, shown)
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

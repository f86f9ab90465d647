"""One request: the books, the caller, and the parameters of query and body together, read as Rails reads them."""

import re
from collections.abc import Callable, Iterable
from operator import attrgetter
from typing import Annotated, Any, TypeVar

import orjson
from fastapi import Depends, Request
from fastapi.responses import Response

from hourbook_simulators.zammad.callers import Caller, identify
from hourbook_simulators.zammad.memory import Memory
from hourbook_simulators.zammad.refusals import Refusal, answer, unprocessable

LEADING_INT = re.compile(r"\s*([+-]?\d+)")
R = TypeVar("R")


class Asking:
    def __init__(self, memory: Memory, caller: Caller, params: dict[str, Any]) -> None:
        self.memory = memory
        self.caller = caller
        self.params = params

    def flag(self, name: str) -> bool:
        return self.params.get(name) in {True, "true", "1"}

    def integer(self, *names: str, default: int) -> int:
        """The first of these that is given, as Ruby's to_i has it."""
        for name in names:
            if (value := self.params.get(name)) is not None:
                found = LEADING_INT.match(str(value))
                return int(found[1]) if found else 0
        return default

    def page_of(self, rows: list[R], default: int, maximum: int) -> list[R]:
        maximum = min(maximum, int(self.memory.books.unknowns["page_cap"]))
        size = min(self.integer("per_page", "limit", default=default), maximum)
        begins = (self.integer("page", default=1) - 1) * size
        if begins < 0 or size < 0:
            raise Refusal(422, "PG::InvalidRowCountInResultOffsetClause: ERROR:  OFFSET must not be "
                          "negative\n", human=False)  # fmt: skip  # one sentence
        return rows[begins : begins + size]

    def listed(self, name: str) -> list[str]:
        value = self.params.get(name)
        if isinstance(value, list):
            return [str(one) for one in value]
        return [] if value is None else [one.strip() for one in str(value).split(",")]

    def ordered(
        self, rows: Iterable[R], columns: frozenset[str], order: tuple[str, str]
    ) -> list[R]:
        """By `sort_by` and `order_by`; a column without an order of its own is dropped (2.2)."""
        names = self.listed("sort_by") or [order[0]]
        orders = [one.lower() for one in self.listed("order_by")] or [order[1]]
        for wrong in (name for name in names if name not in columns):
            raise Refusal(500, f"Found invalid column '{wrong}' for sorting.", human=False)
        for wrong in (one for one in orders if one not in {"asc", "desc"}):
            raise Refusal(500, f"Found invalid order by '{wrong}'.", human=False)
        found = list(rows)
        for name, direction in reversed(list(zip(names, orders, strict=False))):
            found.sort(key=_nulls_last(name), reverse=direction == "desc")
        return found

    def render(
        self,
        rows: list[R],
        row: Callable[[R], Any],
        *,
        default: int = 500,
        maximum: int = 1000,
        kind: str,
    ) -> Response:
        """A list as most of Zammad gives it: plain, or `full` with its ids and how many there are in all."""
        shown = self.page_of(rows, default, maximum)
        if not self.flag("full"):
            return answer([row(one) for one in shown])
        assets = {made["id"]: made for made in map(row, shown)}
        body = {"record_ids": list(assets), "assets": {kind: assets} if assets else {}}
        counted = self.memory.books.unknowns["full_counts"]
        return answer(body | {"total_count": len(rows)} if counted else body)


def _nulls_last(name: str) -> Callable[[Any], Any]:
    if name in {"type_id", "ticket_article_id", "organization_id", "time_unit", "note", "type"}:
        return lambda one: (
            (value := getattr(one, name)) is None,
            value if value is not None else 0,
        )
    return attrgetter(name)


async def ask(request: Request) -> Asking:
    """Authenticates before it reads anything else."""
    memory: Memory = request.app.state.memory
    caller = identify(memory, request)
    params: dict[str, Any] = {}
    for name, value in request.query_params.multi_items():
        if name.endswith("[]"):
            params.setdefault(name[:-2], []).append(value)
        else:
            params[name] = value
    if request.method in {"POST", "PUT", "PATCH", "DELETE"}:
        params |= _body(await request.body())
    return Asking(memory, caller, params)


def _body(raw: bytes) -> dict[str, Any]:
    if not raw.strip():
        return {}
    try:
        body = orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        raise Refusal(400, "Error occurred while parsing request parameters") from error
    return body if isinstance(body, dict) else {}


Asked = Annotated[Asking, Depends(ask)]


def resolved(value: Any, known: dict[int, R], name: str) -> int | None:
    """The id of an existing record, or None where none is wished."""
    if value is None or value == "":
        return None
    found = LEADING_INT.match(str(value))
    if found is None or int(found[1]) not in known:
        raise unprocessable(f"Invalid value for param '{name}': {value}")
    return int(found[1])


def looked_up(value: Any, names: Iterable[tuple[int, str]], name: str) -> int | None:
    if value is None or value == "":
        return None
    for record_id, text in names:
        if text == value:
            return record_id
    raise unprocessable(f"No lookup value found for '{name}': {orjson.dumps(value).decode()}")

"""What an endpoint reads of a request: its parameters, its record, its body."""

from typing import Any, TypeVar

from starlette.requests import Request

from hourbook_simulators.kimai.decoding import decode
from hourbook_simulators.kimai.listing import Query
from hourbook_simulators.kimai.refusals import masked

Row = TypeVar("Row")


def query_of(request: Request, patterns: dict[str, str]) -> Query:
    return Query(request.query_params.multi_items(), patterns)


def found(records: dict[int, Row], request: Request) -> Row:
    record = records.get(request.path_params["id"])
    if record is None:
        raise masked(404)
    return record


async def submitted_of(request: Request) -> dict[str, Any]:
    return decode(await request.body(), request.headers.get("content-type", ""))

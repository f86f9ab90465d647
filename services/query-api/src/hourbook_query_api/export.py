"""Lists as CSV: the same filters, all rows, and a note of who took them."""

import csv
import io
import re
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable
from typing import Any

import asyncpg
from fastapi import Request
from fastapi.responses import StreamingResponse
from pydantic import BaseModel

from hourbook_contracts.house import ListExported
from hourbook_kit import clock
from hourbook_query_api import audit, conflicts, entries
from hourbook_query_api.accesses import agents_of, note
from hourbook_query_api.acts import publish
from hourbook_query_api.audit import AUDIT
from hourbook_query_api.conflicts import CONFLICTS
from hourbook_query_api.connectors import Open
from hourbook_query_api.desk import Desk
from hourbook_query_api.entries import ENTRIES
from hourbook_query_api.entry_models import Conflict, Entry
from hourbook_query_api.guard import guarded_router
from hourbook_query_api.listing import Listing, Where
from hourbook_query_api.people import Person, Who

router = guarded_router("/api", "export")

_CSV: dict[int | str, dict[str, Any]] = {
    200: {
        "content": {"text/csv": {"schema": {"type": "string"}}},
        "description": "All rows of these filters, the names of the columns first.",
    }
}
_FORMULA = re.compile(r"[\t\r\n]|\s*[=+@\-\uff1d\uff0b\uff20\uff0d]")
"""Spreadsheets skip blanks before a sign, and some take its full-width form."""
_NUMBER = re.compile(r"-?\d+(\.\d+)?", re.ASCII)

Shown = Callable[[Desk, list[asyncpg.Record]], Coroutine[Any, Any, list[Any]]]


class Csv(StreamingResponse):
    media_type = "text/csv"


_ENTRY_COLUMNS = (
    *("entry", "ticket_number", "ticket_title", "connection", "agent_id", "activity_type_id"),
    *("day", "created_at", "raw_units", "seconds_per_unit", "duration_seconds", "net_seconds"),
    *("state", "reason", "target", "user_id", "sheet", "want.duration_seconds"),
    *("held.duration_seconds", "held.began_at", "held.place.project_id"),
    *("held.place.activity_id", "changed_at"),
)
_CONFLICT_COLUMNS = (
    *("subject", "reason", "detail", "ticket_number", "ticket_title", "connection", "agent_id"),
    *("day", "target", "user_id", "sheet", "locked", "want.duration_seconds"),
    *("held.duration_seconds", "opened_at", "open", "resolution", "resolved_by"),
    *("resolved_by_name", "resolved_at"),
)
_ACT_COLUMNS = ("at", "by", "by_name", "type", "subject", "act")


@router.get("/entries.csv", response_class=Csv, responses=_CSV)
async def export_entries(
    desk: Open,
    who: Who,
    request: Request,
    wanted: entries.Wanted,
    sort: entries.SortBy = "-created_at",
) -> Csv:
    async def noted(desk: Desk, portion: list[asyncpg.Record]) -> list[Entry]:
        await note(desk, who, "export", agents_of(portion))
        return await entries.shown(desk, portion)

    rows = _rows(desk, ENTRIES, wanted.where(), sort, noted)
    return await _csv(desk, who, request, "entries", _ENTRY_COLUMNS, rows)


@router.get("/conflicts.csv", response_class=Csv, responses=_CSV)
async def export_conflicts(
    desk: Open,
    who: Who,
    request: Request,
    wanted: conflicts.Wanted,
    sort: conflicts.SortBy = "opened_at",
) -> Csv:
    async def noted(desk: Desk, portion: list[asyncpg.Record]) -> list[Conflict]:
        told = await conflicts.shown(desk, portion)
        await note(desk, who, "export", conflicts.agents_in(told))
        return told

    rows = _rows(desk, CONFLICTS, wanted.where(), sort, noted)
    return await _csv(desk, who, request, "conflicts", _CONFLICT_COLUMNS, rows)


@router.get("/audit.csv", response_class=Csv, responses=_CSV)
async def export_acts(
    desk: Open, who: Who, request: Request, wanted: audit.Wanted, sort: audit.SortBy = "-at"
) -> Csv:
    rows = _rows(desk, AUDIT, wanted.where(), sort, audit.shown)
    return await _csv(desk, who, request, "audit", _ACT_COLUMNS, rows)


async def _csv(
    desk: Desk,
    who: Person,
    request: Request,
    of: str,
    columns: tuple[str, ...],
    rows: AsyncIterator[list[BaseModel]],
) -> Csv:
    """Noted before the first row goes out; of the filters their names only: a value may be personal."""
    filters = tuple(sorted(set(request.query_params) - {"sort"}))
    await publish(desk, ListExported(observed_at=clock.now(), by=who.id, of=of, filters=filters))
    name = f"hourbook-{of}-{clock.now():%Y-%m-%d}.csv"
    headers = {
        "Content-Disposition": f'attachment; filename="{name}"',
        "Cache-Control": "no-store",
    }
    return Csv(_lines(columns, rows), headers=headers)


async def _rows(
    desk: Desk, listing: Listing, wanted: Where, sort: str, shown: Shown
) -> AsyncIterator[list[BaseModel]]:
    async for portion in listing.all(desk.pool, wanted, sort=sort):
        yield await shown(desk, portion)


async def _lines(
    columns: tuple[str, ...], rows: AsyncIterator[list[BaseModel]]
) -> AsyncIterator[str]:
    """RFC 4180, in UTF-8."""
    yield _text([columns])
    async for portion in rows:
        yield _text([_cell(one, column) for column in columns] for one in portion)


def _text(lines: Iterable[Iterable[Any]]) -> str:
    file = io.StringIO()
    csv.writer(file).writerows(lines)
    return file.getvalue()


def _cell(one: BaseModel, column: str) -> Any:
    """A moment in ISO 8601; text that a spreadsheet would take for a formula is marked as text, a number is not."""
    found: Any = one
    for step in column.split("."):
        found = None if found is None else getattr(found, step)
    if isinstance(found, str):
        calculated = _FORMULA.match(found) and not _NUMBER.fullmatch(found)
        return f"'{found}" if calculated else found
    return found.isoformat() if hasattr(found, "isoformat") else found

"""Lists that are pulled page by page, and what proves that nothing was missed (zammad-api.md 7)."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from datetime import UTC, datetime

from hourbook_ingest_zammad import normalise
from hourbook_ingest_zammad.calls import UNFIT, Calls
from hourbook_ingest_zammad.paging import PAGE_ROWS_LEAST, falls, rises, window
from hourbook_kit.source.protocol import (
    GoneError,
    IncompletePullError,
    Page,
    RefusedError,
    RetriableError,
    TicketSeen,
    UnfitError,
    UnreadableError,
)

ASSETS = "TicketTimeAccounting"
TIME, SEARCH = "/time_accountings", "/tickets/search"
SEARCH_ROWS = 200
"""Zammad's search gives no more (zammad-api.md 3.2)."""


async def all_time(calls: Calls) -> AsyncGenerator[list[object], None]:
    """All time accountings there are; raises `UnfitError` of a Zammad that has no such list."""
    try:
        async with aclosing(proven(calls, TIME)) as pages:
            async for rows in pages:
                yield rows
    except GoneError as error:
        raise UnfitError(UNFIT) from error


async def proven(calls: Calls, path: str) -> AsyncGenerator[list[object], None]:
    """All rows by id; raises `IncompletePullError` at the end unless these were all.

    Each page shows the last row of the one before it, so that a row deleted meanwhile hides none; and
    where Zammad counts, the count is right.
    """
    seen: set[int] = set()
    last: int | None = None
    while True:
        asked = window(len(seen), calls.page_rows)
        body = await calls.get(path, full="true", sort_by="id", order_by="asc", **asked._asdict())
        ids, rows, total = full(body)
        if last is not None and last not in rows:
            raise IncompletePullError(IncompletePullError.__doc__)
        news = [row_id for row_id in ids if row_id not in seen]
        yield [rows[row_id] for row_id in news]
        seen.update(news)
        if not news or (total is not None and asked.begins + len(ids) >= total):
            break
        last = ids[-1]
        if asked.begins == 0 and len(ids) < asked.per_page:
            calls.page_rows = max(PAGE_ROWS_LEAST, len(ids))  # it gives no more than this
    if total is not None and len(seen) != total:
        raise IncompletePullError(IncompletePullError.__doc__)


def full(body: object) -> tuple[list[int], dict[int, object], int | None]:
    """The ids in their order, the rows by id, and how many there are in all where it says so."""
    match body:
        case {"record_ids": [*ids], "assets": dict(assets), **rest}:
            total, rows = rest.get("total_count"), assets.get(ASSETS) or {}
        case _:
            raise UnreadableError("a full list without record_ids and assets")
    if total is not None and not isinstance(total, int):
        raise UnreadableError("a full list whose count is no number")
    try:
        return ids, {row_id: rows[str(row_id)] for row_id in ids}, total
    except (KeyError, TypeError, AttributeError):
        raise UnreadableError("a full list whose rows are not among its assets") from None


class ByChange:
    """The time accountings that changed last; where Zammad does not sort them so, all of them."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls
        self._sorts = True
        self.walked = False
        """Whether the last poll had to walk the whole list, because nothing else was answered."""

    async def since(self, moment: datetime | None) -> AsyncGenerator[Page, None]:
        """Those changed since then and perhaps more; None: all of them.

        A row that changes meanwhile is shown twice or on the next poll; a deleted one may hide its
        neighbour, which only a sweep can rule out.
        """
        self.walked = not self._sorts
        if self._sorts:
            async with aclosing(self._sorted(moment)) as pages:
                async for page in pages:
                    yield page
        if self.walked:
            async with aclosing(all_time(self._calls)) as pages_of_all:
                async for rows in pages_of_all:
                    yield normalise.page(rows)

    async def _sorted(self, moment: datetime | None) -> AsyncGenerator[Page, None]:
        """Ends early, `walked`, where Zammad refuses to sort or does as if nothing was said (12.3)."""
        number = 1
        while True:
            try:
                rows = await self._calls.get(
                    TIME,
                    sort_by="updated_at,id",
                    order_by="desc,desc",
                    page=number,
                    per_page=self._calls.page_rows,
                )
            except (GoneError, RefusedError, RetriableError):
                if number > 1:
                    raise
                self.walked = True
                return
            if not isinstance(rows, list):
                raise UnreadableError("the list of time accountings is no list")
            page = normalise.page(rows)
            if not falls(page):
                self._sorts, self.walked = False, True
                return
            yield page
            oldest = min((row.updated_at for row in page.bookings), default=None)
            if len(rows) < self._calls.page_rows or (moment and oldest and oldest < moment):
                return
            number += 1


async def changed_tickets(calls: Calls, since: datetime) -> AsyncGenerator[list[TicketSeen], None]:
    """Tickets that changed since then, the longest ago first; each page begins where the last one ended.

    A question with a condition and no words is answered by Zammad's database, not by its search server.
    """
    at, number, seen = since, 1, set[int]()
    while True:
        rows = await _search(calls, at, "asc", number, SEARCH_ROWS)
        if not rises(rows):
            raise RefusedError("Zammad does not sort the tickets it finds.")
        news = [row for row in rows if row.id not in seen]
        yield news
        seen.update(row.id for row in news)
        if len(rows) < min(SEARCH_ROWS, calls.page_rows) or (not news and number > 1):
            return
        if rows[-1].updated_at > at:
            at, number = rows[-1].updated_at, 1
        else:
            number += 1


async def newest_ticket(calls: Calls) -> datetime | None:
    """When the last one changed; None where there is none."""
    rows = await _search(calls, datetime(1970, 1, 1, tzinfo=UTC), "desc", 1, 1)
    return rows[0].updated_at if rows else None


async def _search(
    calls: Calls, since: datetime, order: str, number: int, rows: int
) -> list[TicketSeen]:
    condition = {"operator": "after (absolute)", "value": _in_words(since)}
    question = {
        "condition": {"ticket.updated_at": condition},
        "sort_by": ["updated_at", "id"],
        "order_by": [order, order],
        "page": number,
        "per_page": rows,
    }
    return normalise.tickets_seen(await calls.post(SEARCH, question))


def _in_words(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")

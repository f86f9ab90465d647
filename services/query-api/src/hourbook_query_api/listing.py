"""Lists: one way to narrow, sort, page, count and take out rows, whatever they are.

SQL is put together from words of our own only; what people send is always an argument.
"""

from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass
from typing import Any, NamedTuple

import asyncpg

from hourbook_query_api.paging import COUNT_CAP, Total, cursor_of, total_of, values_of
from hourbook_query_api.problems import invalid

PORTION_ROWS = 1000


class Sort(NamedTuple):
    """What rows are sorted by; never null."""

    expression: str
    type: str


class Where(NamedTuple):
    """Conditions and their arguments, `$1` first."""

    sql: str
    arguments: list[Any]


def where(conditions: Iterable[tuple[str, Any]]) -> Where:
    """Of those whose value is not None; `{}` stands for it."""
    asked = [(condition, value) for condition, value in conditions if value is not None]
    sql = [condition.format(f"${place}") for place, (condition, _) in enumerate(asked, start=1)]
    return Where(" AND ".join(sql) or "true", [value for _, value in asked])


class Page(NamedTuple):
    rows: list[asyncpg.Record]
    next: str | None
    total: Total


@dataclass(frozen=True, slots=True)
class Listing:
    """Rows of one kind: what is selected, from where, by what they may be sorted, and what tells two apart."""

    select: str
    source: str
    sorts: dict[str, Sort]
    key: str
    key_type: str = "text"

    @property
    def sort_pattern(self) -> str:
        return f"^-?({'|'.join(self.sorts)})$"

    async def page(
        self, pool: asyncpg.Pool, wanted: Where, *, sort: str, limit: int, cursor: str | None
    ) -> Page:
        """One page and how many there are; rows that come meanwhile shift nothing."""
        rows, following = await self._some(pool, wanted, sort=sort, limit=limit, cursor=cursor)
        return Page(rows, following, await self.count(pool, wanted))

    async def all(
        self, pool: asyncpg.Pool, wanted: Where, *, sort: str
    ) -> AsyncIterator[list[asyncpg.Record]]:
        """All rows in portions, page by page: however slowly they are taken, nothing is held open."""
        cursor = None
        while True:
            rows, cursor = await self._some(
                pool, wanted, sort=sort, limit=PORTION_ROWS, cursor=cursor
            )
            yield rows
            if cursor is None:
                return

    async def _some(
        self, pool: asyncpg.Pool, wanted: Where, *, sort: str, limit: int, cursor: str | None
    ) -> tuple[list[asyncpg.Record], str | None]:
        arguments = [*wanted.arguments]
        expression, kind = self.sorts[sort.removeprefix("-")]
        direction, beyond = ("DESC", "<") if sort.startswith("-") else ("ASC", ">")
        place = ""
        if cursor:
            first = len(arguments) + 1
            place = (
                f" AND ({expression}, {self.key}) {beyond}"
                f" (${first}::text::{kind}, ${first + 1}::text::{self.key_type})"
            )
            arguments += values_of(cursor, sort, 2)
        try:
            rows = await pool.fetch(
                f"SELECT {self.select}, ({expression})::text AS sort_value,"  # noqa: S608 -- as above
                f" ({self.key})::text AS sort_key FROM {self.source} WHERE {wanted.sql}{place}"
                f" ORDER BY {expression} {direction}, {self.key} {direction} LIMIT {limit + 1}",
                *arguments,
            )
        except asyncpg.DataError:
            raise invalid("query.cursor", "Send `next` of the page before, unchanged.") from None
        last = rows[limit - 1] if len(rows) > limit else None
        following = cursor_of(sort, last["sort_value"], last["sort_key"]) if last else None
        return rows[:limit], following

    async def count(self, pool: asyncpg.Pool, wanted: Where) -> Total:
        counted = await pool.fetchval(
            f"SELECT count(*) FROM (SELECT 1 FROM {self.source} WHERE {wanted.sql}"  # noqa: S608 -- as above
            f" LIMIT {COUNT_CAP + 1}) AS counted",
            *wanted.arguments,
        )
        return total_of(counted)


def containing(text: str | None) -> str | None:
    """A LIKE pattern for text anywhere."""
    if not text:
        return None
    for special in ("\\", "%", "_"):
        text = text.replace(special, "\\" + special)
    return f"%{text}%"

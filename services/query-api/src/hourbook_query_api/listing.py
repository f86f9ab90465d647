"""Lists: one way to narrow, sort, page, count and take out rows, whatever they are.

SQL is put together from words of our own only; what people send is always an argument.
"""

from collections.abc import AsyncIterator, Iterable, Sequence
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
    found_in: str = ""
    """Where these rows are found sooner than where the listing finds others."""


def where(conditions: Iterable[tuple[str, Any]]) -> Where:
    """Of those whose value is not None; `{}` stands for it."""
    asked = [(condition, value) for condition, value in conditions if value is not None]
    sql = [condition.format(f"${place}") for place, (condition, _) in enumerate(asked, start=1)]
    return Where(" AND ".join(sql) or "true", [value for _, value in asked])


class Page(NamedTuple):
    rows: list[asyncpg.Record]
    next: str | None
    total: Total


class _Order(NamedTuple):
    direction: str
    limit: int

    def by(self, *expressions: str) -> str:
        sorted_by = ", ".join(f"{expression} {self.direction}" for expression in expressions)
        return f"ORDER BY {sorted_by} LIMIT {self.limit}"


@dataclass(frozen=True, slots=True)
class Listing:
    """Rows of one kind: what is selected, from where, by what they may be sorted, and what tells two apart.

    Where `parts` are named, the source has a `{part}`, called `a` as the whole: each is narrowed, sorted and
    cut on its own, by its own index.

    Where `found_in` is given, rows are narrowed, sorted, cut and counted there, and only those of the page are
    looked up in the source: an index alone serves no join, and no plan of many joins is right for every filter.
    """

    select: str
    source: str
    sorts: dict[str, Sort]
    key: str
    key_type: str = "text"
    parts: tuple[str, ...] = ()
    found_in: str = ""

    @property
    def sort_pattern(self) -> str:
        return f"^-?({'|'.join(self.sorts)})$"

    async def page(
        self, pool: asyncpg.Pool, wanted: Where, *, sort: str, limit: int, cursor: str | None
    ) -> Page:
        """One page and how many there are; rows that come meanwhile shift nothing."""
        total = await self.count(pool, wanted)
        rows, following = await self.some(
            pool, wanted, sort=sort, limit=limit, cursor=cursor, few=not total.capped
        )
        return Page(rows, following, total)

    async def all(
        self, pool: asyncpg.Pool, wanted: Where, *, sort: str
    ) -> AsyncIterator[list[asyncpg.Record]]:
        """All rows in portions, page by page: however slowly they are taken, nothing is held open."""
        cursor = None
        while True:
            rows, cursor = await self.some(
                pool, wanted, sort=sort, limit=PORTION_ROWS, cursor=cursor
            )
            yield rows
            if cursor is None:
                return

    async def some(
        self,
        pool: asyncpg.Pool,
        wanted: Where,
        *,
        sort: str,
        limit: int,
        cursor: str | None = None,
        few: bool = False,
    ) -> tuple[list[asyncpg.Record], str | None]:
        """A page without the count, and from where to go on if there are more.

        `few`: at most `COUNT_CAP` rows are wanted at all. They are taken first and sorted then: in the order of the
        page PostgreSQL may have to look at a million rows before it meets a hundred of them.
        """
        arguments = [*wanted.arguments]
        expression, kind = self.sorts[sort.removeprefix("-")]
        direction, beyond = ("DESC", "<") if sort.startswith("-") else ("ASC", ">")
        condition, order = wanted.sql, _Order(direction, limit + 1)
        if cursor:
            first = len(arguments) + 1
            condition += (
                f" AND ({expression}, {self.key}) {beyond}"
                f" (${first}::text::{kind}, ${first + 1}::text::{self.key_type})"
            )
            arguments += values_of(cursor, sort, 2)
        if self.found_in:
            place = f"FROM {self.place_of(wanted)} WHERE {condition}"
            found = self._found(place, expression, order, few=few)
            condition = f"{self.key} = ANY(ARRAY({found}))"
        statement = self._told(condition, expression, order)
        try:
            rows = await pool.fetch(statement, *arguments)
        except asyncpg.DataError:
            raise invalid("query.cursor", "Send `next` of the page before, unchanged.") from None
        last = rows[limit - 1] if len(rows) > limit else None
        following = cursor_of(sort, last["sort_value"], last["sort_key"]) if last else None
        return rows[:limit], following

    def place_of(self, wanted: Where) -> str:
        """From where such rows are found and counted."""
        return wanted.found_in or self.found_in or self.source

    def _found(self, place: str, expression: str, order: _Order, *, few: bool) -> str:
        """The keys of a page."""
        if not few:
            return f"SELECT {self.key} {place} {order.by(expression, self.key)}"
        return (
            f"WITH few AS MATERIALIZED (SELECT {self.key} AS key, {expression} AS sort_value {place})"  # noqa: S608 -- as above
            f" SELECT key FROM few {order.by('sort_value', 'key')}"
        )

    def _told(self, condition: str, expression: str, order: _Order) -> str:
        ordered = order.by(expression, self.key)
        statement = self._of_parts(
            f"SELECT {self.select}, ({expression})::text AS sort_value,"  # noqa: S608 -- as above
            f" ({self.key})::text AS sort_key FROM {self.source} WHERE {condition} {ordered}"
        )
        return f"SELECT * FROM ({statement}) AS a {ordered}" if self.parts else statement  # noqa: S608 -- as above

    async def count(self, pool: asyncpg.Pool, wanted: Where) -> Total:
        some = self._of_parts(
            f"SELECT 1 FROM {self.place_of(wanted)} WHERE {wanted.sql} LIMIT {COUNT_CAP + 1}"  # noqa: S608 -- as above
        )
        counted = await pool.fetchval(
            f"SELECT count(*) FROM (SELECT * FROM ({some}) AS a LIMIT {COUNT_CAP + 1}) AS counted",  # noqa: S608 -- as above
            *wanted.arguments,
        )
        return total_of(counted)

    def _of_parts(self, statement: str) -> str:
        """The same of each, one after the other."""
        if not self.parts:
            return statement
        each = (f"({statement.replace('{part}', part)})" for part in self.parts)
        return " UNION ALL ".join(each)


def any_of(column: str, values: Sequence[str] | None) -> tuple[str, Any]:
    """A condition on one of these; a single one is compared plainly, so that an index gives its rows in order."""
    if values and len(values) == 1:
        return f"{column} = {{}}", values[0]
    return f"{column} = ANY({{}}::text[])", values or None


SAID = (
    "(SELECT {0}::text UNION ALL SELECT kind || ':' || name || ':' || {0} FROM control.connections)"
)
"""What a person typed, as an id: it is one, or the number in one."""
BEGINS = '{} COLLATE "C" BETWEEN {{0}} AND {{0}} || chr(1114111)'
NAMED = (
    f"(e.entry = ANY(ARRAY{SAID}) OR e.book = ANY(ARRAY{SAID}) OR e.sheet = ANY(ARRAY{SAID})"
    f" OR {BEGINS.format('e.ticket_number')})"
)
"""Of an entry `e`: its id, its ticket's, its timesheet's, or how its ticket's number begins. All of it is looked up:
among a million entries nothing can be searched for parts of words."""


def named(text: str | None) -> str | None:
    """What `NAMED` compares with."""
    return text.strip().lower() or None if text else None

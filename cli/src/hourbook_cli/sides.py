"""Both sides read anew by the services' own readers, inside one transaction of ours.

What they would remember and put into their outboxes stands in the transaction; it is looked at there,
and rolled back or committed. Numbers of readings are drawn outside, as always: none is given twice.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager, nullcontext
from dataclasses import dataclass
from datetime import date
from typing import Any, cast
from zoneinfo import ZoneInfo

import asyncpg
from pydantic import SecretStr

from hourbook_cli.backup import OwnerSettings
from hourbook_contracts.control import BackfillRequested
from hourbook_contracts.ids import BookId, SheetId, connection_of, number_of
from hourbook_contracts.installation import Backfill, Target
from hourbook_contracts.jobs import TICKETS_MAX
from hourbook_kit import clock, postgres
from hourbook_kit.control import ControlTail
from hourbook_kit.health import Health
from hourbook_kit.source.backfilling import tickets_of
from hourbook_kit.source.connections import Connections
from hourbook_kit.source.protocol import SourceError, UnreadableError
from hourbook_kit.source.reading import Reader
from hourbook_kit.source.service import connectors
from hourbook_kit.source.store import Store
from hourbook_kit.target.protocol import BrokenWorldError
from hourbook_kit.vault import Vault
from hourbook_push_kimai.kimai import connected
from hourbook_push_kimai.missing import Missing
from hourbook_push_kimai.taking import Taking
from hourbook_push_kimai.world import Obstacles, World

Progress = Callable[[int, int | None], None]


class ResyncSettings(OwnerSettings):
    """And what opens the connections' secrets."""

    vault_key: SecretStr


class ResyncError(Exception):
    """A plan that cannot be made or applied now, and what to do about it."""


@dataclass(frozen=True, slots=True)
class Range:
    """Which tickets to read anew: those that all of it holds for."""

    tickets: tuple[str, ...] = ()
    """Numbers, or books (`zammad:desk:344`)."""
    customer: str | None = None
    """`organization:2` or `customer:26`, as the tickets are now."""
    first_on: date | None = None
    last_on: date | None = None


class Ours:
    """A connection inside the one transaction, for code that would begin its own."""

    def __init__(self, connection: asyncpg.Connection, beside: asyncpg.Pool) -> None:
        self._connection, self._beside = connection, beside
        self.commits = True

    def give_up(self) -> None:
        """End with a rollback."""
        self.commits = False

    @asynccontextmanager
    async def acquire(self) -> AsyncIterator["Ours"]:
        yield self

    def transaction(self) -> nullcontext[None]:
        return nullcontext()

    async def fetchval(self, query: str, *arguments: object) -> Any:
        """Numbers of readings are drawn outside: their counter must not wait for us."""
        outside = "counter" in query
        return await (self._beside if outside else self._connection).fetchval(query, *arguments)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connection, name)


@dataclass
class Sides:
    """Both sides and the books, open to be read."""

    settings: ResyncSettings
    pool: asyncpg.Pool
    control: ControlTail
    vault: Vault
    connections: Connections
    ours: Ours | None = None
    """The transaction, while there is one."""

    @classmethod
    @asynccontextmanager
    async def opened(cls, settings: ResyncSettings) -> AsyncIterator["Sides"]:
        async with AsyncExitStack() as stack:
            dsn = settings.admin_database_url.get_secret_value()
            pool = await postgres.pool(dsn, size=4, patience_seconds=5)
            stack.push_async_callback(pool.close)
            vault = Vault(pool, settings.vault_key.get_secret_value())
            control = ControlTail(settings, vault.hear)
            stack.push_async_callback(control.stop)
            await control.start()
            connections = Connections(control, vault, connectors())
            stack.push_async_callback(connections.close)
            yield cls(settings, pool, control, vault, connections)

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Ours]:
        async with self.pool.acquire() as connection:
            await connection.execute("SET idle_in_transaction_session_timeout = 0")
            transaction = connection.transaction()
            await transaction.start()
            self.ours = ours = Ours(cast("asyncpg.Connection", connection), self.pool)
            try:
                yield ours
            except BaseException:
                await transaction.rollback()
                raise
            await (transaction.commit() if ours.commits else transaction.rollback())

    # ---------------------------------------------------------------------------------- which
    async def books(self, range_: Range) -> list[BookId]:
        if range_ == Range():
            raise ResyncError("Say which tickets: by number, by customer or by their days.")
        rows = await self.pool.fetch(_WHICH, *_criteria(range_))
        found = {BookId(row["book"]) for row in rows}
        found |= {BookId(one) for one in range_.tickets if one.startswith("zammad:")}
        if range_.first_on and not range_.tickets and not range_.customer:
            found |= await self._booked_on(range_.first_on, range_.last_on or range_.first_on)
        if not found:
            raise ResyncError("No ticket is known of which this holds.")
        if len(found) > TICKETS_MAX:
            raise ResyncError(f"{len(found)} tickets are more than {TICKETS_MAX}: narrow it.")
        return sorted(found)

    async def _booked_on(self, first: date, last: date) -> set[BookId]:
        """Also of tickets that we never heard of."""
        found: set[BookId] = set()
        for name in self.connections.names:
            source = self.connections.source(name)
            if source is None or not source.units:
                continue
            asked = BackfillRequested(
                observed_at=clock.now(), by="resync", connection=name, first_on=first, last_on=last
            )
            zone = ZoneInfo(source.configured.time_zone)
            with _spoken(name):
                system = await self.connections.client(source)
                listed = await tickets_of(system, Backfill(0, asked), zone)
            found |= {source.book(number) for number in listed}
        return found

    # ---------------------------------------------------------------------------------- reading
    async def read(self, books: Sequence[BookId], progress: Progress) -> None:
        """Both sides, by the services' own readers; what is news stands in their outboxes then."""
        pool = cast("asyncpg.Pool", self.ours)
        reader = Reader(Store(pool), self.vault, self.control)
        for n, book in enumerate(books):
            source = self.connections.source(connection_of(book))
            if source is None or not source.units:
                raise ResyncError(f"{connection_of(book)} is not connected, or has no unit yet.")
            with _spoken(source.name):
                system = await self.connections.client(source)
                await reader.read(source, system, number_of(book))
            progress(n + 1, len(books))
        sheets = await self._sheets(books)
        for name, target in sorted(self.control.installation.targets.items()):
            of_target = {s: b for s, b in sheets.items() if connection_of(s) == name}
            if of_target:
                await self._read_kimai(target, of_target)

    async def _sheets(self, books: Sequence[BookId]) -> dict[SheetId, BookId]:
        """All that Kimai should have of these books."""
        rows = await self.pool.fetch(
            "SELECT sheet, book FROM push.timesheets WHERE book = ANY($1) AND value IS NOT NULL",
            books,
        )
        return {SheetId(row["sheet"]): BookId(row["book"]) for row in rows}

    async def _read_kimai(self, target: Target, sheets: Mapping[SheetId, BookId]) -> None:
        configured, pool = target.configured, cast("asyncpg.Pool", self.ours)
        token = await self.vault.secret_of(target.name, "token", configured.secret_version)
        if token is None:
            raise ResyncError(f"The vault holds no token for {target.name}: set it.")
        with _spoken(target.name):
            async with connected(
                configured.base_url, token, timeout_seconds=configured.timeout_seconds
            ) as kimai:
                obstacles = Obstacles(target.name, pool, Health())
                world = World(
                    *(target.name, kimai, self.control, pool, self.vault, obstacles),
                    asyncio.Event(),
                )
                await world.learned.read()
                await Missing(world, Taking(world)).ask(dict(sorted(sheets.items())))


_WHICH = """
SELECT DISTINCT t.book FROM book.tickets AS t
WHERE t.book LIKE 'zammad:%'
    AND ($1::text[] = '{}' OR t.number = ANY($1) OR t.book = ANY($1))
    AND ($2::bigint IS NULL OR t.organization_id = $2)
    AND ($3::bigint IS NULL OR t.customer_id = $3)
    AND ($4::date IS NULL OR EXISTS (
        SELECT FROM book.entries AS e WHERE e.book = t.book AND e.day BETWEEN $4 AND $5))
"""


def _criteria(range_: Range) -> tuple[object, ...]:
    kind, _, number = (range_.customer or "").partition(":")
    if range_.customer and (kind not in ("organization", "customer") or not number.isdecimal()):
        raise ResyncError(f"{range_.customer} is no customer: organization:2 or customer:26.")
    return (
        list(range_.tickets),
        int(number) if kind == "organization" else None,
        int(number) if kind == "customer" else None,
        range_.first_on,
        range_.last_on or range_.first_on,
    )


@contextmanager
def _spoken(name: str) -> Iterator[None]:
    """What keeps a side from being read, in a sentence."""
    try:
        yield
    except (SourceError, UnreadableError, BrokenWorldError) as error:
        raise ResyncError(f"{name} cannot be read: {error}") from error

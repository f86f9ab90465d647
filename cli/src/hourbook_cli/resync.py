"""`hourbook resync`: both sides read anew for a range, and what differs brought in line by the ordinary path.

The services' own readers read, in one transaction of ours: what they would remember and put into their
outboxes is looked at, and folded and decided as the reconciler would. A preview ends with a rollback.
An apply does all of it again and commits only if it comes to the same plan: exactly that, or nothing.
Facts and decisions then leave by one outbox, so that they stand on the ledger in the plan's order; from
there on everything goes its ordinary way, with every check of a single write.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, nullcontext
from dataclasses import dataclass
from datetime import date
from typing import Any, cast
from zoneinfo import ZoneInfo

import asyncpg
from aiokafka import TopicPartition
from pydantic import SecretStr

from hourbook_cli.backup import OwnerSettings
from hourbook_contracts import codec
from hourbook_contracts.control import BackfillRequested
from hourbook_contracts.ids import BookId, SheetId, connection_of, number_of
from hourbook_contracts.installation import Backfill, Target
from hourbook_contracts.ledger import EntryRetracted, LedgerMessage, TimesheetVanished
from hourbook_contracts.resync import Plan, plan
from hourbook_contracts.topics import LEDGER
from hourbook_kit import clock, kafka, outbox, postgres
from hourbook_kit.control import ControlTail
from hourbook_kit.health import Health
from hourbook_kit.source.backfilling import tickets_of
from hourbook_kit.source.connections import Connections
from hourbook_kit.source.protocol import SourceError, UnreadableError
from hourbook_kit.source.reading import Reader
from hourbook_kit.source.service import connectors
from hourbook_kit.source.store import Store
from hourbook_kit.vault import Vault
from hourbook_push_kimai.kimai import connected
from hourbook_push_kimai.missing import Missing
from hourbook_push_kimai.observe import is_suddenly_empty
from hourbook_push_kimai.taking import Taking
from hourbook_push_kimai.wire import BrokenWorldError
from hourbook_push_kimai.world import Obstacles, World
from hourbook_reconciler import state
from hourbook_reconciler.record import Record
from hourbook_reconciler.shelf import Shelf
from hourbook_reconciler.store import (
    REBUILD_LOCK,
    Checkpoint,
    Kept,
    OutdatedPolicyError,
    Proposals,
    load,
    lock,
    propose,
    write,
)

MOST_TICKETS = 500
"""Of one plan: a person has to look through it, and their readings are locked meanwhile."""
PATIENCE_SECONDS = 15
OUTBOXES = ("ingest", "push")

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


async def resync(
    settings: ResyncSettings, range_: Range, progress: Progress, *, only: str | None = None
) -> Plan:
    """The plan; applied, where it is `only` this one. Raises `ResyncError`, and then nothing was done."""
    async with _Sides.opened(settings) as sides:
        books = await sides.books(range_)
        async with sides.transaction() as ours:
            await sides.read(books, progress)
            made, said = await sides.plan(books, ours)
            if only is not None and made.hash != only:
                raise ResyncError(
                    f"The world has moved: this is {made.hash} by now and no longer {only}. Look at"
                    " the new plan and apply that one."
                )
            if only is None:
                ours.give_up()
            else:
                await sides.say(ours, said)
        return made


class _Ours:
    """A connection inside the one transaction, for code that would begin its own."""

    def __init__(self, connection: asyncpg.Connection, beside: asyncpg.Pool) -> None:
        self._connection, self._beside = connection, beside
        self.commits = True

    def give_up(self) -> None:
        """End with a rollback."""
        self.commits = False

    @asynccontextmanager
    async def acquire(self) -> AsyncIterator["_Ours"]:
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
class _Sides:
    """Both sides and the books, open to be read."""

    settings: ResyncSettings
    pool: asyncpg.Pool
    control: ControlTail
    vault: Vault
    connections: Connections
    ours: _Ours | None = None

    @classmethod
    @asynccontextmanager
    async def opened(cls, settings: ResyncSettings) -> AsyncIterator["_Sides"]:
        async with AsyncExitStack() as stack:
            dsn = settings.admin_database_url.get_secret_value()
            pool = await postgres.pool(dsn, size=4, patience_seconds=5)
            stack.push_async_callback(pool.close)
            control = ControlTail(settings)
            stack.push_async_callback(control.stop)
            await control.start()
            vault = Vault(pool, settings.vault_key.get_secret_value())
            connections = Connections(control, vault, connectors())
            stack.push_async_callback(connections.close)
            yield cls(settings, pool, control, vault, connections)

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[_Ours]:
        async with self.pool.acquire() as connection:
            await connection.execute("SET idle_in_transaction_session_timeout = 0")
            transaction = connection.transaction()
            await transaction.start()
            self.ours = ours = _Ours(cast("asyncpg.Connection", connection), self.pool)
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
        if len(found) > MOST_TICKETS:
            raise ResyncError(f"{len(found)} tickets are more than {MOST_TICKETS}: narrow it.")
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
        reader = Reader(Store(pool), self.vault)
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

    # ---------------------------------------------------------------------------------- planning
    async def plan(self, books: Sequence[BookId], ours: _Ours) -> tuple[Plan, "_Said"]:
        """What they said, folded and decided as the reconciler would; the books cannot move before we end."""
        records = [record for schema in OUTBOXES for record in await _taken(ours, schema)]
        facts = [cast("LedgerMessage", codec.decode(one.headers, one.value)) for one in records]
        await self._not_suddenly_empty(books, facts)
        touched = sorted({*books, *(fact.book for fact in facts)})
        partitions: dict[str, int] = {book: kafka.partition_of(book, LEDGER) for book in touched}
        places = await self._hold(ours, set(partitions.values()))
        kept = await load(_connection(ours), touched)
        if kept.halted:
            raise ResyncError(f"{', '.join(sorted(kept.halted))} cannot be folded any more.")
        digests = {
            book: state.digest(state.encode(kept.books[book])) if book in kept.books else ""
            for book in touched
        }
        shelf = Shelf(dict(kept.books))
        for n, (fact, told) in enumerate(zip(facts, records, strict=True)):
            partition = partitions[fact.book]
            shelf.put(Record(partition, n, told.key, told.value, tuple(told.headers)))
        shelf.partitions.update(partitions)
        policy = self.control.installation.policy
        proposals = propose(shelf, kept.proposed, policy, clock.now())
        decisions = [
            cast("LedgerMessage", codec.decode(one.headers, one.value)) for one in proposals.records
        ]
        made = plan(facts, decisions, digests, policy.version)
        return made, _Said(records, proposals, kept, places, partitions)

    async def say(self, ours: _Ours, said: "_Said") -> None:
        """Facts, then the decisions about them, as proposals of the reconciler's own: none other is made."""
        connection = _connection(ours)
        await outbox.put(connection, "book", LEDGER.name, said.facts)
        unchanged = Shelf(dict(said.kept.books), partitions=said.partitions)
        policy = self.control.installation.policy
        await write(connection, unchanged, said.kept, said.proposals, said.places, policy)

    async def _not_suddenly_empty(
        self, books: Sequence[BookId], facts: Sequence[LedgerMessage]
    ) -> None:
        """Rather a broken system, a narrowed token or another database (promise 3)."""
        for side, kind, sql in (
            ("Zammad", EntryRetracted, _ENTRIES),
            ("Kimai", TimesheetVanished, _TIMESHEETS),
        ):
            known = await self.pool.fetchval(sql, books)
            gone = sum(isinstance(fact, kind) for fact in facts)
            if is_suddenly_empty(missing=gone, known=known, shown=known - gone):
                raise ResyncError(
                    f"{side} no longer shows {gone} of {known} that we know: none of that is believed."
                )

    async def _hold(self, ours: _Ours, partitions: Collection[int]) -> dict[int, Checkpoint]:
        """Wait until the books have read all there is, and let them read no further before we end."""
        deadline = asyncio.get_running_loop().time() + PATIENCE_SECONDS
        while await self._behind(self.pool, partitions):
            if asyncio.get_running_loop().time() > deadline:
                raise ResyncError("The books are behind the ledger: wait until they have read it.")
            await asyncio.sleep(0.2)
        await ours.execute("SELECT pg_advisory_xact_lock_shared($1)", REBUILD_LOCK)
        try:
            places = await lock(_connection(ours), partitions, self.control.installation.policy)
        except OutdatedPolicyError as error:
            raise ResyncError("The settings have changed right now: ask again.") from error
        if await self._behind(ours, partitions):
            raise ResyncError("Something was said about these tickets right now: ask again.")
        return places

    async def _behind(self, rows: asyncpg.Pool | _Ours, partitions: Collection[int]) -> bool:
        reader = kafka.consumer(self.settings)
        await reader.start()
        try:
            places = [TopicPartition(LEDGER.name, partition) for partition in partitions]
            ends = await reader.end_offsets(places)
        finally:
            await reader.stop()
        found = await rows.fetch("SELECT partition, next_offset FROM book.checkpoint")
        here = {row["partition"]: row["next_offset"] for row in found}
        return any(end > here.get(at.partition, 0) for at, end in ends.items())


_ENTRIES = """
SELECT count(*) FROM ingest.readings
WHERE kind = 'entry' AND book = ANY($1) AND value IS DISTINCT FROM '{"gone": true}'::jsonb
"""
_TIMESHEETS = "SELECT count(*) FROM push.timesheets WHERE book = ANY($1) AND value IS NOT NULL"
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


@dataclass(frozen=True, slots=True)
class _Said:
    """A plan as it leaves by the outbox."""

    facts: list[codec.Record]
    proposals: Proposals
    kept: Kept
    places: dict[int, Checkpoint]
    partitions: dict[str, int]


def _connection(ours: _Ours) -> asyncpg.Connection:
    return cast("asyncpg.Connection", ours)


async def _taken(ours: _Ours, schema: str) -> list[codec.Record]:
    """What our own transaction has put into an outbox, out of it again."""
    rows = await ours.fetch(
        f"DELETE FROM {schema}.outbox WHERE xmin = pg_current_xact_id()::xid AND topic = $1"  # noqa: S608 -- a name of ours
        " RETURNING id, key, value, headers",
        LEDGER.name,
    )
    return [
        codec.Record(
            row["key"].encode(),
            row["value"],
            [(name, value.encode()) for name, value in json.loads(row["headers"])],
        )
        for row in sorted(rows, key=lambda row: row["id"])
    ]


class _spoken:  # noqa: N801 -- reads as a statement where it is used
    """What keeps a side from being read, in a sentence."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __enter__(self) -> None:
        return None

    def __exit__(self, _: object, error: BaseException | None, __: object) -> None:
        if isinstance(error, SourceError | UnreadableError | BrokenWorldError):
            raise ResyncError(f"{self._name} cannot be read: {error}") from error

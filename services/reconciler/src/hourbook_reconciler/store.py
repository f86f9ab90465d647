"""Books in PostgreSQL: one transaction a batch, or nothing of it (protocol.md 4).

The checkpoint rows are locked before anything is read. They are the fence: a worker that lost its
partition waits here, and then finds its messages applied.
"""

import re
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

import asyncpg
from pydantic_core import from_json, to_json

from hourbook_contracts import codec
from hourbook_contracts.codec import header
from hourbook_contracts.ids import BookId, SubjectId
from hourbook_contracts.installation import Policy
from hourbook_contracts.topics import LEDGER
from hourbook_kit import clock, outbox
from hourbook_reconciler import state
from hourbook_reconciler.book import Book
from hourbook_reconciler.decide import decisions
from hourbook_reconciler.queries import SCHEMA, query
from hourbook_reconciler.record import GapError, Record
from hourbook_reconciler.shelf import Shelf

RECONCILER_FOLD_VERSION = 3
"""Raised with every change of what evolve, plan or decide conclude: all books are then looked at again."""

REBUILD_LOCK = 0x686F7572
"""Advisory: shared by whoever applies or assesses, exclusive to a rebuild."""

CHANNEL = "book_changed"
"""Notified at each commit with the partitions that moved, separated by commas."""

_PARAMETER = re.compile(r"\$(\d+)")

Connection = asyncpg.Connection | asyncpg.pool.PoolConnectionProxy


class OutdatedPolicyError(Exception):
    """Somebody here has decided by a newer policy: learn it from the control topic, then do it again."""

    def __init__(self, version: int) -> None:
        super().__init__(f"policy {version} has decided here already")
        self.version = version


@dataclass(slots=True)
class Checkpoint:
    """Where a partition stands; moved in memory, then stored."""

    next_offset: int
    policy_version: int
    last_ce_id: str | None


@dataclass(frozen=True, slots=True)
class Kept:
    """What PostgreSQL holds of some books."""

    books: dict[str, Book]
    partitions: dict[str, int]
    halted: dict[str, str]
    proposed: dict[str, dict[SubjectId, int]]
    """By book and subject, the generation that is in the outbox and was not yet read back."""


class Applied(NamedTuple):
    """What one transaction did."""

    messages: int
    proposals: int
    quarantined: int = 0
    halted: tuple[str, ...] = ()
    """Books into which nothing is folded from now on."""


@dataclass(slots=True)
class Proposals:
    """New things to say, with the books whose `proposed` they change."""

    records: list[codec.Record] = field(default_factory=list)
    proposed: dict[str, dict[SubjectId, int]] = field(default_factory=dict)


async def apply(
    connection: Connection, records: Sequence[Record], policy: Policy, cluster_id: str
) -> Applied:
    """Fold what is new of a batch, decide the books it touches, and move the checkpoint with it."""
    async with shared(connection):
        places = await lock(connection, {record.partition for record in records}, policy)
        new = [record for record in records if is_new(record, places)]
        if not new:
            return Applied(0, 0)
        kept = await load(connection, {name for record in new if (name := record.book)})
        shelf = Shelf(dict(kept.books), dict(kept.halted))
        for record in new:
            shelf.put(record)
        proposals = propose(shelf, kept.proposed, policy, clock.now())
        await write(connection, shelf, kept, proposals, places, policy, cluster_id)
        halted = tuple(sorted(shelf.halted.keys() - kept.halted.keys()))
        return Applied(len(new), len(proposals.records), len(shelf.quarantine), halted)


@asynccontextmanager
async def shared(connection: Connection) -> AsyncIterator[None]:
    """A transaction that waits while a rebuild runs, and lets none begin before it ends."""
    try:
        await connection.execute(f"BEGIN; SELECT pg_advisory_xact_lock_shared({REBUILD_LOCK})")
        yield
    except BaseException:
        if not connection.is_closed():
            await connection.execute("ROLLBACK")
        raise
    await connection.execute("COMMIT")


async def lock(
    connection: Connection, partitions: Iterable[int], policy: Policy, schema: str = SCHEMA
) -> dict[int, Checkpoint]:
    """The checkpoints, made where missing, ours until the transaction ends; raises `OutdatedPolicyError`."""
    wanted = sorted(partitions)
    rows = await connection.fetch(query("lock_checkpoints", schema), wanted)
    if len(rows) < len(wanted):
        await connection.execute(query("begin_checkpoints", schema), wanted)
        rows = await connection.fetch(query("lock_checkpoints", schema), wanted)
    newest = max((row["policy_version"] for row in rows), default=0)
    if policy.version < newest:
        raise OutdatedPolicyError(newest)
    return {
        row["partition"]: Checkpoint(row["next_offset"], row["policy_version"], row["last_ce_id"])
        for row in rows
    }


def is_new(record: Record, places: Mapping[int, Checkpoint]) -> bool:
    """Whether this record was not applied yet; notes that it is now. Raises `GapError`."""
    place = places[record.partition]
    if record.offset > place.next_offset:
        raise GapError(
            f"partition {record.partition}: expected {place.next_offset}, got {record.offset}"
        )
    if record.offset < place.next_offset:
        return False
    place.next_offset = record.offset + 1
    found = header(record.headers, "ce_id")
    place.last_ce_id = found.replace("\0", "") if found else None
    return True


async def load(connection: Connection, names: Iterable[str], schema: str = SCHEMA) -> Kept:
    """Books as stored; to be called after their checkpoints were locked."""
    return kept_of(await connection.fetch(query("books", schema), sorted(names)))


def kept_of(rows: Iterable[asyncpg.Record]) -> Kept:
    kept = Kept({}, {}, {}, {})
    for row in rows:
        name = row["book"]
        kept.books[name] = state.recall(row["state"])
        kept.partitions[name] = row["partition"]
        kept.proposed[name] = from_json(row["proposed"])
        if row["halted"] is not None:
            kept.halted[name] = row["halted"]
    return kept


def propose(
    shelf: Shelf,
    proposed: Mapping[str, Mapping[SubjectId, int]],
    policy: Policy,
    observed_at: datetime,
) -> Proposals:
    """What is new to say about the books that were read of, one proposal of a generation in flight."""
    found = Proposals()
    for name in sorted(shelf.partitions):
        if name in shelf.halted:
            continue
        old = proposed.get(name, {})
        heard = shelf.heard.get(name, {})
        flying = {subject: gen for subject, gen in old.items() if heard.get(subject, 0) < gen}
        for decision in decisions(shelf.book(name), policy, observed_at, flying):
            flying[decision.posting] = decision.gen
            found.records.append(codec.encode(decision, traceparent=shelf.traces.get(name)))
        if flying != old:
            found.proposed[name] = flying
    return found


async def write(
    connection: Connection,
    shelf: Shelf,
    kept: Kept,
    proposals: Proposals,
    places: Mapping[int, Checkpoint],
    policy: Policy,
    cluster_id: str | None = None,
    *,
    schema: str = SCHEMA,
) -> None:
    """Books, read model, outbox and checkpoints with the policy that decided, in one round trip.

    Each in the order of its keys (else two writers could deadlock).
    """
    books = []
    for name in sorted(shelf.changed | proposals.proposed.keys()):
        encoded = state.encode_to_recall(shelf.book(name))
        proposed = proposals.proposed.get(name, kept.proposed.get(name, {}))
        books.append(
            (
                BookId(name),
                shelf.partitions[name],
                encoded.decode(),
                state.digest(encoded),
                shelf.halted.get(name),
                to_json(proposed).decode(),
            )
        )
    tickets = [
        (*row[:6], to_json(row.tags).decode(), row.merged_into) for row in shelf.ticket_rows()
    ]
    together = Together(schema)
    together.rows("upsert_books", books)
    together.rows("upsert_tickets", sorted(tickets))
    together.rows("upsert_entries", sorted(shelf.entry_rows()))
    together.rows("upsert_conflicts", sorted(shelf.conflicts.values()))
    together.rows("insert_history", shelf.history)
    together.rows("insert_quarantine", shelf.quarantine)
    if proposals.records:
        together.add(outbox.insertion("book"), outbox.columns(LEDGER.name, proposals.records))
        together.notify(outbox.channel("book"))
    together.move(places, policy, cluster_id)
    await together.execute(connection)


class Together:
    """Writes to different tables in one statement: a round trip costs more than most of them."""

    def __init__(self, schema: str = SCHEMA) -> None:
        self._schema = schema
        self._parts: list[str] = []
        self._notices: list[str] = []
        self._arguments: list[object] = []

    def add(self, statement: str, arguments: Sequence[object]) -> None:
        """One that writes; none of them sees what another one has written."""
        self._parts.append(f"step{len(self._parts)} AS ({self._shifted(statement)})")
        self._arguments += arguments

    def rows(self, name: str, rows: Sequence[Sequence[object]]) -> None:
        if rows:
            self.add(
                query(name, self._schema), [list(column) for column in zip(*rows, strict=True)]
            )

    def notify(self, channel: str, payload: str = "") -> None:
        self._notices.append(self._shifted("pg_notify($1, $2)"))
        self._arguments += [channel, payload]

    def move(
        self, places: Mapping[int, Checkpoint], policy: Policy, cluster_id: str | None = None
    ) -> None:
        """Store the checkpoints with the policy that decided; tells those who wait for them."""
        offsets = [place.next_offset for place in places.values()]
        last = [place.last_ce_id for place in places.values()]
        moved = [list(places), offsets, last, policy.version, cluster_id]
        self.add(query("move_checkpoints", self._schema), moved)
        if self._schema == SCHEMA:
            self.notify(CHANNEL, ",".join(str(partition) for partition in places))

    async def execute(self, connection: Connection) -> None:
        parts, notices = ", ".join(self._parts), ", ".join(self._notices) or "1"
        await connection.execute(f"WITH {parts} SELECT {notices}", *self._arguments)

    def _shifted(self, statement: str) -> str:
        by = len(self._arguments)
        return _PARAMETER.sub(lambda found: f"${int(found[1]) + by}", statement)

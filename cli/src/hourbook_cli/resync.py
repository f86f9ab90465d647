"""`hourbook resync`: both sides read anew for a range, and what differs brought in line by the ordinary path.

The services' own readers read, in one transaction of ours: what they would remember and put into their
outboxes is looked at, and folded and decided as the reconciler would. A preview ends with a rollback.
An apply does all of it again and commits only if it comes to the same plan: exactly that, or nothing.
Facts and decisions then leave by one outbox, so that they stand on the ledger in the plan's order; from
there on everything goes its ordinary way, with every check of a single write.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass
from typing import cast

import asyncpg
from aiokafka import TopicPartition

from hourbook_cli.sides import Ours, Progress, Range, ResyncError, ResyncSettings, Sides
from hourbook_contracts import codec
from hourbook_contracts.ids import BookId
from hourbook_contracts.ledger import EntryRetracted, LedgerMessage, TimesheetVanished
from hourbook_contracts.resync import Plan, plan
from hourbook_contracts.topics import LEDGER
from hourbook_kit import clock, kafka, outbox
from hourbook_push_kimai.observe import is_suddenly_empty
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

AndThen = Callable[[Ours, Plan], Awaitable[None]]
PATIENCE_SECONDS = 15
OUTBOXES = ("ingest", "push")


async def nothing_more(_ours: Ours, _plan: Plan) -> None:
    """The plan is all."""


async def resync(
    settings: ResyncSettings,
    range_: Range,
    progress: Progress,
    *,
    only: str | None = None,
    and_then: AndThen = nothing_more,
) -> Plan:
    """The plan; applied, where it is `only` this one. Raises `ResyncError`, and then nothing was done.

    `and_then` is done in the transaction of an apply: with all of it, or not at all.
    """
    async with Sides.opened(settings) as sides:
        books = await sides.books(range_)
        async with sides.transaction() as ours:
            await sides.read(books, progress)
            planner = _Planner(sides)
            made, said = await planner.plan(books, ours)
            if only is not None and made.hash != only:
                raise ResyncError(
                    f"The world has moved: this is {made.hash} by now and no longer {only}. Look at"
                    " the new plan and apply that one."
                )
            if only is None:
                ours.give_up()
            else:
                await planner.say(ours, said)
                await and_then(ours, made)
        return made


@dataclass(frozen=True, slots=True)
class _Planner:
    """What follows from what was read, and how it leaves."""

    sides: Sides

    async def plan(self, books: Sequence[BookId], ours: Ours) -> tuple[Plan, "_Said"]:
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
        policy = self.sides.control.installation.policy
        proposals = propose(shelf, kept.proposed, policy, clock.now())
        decisions = [
            cast("LedgerMessage", codec.decode(one.headers, one.value)) for one in proposals.records
        ]
        made = plan(facts, decisions, digests, policy.version)
        return made, _Said(records, proposals, kept, places, partitions)

    async def say(self, ours: Ours, said: "_Said") -> None:
        """Facts, then the decisions about them, as proposals of the reconciler's own: none other is made."""
        connection = _connection(ours)
        await outbox.put(connection, "book", LEDGER.name, said.facts)
        unchanged = Shelf(dict(said.kept.books), partitions=said.partitions)
        policy = self.sides.control.installation.policy
        await write(connection, unchanged, said.kept, said.proposals, said.places, policy)

    async def _not_suddenly_empty(
        self, books: Sequence[BookId], facts: Sequence[LedgerMessage]
    ) -> None:
        """Rather a broken system, a narrowed token or another database (promise 3)."""
        for side, kind, sql in (
            ("Zammad", EntryRetracted, _ENTRIES),
            ("Kimai", TimesheetVanished, _TIMESHEETS),
        ):
            known = await self.sides.pool.fetchval(sql, books)
            gone = sum(isinstance(fact, kind) for fact in facts)
            if is_suddenly_empty(missing=gone, known=known, shown=known - gone):
                raise ResyncError(
                    f"{side} no longer shows {gone} of {known} that we know: none of that is believed."
                )

    async def _hold(self, ours: Ours, partitions: Collection[int]) -> dict[int, Checkpoint]:
        """Wait until the books have read all there is, and let them read no further before we end."""
        deadline = asyncio.get_running_loop().time() + PATIENCE_SECONDS
        while await self._behind(self.sides.pool, partitions):
            if asyncio.get_running_loop().time() > deadline:
                raise ResyncError("The books are behind the ledger: wait until they have read it.")
            await asyncio.sleep(0.2)
        await ours.execute("SELECT pg_advisory_xact_lock_shared($1)", REBUILD_LOCK)
        try:
            places = await lock(
                _connection(ours), partitions, self.sides.control.installation.policy
            )
        except OutdatedPolicyError as error:
            raise ResyncError("The settings have changed right now: ask again.") from error
        if await self._behind(ours, partitions):
            raise ResyncError("Something was said about these tickets right now: ask again.")
        return places

    async def _behind(self, rows: asyncpg.Pool | Ours, partitions: Collection[int]) -> bool:
        async with kafka.reading(self.sides.settings) as reader:
            places = [TopicPartition(LEDGER.name, partition) for partition in partitions]
            ends = await reader.end_offsets(places)
        found = await rows.fetch("SELECT partition, next_offset FROM book.checkpoint")
        here = {row["partition"]: row["next_offset"] for row in found}
        return any(end > here.get(at.partition, 0) for at, end in ends.items())


_ENTRIES = """
SELECT count(*) FROM ingest.readings
WHERE kind = 'entry' AND book = ANY($1) AND value IS DISTINCT FROM '{"gone": true}'::jsonb
"""
_TIMESHEETS = "SELECT count(*) FROM push.timesheets WHERE book = ANY($1) AND value IS NOT NULL"


@dataclass(frozen=True, slots=True)
class _Said:
    """A plan as it leaves by the outbox."""

    facts: list[codec.Record]
    proposals: Proposals
    kept: Kept
    places: dict[int, Checkpoint]
    partitions: dict[str, int]


def _connection(ours: Ours) -> asyncpg.Connection:
    return cast("asyncpg.Connection", ours)


async def _taken(ours: Ours, schema: str) -> list[codec.Record]:
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

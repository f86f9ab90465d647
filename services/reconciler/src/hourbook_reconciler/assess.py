"""An assessment: all books decided anew, in chunks, reading nothing (protocol.md 4 and 10).

Due whenever the policy or the fold has moved, or the read model was rebuilt. One process does it for
all; where it stopped is stored with each chunk.
"""

import asyncio
from contextlib import suppress
from dataclasses import dataclass

import asyncpg
import structlog

from hourbook_contracts.installation import Policy
from hourbook_contracts.topics import LEDGER
from hourbook_kit import clock
from hourbook_kit.control import ControlTail
from hourbook_kit.health import Health
from hourbook_kit.postgres import leading
from hourbook_reconciler.metrics import PROPOSALS
from hourbook_reconciler.queries import query
from hourbook_reconciler.session import Session
from hourbook_reconciler.shelf import Shelf, taken_out
from hourbook_reconciler.store import (
    RECONCILER_FOLD_VERSION,
    Kept,
    OutdatedPolicyError,
    Together,
    load,
    lock,
    propose,
    shared,
    write,
)

log = structlog.get_logger()

CHUNK = 500
LOOK_AGAIN_SECONDS = 2
"""A rebuild asks for an assessment by its row alone."""


@dataclass(frozen=True, slots=True)
class Assessed:
    """After one chunk: whether it was the last, and how much was said."""

    finished: bool
    proposals: int = 0
    books: int = 0


async def assess_chunk(connection: asyncpg.Connection, policy: Policy) -> Assessed:
    """Decide the next books by this policy; raises `OutdatedPolicyError`."""
    async with shared(connection):
        after = await _begin(connection, policy)
        if after is None:
            return Assessed(finished=True)
        found = await connection.fetch(query("next_books"), after, CHUNK)
        places = await lock(connection, {row["partition"] for row in found}, policy)
        kept = await load(connection, [row["book"] for row in found])
        shelf = Shelf(dict(kept.books), partitions=dict(kept.partitions))
        await _try_again(connection, shelf, kept)
        proposals = propose(shelf, kept.proposed, policy, clock.now())
        await write(connection, shelf, kept, proposals, places, policy)
        finished = len(found) < CHUNK
        await connection.execute(
            "UPDATE book.assessment SET after_book = $1, finished = $2",
            found[-1]["book"] if found else after,
            finished,
        )
        return Assessed(finished, len(proposals.records), len(found))


async def _try_again(connection: asyncpg.Connection, shelf: Shelf, kept: Kept) -> None:
    """Fold what halted books keep in quarantine: this version may read what an older one could not."""
    halted = sorted(kept.halted)
    if not halted:
        return
    for row in await connection.fetch(query("take_out_of_quarantine"), halted):
        shelf.put(taken_out(dict(row)))
    shelf.changed.update(halted)


async def _begin(connection: asyncpg.Connection, policy: Policy) -> str | None:
    """After which book to go on; None when all is done by this policy and fold."""
    row = await connection.fetchrow("SELECT * FROM book.assessment FOR UPDATE")
    if row is None or row["policy_version"] > policy.version:
        raise OutdatedPolicyError(row["policy_version"] if row else 0)
    if (row["policy_version"], row["fold_version"]) == (policy.version, RECONCILER_FOLD_VERSION):
        return None if row["finished"] else str(row["after_book"])
    await _fence(connection, policy)
    await connection.execute(
        "UPDATE book.assessment SET policy_version = $1, fold_version = $2, after_book = '',"
        " finished = false",
        policy.version,
        RECONCILER_FOLD_VERSION,
    )
    return ""


async def _fence(connection: asyncpg.Connection, policy: Policy) -> None:
    """From now on nobody commits with an older policy anywhere, also where no book is yet."""
    moved = Together()
    moved.move(await lock(connection, range(LEDGER.partitions), policy), policy)
    await moved.execute(connection)


class Assessor:
    """Assesses whenever it is due, in one process of all."""

    def __init__(self, dsn: str, tail: ControlTail, health: Health) -> None:
        self._dsn, self._tail = dsn, tail
        self._session = Session(dsn, health)

    async def run(self) -> None:
        while True:
            async with leading(self._dsn, "book assessment") as leader:
                while not leader.is_closed():
                    told = self._tail.changed
                    await self._assess(leader)
                    await _wait(told)

    async def _assess(self, leader: asyncpg.Connection) -> None:
        """All that is due, by the newest policy known at each chunk."""
        books = proposals = 0
        while not leader.is_closed():
            policy = self._tail.installation.policy
            try:
                done = await self._session.run(lambda c, p=policy: assess_chunk(c, p))  # type: ignore[misc]  # bound now
            except OutdatedPolicyError as error:
                await self._tail.until(error.version - 1, seconds=5)
                continue
            books, proposals = books + done.books, proposals + done.proposals
            PROPOSALS.inc(done.proposals)
            if done.finished:
                break
        if books:
            log.info("books_assessed", books=books, proposals=proposals)


async def _wait(told: asyncio.Event) -> None:
    with suppress(TimeoutError):
        async with asyncio.timeout(LOOK_AGAIN_SECONDS):
            await told.wait()

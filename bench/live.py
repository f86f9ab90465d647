"""The reconciler on a ledger full of news, against an agent that folds and decides nothing."""

import asyncio
import os
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import asyncpg

from bench import ledger
from bench.figures import Figure, more_is_better
from bench.world import World, world
from hourbook_contracts.ids import book_of, entry_of
from hourbook_contracts.ledger import LedgerMessage
from hourbook_contracts.testing import recorded
from hourbook_contracts.topics import LEDGER
from hourbook_kit import clock
from hourbook_local.stack import Parts

BOOKS, ENTRIES_A_BOOK = 1500, 4
LOOK_SECONDS, PATIENCE_SECONDS = 0.05, 90
BARE_TABLES = (
    "CREATE SCHEMA bare",
    "CREATE TABLE bare.checkpoint (partition int PRIMARY KEY, next_offset bigint NOT NULL)",
    "CREATE TABLE bare.applied (partition int, offset_ bigint, value bytea, PRIMARY KEY (partition, offset_))",
)


async def measure(folder: Path) -> list[Figure]:
    """Each starts when all facts stand there; the bare one reads the reconciler's decisions as well."""
    async with world(folder, Parts(services=("query-api",))) as here:
        facts = await ledger.produce(here.stack.bootstrap, news())
        environment = here.stack.environment("reconciler")
        end = 2 * facts  # each asks for one decision
        async with _running(folder, "reconciler", environment, "hourbook_reconciler"):
            ours = await _rate(here, "book.checkpoint", end)
        for statement in BARE_TABLES:
            await here.rows(statement)
        bare = {
            "BOOTSTRAP": here.stack.bootstrap,
            "DSN": here.stack.admin_dsn,
            "TOPIC": LEDGER.name,
            "GROUP": "bare-agent",
            "DATADIR": str(folder / "bare-agent"),
        }
        arguments = ("bench.bare_agent", "worker", "-l", "warn", "--without-web")
        async with _running(folder, "bare-agent", bare, *arguments):
            limit = await _rate(here, "bare.checkpoint", end)
        length = await ledger.length(here.stack.bootstrap)
        assert length == end, (length, end)  # noqa: S101 -- else they did not do the same
    return [more_is_better("live_reconcile", ours, "facts/s", limit)]


def news() -> Iterator[LedgerMessage]:
    """Entries of the demo's agents, none of which Kimai knows; a book's come one behind the other."""
    made = clock.now().replace(hour=6, minute=0, second=0, microsecond=0)
    for turn in range(ENTRIES_A_BOOK):
        for ticket in range(1, BOOKS + 1):
            fact = recorded(
                15,
                no=turn + 1,
                entry=entry_of("desk", BOOKS * turn + ticket),
                agent_id=3 + ticket % 5,
                made=made,
            )
            yield fact.model_copy(update={"book": book_of("desk", ticket)})


@asynccontextmanager
async def _running(
    folder: Path, name: str, environment: dict[str, str], *module: str
) -> AsyncIterator[None]:
    with (folder / f"{name}.log").open("wb") as log:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", *module), env=os.environ | environment, stdout=log, stderr=log
        )
    try:
        yield
    finally:
        process.terminate()
        try:
            async with asyncio.timeout(15):
                await process.wait()
        except TimeoutError:  # Faust sometimes hangs when it is stopped
            process.kill()
            await process.wait()


async def _rate(here: World, checkpoint: str, end: int) -> float:
    """Messages a second, from when the first ones were read until that many are."""
    statement = f"SELECT coalesce(sum(next_offset), 0)::bigint FROM {checkpoint}"  # noqa: S608 -- ours
    connection = await asyncpg.connect(here.stack.admin_dsn)
    began, first, read = 0.0, 0, 0
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            while read < end:
                await asyncio.sleep(LOOK_SECONDS)
                read = await connection.fetchval(statement)
                if read and not first:
                    began, first = time.monotonic(), read
        return (read - first) / (time.monotonic() - began)
    finally:
        await connection.close()

"""`hourbook rebuild`, beside and in its place, against storing the same history and folding nothing."""

import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from statistics import median

import asyncpg
from pydantic import SecretStr

from bench import ledger
from bench.figures import Figure, more_is_better
from hourbook_contracts.ids import book_of, entry_of, posting_of, sheet_of
from hourbook_contracts.ledger import LedgerMessage
from hourbook_contracts.testing import NOON, recorded, requested, settled, ticket_observed, written
from hourbook_kit import migrations
from hourbook_local.settings import LocalSettings
from hourbook_local.stack import Parts, Stack
from hourbook_reconciler.beside import drop_old, rebuild_beside
from hourbook_reconciler.queries import SCHEMA
from hourbook_reconciler.rebuild import rebuild
from hourbook_reconciler.second import PACKAGE, ROLE
from hourbook_reconciler.settings import Settings

TICKETS, ENTRIES_A_TICKET, ROUNDS, CHUNK = 12_000, 4, 3, 5000
Row = tuple[object, ...]


async def measure(folder: Path) -> list[Figure]:
    """In turn; the median round of each. The first rebuild fills an empty read model and is not counted.

    `replay`: built beside by a process a core, with its indexes, compared and switched; `replay_in_place`: in
    the served tables, by one process in one transaction, with both digests.
    """
    async with Stack(LocalSettings.for_test(folder), Parts(services=(), twins=())) as stack:
        await _in_its_last_shape(stack.admin_dsn)
        await ledger.produce(stack.bootstrap, history())
        settings = Settings(
            kafka_bootstrap=stack.bootstrap,
            database_url=SecretStr(stack.dsn("reconciler")),
            vault_key=SecretStr(stack.keys.vault_key),
        )
        await rebuild(settings, _nobody_watches)
        beside, in_place, copies = [], [], []
        for _ in range(ROUNDS):
            beside.append(await _beside_rate(settings, stack.admin_dsn))
            rebuilt = await rebuild(settings, _nobody_watches)
            assert not rebuilt.differing, rebuilt  # noqa: S101 -- else it was no rebuild
            in_place.append(rebuilt.messages / rebuilt.seconds)
            copies.append(await _copy_rate(stack.admin_dsn))
    limit = median(copies)
    return [
        more_is_better("replay", median(beside), "facts/s", limit),
        more_is_better("replay_in_place", median(in_place), "facts/s", limit),
    ]


async def _in_its_last_shape(dsn: str) -> None:
    """As in every installation: with the migrations that are done when its services run, and here are none."""
    connection = await asyncpg.connect(dsn)
    try:
        await migrations.apply(connection, PACKAGE, SCHEMA, ROLE, "post")
    finally:
        await connection.close()


async def _beside_rate(settings: Settings, dsn: str) -> float:
    began = time.monotonic()
    built = await rebuild_beside(settings, dsn, _nobody_watches)
    seconds = time.monotonic() - began
    assert built.switched, built  # noqa: S101 -- else it was no rebuild
    await drop_old(dsn)
    return built.messages / seconds


def _nobody_watches(_done: int, _total: int) -> None: ...


def history() -> Iterator[LedgerMessage]:
    """What tickets leave behind whose entries were all written at once: four messages an entry, and one."""
    for ticket in range(1, TICKETS + 1):
        book = book_of("desk", ticket)
        yield ticket_observed(no=1).model_copy(update={"book": book})
        for turn in range(ENTRIES_A_TICKET):
            number = ENTRIES_A_TICKET * ticket + turn
            entry = entry_of("desk", number)
            posting = posting_of(book, entry)
            made = NOON + timedelta(minutes=30 * turn + ticket % 30)
            fact = recorded(15, no=2 + turn, entry=entry, made=made)
            for message in (fact, requested(15), written(15, no=number), settled()):
                own: dict[str, object] = {"book": book}
                if message is not fact:
                    own["posting"] = posting
                if message.TYPE.startswith("hourbook.timesheet_written"):
                    own["sheet"] = sheet_of("hours", number)
                yield message.model_copy(update=own)


async def _copy_rate(dsn: str) -> float:
    """COPY of the history as it stands, merged into an empty table with the same indexes, in one transaction."""
    connection = await asyncpg.connect(dsn)
    try:
        found = await connection.fetch("SELECT * FROM book.history ORDER BY partition, offset_")
        rows = [tuple(row.values()) for row in found]
        await connection.execute("DROP TABLE IF EXISTS bare_history")
        await connection.execute("CREATE TABLE bare_history (LIKE book.history INCLUDING ALL)")
        began = time.monotonic()
        async with connection.transaction():
            await connection.execute("CREATE TEMP TABLE come (LIKE book.history) ON COMMIT DROP")
            for chunk in _chunks(rows):
                await connection.copy_records_to_table("come", records=chunk)
                await connection.execute(
                    "INSERT INTO bare_history SELECT * FROM come ON CONFLICT DO NOTHING"
                )
                await connection.execute("TRUNCATE come")
        return len(rows) / (time.monotonic() - began)
    finally:
        await connection.close()


def _chunks(rows: list[Row]) -> Iterator[list[Row]]:
    for first in range(0, len(rows), CHUNK):
        yield rows[first : first + CHUNK]

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
from hourbook_kit import kafka, migrations
from hourbook_local.settings import LocalSettings
from hourbook_local.stack import Parts, Stack
from hourbook_reconciler import cores
from hourbook_reconciler.beside import drop_old, rebuild_beside
from hourbook_reconciler.queries import SCHEMA, query
from hourbook_reconciler.rebuild import rebuild
from hourbook_reconciler.second import NEXT, PACKAGE, ROLE, begin
from hourbook_reconciler.settings import Settings

TICKETS, ENTRIES_A_TICKET, ROUNDS, CHUNK = 24_000, 4, 3, 5000
Row = tuple[object, ...]


async def measure(folder: Path) -> list[Figure]:
    """In turn; the median round of each. The first rebuild fills an empty read model and is not counted.

    `replay`: from the ledger to rows that are committed, by a process a core; `rebuild_beside`: that, and their
    keys and indexes, the comparison with the served ones, and the switch; `rebuild_in_place`: in the served
    tables, by one process in one transaction, with both digests.
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
        replays, beside, in_place, copies = [], [], [], []
        for _ in range(ROUNDS):
            began = time.monotonic()
            replays.append(await _replay_rate(settings, stack.admin_dsn))
            beside.append(await _switched(settings, stack.admin_dsn) / (time.monotonic() - began))
            await drop_old(stack.admin_dsn)
            rebuilt = await rebuild(settings, _nobody_watches)
            assert not rebuilt.differing, rebuilt  # noqa: S101 -- else it was no rebuild
            in_place.append(rebuilt.messages / rebuilt.seconds)
            copies.append(await _copy_rate(stack.admin_dsn))
    limit = median(copies)
    return [
        more_is_better("replay", median(replays), "facts/s", limit),
        more_is_better("rebuild_beside", median(beside), "facts/s", limit),
        more_is_better("rebuild_in_place", median(in_place), "facts/s", limit),
    ]


async def _in_its_last_shape(dsn: str) -> None:
    """With what is done after services have started: here are none."""
    connection = await asyncpg.connect(dsn)
    try:
        await migrations.apply(connection, PACKAGE, SCHEMA, ROLE, "post")
    finally:
        await connection.close()


async def _replay_rate(settings: Settings, dsn: str) -> float:
    """As far as a rebuild that is stopped when all is folded."""
    began = time.monotonic()
    async with cores.connected(dsn) as connection:
        await begin(connection)
        await cores.drop_indexes(connection, NEXT)
        rows = await connection.fetch(query("checkpoints"))
    ends: dict[int, int] = {row["partition"]: row["next_offset"] for row in rows}
    ends = {partition: end for partition, end in ends.items() if end}
    work = cores.Work(settings, dsn, NEXT, await kafka.cluster_id(settings))
    await cores.fold(work, ends, lambda _done: None)
    return sum(ends.values()) / (time.monotonic() - began)


async def _switched(settings: Settings, dsn: str) -> int:
    """Goes on from there; gives how many messages are in it."""
    built = await rebuild_beside(settings, dsn, _nobody_watches)
    assert built.switched, built  # noqa: S101 -- else it was no rebuild
    return built.messages


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

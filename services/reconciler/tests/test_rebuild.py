"""The read model comes back from the ledger alone, row for row (promise 6)."""

import asyncio

import asyncpg
import pytest

from hourbook_contracts.codec import Record as Sent
from hourbook_contracts.codec import encode
from hourbook_contracts.testing import recorded
from hourbook_kit import kafka
from hourbook_reconciler.rebuild import Rebuilt, model_digest, rebuild
from hourbook_reconciler.settings import Settings
from hourbook_reconciler.store import shared
from hourbook_reconciler.testing import lived, send, story

TABLES = ("books", "tickets", "entries", "conflicts", "history", "quarantine", "outbox")


async def rebuilt(settings: Settings) -> Rebuilt:
    return await rebuild(settings, lambda _done, _total: None)


@pytest.mark.anyio
async def test_live_and_rebuilt_are_equal_row_for_row(
    settings: Settings, connection: asyncpg.Connection
) -> None:
    poison = encode(recorded()).headers
    await send(
        settings,
        *map(encode, story(6100)),
        *map(encode, story(6200)),
        Sent(b"zammad:desk:6100", b"not json", poison),
        *map(encode, story(6100)),
    )
    messages = await lived(settings, connection)
    shown: list[tuple[int, int]] = []
    done = await rebuild(settings, lambda so_far, total: shown.append((so_far, total)))
    assert done.differing == ()
    assert done.before_digest == done.after_digest
    assert done.messages == messages
    assert shown[-1] == (messages, messages)
    assert await connection.fetchval("SELECT count(*) FROM book.quarantine") >= 9


@pytest.mark.anyio
async def test_a_row_that_was_tampered_with_is_found_and_mended(
    settings: Settings, connection: asyncpg.Connection
) -> None:
    await send(settings, *map(encode, story(6300)))
    await lived(settings, connection)
    await connection.execute("UPDATE book.entries SET net_seconds = 1 WHERE book LIKE '%:6300'")
    done = await rebuilt(settings)
    assert done.differing == ("entries",)
    assert done.before_digest != done.after_digest
    assert (await rebuilt(settings)).differing == ()


@pytest.mark.anyio
async def test_minutes_that_two_rows_have_exchanged_are_found(
    settings: Settings, connection: asyncpg.Connection
) -> None:
    """Each column still holds the same values: a sum over columns would not tell."""
    await send(settings, *map(encode, story(6400)), *map(encode, story(6500)))
    await lived(settings, connection)
    first, second = await connection.fetch("SELECT entry FROM book.entries ORDER BY entry LIMIT 2")
    give = (
        "UPDATE book.entries SET net_seconds = CASE entry WHEN $1 THEN $2::bigint ELSE $3::bigint END"
        " WHERE entry IN ($1, $4)"
    )
    for minutes in range(1, 41):
        found = set()
        for pair in ((minutes * 60, 900), (900, minutes * 60)):
            await connection.execute(give, first["entry"], *pair, second["entry"])
            found.add((await model_digest(connection))["entries"])
        assert len(found) == (1 if minutes == 15 else 2), minutes


@pytest.mark.anyio
async def test_a_lost_schema_is_replayed_to_the_end_of_the_ledger(
    settings: Settings, connection: asyncpg.Connection
) -> None:
    await send(settings, *map(encode, story(6400)))
    messages = await lived(settings, connection)
    whole = await rebuilt(settings)
    for table in (*TABLES, "checkpoint"):
        await connection.execute(f"DELETE FROM book.{table}")  # noqa: S608 -- ours
    again = await rebuilt(settings)
    assert (again.messages, again.after_digest) == (messages, whole.after_digest)
    assert await lived(settings, connection) == messages  # and there is nothing left to apply
    assert (await rebuilt(settings)).before_digest == whole.after_digest


@pytest.mark.anyio
async def test_after_a_rebuild_everything_is_assessed_and_nothing_is_in_flight(
    settings: Settings, connection: asyncpg.Connection
) -> None:
    await send(settings, *map(encode, story(6500)[:1]))
    await lived(settings, connection)
    await connection.execute("UPDATE book.assessment SET finished = true, fold_version = 1")
    await rebuilt(settings)
    assert await connection.fetchval("SELECT finished FROM book.assessment") is False
    assert await connection.fetchval("SELECT count(*) FROM book.outbox") == 0
    assert await connection.fetchval("SELECT count(*) FROM book.books WHERE proposed <> '{}'") == 0


@pytest.mark.anyio
async def test_a_ledger_on_another_kafka_is_taken_as_the_truth(
    settings: Settings, connection: asyncpg.Connection
) -> None:
    await send(settings, *map(encode, story(6600)))
    messages = await lived(settings, connection)
    await connection.execute(
        "UPDATE book.checkpoint SET cluster_id = 'lost', next_offset = 9999, policy_version = 77"
    )
    assert (await rebuilt(settings)).messages == messages
    clusters = await connection.fetch(
        "SELECT DISTINCT cluster_id, policy_version FROM book.checkpoint"
    )
    assert [tuple(row) for row in clusters] == [(await kafka.cluster_id(settings), 0)]


@pytest.mark.anyio
async def test_a_rebuild_waits_for_the_batch_that_runs(
    settings: Settings, connection: asyncpg.Connection
) -> None:
    async with shared(connection):
        waiting = asyncio.create_task(rebuilt(settings))
        done, _ = await asyncio.wait([waiting], timeout=1)
        assert not done
    assert (await waiting).messages >= 0

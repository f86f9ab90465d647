"""A second read model is built beside the first, compared and switched, and nobody notices."""

import asyncio
from collections.abc import AsyncIterator

import asyncpg
import pytest

from hourbook_contracts.codec import encode
from hourbook_contracts.testing import policy
from hourbook_kit import kafka, outbox
from hourbook_reconciler import beside
from hourbook_reconciler.beside import KeptOldError, drop_old, rebuild_beside
from hourbook_reconciler.rebuild import model_digest
from hourbook_reconciler.second import NEXT, OLD
from hourbook_reconciler.settings import Settings
from hourbook_reconciler.store import apply
from hourbook_reconciler.testing import lived, send, story, whole_ledger

pytestmark = pytest.mark.anyio


def quiet(_done: int, _of: int) -> None:
    return None


@pytest.fixture(autouse=True, params=["chunk by chunk", "one process a core"])
async def _alone(
    owner_dsn: str, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[None]:
    if request.param == "one process a core":
        monkeypatch.setattr(beside, "MANY", 1)
    yield
    await drop_old(owner_dsn)
    owner = await asyncpg.connect(owner_dsn)
    await owner.execute(f"DROP SCHEMA IF EXISTS {NEXT} CASCADE")
    await owner.close()


async def test_the_second_is_the_first_row_for_row_and_the_old_one_is_kept(
    settings: Settings, connection: asyncpg.Connection, owner_dsn: str
) -> None:
    await send(settings, *map(encode, story(8100)), *map(encode, story(8200)))
    messages = await lived(settings, connection)
    before = await model_digest(connection)
    first = await _oid(connection)
    done = await rebuild_beside(settings, owner_dsn, quiet)
    assert (done.switched, done.messages, done.differing) == (True, messages, ())
    assert await model_digest(connection) == before
    assert await _oid(connection) != first
    assert await connection.fetchval("SELECT finished FROM book.assessment") is False
    with pytest.raises(KeptOldError):
        await rebuild_beside(settings, owner_dsn, quiet)
    assert await drop_old(owner_dsn)
    assert not await drop_old(owner_dsn)
    assert await lived(settings, connection) == messages  # there is nothing left to apply
    assert (await rebuild_beside(settings, owner_dsn, quiet)).switched


async def test_nobody_notices_the_switch_under_traffic(
    settings: Settings, connection: asyncpg.Connection, dsn: str, owner_dsn: str
) -> None:
    """The digest after it is what a live life of the same ledger gives, and no reader ever fails."""
    for ticket in range(8300, 8340, 2):
        await send(settings, *map(encode, story(ticket)))
    records = await whole_ledger(settings)
    cluster = await kafka.cluster_id(settings)
    half = len(records) // 2
    for start in range(0, half, 7):
        await apply(connection, records[start : min(start + 7, half)], policy(), cluster)

    stop, seen = asyncio.Event(), list[int]()

    async def read() -> None:
        async with asyncpg.create_pool(dsn, min_size=2, max_size=2) as pool:
            while not stop.is_set():
                seen.append(await pool.fetchval("SELECT count(*) FROM book.history"))
                await pool.fetch("SELECT e.* FROM book.entries AS e JOIN book.books USING (book)")

    async def write() -> None:
        for start in range(half, len(records), 3):
            await apply(connection, records[start : start + 3], policy(), cluster)
            await asyncio.sleep(0)

    reading, writing = asyncio.create_task(read()), asyncio.create_task(write())
    done = await rebuild_beside(settings, owner_dsn, quiet)
    await writing
    stop.set()
    await reading
    assert done.switched
    assert seen == sorted(seen)  # never less than before
    switched = await model_digest(connection)
    await drop_old(owner_dsn)
    assert (await rebuild_beside(settings, owner_dsn, quiet)).differing == ()
    assert await model_digest(connection) == switched


async def test_where_they_differ_the_first_goes_on(
    settings: Settings, connection: asyncpg.Connection, owner_dsn: str
) -> None:
    await send(settings, *map(encode, story(8400)))
    await lived(settings, connection)
    await connection.execute("UPDATE book.entries SET net_seconds = 1 WHERE book LIKE '%:8400'")
    first = await _oid(connection)
    done = await rebuild_beside(settings, owner_dsn, quiet)
    assert (done.switched, done.differing) == (False, ("entries",))
    assert await _oid(connection) == first
    mended = await rebuild_beside(settings, owner_dsn, quiet, even_if_different=True)
    assert (mended.switched, mended.differing) == (True, ("entries",))
    assert await connection.fetchval("SELECT count(*) FROM book.entries WHERE net_seconds = 1") == 0


async def test_a_build_that_was_stopped_goes_on_where_it_was(
    settings: Settings, connection: asyncpg.Connection, owner_dsn: str
) -> None:
    await send(settings, *map(encode, story(8500)), *map(encode, story(8600)))
    messages = await lived(settings, connection)

    class StoppedError(Exception):
        """By a person."""

    def stop(done: int, of: int) -> None:
        if done > of / 2:
            raise StoppedError

    with pytest.raises(StoppedError):
        await rebuild_beside(settings, owner_dsn, stop)
    owner = await asyncpg.connect(owner_dsn)
    kept = await owner.fetchval("SELECT sum(next_offset) FROM book_next.checkpoint")
    await owner.close()
    shown: list[int] = []
    done = await rebuild_beside(settings, owner_dsn, lambda so_far, _: shown.append(so_far))
    assert (done.switched, done.messages) == (True, messages)
    assert all(so_far > kept for so_far in shown)


async def test_no_row_of_the_new_outbox_has_the_number_of_an_old_one(
    settings: Settings, connection: asyncpg.Connection, owner_dsn: str
) -> None:
    """The relay deletes by number what it has sent, perhaps after the switch."""
    await send(settings, *map(encode, story(8700)))
    await lived(settings, connection)
    record = encode(story(8700)[0])
    await outbox.put(connection, "book", "t", [record, record])
    old = await connection.fetchval("SELECT max(id) FROM book.outbox")
    await rebuild_beside(settings, owner_dsn, quiet)
    assert await connection.fetchval("SELECT count(*) FROM book.outbox") == 0
    await outbox.put(connection, "book", "t", [record])
    assert await connection.fetchval("SELECT min(id) FROM book.outbox") > old


async def test_the_second_has_the_shape_and_the_rights_of_the_first(
    settings: Settings, connection: asyncpg.Connection, owner_dsn: str
) -> None:
    owner = await asyncpg.connect(owner_dsn)
    columns = (
        "SELECT table_name, column_name, data_type, is_nullable, column_default"
        " FROM information_schema.columns WHERE table_schema = '{}' ORDER BY 1, 2"
    )
    indexes = (
        "SELECT tablename, indexname, replace(indexdef, ' {0}.', ' ') FROM pg_indexes"
        " WHERE schemaname = '{0}' ORDER BY 1, 2"
    )
    keys = (
        "SELECT relname, conname, pg_get_constraintdef(c.oid) FROM pg_constraint AS c"
        " JOIN pg_class AS t ON t.oid = conrelid WHERE relnamespace = '{}'::regnamespace ORDER BY 1, 2"
    )
    rights = (
        "SELECT table_name, grantee, privilege_type FROM information_schema.table_privileges"
        " WHERE table_schema = '{}' ORDER BY 1, 2, 3"
    )
    usage = (
        "SELECT DISTINCT grantee::regrole::text FROM pg_namespace, aclexplode(nspacl)"
        " WHERE nspname = '{}' AND privilege_type = 'USAGE' ORDER BY 1"
    )
    await lived(settings, connection)
    await rebuild_beside(settings, owner_dsn, quiet)
    for shape in (columns, indexes, keys, rights, usage):
        first, second = [await owner.fetch(shape.format(schema)) for schema in (OLD, "book")]
        assert first
        assert first == second
    await owner.close()


async def _oid(connection: asyncpg.Connection) -> int:
    found: int = await connection.fetchval("SELECT 'book.entries'::regclass::oid::bigint")
    return found

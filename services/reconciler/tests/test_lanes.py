"""How what was read is shared out among transactions."""

import asyncio
import tempfile
from collections.abc import AsyncIterator

import asyncpg
import pytest
from pydantic import SecretStr

from hourbook_contracts.codec import encode
from hourbook_contracts.testing import policy
from hourbook_kit import kafka
from hourbook_reconciler.agent import Agent, Commit, make_app
from hourbook_reconciler.rebuild import rebuild
from hourbook_reconciler.record import Record
from hourbook_reconciler.settings import Settings
from hourbook_reconciler.store import apply
from hourbook_reconciler.testing import send, story, whole_ledger

BATCH = 12
SETTINGS = Settings(
    kafka_bootstrap="127.0.0.1:1", database_url=SecretStr(""), vault_key=SecretStr("")
)


class Lane:
    """Keeps what it is given, and is done when as many have begun as are to run side by side."""

    def __init__(self, together: asyncio.Barrier) -> None:
        self._together = together
        self.given: list[list[Record]] = []

    async def __call__(self, records: list[Record]) -> None:
        self.given.append(records)
        async with asyncio.timeout(20):
            await self._together.wait()


class Nowhere:
    async def offsets(self, partitions: set[int]) -> dict[int, int]:
        return dict.fromkeys(partitions, 0)


def agent_of(*lanes: Commit) -> Agent:
    app = make_app(SETTINGS, "test", None, tempfile.gettempdir())
    return Agent(app, Nowhere(), lanes, batch=BATCH, refuse=print)


def read(*partitions: int) -> list[Record]:
    """Records as they came, each at the next offset of its partition."""
    found: list[Record] = []
    for partition in partitions:
        offset = sum(record.partition == partition for record in found)
        found.append(Record(partition, offset, b"zammad:desk:1", b"{}", ()))
    return found


@pytest.mark.anyio
async def test_a_whole_batch_is_stored_side_by_side_each_partition_in_its_order() -> None:
    together = asyncio.Barrier(2)
    first, second = Lane(together), Lane(together)
    records = read(3, 0, 3, 1, 8, 0, 3, 1, 8, 5, 5, 0)
    await agent_of(first, second).apply(records)
    (one,), (other,) = first.given, second.given
    assert sorted((*one, *other)) == sorted(records)
    assert not {record.partition for record in one} & {record.partition for record in other}
    for share in (one, other):
        for partition in range(9):
            offsets = [record.offset for record in share if record.partition == partition]
            assert offsets == sorted(offsets)
        assert len(share) >= BATCH // 3


@pytest.mark.anyio
async def test_few_are_one_transaction() -> None:
    first, second = Lane(asyncio.Barrier(1)), Lane(asyncio.Barrier(1))
    records = read(0, 1, 2, 3)
    await agent_of(first, second).apply(records)
    assert (first.given, second.given) == ([records], [])


@pytest.mark.anyio
async def test_a_batch_of_one_partition_is_one_transaction() -> None:
    first, second = Lane(asyncio.Barrier(1)), Lane(asyncio.Barrier(1))
    records = read(*[7] * BATCH)
    await agent_of(first, second).apply(records)
    assert (first.given, second.given) == ([records], [])


@pytest.fixture
async def other(dsn: str) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(dsn)
    yield connection
    await connection.close()


async def twelve_stories(settings: Settings) -> list[Record]:
    told = [message for ticket in range(6701, 6725, 2) for message in story(ticket)]
    await send(settings, *map(encode, told))
    return await whole_ledger(settings)


def storing(connection: asyncpg.Connection, cluster: str) -> Commit:
    async def commit(records: list[Record]) -> None:
        await apply(connection, records, policy(), cluster)

    return commit


async def killed_before_its_commit(_records: list[Record]) -> None:
    """Leaves what a process leaves that ends there: nothing."""


async def differing(settings: Settings) -> tuple[str, ...]:
    return (await rebuild(settings, lambda _done, _total: None)).differing


@pytest.mark.anyio
async def test_shares_stored_side_by_side_are_what_a_rebuild_gives(
    settings: Settings, connection: asyncpg.Connection, other: asyncpg.Connection
) -> None:
    records, cluster = await twelve_stories(settings), await kafka.cluster_id(settings)
    agent = agent_of(storing(connection, cluster), storing(other, cluster))
    for start in range(0, len(records), BATCH):
        await agent.apply(records[start : start + BATCH])
    assert await differing(settings) == ()


@pytest.mark.anyio
async def test_a_batch_of_which_one_share_was_stored_is_read_again_and_counts_once(
    settings: Settings, connection: asyncpg.Connection, other: asyncpg.Connection
) -> None:
    records, cluster = await twelve_stories(settings), await kafka.cluster_id(settings)
    lanes = storing(connection, cluster), storing(other, cluster)
    before_the_kill = agent_of(lanes[0], killed_before_its_commit)
    afterwards = agent_of(*lanes)
    for start in range(0, len(records), BATCH):
        batch = records[start : start + BATCH]
        await before_the_kill.apply(batch)
        await afterwards.apply(batch)
    stored = await connection.fetchval(
        "SELECT (SELECT count(*) FROM book.history) + (SELECT count(*) FROM book.quarantine)"
    )  # other tests leave on the ledger what nobody can read
    assert stored == len(records)
    assert await differing(settings) == ()

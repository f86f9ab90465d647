"""How what was read is shared out among transactions."""

import asyncio
import tempfile

import pytest
from pydantic import SecretStr

from hourbook_reconciler.agent import Agent, make_app
from hourbook_reconciler.record import Record
from hourbook_reconciler.settings import Settings

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
        async with asyncio.timeout(2):
            await self._together.wait()


class Nowhere:
    async def offsets(self, partitions: set[int]) -> dict[int, int]:
        return dict.fromkeys(partitions, 0)


def agent_of(*lanes: Lane) -> Agent:
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
    even, odd = Lane(together), Lane(together)
    records = read(3, 0, 3, 1, 8, 0, 3, 1, 8, 5, 5, 0)
    await agent_of(even, odd).apply(records)
    assert even.given == [[record for record in records if record.partition in (0, 8)]]
    assert odd.given == [[record for record in records if record.partition in (1, 3, 5)]]


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
    assert (first.given, second.given) == ([], [records])

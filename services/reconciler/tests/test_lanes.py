"""How what was read is shared out among transactions."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from operator import attrgetter

import asyncpg
import pytest
from hypothesis import given
from hypothesis import settings as limits
from hypothesis import strategies as some

from hourbook_contracts.codec import encode
from hourbook_contracts.testing import policy
from hourbook_kit import kafka
from hourbook_reconciler.agent import Commit
from hourbook_reconciler.lanes import LARGEST_WAITING, Lanes, Waiting
from hourbook_reconciler.rebuild import rebuild
from hourbook_reconciler.record import Record
from hourbook_reconciler.settings import Settings
from hourbook_reconciler.store import apply
from hourbook_reconciler.testing import send, story, whole_ledger

BATCH = 12


class Books:
    """Stores what it is given, and sees to it that nobody else has the same partition meanwhile."""

    def __init__(self, together: int = 1) -> None:
        self.given: list[list[Record]] = []
        self.side_by_side = 0
        self._open: list[set[int]] = []
        self._together = asyncio.Barrier(together)

    async def store(self, records: list[Record]) -> None:
        partitions = {record.partition for record in records}
        assert not any(partitions & other for other in self._open)
        self._open.append(partitions)
        self.side_by_side = max(self.side_by_side, len(self._open))
        async with asyncio.timeout(20):
            await self._together.wait()
        await asyncio.sleep(0.001)
        self._open.remove(partitions)
        self.given.append(records)

    def of(self, partition: int) -> list[int]:
        return [r.offset for records in self.given for r in records if r.partition == partition]


class Killed:
    """Is killed within its transaction, and leaves what a process leaves then: nothing."""

    def __init__(self) -> None:
        self.lost = 0

    async def commit(self, records: list[Record]) -> None:
        self.lost += len(records)
        await asyncio.Event().wait()


@asynccontextmanager
async def running(*stores: Commit, patient: bool = False) -> AsyncIterator[Lanes[Record]]:
    """Of what is patient only a partition's first is news. What a store raises is raised here."""
    lanes = Lanes[Record](
        stores, attrgetter("partition"), lambda record: patient and record.offset > 0, most=BATCH
    )
    async with asyncio.timeout(60), asyncio.TaskGroup() as group:
        tasks = [group.create_task(loop) for loop in lanes.loops()]
        yield lanes
        for task in tasks:
            task.cancel()


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not holds():  # noqa: ASYNC110 -- what is waited for tells nobody
            await asyncio.sleep(0.001)


async def stored(
    records: Iterable[Record],
    *stores: Commit,
    between: Callable[[], Awaitable[None]] | None = None,
    killed: Killed | None = None,
) -> None:
    """Put, and taken by as many transactions side by side: all, or what is left where one of them was killed."""
    async with running(*stores) as lanes:
        for record in records:
            await lanes.put(record)
            if between is not None:
                await between()
        await until(
            lambda: not lanes.waiting.free and lanes.storing == bool(killed and killed.lost)
        )


def read(*partitions: int) -> list[Record]:
    """Records as they came, each at the next offset of its partition."""
    offsets = dict.fromkeys(partitions, 0)
    found: list[Record] = []
    for partition in partitions:
        found.append(Record(partition, offsets[partition], b"zammad:desk:1", b"{}", ()))
        offsets[partition] += 1
    return found


async def soon() -> None:
    await asyncio.sleep(0)


@limits(deadline=None)
@given(partitions=some.lists(some.integers(0, 4), max_size=200), at_once=some.booleans())
def test_each_partition_is_stored_in_its_order_and_by_one_at_a_time(
    *, partitions: list[int], at_once: bool
) -> None:
    books = Books()
    records = read(*partitions)
    between = None if at_once else soon
    asyncio.run(stored(records, books.store, books.store, books.store, between=between))
    for partition in range(5):
        assert books.of(partition) == list(range(partitions.count(partition)))
    assert all(len(records) <= BATCH for records in books.given)


@pytest.mark.anyio
async def test_where_two_whole_transactions_wait_they_are_stored_side_by_side() -> None:
    books = Books(together=2)
    await stored(read(*[3] * BATCH, *[8] * BATCH), books.store, books.store)
    assert len(books.given) == 2


class Gate:
    """A transaction that lasts until it is let through."""

    def __init__(self) -> None:
        self.given: list[Record] = []
        self._open = asyncio.Event()

    async def store(self, records: list[Record]) -> None:
        self.given += records
        await self._open.wait()

    def let_through(self) -> None:
        self._open.set()


async def put(lanes: Lanes[Record], *records: Record) -> None:
    for record in records:
        await lanes.put(record)
    await asyncio.sleep(0.05)


@pytest.mark.anyio
async def test_only_a_whole_transaction_is_begun_beside_another() -> None:
    first, second = Gate(), Gate()
    async with running(first.store, second.store) as lanes:
        await put(lanes, *read(0))
        await put(lanes, *read(*[1] * (BATCH - 1)))
        assert (len(first.given), second.given) == (1, [])
        await put(lanes, *read(2))
        assert len(second.given) == BATCH


@pytest.mark.anyio
async def test_what_waits_for_a_partition_goes_on_when_the_other_one_lets_go_of_it() -> None:
    first, second = Gate(), Gate()
    async with running(first.store, second.store) as lanes:
        await put(lanes, *read(0))
        *many, last = read(*[1] * (BATCH + 1))
        await put(lanes, *many)
        first.let_through()
        await put(lanes, last)
        assert last not in first.given
        second.let_through()
        await until(lambda: last in first.given + second.given)


@pytest.mark.anyio
async def test_who_reads_waits_while_as_much_waits_as_there_may() -> None:
    first = Gate()
    async with running(first.store) as lanes:
        for record in (rest := iter(read(*[0] * 1000))):
            try:
                async with asyncio.timeout(0.2):
                    await lanes.put(record)
            except TimeoutError:
                break
        assert len(lanes.waiting) == LARGEST_WAITING * BATCH
        assert list(rest)


@pytest.mark.anyio
async def test_what_is_patient_is_so_again_after_news() -> None:
    books = Books()
    async with running(books.store, patient=True) as lanes:
        news, *patient = read(0, 0, 0, 0)
        await put(lanes, news)
        for record in patient:
            await lanes.put(record)
            await asyncio.sleep(0.005)
        await until(lambda: sum(map(len, books.given)) == 4)
    assert books.given[0] == [news]
    assert len(books.given) < 4


@pytest.mark.anyio
async def test_what_a_broken_transaction_held_is_let_go_so_that_its_gap_is_seen() -> None:
    async def breaks(_records: list[Record]) -> None:
        raise RuntimeError

    lanes = Lanes[Record]([breaks], attrgetter("partition"), lambda _: False, most=BATCH)
    await lanes.put(read(0)[0])
    with pytest.raises(RuntimeError):
        await next(lanes.loops())
    assert lanes.storing == 0
    await lanes.put(read(0, 0)[1])
    assert lanes.waiting.free == 1


@pytest.mark.anyio
async def test_what_came_in_turn_is_stored_together() -> None:
    books = Books()
    await stored(read(*[0, 1, 2, 3] * BATCH), books.store)
    assert [{record.partition for record in records} for records in books.given] == [
        *({0}, {1}, {2}, {3})
    ]


@pytest.mark.anyio
async def test_one_partition_alone_is_stored_by_one_at_a_time() -> None:
    books = Books()
    await stored(read(*[7] * 10 * BATCH), books.store, books.store)
    assert books.side_by_side == 1
    assert books.of(7) == list(range(10 * BATCH))


def test_a_partition_that_always_has_more_keeps_none_of_the_others_waiting() -> None:
    waiting = Waiting[Record](attrgetter("partition"))
    more = iter(read(*[0] * 1000))
    for _ in range(BATCH + 1):
        waiting.put(next(more))
    for other in read(1, 1, 1, 1, 1):
        waiting.put(other)
        for _ in range(2):
            taken = waiting.take(BATCH)
            for _ in range(BATCH + 1):
                waiting.put(next(more))
            waiting.release(taken)
            if other in taken:
                break
        assert other in taken


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


async def differing(settings: Settings) -> tuple[str, ...]:
    return (await rebuild(settings, lambda _done, _total: None)).differing


@pytest.mark.anyio
async def test_what_is_stored_side_by_side_is_what_a_rebuild_gives(
    settings: Settings, connection: asyncpg.Connection, other: asyncpg.Connection
) -> None:
    records, cluster = await twelve_stories(settings), await kafka.cluster_id(settings)
    await stored(records, storing(connection, cluster), storing(other, cluster))
    assert await differing(settings) == ()


@pytest.mark.anyio
async def test_what_was_stored_in_part_is_read_again_and_counts_once(
    settings: Settings, connection: asyncpg.Connection, other: asyncpg.Connection
) -> None:
    records, cluster = await twelve_stories(settings), await kafka.cluster_id(settings)
    records.sort(key=attrgetter("offset"))  # as Faust mixes partitions
    first, second = storing(connection, cluster), storing(other, cluster)
    lost = 0
    for start in range(0, len(records), 8 * BATCH):
        batch, killed = records[start : start + 8 * BATCH], Killed()
        await stored(batch, first, killed.commit, killed=killed)
        await stored(batch, first, second)
        lost += killed.lost
    kept = await connection.fetchval(
        "SELECT (SELECT count(*) FROM book.history) + (SELECT count(*) FROM book.quarantine)"
    )  # other tests leave on the ledger what nobody can read
    assert kept == len(records)
    assert lost
    assert await differing(settings) == ()

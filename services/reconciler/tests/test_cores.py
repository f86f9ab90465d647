"""Processes that fold partitions side by side: what becomes of their work when one of them, or their parent, ends."""

import asyncio
import multiprocessing
import os
import signal
from collections.abc import AsyncIterator
from dataclasses import replace

import asyncpg
import pytest
from aiokafka.errors import KafkaError

from hourbook_contracts.codec import encode
from hourbook_kit import kafka
from hourbook_reconciler import cores
from hourbook_reconciler.cores import LostProcessError, Work
from hourbook_reconciler.rebuild import model_digest
from hourbook_reconciler.second import NEXT, begin
from hourbook_reconciler.settings import Settings
from hourbook_reconciler.testing import lived, send, story

pytestmark = pytest.mark.anyio

WAITS_FOR_EVER = 10**9
"""Of a partition, where no message ever comes."""


@pytest.fixture
async def work(settings: Settings, owner_dsn: str) -> AsyncIterator[Work]:
    owner = await asyncpg.connect(owner_dsn)
    await begin(owner)
    yield Work(settings, owner_dsn, NEXT, await kafka.cluster_id(settings))
    await owner.execute(f"DROP SCHEMA {NEXT} CASCADE")
    await owner.close()


async def test_what_they_fold_together_is_what_one_has_lived(
    settings: Settings, connection: asyncpg.Connection, work: Work
) -> None:
    ends = await _some_stories(settings, connection, 9100)
    shown: list[int] = []
    await cores.fold(work, ends, shown.append)
    assert shown[-1] == sum(ends.values())
    assert await _next(work) == await model_digest(connection)


async def test_a_partition_that_was_folded_is_left_alone(
    settings: Settings, connection: asyncpg.Connection, work: Work
) -> None:
    ends = await _some_stories(settings, connection, 9200)
    await cores.fold(work, ends, _nobody_watches)
    await cores.fold(work, ends, _nobody_watches)
    assert await _next(work) == await model_digest(connection)


async def test_one_that_is_killed_is_told_and_the_rest_can_be_done_again(
    settings: Settings, connection: asyncpg.Connection, work: Work
) -> None:
    ends = await _some_stories(settings, connection, 9300)

    def kill(_done: int) -> None:
        for child in multiprocessing.active_children():
            os.kill(child.pid or 0, signal.SIGKILL)

    with pytest.raises(LostProcessError, match="goes on where it was"):
        await cores.fold(work, ends | {min(ends): WAITS_FOR_EVER}, kill)
    await cores.fold(work, ends, _nobody_watches)
    assert await _next(work) == await model_digest(connection)


async def test_a_kafka_that_is_away_is_told_as_what_it_is(work: Work) -> None:
    """Whoever asked can wait for it: no process was lost."""
    away = work.settings.model_copy(update={"kafka_bootstrap": "127.0.0.1:1"})
    with pytest.raises(KafkaError):
        await cores.fold(replace(work, settings=away), {0: 1}, _nobody_watches)


async def test_who_interrupts_the_command_interrupts_its_parent_only(
    settings: Settings, connection: asyncpg.Connection, work: Work
) -> None:
    """A terminal tells all of them at once; the parent stops the others in order."""
    ends = await _some_stories(settings, connection, 9600)

    def interrupt(_done: int) -> None:
        for child in multiprocessing.active_children():
            os.kill(child.pid or 0, signal.SIGINT)

    with pytest.raises(TimeoutError):  # and none is lost
        async with asyncio.timeout(5):
            await cores.fold(work, ends | {min(ends): WAITS_FOR_EVER}, interrupt)
    await cores.fold(work, ends, _nobody_watches)
    assert await _next(work) == await model_digest(connection)


async def test_those_of_a_parent_that_is_killed_hold_nothing(
    settings: Settings, connection: asyncpg.Connection, work: Work
) -> None:
    ends = await _some_stories(settings, connection, 9400)
    parent = multiprocessing.get_context("spawn").Process(
        target=_fold_for_ever, args=(work, dict.fromkeys(ends, WAITS_FOR_EVER))
    )
    parent.start()
    locks = "SELECT count(*) FROM pg_locks WHERE relation = to_regclass($1) AND granted"
    async with asyncio.timeout(60):
        while not await connection.fetchval(locks, f"{NEXT}.checkpoint"):  # noqa: ASYNC110 -- it is another process
            await asyncio.sleep(0.1)
        parent.kill()
        await cores.fold(work, ends, _nobody_watches)
    parent.join()
    assert await _next(work) == await model_digest(connection)


async def test_whoever_stops_waiting_stops_them(
    settings: Settings, connection: asyncpg.Connection, work: Work
) -> None:
    ends = await _some_stories(settings, connection, 9500)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(3):
            await cores.fold(work, dict.fromkeys(ends, WAITS_FOR_EVER), _nobody_watches)
    await cores.fold(work, ends, _nobody_watches)
    assert await _next(work) == await model_digest(connection)


def _nobody_watches(_done: int) -> None: ...


def _fold_for_ever(work: Work, ends: dict[int, int]) -> None:
    asyncio.run(cores.fold(work, ends, _nobody_watches))


async def _some_stories(
    settings: Settings, connection: asyncpg.Connection, first: int
) -> dict[int, int]:
    for ticket in range(first, first + 20, 2):
        await send(settings, *map(encode, story(ticket)))
    await lived(settings, connection)
    rows = await connection.fetch("SELECT partition, next_offset FROM book.checkpoint")
    return {row["partition"]: row["next_offset"] for row in rows}


async def _next(work: Work) -> dict[str, str]:
    owner = await asyncpg.connect(work.dsn)
    try:
        return await model_digest(owner, NEXT)
    finally:
        await owner.close()

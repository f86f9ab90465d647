"""Who gets no partition, and is not told why, begins anew."""

import asyncio
from typing import NoReturn

import pytest

import hourbook_reconciler.__main__ as process
from hourbook_kit.health import Health

pytestmark = pytest.mark.anyio


class EndedError(Exception):
    """Stands for the process's end."""


@pytest.fixture(autouse=True)
def dies(monkeypatch: pytest.MonkeyPatch) -> None:
    def die(why: str, **_: object) -> NoReturn:
        raise EndedError(why)

    monkeypatch.setattr(process, "die", die)


async def test_a_process_that_gets_no_partition_ends_and_is_started_again() -> None:
    with pytest.raises(EndedError, match="no partition"):
        await process.begun(asyncio.Event(), Health(), seconds=0.01)


async def test_a_process_that_says_what_stands_in_the_way_waits_for_a_person() -> None:
    health, ready = Health(), asyncio.Event()
    health.hinder("ledger", "It is another log.")
    waiting = asyncio.create_task(process.begun(ready, health, seconds=0.01))
    await asyncio.sleep(0.05)
    assert not waiting.done()
    ready.set()
    await waiting


async def test_a_process_with_its_partitions_goes_on() -> None:
    ready = asyncio.Event()
    ready.set()
    await process.begun(ready, Health(), seconds=0.01)

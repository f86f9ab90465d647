"""The ledger's reader: a request is stored as it comes, what begins no work together with more."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import pytest
from aiokafka.errors import CorruptRecordException, KafkaError

from hourbook_contracts.codec import encode
from hourbook_contracts.ledger import LedgerMessage
from hourbook_contracts.testing import recorded, requested, settled, written
from hourbook_push_kimai import hear
from hourbook_push_kimai.hear import Hearing

pytestmark = pytest.mark.anyio


@dataclass
class Ledger:
    """What aiokafka would give, and what was stored of it."""

    coming: asyncio.Queue[Any] = field(default_factory=asyncio.Queue)
    stored: list[int] = field(default_factory=list)
    done: asyncio.Queue[None] = field(default_factory=asyncio.Queue)

    async def getmany(self, timeout_ms: int) -> dict[int, list[Any]]:
        try:
            async with asyncio.timeout(timeout_ms / 1000):
                found = await self.coming.get()
        except TimeoutError:
            return {}
        if isinstance(found, KafkaError):
            raise found
        return {0: [found]}

    async def say(self, *messages: LedgerMessage) -> None:
        for message in messages:
            record = encode(message)
            self.coming.put_nowait(SimpleNamespace(value=record.value, headers=record.headers))
            await asyncio.sleep(0.005)

    async def store(self, records: list[Any]) -> None:
        self.stored.append(len(records))
        for _ in records:
            self.done.put_nowait(None)

    async def until_stored(self, number: int) -> None:
        async with asyncio.timeout(20):
            for _ in range(number):
                await self.done.get()


@pytest.fixture
async def ledger(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Ledger]:
    ledger, nobody = Ledger(), Any
    hearing = Hearing(nobody, nobody, nobody, b"", heard=lambda: None, said={})  # type: ignore[arg-type]
    hearing.caught_up.set()
    monkeypatch.setattr(hearing, "_hear", ledger.store)
    task = asyncio.create_task(hearing._read(ledger))
    yield ledger
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_facts_of_zammad_and_answers_are_stored_together(ledger: Ledger) -> None:
    await ledger.say(*(recorded(15), written(15), settled()) * 5)
    await ledger.until_stored(15)
    assert len(ledger.stored) < 15


async def test_a_request_waits_for_nothing_and_takes_what_waits_along(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hear, "PATIENCE_SECONDS", 3600)
    await ledger.say(recorded(15), settled(), written(15))
    await asyncio.sleep(0.1)
    assert not ledger.stored
    await ledger.say(requested(15))
    await ledger.until_stored(4)
    assert ledger.stored == [4]


async def test_what_waits_is_stored_though_a_partition_fails_each_time(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hear, "PATIENCE_SECONDS", 3600)
    await ledger.say(settled())
    ledger.coming.put_nowait(CorruptRecordException("of another partition"))
    await ledger.until_stored(1)

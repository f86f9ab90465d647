"""Every service reads the control topic itself, from its beginning, before it starts; then it tails it."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace

import structlog
from aiokafka import AIOKafkaConsumer, TopicPartition

from hourbook_contracts.codec import UndecodableError, decode
from hourbook_contracts.control import ControlEvent
from hourbook_contracts.installation import Installation, learn
from hourbook_contracts.topics import CONTROL
from hourbook_kit.kafka import consumer
from hourbook_kit.settings import KafkaSettings

log = structlog.get_logger()

Listener = Callable[[ControlEvent, int], Awaitable[None]]
"""Told of each event with its offset, after the installation has learned it."""


class ControlTail:
    """The installation as this process knows it; `changed` is set (and replaced) at each new event."""

    def __init__(self, settings: KafkaSettings, listener: Listener | None = None) -> None:
        self.installation = Installation()
        self.changed = asyncio.Event()
        self._settings, self._listener = settings, listener
        self._consumer: AIOKafkaConsumer | None = None

    async def start(self) -> None:
        """Read everything that is there; returns when the end, as of now, is reached."""
        self._consumer = consumer(self._settings)
        await self._consumer.start()
        at = TopicPartition(CONTROL.name, 0)
        self._consumer.assign([at])
        self._consumer.seek(at, self.installation.offset)
        end = (await self._consumer.end_offsets([at]))[at]
        while self.installation.offset < end:
            await self._read(timeout_ms=1000)

    async def run(self) -> None:
        """Tail it for ever."""
        while True:
            await self._read(timeout_ms=60_000)

    async def stop(self) -> None:
        if self._consumer is not None:
            await self._consumer.stop()

    async def until(self, offset: int, *, seconds: float) -> bool:
        """Whether the event at this offset has been learned within that time."""
        try:
            async with asyncio.timeout(seconds):
                while self.installation.offset <= offset:
                    await self.changed.wait()
        except TimeoutError:
            return False
        return True

    async def _read(self, timeout_ms: int) -> None:
        assert self._consumer is not None  # noqa: S101 -- started before it is read
        batches = await self._consumer.getmany(timeout_ms=timeout_ms)
        for records in batches.values():
            for record in records:
                await self._learn(record.headers, record.value, record.offset)
        if batches:
            told, self.changed = self.changed, asyncio.Event()
            told.set()

    async def _learn(self, headers: object, value: bytes | None, offset: int) -> None:
        try:
            event = decode(headers, value)  # type: ignore[arg-type]  # aiokafka is untyped
        except UndecodableError as error:
            log.error("control_event_unreadable", offset=offset, error=str(error))
            self.installation = _skip(self.installation, offset)
            return
        if not isinstance(event, ControlEvent):
            log.error("control_event_unreadable", offset=offset, error=f"{event.TYPE} stands here")
            self.installation = _skip(self.installation, offset)
            return
        self.installation = learn(self.installation, event, offset)
        if self._listener is not None:
            await self._listener(event, offset)


def _skip(known: Installation, offset: int) -> Installation:
    return replace(known, offset=offset + 1)

"""Waits for Kafka at the start, however long it takes."""

import asyncio

import structlog
from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from hourbook_kit import kafka
from hourbook_kit.control import ControlTail, Listener
from hourbook_kit.settings import KafkaSettings

log = structlog.get_logger()


async def started_producer(settings: KafkaSettings) -> AIOKafkaProducer:
    while True:
        producer = kafka.producer(settings)
        try:
            await producer.start()
        except KafkaError as error:
            await producer.stop()
            await _wait(error)
        else:
            return producer


async def started_control(settings: KafkaSettings, listener: Listener) -> ControlTail:
    """The tail, when it has read everything that was there."""
    while True:
        control = ControlTail(settings, listener)
        try:
            await control.start()
        except KafkaError as error:
            await control.stop()
            await _wait(error)
        else:
            return control


async def _wait(error: KafkaError) -> None:
    log.warning("waiting_for_kafka", error=type(error).__name__)
    await asyncio.sleep(0.5)

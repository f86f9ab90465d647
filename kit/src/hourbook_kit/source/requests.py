"""Writes to the inbox that a ticket is to be read again."""

import asyncio
from collections.abc import Iterable

from aiokafka import AIOKafkaProducer

from hourbook_contracts.codec import encode
from hourbook_contracts.inbox import RereadRequested
from hourbook_contracts.topics import INBOX
from hourbook_kit import clock
from hourbook_kit.kafka import send
from hourbook_kit.source.metrics import REQUESTS
from hourbook_kit.telemetry import current_traceparent


class Requests:
    """What was written is acknowledged by all in-sync replicas when these return."""

    def __init__(self, producer: AIOKafkaProducer) -> None:
        self._producer = producer

    async def put(self, request: RereadRequested, traceparent: str | None) -> None:
        await send(self._producer, INBOX.name, encode(request, traceparent=traceparent))
        REQUESTS.labels(request.why).inc()

    async def ask(self, connection: str, tickets: Iterable[int], why: str) -> None:
        """That these are to be read again, as `inbox.RereadRequested` has it."""
        traceparent, at = current_traceparent(), clock.now()
        requests = (
            RereadRequested(observed_at=at, connection=connection, ticket_id=ticket_id, why=why)
            for ticket_id in tickets
        )
        await asyncio.gather(*(self.put(request, traceparent) for request in requests))

"""Parks inbox messages that nobody can act on, and refuses to park many: a bad deploy must stop."""

import base64
import time
from collections import deque

import structlog
from aiokafka import AIOKafkaProducer, ConsumerRecord

from hourbook_contracts.codec import encode, header
from hourbook_contracts.dead_letters import MessageParked
from hourbook_contracts.topics import DEAD_LETTERS
from hourbook_kit import clock
from hourbook_kit.health import Health
from hourbook_kit.kafka import send
from hourbook_kit.sealing import seal
from hourbook_kit.source.metrics import PARKED
from hourbook_kit.telemetry import current_traceparent
from hourbook_kit.vault import Vault

log = structlog.get_logger()

LIMIT = 20
WITHIN_SECONDS = 600
OBSTACLE = "parking"


class Parking:
    def __init__(self, producer: AIOKafkaProducer, vault: Vault, health: Health) -> None:
        self._producer, self._vault, self._health = producer, vault, health
        self._parked: deque[float] = deque()

    async def park(self, record: ConsumerRecord, subject: str, error: BaseException) -> bool:
        """Whether it is parked; if not, it is to be tried again later. Sealed under the subject's key."""
        if not self.has_room():
            self._health.hinder(
                OBSTACLE,
                f"More than {LIMIT} messages could not be acted on within ten minutes, the last: {error}",
            )
            return False
        await send(
            self._producer,
            DEAD_LETTERS.name,
            encode(
                await self._parked_message(record, subject, error),
                traceparent=current_traceparent(),
            ),
        )
        self._parked.append(time.monotonic())
        PARKED.inc()
        log.error("message_parked", subject=subject, offset=record.offset, error=str(error))
        return True

    def has_room(self) -> bool:
        """Whether more may be parked; if so, nothing stands in the way any longer."""
        while self._parked and self._parked[0] < time.monotonic() - WITHIN_SECONDS:
            self._parked.popleft()
        if len(self._parked) >= LIMIT:
            return False
        self._health.clear(OBSTACLE)
        return True

    async def _parked_message(
        self, record: ConsumerRecord, subject: str, error: BaseException
    ) -> MessageParked:
        key = (await self._vault.ensure_keys([subject]))[subject]
        value = base64.b64encode(record.value or b"").decode()
        return MessageParked(
            observed_at=clock.now(),
            topic=record.topic,
            partition=record.partition,
            offset=record.offset,
            original_key=record.key.decode(errors="replace") if record.key else None,
            original_type=header(record.headers, "ce_type"),
            error=f"{type(error).__name__}: {error}",
            value=seal(value, key=key, subject=subject, field="value") if key else None,
        )

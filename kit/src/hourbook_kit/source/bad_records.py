"""What stands in a source and cannot be read: shown as long as it stands there, and parked once."""

from collections.abc import Sequence

import structlog
from aiokafka import AIOKafkaProducer

from hourbook_contracts.codec import encode
from hourbook_contracts.dead_letters import RecordParked
from hourbook_contracts.topics import DEAD_LETTERS
from hourbook_kit import clock
from hourbook_kit.kafka import send
from hourbook_kit.source.metrics import PARKED
from hourbook_kit.source.obstacles import Obstacles
from hourbook_kit.source.protocol import BadRecord

log = structlog.get_logger()

OBSTACLE = "records"
PARKED_AT_ONCE = 100
"""More wait for the next look."""
NAMED = 5


class BadRecords:
    """Of one source. What was parked before a restart is parked once more, as the same message."""

    def __init__(self, name: str, producer: AIOKafkaProducer, obstacles: Obstacles) -> None:
        self._name, self._producer, self._obstacles = name, producer, obstacles
        self._parked: set[BadRecord] = set()

    async def seen(self, records: Sequence[BadRecord]) -> None:
        if not records:
            await self._obstacles.clear(self._name, OBSTACLE)
        else:
            await self._obstacles.hinder(self._name, OBSTACLE, sentence(self._name, records))
        self._parked &= set(records)
        for record in [one for one in records if one not in self._parked][:PARKED_AT_ONCE]:
            message = RecordParked(
                observed_at=clock.now(),
                connection=self._name,
                place=record.place,
                reason=record.reason,
            )
            await send(self._producer, DEAD_LETTERS.name, encode(message))
            self._parked.add(record)
            PARKED.inc()
            log.error("record_parked", source=self._name, place=record.place, reason=record.reason)


def sentence(name: str, records: Sequence[BadRecord]) -> str:
    """For people."""
    named = "; ".join(f"{record.place}: {record.reason}" for record in records[:NAMED])
    more = f"; and {len(records) - NAMED} more" if len(records) > NAMED else ""
    return f"{len(records)} records of {name} cannot be read and change nothing: {named}{more}. Mend them there."

"""A person's act: an event on the control topic, published with `acks=all` and awaited in our own rows."""

import structlog
from fastapi.responses import JSONResponse

from hourbook_contracts.codec import encode
from hourbook_contracts.control import ControlEvent
from hourbook_contracts.topics import CONTROL
from hourbook_kit import kafka
from hourbook_kit.telemetry import with_trace
from hourbook_query_api.desk import Desk
from hourbook_query_api.shown import Shown

log = structlog.get_logger()


class Accepted(Shown):
    """Written for good, but not yet seen in our own tables: look again at `look_at`."""

    topic: str
    partition: int
    offset: int
    look_at: str


class NotYetSeenError(Exception):
    """Not a failure: what was said stands on the control topic, and is answered 202."""

    def __init__(self, offset: int, look_at: str) -> None:
        super().__init__(f"control offset {offset}")
        self.accepted = Accepted(topic=CONTROL.name, partition=0, offset=offset, look_at=look_at)

    def answer(self) -> JSONResponse:
        headers = {"Location": self.accepted.look_at}
        return JSONResponse(self.accepted.model_dump(), 202, headers=headers)


async def publish(desk: Desk, event: ControlEvent) -> int:
    """Gives the event's offset once all in-sync replicas have it."""
    record = encode(event)
    record = record._replace(headers=with_trace(record.headers))
    written = await kafka.send(desk.producer, CONTROL.name, record, partition=0)
    log.info("person_acted", type=event.TYPE, subject=event.subject, offset=written.offset)
    return int(written.offset)


async def act(desk: Desk, event: ControlEvent, look_at: str) -> None:
    """Publish and wait until our rows hold it; raises `NotYetSeenError` when they do not in time."""
    offset = await publish(desk, event)
    if not await desk.projection.until(offset, seconds=desk.settings.act_patience_seconds):
        raise NotYetSeenError(offset, look_at)

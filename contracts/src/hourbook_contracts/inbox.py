"""The inbox: that a ticket is to be read again, and why. No body, no headers: they hold personal text."""

from typing import ClassVar

from hourbook_contracts.ledger import INGEST
from hourbook_contracts.message import Message


class RereadRequested(Message):
    """Something says this ticket may have changed; how it changed is read over REST."""

    TYPE: ClassVar = "hourbook.reread_requested.v1"
    SOURCE: ClassVar = INGEST

    connection: str
    ticket_id: int
    why: str
    """`webhook`, `poll`, `sweep` or `person`; an open string."""
    delivery: str | None = None
    """The webhook's delivery id, the same on every retry."""
    body_sha256: str | None = None
    body_bytes: int | None = None

    @property
    def key(self) -> str:
        return f"{self.connection}:{self.ticket_id}"

    @property
    def subject(self) -> str:
        return self.key

    @property
    def identity(self) -> str:
        return f"{self.key}|{self.why}|{self.delivery or self.observed_at.isoformat()}"


INBOX_TYPES: tuple[type[Message], ...] = (RereadRequested,)

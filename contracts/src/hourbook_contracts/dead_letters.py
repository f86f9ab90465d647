"""Dead letters: messages that could not be handled, and records of sources that could not be read."""

from typing import ClassVar

from hourbook_contracts.ledger import INGEST
from hourbook_contracts.message import Message
from hourbook_contracts.sealed import Sealed


class MessageParked(Message):
    """A message nobody could read or act on; its bytes are sealed, because nobody knows what they hold."""

    TYPE: ClassVar = "hourbook.message_parked.v1"
    SOURCE: ClassVar = "/hourbook"

    topic: str
    partition: int
    offset: int
    original_key: str | None = None
    original_type: str | None = None
    error: str
    value: Sealed | None = None
    """The original's bytes, base64 before sealing."""

    @property
    def key(self) -> str | None:
        return self.original_key

    @property
    def subject(self) -> str:
        return f"{self.topic}/{self.partition}/{self.offset}"

    @property
    def identity(self) -> str:
        return self.subject


class RecordParked(Message):
    """Something stands in a source that cannot be read: where, and why; what stands there is not repeated."""

    TYPE: ClassVar = "hourbook.record_parked.v1"
    SOURCE: ClassVar = INGEST

    connection: str
    place: str
    """Where a person finds it, such as `march.csv:17`."""
    reason: str

    @property
    def subject(self) -> str:
        return f"connection/{self.connection}"

    @property
    def identity(self) -> str:
        return f"{self.connection}|{self.place}|{self.reason}"


DEAD_LETTER_TYPES: tuple[type[Message], ...] = (MessageParked, RecordParked)

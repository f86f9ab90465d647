"""Dead letters: inbox and control messages that could not be handled, kept with the place they came from."""

from typing import ClassVar

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


DEAD_LETTER_TYPES: tuple[type[Message], ...] = (MessageParked,)

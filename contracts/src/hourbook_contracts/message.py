"""What every message on every topic has in common: it is frozen, strict when written, tolerant when read."""

from abc import abstractmethod
from datetime import UTC, datetime
from typing import Annotated, ClassVar

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict


def _in_utc(moment: datetime) -> datetime:
    try:
        return moment if moment.tzinfo is UTC else moment.astimezone(UTC)
    except OverflowError as error:
        raise ValueError("There is no such moment in UTC.") from error


Moment = Annotated[AwareDatetime, AfterValidator(_in_utc)]
"""An aware datetime, kept in UTC; a naive one is refused."""


class Value(BaseModel):
    """A part of a message: equal when its fields are equal, never changed.

    Strict: an int is never taken from a string. Fields this version does not know are ignored, so a
    newer producer can be read.
    """

    model_config = ConfigDict(frozen=True, extra="ignore", strict=True)


class Message(Value):
    """What stands on a topic as the JSON value of one record; its type stands in a header."""

    TYPE: ClassVar[str]
    """`hourbook.<what happened>.v<major version>`: the header `ce_type`."""
    SOURCE: ClassVar[str]
    """The service that says it: the header `ce_source`."""

    observed_at: Moment
    """When we heard of it or said it: for people, never compared."""

    @property
    def key(self) -> str | None:
        """The record's key, which decides its partition; None where order does not matter."""
        return None

    @property
    @abstractmethod
    def subject(self) -> str:
        """What the message is about: the header `ce_subject`."""

    @property
    @abstractmethod
    def identity(self) -> str:
        """What `ce_id` is made of: two records with one identity are one message said twice."""

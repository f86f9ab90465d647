"""CloudEvents 1.0 in Kafka's binary mode: the attributes in headers, the value is the message alone.

`ce_id` is a function of what the message names (protocol.md 2, Ids), never of when or where it was
sent, so a message published twice is the same message. No consumer drops one because its id was seen.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from pydantic import ValidationError

from hourbook_contracts.control import CONTROL_TYPES
from hourbook_contracts.dead_letters import DEAD_LETTER_TYPES
from hourbook_contracts.house import HOUSE_TYPES
from hourbook_contracts.ids import uuid_of
from hourbook_contracts.inbox import INBOX_TYPES
from hourbook_contracts.ledger import LEDGER_TYPES
from hourbook_contracts.message import Message
from hourbook_contracts.privacy import PRIVACY_TYPES

KafkaHeaders = Sequence[tuple[str, bytes | None]]
"""As aiokafka gives them."""

MESSAGE_TYPES: tuple[type[Message], ...] = (
    *LEDGER_TYPES,
    *CONTROL_TYPES,
    *HOUSE_TYPES,
    *PRIVACY_TYPES,
    *INBOX_TYPES,
    *DEAD_LETTER_TYPES,
)
_BY_TYPE = {message.TYPE: message for message in MESSAGE_TYPES}


class Record(NamedTuple):
    """What goes to Kafka."""

    key: bytes | None
    value: bytes
    headers: list[tuple[str, bytes]]


class UndecodableError(ValueError):
    """A record that claims a type we know and does not hold it; says which field is wrong, never its value."""


class UnknownTypeError(UndecodableError):
    """A record of a type this version does not know: park it, halt its book, never drop it."""


def ce_id(message: Message) -> str:
    return str(uuid_of(message.TYPE, message.identity))


def encode(message: Message, *, traceparent: str | None = None) -> Record:
    key = message.key
    attributes = {
        "ce_specversion": "1.0",
        "ce_id": ce_id(message),
        "ce_source": message.SOURCE,
        "ce_type": message.TYPE,
        "ce_time": message.observed_at.isoformat(),
        "ce_subject": message.subject,
        "ce_dataschema": f"urn:hourbook:schema:{message.TYPE}",
    }
    if key is not None:
        attributes["ce_partitionkey"] = key
    attributes["content-type"] = "application/json"
    if traceparent is not None:
        attributes["traceparent"] = traceparent
    return Record(
        key=None if key is None else key.encode(),
        value=message.model_dump_json().encode(),
        headers=[(name, value.encode()) for name, value in attributes.items()],
    )


def header(headers: Iterable[tuple[str, bytes | None]], name: str) -> str | None:
    """The first of that name; Kafka's headers may hold nothing, which is as good as none."""
    for found, value in headers:
        if found == name:
            return None if value is None else value.decode(errors="replace")
    return None


def decode(headers: KafkaHeaders, value: bytes | None) -> Message:
    """The message of a record; raises `UnknownTypeError` or `UndecodableError`."""
    type_name = header(headers, "ce_type")
    if type_name is None:
        raise UndecodableError("no ce_type header: this is not a CloudEvent in binary mode")
    known = _BY_TYPE.get(type_name)
    if known is None:
        raise UnknownTypeError(f"type {type_name} is newer than this version, or not ours")
    if value is None:
        raise UndecodableError(f"{type_name} without a value")
    try:
        return known.model_validate_json(value)
    except ValidationError as error:
        raise UndecodableError(_where(type_name, error)) from None  # its text would hold values


def _where(type_name: str, error: ValidationError) -> str:
    places = ", ".join(
        f"{'.'.join(str(step) for step in problem['loc']) or 'value'}: {problem['type']}"
        for problem in error.errors(include_input=False, include_url=False, include_context=False)
    )
    return f"{type_name} does not hold what it should: {places}"

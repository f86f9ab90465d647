"""The AsyncAPI 3 document of all topics, as committed in `contracts/asyncapi.json` and compared by a test."""

from typing import Any

from pydantic.json_schema import models_json_schema

from hourbook_contracts.control import CONTROL_TYPES
from hourbook_contracts.dead_letters import DEAD_LETTER_TYPES
from hourbook_contracts.house import HOUSE_TYPES
from hourbook_contracts.inbox import INBOX_TYPES
from hourbook_contracts.ledger import LEDGER_TYPES
from hourbook_contracts.message import Message
from hourbook_contracts.privacy import PRIVACY_TYPES
from hourbook_contracts.topics import CONTROL, DEAD_LETTERS, INBOX, LEDGER, Topic

_SCHEMA = "#/components/schemas/{model}"
_HELD: tuple[tuple[str, Topic, tuple[type[Message], ...]], ...] = (
    ("ledger", LEDGER, LEDGER_TYPES),
    ("control", CONTROL, (*CONTROL_TYPES, *HOUSE_TYPES, *PRIVACY_TYPES)),
    ("inbox", INBOX, INBOX_TYPES),
    ("deadLetters", DEAD_LETTERS, DEAD_LETTER_TYPES),
)
_TEXT = {"type": "string"}
_HEADERS = {
    "type": "object",
    "description": "CloudEvents 1.0 in Kafka's binary mode.",
    "required": [
        "ce_specversion",
        "ce_id",
        "ce_source",
        "ce_type",
        "ce_time",
        "ce_subject",
        "ce_dataschema",
        "content-type",
    ],
    "properties": {
        "ce_specversion": {"const": "1.0"},
        "ce_id": _TEXT | {"format": "uuid", "description": "A function of what the message names."},
        "ce_source": _TEXT,
        "ce_type": _TEXT | {"description": "By which the value is read; it does not stand in it."},
        "ce_time": _TEXT | {"format": "date-time"},
        "ce_subject": _TEXT,
        "ce_dataschema": _TEXT,
        "ce_partitionkey": _TEXT | {"description": "The record's key, where it has one."},
        "content-type": {"const": "application/json"},
        "traceparent": _TEXT,
    },
}


def document() -> dict[str, Any]:
    """Channels are topics, messages are types; who writes and who reads stands in ARCHITECTURE.md."""
    held = [message for _, _, types in _HELD for message in types]
    _, made = models_json_schema(
        [(message, "validation") for message in held], ref_template=_SCHEMA
    )
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Hourbook",
            "version": "1",
            "description": "What stands on Hourbook's topics. Contracts only grow: readers ignore"
            " fields they do not know and park types they do not know.",
        },
        "defaultContentType": "application/json",
        "channels": {name: _channel(topic, types) for name, topic, types in _HELD},
        "operations": {
            f"{action}{name[0].upper()}{name[1:]}": {
                "action": action,
                "channel": {"$ref": f"#/channels/{name}"},
            }
            for name, _, _ in _HELD
            for action in ("send", "receive")
        },
        "components": {
            "messages": {message.__name__: _message(message) for message in held},
            "schemas": made["$defs"] | {"CloudEvent": _HEADERS},
        },
    }


def _channel(topic: Topic, types: tuple[type[Message], ...]) -> dict[str, Any]:
    kafka = {"partitions": topic.partitions, "topicConfiguration": _configuration(topic.settings)}
    return {
        "address": topic.name,
        "description": f"{topic.holds[0].upper()}{topic.holds[1:]}.",
        "messages": {
            message.__name__: {"$ref": f"#/components/messages/{message.__name__}"}
            for message in types
        },
        "bindings": {"kafka": kafka},
    }


def _configuration(settings: dict[str, str]) -> dict[str, Any]:
    """As the binding types them."""
    return {
        name: [value] if name == "cleanup.policy" else int(value)
        for name, value in settings.items()
    }


def _message(message: type[Message]) -> dict[str, Any]:
    told = (message.__doc__ or "").strip().partition("\n")[0]
    return {
        "name": message.TYPE,
        **({"summary": told} if told else {}),
        "contentType": "application/json",
        "headers": {
            "allOf": [
                {"$ref": _SCHEMA.format(model="CloudEvent")},
                {"properties": {"ce_type": {"const": message.TYPE}}},
            ]
        },
        "payload": {"$ref": _SCHEMA.format(model=message.__name__)},
    }

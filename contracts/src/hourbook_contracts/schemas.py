"""The JSON Schemas of all messages, as committed in `contracts/schemas/` and compared by a test.

Producer-strict: what we write has no field beyond these. Readers ignore fields they do not know.
"""

from typing import Any

from hourbook_contracts.codec import MESSAGE_TYPES


def schemas() -> dict[str, dict[str, Any]]:
    """By message type, in the order of the topics."""
    return {message.TYPE: _strict(message.model_json_schema()) for message in MESSAGE_TYPES}


def _strict(schema: dict[str, Any]) -> dict[str, Any]:
    """The same schema, closed: every object refuses what it does not name."""
    closed: dict[str, Any] = {
        name: {key: _strict(sub) for key, sub in part.items()} if name == "$defs" else part
        for name, part in schema.items()
    }
    if closed.get("type") == "object":
        closed["additionalProperties"] = False
    return closed

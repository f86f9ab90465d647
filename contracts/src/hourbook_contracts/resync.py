"""A plan: what both sides say anew that we did not know, and what would be decided about it. Pure.

It is bound to a hash over all that it says, the books it says it about and the policy: the same world
gives the same hash, and a world that has moved another one.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from typing import Any

from hourbook_contracts.ids import BookId
from hourbook_contracts.ledger import LedgerMessage
from hourbook_contracts.message import Value

_PASSING = frozenset({"no", "observed_at", "nonce", "ciphertext"})
"""What differs between two readings of one world: their numbers, their moments, how text is sealed."""


class Said(Value):
    """A message of the plan as it would stand on the ledger."""

    type: str
    subject: str
    message: dict[str, Any]


class Plan(Value):
    """What differs, and what bringing it in line begins with."""

    hash: str
    policy: int
    books: tuple[BookId, ...]
    """All that were read anew, also those of which nothing differs."""
    facts: tuple[Said, ...]
    decisions: tuple[Said, ...]


def plan(
    facts: Iterable[LedgerMessage],
    decisions: Iterable[LedgerMessage],
    books: Mapping[BookId, str],
    policy: int,
) -> Plan:
    """`books`: the digest of each that was read, empty where it is new."""
    found, decided = tuple(map(_said, facts)), tuple(map(_said, decisions))
    content = {
        "facts": [_lasting(one.message) | {"type": one.type} for one in found],
        "decisions": [_lasting(one.message) | {"type": one.type} for one in decided],
        "books": dict(sorted(books.items())),
        "policy": policy,
    }
    text = json.dumps(content, sort_keys=True, separators=(",", ":"))
    return Plan(
        hash=hashlib.sha256(text.encode()).hexdigest()[:32],
        policy=policy,
        books=tuple(sorted(books)),
        facts=found,
        decisions=decided,
    )


def _said(message: LedgerMessage) -> Said:
    return Said(type=message.TYPE, subject=message.subject, message=message.model_dump(mode="json"))


def _lasting(told: Any) -> Any:
    match told:
        case dict():
            return {key: _lasting(value) for key, value in told.items() if key not in _PASSING}
        case list():
            return [_lasting(value) for value in told]
        case _:
            return told

"""What a 400 of Kimai's says, field by field: pure.

Three shapes (kimai-api.md 6): a masked exception with nothing but its code, a form's errors with every
field the token may send, and a service's errors, whose code is a string and which name only what failed.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

NO_CHOICE = "The selected choice is invalid."
EXTRA = "This form should not contain extra fields."
LOCKED = "This period is locked. Please choose a later date."
CREATE_OTHER = (
    "The token's role lacks create_other_timesheet: without it Kimai would book on the token's own"
    " account. Grant it in Kimai under System → Roles."
)


@dataclass(frozen=True, slots=True)
class Violations:
    """Kimai's words, and where they stand."""

    everywhere: tuple[str, ...] = ()
    at: Mapping[str, tuple[str, ...]] | None = None
    """By field; a field without an error is there and has none. None: this is no form's answer."""

    @property
    def words(self) -> str:
        """All of it once, with the field it stands at; Kimai repeats some of its errors."""
        return " ".join(dict.fromkeys(self._each()))

    def lacks(self, field: str) -> bool:
        """Whether this token's form does not have the field: sending it is refused."""
        return self.at is not None and field not in self.at

    def refuses_choice(self, field: str) -> bool:
        return NO_CHOICE in (self.at or {}).get(field, ())

    @property
    def refuses_a_choice(self) -> bool:
        return any(NO_CHOICE in texts for texts in (self.at or {}).values())

    def _each(self) -> Iterator[str]:
        yield from self.everywhere
        for field, texts in (self.at or {}).items():
            yield from (f"{field}: {text}" for text in texts)


def violations_of(body: bytes) -> Violations:
    """Of any body: one that is no Kimai's says nothing."""
    try:
        said: Any = json.loads(body)
    except ValueError:
        return Violations()
    if not isinstance(said, dict):
        return Violations()
    errors = said.get("errors")
    if not isinstance(errors, dict):
        message = said.get("message")
        return Violations((str(message),) if message else ())
    children = errors.get("children")
    at = None
    if isinstance(children, dict):
        at = {str(field): _texts(child) for field, child in children.items()}
    return Violations(_texts(errors), at)


def _texts(node: Any) -> tuple[str, ...]:
    errors = node.get("errors") if isinstance(node, dict) else None
    return tuple(str(text) for text in errors) if isinstance(errors, list) else ()

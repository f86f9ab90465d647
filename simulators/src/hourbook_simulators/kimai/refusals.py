"""How this Kimai says no: masked exceptions, an empty 401, a form's and a service's errors.

In production every exception's text is replaced by the reason phrase (kimai-api.md 0.10, 6).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from http.client import responses
from typing import Any

UNKNOWN_BEARER = 'Bearer error="invalid_token",error_description="Invalid credentials."'


class Refusal(Exception):  # noqa: N818 -- an answer, not an error
    """An answer that is not the one asked for; `body` None means an empty one."""

    def __init__(
        self, status: int, body: Any = None, headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(status)
        self.status = status
        self.body = body
        self.headers = dict(headers or {})


def masked(status: int) -> Refusal:
    return Refusal(status, {"code": status, "message": responses[status]})


def invalid_token() -> Refusal:
    return Refusal(401, headers={"WWW-Authenticate": UNKNOWN_BEARER})


@dataclass(frozen=True, slots=True)
class Violation:
    """`path` is the property Kimai blames; many of them are no field of the form."""

    path: str
    text: str


@dataclass(slots=True)
class FormErrors:
    """All that is wrong with one submitted form, by field where there is a field for it."""

    fields: tuple[str, ...]
    at_form: list[str] = field(default_factory=list)
    at_field: dict[str, list[str]] = field(default_factory=dict)
    unread: set[str] = field(default_factory=set)
    """Fields that could not be read at all: their values are not judged."""

    def of(self, name: str, text: str) -> None:
        self.at_field.setdefault(name, []).append(text)

    def place(self, violations: list[Violation]) -> None:
        """A field that could not be read has its error already and gets no further one."""
        unread = self.unread | self.at_field.keys()
        for violation in violations:
            if violation.path not in self.fields:
                self.at_form.append(violation.text)
            elif violation.path not in unread:
                self.of(violation.path, violation.text)

    def __bool__(self) -> bool:
        return bool(self.at_form or self.at_field)

    def refusal(self) -> Refusal:
        children = {
            name: {"errors": self.at_field[name]} if name in self.at_field else {}
            for name in self.fields
        }
        errors = {"errors": self.at_form} if self.at_form else {}
        body = {
            "code": 400,
            "message": "Validation Failed",
            "errors": errors | {"children": children},
        }
        return Refusal(400, body)


CANNOT_STOP = "You have an active time record which cannot be stopped automatically."
CANNOT_SAVE = "There was a problem saving."


GERMAN = {
    CANNOT_SAVE: "Es gab ein Problem beim Speichern.",
    "An empty duration is not allowed.": "Eine leere Dauer ist nicht erlaubt.",
}
"""As far as anybody has seen them."""


def service_refusal(
    violations: list[Violation], language: str, message: str = CANNOT_SAVE
) -> Refusal:
    """Of stop, restart and duplicate: the code is a string, and only what failed is named.

    Unlike a form's, its texts are in the caller's language (kimai-api.md 6).
    """
    texts = GERMAN if language.startswith("de") else {}
    children: dict[str, dict[str, list[str]]] = {}
    for violation in violations:
        said = texts.get(violation.text, violation.text)
        children.setdefault(violation.path, {"errors": []})["errors"].append(said)
    body = {
        "code": "400",
        "message": texts.get(message, message),
        "errors": {"children": children},
    }
    return Refusal(400, body)

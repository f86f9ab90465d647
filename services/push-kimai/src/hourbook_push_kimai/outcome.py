"""What Kimai's answer to a write means: pure. Expected outcomes are values, not exceptions."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from hourbook_push_kimai.timesheet import NotATimesheetError, Timesheet, timesheet_of


@dataclass(frozen=True, slots=True)
class Written:
    """Kimai holds this now; None: it deleted the row."""

    row: Timesheet | None


@dataclass(frozen=True, slots=True)
class Gone:
    """404: there is no such row."""


@dataclass(frozen=True, slots=True)
class Refused:
    """Nothing was written, and Kimai says why."""

    why: str
    detail: str


@dataclass(frozen=True, slots=True)
class Forbidden:
    """403: foreign, exported and locked rows are told alike (kimai-api.md 5)."""


@dataclass(frozen=True, slots=True)
class Unknown:
    """It may have been written, or may yet be."""

    sentence: str
    server_error: bool = False


@dataclass(frozen=True, slots=True)
class NotSent:
    """Surely nothing reached Kimai, and another try may."""

    sentence: str


@dataclass(frozen=True, slots=True)
class BrokenWorld:
    """Surely nothing was written, and no other request would fare better."""

    sentence: str


Outcome = Written | Gone | Refused | Forbidden | Unknown | NotSent | BrokenWorld

UNAUTHORIZED = (
    "Kimai does not accept the token (401): it expired, was revoked, or its user was disabled."
)

_TEXTS = (
    (r"should not contain extra fields|not allowed to", "missing_permission"),
    (r"period is locked", "closed"),
    (r"already exported", "locked"),
    (r"already have an entry for this time", "overlap"),
    (r"project (has not started|is finished) at that time", "project_closed"),
    (r"Cannot start a disabled (customer|project|activity)", "project_closed"),
    (r"budget is used up", "budget_used"),
)
"""Kimai's English, the language of every bearer call (kimai-api.md 4 and 6); the first that is found counts."""


def outcome_of(method: str, status: int, body: bytes) -> Outcome:
    """What this answer to POST, PATCH or DELETE says."""
    match status:
        case 204 if method == "DELETE":
            return Written(None)
        case 200:
            return _written(body)
        case 400:
            return _refused(body)
        case 401:
            return BrokenWorld(UNAUTHORIZED)
        case 403:
            return Forbidden()
        case 404 if method != "POST":
            return Gone()
        case 429:
            return NotSent("Kimai, or a proxy before it, asks us to slow down (429).")
        case _:
            pass
    if status >= 500:  # noqa: PLR2004 -- HTTP's own line between their faults and ours
        return Unknown(f"Kimai answered {status}.", server_error=True)
    return BrokenWorld(f"Kimai answered {status}: is the address that of a Kimai?")


def _written(body: bytes) -> Outcome:
    try:
        return Written(timesheet_of(json.loads(body)))
    except (ValueError, NotATimesheetError):
        return Unknown("Kimai answered 200 with something that is not a timesheet.")


def _refused(body: bytes) -> Refused:
    said = list(_texts(body))
    for pattern, why in _TEXTS:
        if any(re.search(pattern, text, re.IGNORECASE) for text in said):
            return Refused(why, " ".join(dict.fromkeys(said)))
    return Refused("invalid", " ".join(dict.fromkeys(said)) or "Bad Request")


def _texts(body: bytes) -> Iterator[str]:
    """Each violation in Kimai's words, with the field it stands at."""
    try:
        said: Any = json.loads(body)
    except ValueError:
        return
    if not isinstance(said, dict):
        return
    errors = said.get("errors")
    if not isinstance(errors, dict):
        yield str(said.get("message", ""))
        return
    yield from (str(text) for text in errors.get("errors") or ())
    children = errors.get("children")
    for field, child in children.items() if isinstance(children, dict) else ():
        if isinstance(child, dict):
            yield from (f"{field}: {text}" for text in child.get("errors") or ())

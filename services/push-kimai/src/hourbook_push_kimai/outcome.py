"""What Kimai's answer to a write means: pure. Expected outcomes are values, not exceptions."""

import json
import re

from hourbook_contracts.kimai.rules import TRACKING_MODE
from hourbook_contracts.kimai.violations import CREATE_OTHER, EXTRA, Violations, violations_of
from hourbook_kit.target.protocol import (
    BrokenWorld,
    Forbidden,
    Gone,
    NotSent,
    Outcome,
    Refused,
    Unknown,
    Written,
)
from hourbook_push_kimai.timesheet import NotATimesheetError, timesheet_of

UNAUTHORIZED = (
    "Kimai does not accept the token (401): it expired, was revoked, or its user was disabled."
    " Make a new one in the profile of Hourbook's account in Kimai, and store it here."
)
REDIRECTED = (
    "Kimai, or a proxy before it, sends us elsewhere ({0}): write the address it names into the"
    " connection, with https where that is meant. The token is not carried along."
)
EXTRA_FIELDS = (
    "The token's role may not send one of the fields of a timesheet: `hourbook doctor` lists them."
)

_REDIRECTS = range(300, 400)

_TEXTS = (
    (
        r"not allowed to use this (project|activity)",
        "missing_permission",
        "The token's account is in no team that may use this {0}: add it to one (System → Teams).",
    ),
    (
        r"not allowed to start",
        "missing_permission",
        "The token's role lacks start_other_timesheet: grant it in Kimai under System → Roles.",
    ),
    (r"period is locked", "lockdown", "Kimai's lockdown closed the period this begins in."),
    (r"already exported", "locked", "The timesheet is exported."),
    (
        r"already have an entry for this time",
        "overlap",
        "The worker has another timesheet at this time, and this Kimai forbids that they overlap.",
    ),
    (
        r"project (has not started|is finished) at that time",
        "project_closed",
        "It begins or ends outside the days of its project: move them in Kimai, or map to another.",
    ),
    (
        r"Cannot start a disabled (customer|project|activity)",
        "project_closed",
        "The {0} is hidden in Kimai: show it again, or map to another.",
    ),
    (
        r"budget is used up",
        "budget_used",
        "The budget is used up, and this Kimai forbids overbooking.",
    ),
    (
        r"cannot be in the future",
        "future",
        "It lies in the future, and this Kimai forbids that (timesheet.rules.allow_future_times).",
    ),
    (
        r"Maximum \S+ hours allowed|Maximum duration exceeded",
        "invalid",
        "It is longer than this Kimai allows (timesheet.rules.long_running_duration).",
    ),
    (
        r"empty duration is not allowed",
        "invalid",
        "It has no length, and this Kimai forbids that (timesheet.rules.allow_zero_duration).",
    ),
    (
        r"Duration cannot be negative|must not be earlier than",
        "invalid",
        "It would end before it begins: the break of the timesheet is longer than the work.",
    ),
    (
        r"Global activities are forbidden|Project mismatch",
        "invalid",
        "The activity cannot be used with this project: map the activity or the customer anew.",
    ),
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
        return Unknown(f"Kimai, or a proxy before it, answered {status}.", server_error=True)
    if status in _REDIRECTS:
        return BrokenWorld(REDIRECTED.format(status))
    return BrokenWorld(f"Kimai answered {status}: is the address that of a Kimai?")


def _written(body: bytes) -> Outcome:
    try:
        return Written(timesheet_of(json.loads(body)))
    except (ValueError, NotATimesheetError):
        return Unknown("Kimai answered 200 with something that is not a timesheet.")


def _refused(body: bytes) -> Refused | BrokenWorld:
    said = violations_of(body)
    if EXTRA in said.everywhere:
        if said.lacks("begin") or said.lacks("end"):
            return BrokenWorld(TRACKING_MODE)
        sentence = CREATE_OTHER if said.lacks("user") else EXTRA_FIELDS
        return Refused("missing_permission", _told(sentence, said), said)
    for pattern, why, sentence in _TEXTS:
        found = re.search(pattern, said.words, re.IGNORECASE)
        if found is not None:
            return Refused(why, _told(sentence.format(*found.groups()), said), said)
    return Refused("invalid", _told("Kimai refuses it.", said), said)


def _told(sentence: str, said: Violations) -> str:
    return f"{sentence} Kimai says: {said.words}" if said.words else sentence

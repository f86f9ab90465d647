"""Kimai's answers to writes, in the shapes that were recorded from a real one (kimai-api.md 4 and 6)."""

import json
from typing import Any

import pytest

from hourbook_push_kimai.outcome import (
    BrokenWorld,
    Forbidden,
    Gone,
    NotSent,
    Refused,
    Unknown,
    Written,
    outcome_of,
)
from hourbook_push_kimai.timesheet import NotATimesheetError, timesheet_of

STORED = {
    "activity": 1,
    "project": 1,
    "user": 4,
    "tags": [],
    "id": 148,
    "begin": "2026-03-16T09:00:00+0100",
    "end": "2026-03-16T09:15:00+0100",
    "duration": 900,
    "break": 0,
    "description": "Ticket#65001",
    "exported": False,
    "billable": True,
    "metaFields": [],
}
FIELDS = ("begin", "end", "project", "activity", "description", "user", "tags", "billable")


def refusal(*everywhere: str, **at: str) -> bytes:
    children: dict[str, Any] = {
        name: {"errors": [at[name]]} if name in at else {} for name in FIELDS
    }
    errors: dict[str, Any] = {"children": children}
    if everywhere:
        errors = {"errors": list(everywhere), **errors}
    return json.dumps({"code": 400, "message": "Validation Failed", "errors": errors}).encode()


def why(body: bytes) -> str:
    found = outcome_of("POST", 400, body)
    assert isinstance(found, Refused)
    return found.why


def test_what_kimai_stored_is_read_as_instants() -> None:
    found = outcome_of("POST", 200, json.dumps(STORED).encode())
    assert found == Written(timesheet_of(STORED))
    assert isinstance(found, Written)
    assert found.row is not None
    assert found.row.began_at.isoformat() == "2026-03-16T08:00:00+00:00"
    elsewhere = STORED | {
        "begin": "2026-03-16T04:00:00-0400",
        "end": "2026-03-16T04:15:00-0400",
    }
    assert timesheet_of(elsewhere) == found.row  # only the offset differs (kimai-api.md 0.6)


def test_a_running_row_and_missing_keys_are_read_too() -> None:
    running = timesheet_of(STORED | {"end": None, "duration": 0})
    assert (running.ended_at, running.duration_seconds) == (None, 0)
    older = timesheet_of({key: STORED[key] for key in STORED if key != "break"})
    assert older.break_seconds == 0


@pytest.mark.parametrize("shown", [[], {}, STORED | {"user": "4"}, STORED | {"begin": "soon"}])
def test_what_is_not_a_timesheet_is_said(shown: Any) -> None:
    with pytest.raises(NotATimesheetError):
        timesheet_of(shown)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("You already have an entry for this time.", "overlap"),
        ("This period is locked. Please choose a later date.", "closed"),
        ("The project is finished at that time.", "project_closed"),
        ("The project has not started at that time.", "project_closed"),
        ("Cannot start a disabled customer.", "project_closed"),
        ("This form should not contain extra fields.", "missing_permission"),
        ("This timesheet is already exported.", "locked"),
        ("Maximum duration exceeded.", "invalid"),
        ("The end date cannot be in the future.", "invalid"),
    ],
)
def test_a_violation_anywhere_has_its_reason_and_its_words(text: str, reason: str) -> None:
    assert outcome_of("POST", 400, refusal(text)) == Refused(reason, text)


def test_a_violation_at_a_field_is_told_with_the_field() -> None:
    found = outcome_of("POST", 400, refusal(project="The selected choice is invalid."))
    assert found == Refused("invalid", "project: The selected choice is invalid.")


def test_budgets_and_projects_are_told_at_their_fields() -> None:
    used = "The budget is used up. Of the available 1:00, 0:45 has been booked so far, 0:15 can still be used."
    assert why(refusal(project=used)) == "budget_used"
    assert why(refusal(activity="Sorry, the budget is used up.")) == "budget_used"
    assert why(refusal(project="Cannot start a disabled project.")) == "project_closed"
    assert why(refusal(project="You are not allowed to use this project.")) == "missing_permission"


def test_a_masked_400_is_invalid() -> None:
    assert why(b'{"code":400,"message":"Bad Request"}') == "invalid"
    assert why(b"<html>") == "invalid"


def test_a_deleted_row_and_one_that_was_gone() -> None:
    assert outcome_of("DELETE", 204, b"") == Written(None)
    assert outcome_of("DELETE", 404, b"") == Gone()
    assert outcome_of("PATCH", 404, b"") == Gone()


def test_403_does_not_say_why() -> None:
    assert outcome_of("PATCH", 403, b'{"code":403,"message":"Forbidden"}') == Forbidden()


def test_a_server_error_may_have_written() -> None:
    found = outcome_of("POST", 500, b"")
    assert isinstance(found, Unknown)
    assert found.server_error
    assert isinstance(outcome_of("POST", 200, b"<html>"), Unknown)


def test_a_token_that_is_not_accepted_breaks_the_world() -> None:
    assert isinstance(outcome_of("POST", 401, b""), BrokenWorld)
    assert isinstance(outcome_of("POST", 404, b""), BrokenWorld)
    assert isinstance(outcome_of("POST", 301, b""), BrokenWorld)


def test_too_many_requests_were_not_written() -> None:
    assert isinstance(outcome_of("POST", 429, b""), NotSent)

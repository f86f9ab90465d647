"""Kimai's answers to writes, in the shapes that were recorded from a real one (kimai-api.md 4 and 6)."""

import json
from typing import Any

import pytest

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
from hourbook_push_kimai.outcome import outcome_of
from hourbook_push_kimai.timesheet import NotATimesheetError, timesheet_of

from .recorded import body_of, refusals, shown, writes

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


WHY = {
    "user without create_other_timesheet": ("missing_permission", "lacks create_other_timesheet"),
    "user of no led team": ("invalid", "user: The selected choice is invalid."),
    "unknown field": ("missing_permission", "lacks create_other_timesheet"),
    "malformed JSON": ("invalid", "Bad Request"),
    "end before begin": ("invalid", "end before it begins"),
    "longer than a year": ("invalid", "longer than this Kimai allows"),
    "no length": ("invalid", "timesheet.rules.allow_zero_duration"),
    "future": ("future", "timesheet.rules.allow_future_times"),
    "future end": ("future", "The end date cannot be in the future."),
    "overlap": ("overlap", "another timesheet at this time"),
    "too long": ("invalid", "Maximum 1:00 hours allowed."),
    "before its project": ("project_closed", "outside the days of its project"),
    "after its project": ("project_closed", "outside the days of its project"),
    "hidden customer": ("project_closed", "The customer is hidden in Kimai"),
    "activity of another project": ("invalid", "activity: The selected choice is invalid."),
    "global activity where none may be": ("invalid", "cannot be used with this project"),
    "mismatch": ("invalid", "cannot be used with this project"),
    "locked period": ("lockdown", "lockdown closed the period"),
    "duplicate into a locked period": ("lockdown", "begin_date: This period is locked"),
    "negative by its break": ("invalid", "end before it begins"),
    "in German": ("invalid", "duration: Eine leere Dauer ist nicht erlaubt."),
    "running without start_own_timesheet": ("missing_permission", "lacks start_other_timesheet"),
    "empty": ("invalid", "project: A project needs to be selected."),
}


def said(exchange: Any) -> Outcome:
    return outcome_of(exchange["method"], exchange["status"], body_of(exchange))


@pytest.mark.parametrize(("name", "exchange"), refusals(), ids=[name for name, _ in refusals()])
def test_what_a_kimai_answered_becomes_one_outcome_with_a_sentence(
    name: str, exchange: Any
) -> None:
    found = said(exchange)
    match exchange["status"]:
        case 400:
            why, words = WHY[name]
            assert isinstance(found, Refused)
            assert (found.why, words in found.detail) == (why, True), found.detail
            assert found.detail[0].isupper()
        case 403:
            assert found == Forbidden()
        case 500:
            assert isinstance(found, Unknown)
            assert found.server_error
        case _:  # 401 without a body, 405, 410: no other request would fare better
            assert isinstance(found, BrokenWorld)
            assert "Kimai" in found.sentence


def test_every_400_among_them_is_expected() -> None:
    assert WHY.keys() == {name for name, exchange in refusals() if exchange["status"] == 400}


def test_no_answer_that_was_ever_recorded_to_a_write_is_misread() -> None:
    for where, exchange in writes().items():
        found = said(exchange)
        match exchange["status"]:
            case 200:
                assert isinstance(found, Written), where
                assert found.row is not None
                assert found.row.id == exchange["response"]["id"]
            case 204:
                assert found == Written(None), where
            case 400:
                tracking = isinstance(found, BrokenWorld) and "timesheet.mode" in found.sentence
                assert tracking or isinstance(found, Refused), where
            case 403 | 404:
                assert isinstance(found, Forbidden | Gone), where
            case _:
                assert isinstance(found, Unknown | BrokenWorld), where


def test_every_timesheet_that_was_ever_shown_can_be_read_with_and_without_rates() -> None:
    rows = shown()
    assert len(rows) > 500
    assert {"rate" in row for row in rows.values()} == {True, False}
    for where, row in rows.items():
        assert timesheet_of(row).id == row["id"], where


def test_each_error_is_told_once_and_with_its_field() -> None:
    found = said(dict(refusals())["hidden customer"])
    assert isinstance(found, Refused)
    assert found.said.words == "Cannot start a disabled customer."


def test_a_form_without_begin_and_end_is_a_tracking_mode_and_no_refusal() -> None:
    """Every write would be refused: nobody is asked about each of them."""
    punch = {"errors": ["This form should not contain extra fields."], "children": {"project": {}}}
    body = {"code": 400, "message": "Validation Failed", "errors": punch}
    found = outcome_of("POST", 400, json.dumps(body).encode())
    assert isinstance(found, BrokenWorld)
    assert "timesheet.mode" in found.sentence


def test_a_proxys_page_is_no_answer_of_kimais() -> None:
    html = b"<html><head><title>502 Bad Gateway</title></head></html>"
    found = outcome_of("POST", 502, html)
    assert isinstance(found, Unknown)
    assert found.server_error
    assert isinstance(outcome_of("POST", 404, html), BrokenWorld)


def test_budgets_and_projects_are_told_at_their_fields() -> None:
    used = "The budget is used up. Of the available 1:00, 0:45 has been booked so far, 0:15 can still be used."
    assert why(refusal(project=used)) == "budget_used"
    assert why(refusal(activity="Sorry, the budget is used up.")) == "budget_used"
    assert why(refusal("This timesheet is already exported.")) == "locked"
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

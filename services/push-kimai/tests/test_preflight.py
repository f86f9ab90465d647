"""What stands against a write before it is sent, and why Kimai does not offer what was chosen."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from hourbook_contracts.kimai.lockdown import Lockdown
from hourbook_contracts.kimai.names import Named, unoffered
from hourbook_contracts.kimai.violations import NO_CHOICE, Violations
from hourbook_contracts.ledger import Work
from hourbook_contracts.testing import NOON, PLACE, policy, work
from hourbook_kit.target.protocol import Timesheet
from hourbook_push_kimai.look import Refuse
from hourbook_push_kimai.preflight import Circumstances, Wait, stands_against

BERLIN, NEW_YORK = ZoneInfo("Europe/Berlin"), ZoneInfo("America/New_York")
PROJECT = Named("project", PLACE.project_id, "Move", parent_id=2)
KNOWN = Circumstances(
    now=NOON + timedelta(days=60),
    target=policy().targets["hours"],
    allows_future=True,
    names={("project", PROJECT.id): PROJECT},
    zones={PLACE.user_id: BERLIN},
    locked_until=None,
)
ROW = Timesheet(
    id=41,
    user_id=PLACE.user_id,
    project_id=PLACE.project_id,
    activity_id=PLACE.activity_id,
    began_at=NOON - timedelta(minutes=15),
    ended_at=NOON,
    duration_seconds=900,
    break_seconds=0,
    description=None,
    exported=False,
    billable=True,
)


def why(known: Circumstances, want: Work | None = work(15), row: Timesheet | None = None) -> object:  # noqa: B008 -- a value
    found = stands_against(want, row, known)
    return found.why if isinstance(found, Refuse) else found


def during(begins_on: date | None, ends_on: date | None) -> Circumstances:
    named = PROJECT._replace(begins_on=begins_on, ends_on=ends_on)
    return replace(KNOWN, names={("project", PROJECT.id): named})


def locked(start: str, end: str) -> Circumstances:
    lockdown = Lockdown(period_start=start, period_end=end)
    configured = KNOWN.target.configured.model_copy(update={"lockdown": lockdown})
    return replace(KNOWN, target=replace(KNOWN.target, configured=configured))


def test_where_nothing_is_known_to_stand_against_it_nothing_does() -> None:
    assert why(KNOWN) is None
    assert why(replace(KNOWN, names={}), row=ROW) is None


def test_both_days_of_a_project_belong_to_it_in_the_workers_zone() -> None:
    day = NOON.date()
    assert why(during(day, day)) is None
    assert why(during(day + timedelta(days=1), None)) == "project_closed"
    assert why(during(None, day - timedelta(days=1))) == "project_closed"
    evening = work(15, made=datetime(2026, 3, 31, 3, 0, tzinfo=UTC))
    assert why(during(None, day), evening) == "project_closed"
    assert why(replace(during(None, day), zones={PLACE.user_id: NEW_YORK}), evening) is None


def test_a_row_of_a_project_that_is_over_is_not_deleted_either() -> None:
    over = during(None, NOON.date() - timedelta(days=1))
    assert why(over, None, ROW) == "project_closed"


def test_what_is_held_counts_as_much_as_what_is_wanted() -> None:
    tomorrow = work(15, made=NOON + timedelta(days=1))
    until_today = locked("2026-03-01", f"{NOON.date()}T23:59:59")
    assert why(until_today, tomorrow) is None
    assert why(until_today, tomorrow, ROW) == "lockdown"
    assert why(until_today, work(15)) == "lockdown"


def test_a_lockdown_that_kimai_taught_counts_beside_the_one_that_was_entered() -> None:
    assert why(replace(KNOWN, locked_until=NOON)) == "lockdown"
    assert why(replace(KNOWN, locked_until=NOON - timedelta(hours=1))) is None
    entered = locked("2026-01-01", "2026-02-01")
    assert why(replace(entered, locked_until=NOON)) == "lockdown"


def test_the_future_waits_for_its_end_where_kimai_forbids_it() -> None:
    now = replace(KNOWN, now=NOON - timedelta(minutes=5))
    assert why(now) is None
    assert why(replace(now, allows_future=False)) == Wait(NOON)
    a_minute_ahead = replace(now, allows_future=False, now=NOON - timedelta(minutes=1))
    assert why(a_minute_ahead) is None
    with_break = replace(ROW, break_seconds=600)
    assert why(replace(now, allows_future=False), row=with_break) == Wait(
        NOON + timedelta(minutes=10)
    )
    assert why(replace(now, allows_future=False), None, ROW) is None


def test_more_than_a_year_is_more_than_any_kimai_takes() -> None:
    assert why(KNOWN, work(366 * 24 * 60)) == "invalid"


# --------------------------------------------------------------------------------------- not offered
def refused(field: str) -> Violations:
    return Violations((), {"begin": (), field: (NO_CHOICE,)})


ANNA = Named("user", PLACE.user_id, "Anna")
ACTIVITY = Named("activity", PLACE.activity_id, "Support")


@pytest.mark.parametrize(
    ("field", "known", "reason", "words"),
    [
        ("user", [], "missing_permission", "view_user"),
        ("user", [ANNA._replace(id=6)], "missing_permission", "no user 5 any more"),
        ("user", [ANNA._replace(visible=False)], "missing_permission", "disabled"),
        ("user", [ANNA._replace(system=True)], "missing_permission", "system account"),
        ("user", [ANNA], "missing_permission", "no team that the token's account leads"),
        ("project", [], "missing_permission", "no project 7"),
        ("project", [PROJECT._replace(visible=False)], "project_closed", "project 7 is hidden"),
        (
            "project",
            [PROJECT, Named("customer", 2, "Nordwind", visible=False)],
            "project_closed",
            "customer 2 is hidden",
        ),
        ("project", [PROJECT], "missing_permission", "in no team of project 7"),
        ("activity", [], "missing_permission", "no activity 9"),
        ("activity", [ACTIVITY._replace(visible=False)], "project_closed", "activity 9 is hidden"),
        ("activity", [ACTIVITY._replace(parent_id=8)], "invalid", "belongs to project 8"),
        (
            "activity",
            [ACTIVITY, PROJECT._replace(takes_globals=False)],
            "invalid",
            "takes no global activities",
        ),
        ("activity", [ACTIVITY], "missing_permission", "in no team of activity 9"),
    ],
)
def test_a_choice_that_is_invalid_is_told_by_what_the_lists_show(
    field: str, known: list[Named], reason: str, words: str
) -> None:
    found = unoffered(refused(field), PLACE, {(named.kind, named.id): named for named in known})
    assert found is not None
    assert found.why == reason
    assert words in found.sentence
    assert "Anna" not in found.sentence


def test_what_kimai_says_in_other_words_is_not_looked_up() -> None:
    assert unoffered(Violations(("You already have an entry for this time.",)), PLACE, {}) is None

"""When a schedule is due: cron's weekdays, in a named zone, over both change-overs."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from hourbook_query_api.cron import CronError, due_between, next_of

BERLIN = "Europe/Berlin"
SUNDAY = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("field", "weekday"),
    [
        ("0", 6),
        ("7", 6),
        ("1", 0),
        ("2", 1),
        ("5", 4),
        ("6", 5),
        ("sun", 6),
        ("mon", 0),
        ("fri", 4),
    ],
)
def test_sunday_is_0_and_7_and_monday_is_1(field: str, weekday: int) -> None:
    found = next_of(f"30 6 * * {field}", BERLIN, SUNDAY, 5)
    assert {moment.weekday() for moment in found} == {weekday}
    assert {(moment.hour, moment.minute) for moment in found} == {(6, 30)}
    assert found == sorted(found)


def test_workdays_are_monday_to_friday() -> None:
    days = [moment.weekday() for moment in next_of("0 6 * * 1-5", BERLIN, SUNDAY, 5)]
    assert days == [0, 1, 2, 3, 4]


def test_a_day_of_the_month_or_a_weekday_is_enough() -> None:
    found = next_of("0 6 13 * 5", BERLIN, SUNDAY, 60)
    assert all(moment.day == 13 or moment.weekday() == 4 for moment in found)
    assert any(moment.day == 13 and moment.weekday() != 4 for moment in found)


def test_the_fields_are_read_in_the_zone_in_winter_and_in_summer() -> None:
    winter = next_of("0 6 * * *", BERLIN, SUNDAY, 1)[0]
    summer = next_of("0 6 * * *", BERLIN, datetime(2026, 7, 1, tzinfo=UTC), 1)[0]
    assert winter.astimezone(UTC).hour == 5
    assert summer.astimezone(UTC).hour == 4
    assert summer.utcoffset() == timedelta(hours=2)


def test_a_run_whose_hour_is_skipped_comes_right_after_the_change() -> None:
    eve = datetime(2027, 3, 27, 12, 0, tzinfo=UTC)
    found = next_of("30 2 * * *", BERLIN, eve, 2)
    assert found[0] == datetime(2027, 3, 28, 3, 0, tzinfo=ZoneInfo(BERLIN))
    assert found[1] == datetime(2027, 3, 29, 2, 30, tzinfo=ZoneInfo(BERLIN))


def test_a_run_whose_hour_comes_twice_runs_once() -> None:
    eve = datetime(2026, 10, 24, 12, 0, tzinfo=UTC)
    found = next_of("30 2 * * *", BERLIN, eve, 2)
    assert [moment.day for moment in found] == [25, 26]


@pytest.mark.parametrize(
    "cron", ["", "* * * *", "* * * * * *", "61 * * * *", "0 0 * * 8", "@daily", "0 0 x * *"]
)
def test_what_is_no_cron_is_refused_with_what_to_write(cron: str) -> None:
    with pytest.raises(CronError, match="five fields"):
        next_of(cron, BERLIN, SUNDAY, 1)


def test_a_day_that_never_comes_is_never_due() -> None:
    with pytest.raises(CronError):
        next_of("0 0 30 2 *", BERLIN, SUNDAY, 1)


def test_of_what_was_due_in_some_time_only_the_last_may_still_run() -> None:
    until = SUNDAY + timedelta(hours=5)
    due = due_between("0 * * * *", "UTC", SUNDAY, until)
    assert due is not None
    assert due.last == until
    assert len(due.missed) == 4
    assert due_between("0 * * * *", "UTC", SUNDAY, SUNDAY + timedelta(minutes=59)) is None
    assert due_between("0 * * * *", "UTC", SUNDAY - timedelta(seconds=1), SUNDAY) is not None

"""Kimai's lockdown as an administrator copies it: up to when timesheets are locked (kimai-api.md 4)."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from hourbook_contracts.kimai.lockdown import Lockdown, moment

BERLIN = ZoneInfo("Europe/Berlin")
NOW = datetime(2026, 11, 22, 9, 0, tzinfo=BERLIN)
LAST_MONTH = Lockdown(
    period_start="first day of last month", period_end="last day of last month 23:59:59"
)


def until(lockdown: Lockdown, now: datetime = NOW) -> datetime | None:
    return lockdown.locked_until(now.astimezone(UTC), BERLIN)


def test_the_period_is_locked_when_it_is_over() -> None:
    assert until(LAST_MONTH) == datetime(2026, 10, 31, 23, 59, 59, tzinfo=BERLIN)


def test_in_its_grace_only_what_lies_before_the_period_is_locked() -> None:
    with_grace = LAST_MONTH.model_copy(update={"grace": "+30 days"})
    starts = datetime(2026, 10, 1, 9, 0, tzinfo=BERLIN)  # at the time of day it is now, as in PHP
    assert until(with_grace) == starts - timedelta(seconds=1)
    short = LAST_MONTH.model_copy(update={"grace": "+10 days"})
    assert until(short) == until(LAST_MONTH)


def test_its_own_zone_counts_before_the_workers() -> None:
    there = LAST_MONTH.model_copy(update={"time_zone": "America/New_York"})
    assert until(there) == datetime(2026, 10, 31, 23, 59, 59, tzinfo=ZoneInfo("America/New_York"))


@pytest.mark.parametrize(
    "lockdown",
    [
        Lockdown(period_start="2026-11-01", period_end="2026-10-01"),
        Lockdown(period_start="the day before yesterday", period_end="2026-10-01"),
        Lockdown(period_start="2026-10-01", period_end="last day of february"),
    ],
)
def test_what_cannot_be_read_or_ends_before_it_begins_locks_nothing(lockdown: Lockdown) -> None:
    assert until(lockdown) is None


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("first day of this month 00:00", datetime(2026, 11, 1, tzinfo=BERLIN)),
        ("last day of next month", datetime(2026, 12, 31, 9, tzinfo=BERLIN)),
        ("-2 weeks", datetime(2026, 11, 8, 9, tzinfo=BERLIN)),
        ("2026-11-01T12:00:00", datetime(2026, 11, 1, 12, tzinfo=BERLIN)),
        ("2026-11-01", datetime(2026, 11, 1, tzinfo=BERLIN)),
        ("2026-11-01T00:00:00+00:00", datetime(2026, 11, 1, tzinfo=UTC)),
        ("first day of this month 25:00", None),
        ("yesterday,today", None),
    ],
)
def test_php_dates_as_far_as_the_grammar_goes(text: str, expected: datetime | None) -> None:
    assert moment(text, NOW) == expected

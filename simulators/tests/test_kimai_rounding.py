"""Kimai rounds begin, end and duration each by itself (recording 07)."""

from datetime import datetime

import pytest

from hourbook_simulators.kimai.rounding import Rounding, rounded

BERLIN = "Europe/Berlin"


def at(clock: str) -> datetime:
    return datetime.fromisoformat(f"2026-11-13T{clock}+01:00")


@pytest.mark.parametrize(
    ("mode", "begin", "end", "duration_seconds"),
    [
        ("default", "10:00:00", "11:15:00", 5400),
        ("closest", "10:15:00", "11:00:00", 1800),
        ("ceil", "10:15:00", "11:15:00", 3600),
        ("floor", "10:00:00", "11:00:00", 3600),
    ],
)
def test_each_mode_rounds_as_it_was_recorded(
    mode: str, begin: str, end: str, duration_seconds: int
) -> None:
    rounding = Rounding(begin_minutes=15, end_minutes=15, duration_minutes=30, mode=mode)
    result = rounded(at("10:08:00"), at("11:07:00"), 0, BERLIN, rounding)
    assert (result.begin, result.end) == (at(begin), at(end))
    assert result.duration_seconds == duration_seconds


def test_by_default_seconds_widen_a_record_to_whole_minutes() -> None:
    result = rounded(at("09:00:12"), at("10:00:31"), 0, BERLIN, Rounding())
    assert (result.begin, result.end) == (at("09:00:00"), at("10:01:00"))
    assert result.duration_seconds == 3660


def test_a_step_of_nought_leaves_seconds_alone() -> None:
    rounding = Rounding(begin_minutes=0, end_minutes=0)
    result = rounded(at("10:08:07"), at("10:09:01"), 0, BERLIN, rounding)
    assert (result.begin, result.duration_seconds) == (at("10:08:07"), 54)


def test_a_day_that_is_not_listed_is_not_rounded() -> None:
    rounding = Rounding(begin_minutes=15, end_minutes=15, days=frozenset({"saturday"}))
    result = rounded(at("10:08:00"), at("11:07:00"), 0, BERLIN, rounding)
    assert result.duration_seconds == 59 * 60


def test_a_break_is_taken_off_before_the_duration_is_rounded() -> None:
    rounding = Rounding(duration_minutes=15)
    result = rounded(at("10:00:00"), at("11:00:00"), 20 * 60, BERLIN, rounding)
    assert result.duration_seconds == 45 * 60

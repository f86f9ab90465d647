"""Zammad reads a time leniently, keeps two decimals and shows at least one."""

from decimal import Decimal
from typing import Any

import pytest

from hourbook_simulators.zammad import units


@pytest.mark.parametrize(
    ("raw", "kept"),
    [
        (15, "15.0"),
        ("15.00", "15.0"),
        ("1.23", "1.23"),
        (12.345, "12.35"),
        (-12.345, "-12.35"),
        ("0.50", "0.5"),
        ("12,5", "12.0"),
        ("1:30", "1.0"),
        ("abc", "0.0"),
        ("-5", "-5.0"),
        ("-0.001", "0.0"),
        (60.0, "60.0"),
        ("1e2", "100.0"),
        (" 7", "7.0"),
        (".5", "0.5"),
        (True, "1.0"),
    ],
)
def test_what_begins_with_a_number_is_that_number_to_two_decimals(raw: Any, kept: str) -> None:
    value = units.read(raw)
    assert value is not None
    assert units.text(value) == kept


@pytest.mark.parametrize("raw", [None, "", "  "])
def test_nothing_is_no_time(raw: Any) -> None:
    assert units.read(raw) is None


@pytest.mark.parametrize("raw", [10000, "9999.995", -10000, 1e300, "1e999"])
def test_six_digits_are_all_that_fit(raw: Any) -> None:
    value = units.read(raw)
    assert value is not None
    assert not units.fits(value)


def test_the_largest_time_fits() -> None:
    assert units.read("9999.99") == Decimal("9999.99")
    assert units.fits(Decimal("9999.99"))

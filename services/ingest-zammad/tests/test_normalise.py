"""What becomes of Zammad's JSON."""

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hourbook_contracts.control import SourceConfigured, UnitConfirmed
from hourbook_contracts.installation import Source
from hourbook_contracts.ledger import UnitDoubt
from hourbook_ingest_zammad import normalise
from hourbook_kit.source.protocol import UnreadableError
from hourbook_kit.source.units import entry as entry_from
from hourbook_kit.source.units import seconds as seconds_of

RECORDED = {  # a real Zammad's (recordings/zammad, time_accountings--create_article)
    "id": 72,
    "ticket_id": 344,
    "ticket_article_id": 563,
    "time_unit": "1.23",
    "type_id": None,
    "created_by_id": 3,
    "created_at": "2024-03-17T20:45:01.946Z",
    "updated_at": "2024-03-17T20:45:01.946Z",
}
two_places = st.decimals(-9999, 9999, places=2)


SWITCHED = datetime(2024, 4, 1, tzinfo=UTC)


def source(*later: UnitConfirmed) -> Source:
    """A minute from the beginning."""
    configured = SourceConfigured(
        observed_at=SWITCHED, by="test", connection="desk", base_url="http://z", secret_version=1
    )
    first = unit(60, datetime(2000, 1, 1, tzinfo=UTC))
    return Source(configured, units=(first, *later))


def unit(seconds: int, since: datetime) -> UnitConfirmed:
    return UnitConfirmed(
        observed_at=since,
        by="test",
        connection="desk",
        unit="custom",
        seconds_per_unit=seconds,
        effective_from=since,
    )


def test_a_unit_that_changed_later_changes_nothing_that_was_made_before() -> None:
    entry = entry_from(normalise.time_accounting(RECORDED), source(unit(3600, SWITCHED)))
    assert entry is not None
    assert (entry.duration_seconds, entry.doubt) == (74, None)


def test_an_edit_after_the_unit_changed_is_in_doubt_and_told_by_both() -> None:
    edited = RECORDED | {"updated_at": "2024-04-02T08:00:00.000Z"}
    entry = entry_from(normalise.time_accounting(edited), source(unit(3600, SWITCHED)))
    assert entry is not None
    assert (entry.seconds_per_unit, entry.duration_seconds) == (60, 74)
    assert entry.doubt == UnitDoubt(seconds_per_unit=3600, duration_seconds=4428)


def test_while_nobody_has_said_what_a_unit_is_there_is_no_entry() -> None:
    nobody = replace(source(), units=())
    assert entry_from(normalise.time_accounting(RECORDED), nobody) is None


def test_a_recorded_time_accounting_becomes_an_entry() -> None:
    entry = entry_from(normalise.time_accounting(RECORDED), source())
    assert entry is not None
    assert (entry.raw_units, entry.duration_seconds, entry.agent_id) == ("1.23", 74, 3)
    assert entry.created_at.isoformat() == "2024-03-17T20:45:01.946000+00:00"


@pytest.mark.parametrize(
    ("units", "seconds_per_unit", "seconds"),
    [
        ("15.0", 60, 900),
        ("0.25", 3600, 900),
        ("0.33", 3600, 1188),
        ("-5.0", 60, -300),
        ("1", 900, 900),
    ],
)
def test_units_are_counted_in_whole_seconds(
    units: str, seconds_per_unit: int, seconds: int
) -> None:
    assert seconds_of(units, seconds_per_unit) == seconds


@given(two_places, st.integers(1, 86_400))
def test_a_correction_cancels_exactly_what_it_corrects(units: Decimal, factor: int) -> None:
    assert seconds_of(str(units), factor) == -seconds_of(str(-units), factor)


@given(two_places, st.integers(1, 86_400))
def test_rounding_moves_nothing_by_more_than_half_a_second(units: Decimal, factor: int) -> None:
    assert abs(seconds_of(str(units), factor) - units * factor) <= Decimal("0.5")


def test_a_number_where_others_write_a_string_is_read_as_well() -> None:
    assert normalise.time_accounting(RECORDED | {"time_unit": 3.33}).raw_units == "3.33"


@pytest.mark.parametrize(
    "change",
    [
        {"time_unit": "1:30"},
        {"time_unit": "NaN"},
        {"time_unit": "1e9"},
        {"time_unit": None},
        {"id": "72"},
        {"created_at": "2024-03-17T20:45:01"},
        {"created_by_id": True},
    ],
)
def test_what_is_not_a_time_accounting_is_refused_without_repeating_it(
    change: dict[str, Any],
) -> None:
    with pytest.raises(UnreadableError) as refused:
        normalise.time_accounting(RECORDED | change)
    assert str(next(iter(change.values()))) not in str(refused.value) or change == {"id": "72"}


def test_one_bad_row_does_not_hide_the_others() -> None:
    page = normalise.page([RECORDED, RECORDED | {"id": 73, "ticket_id": 9, "time_unit": "x"}])
    assert [accounting.id for accounting in page.bookings] == [72]
    assert page.unreadable == {9}


def test_a_row_that_names_no_ticket_fails_the_page() -> None:
    with pytest.raises(UnreadableError):
        normalise.page(["nonsense"])

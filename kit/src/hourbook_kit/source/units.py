"""From a source's units to seconds, once, here. Pure.

A unit is a decimal without a name; it becomes whole seconds rounded half up (away from zero, so that a
correction cancels exactly what it corrects). The raw string is kept.
"""

from decimal import ROUND_HALF_UP, Decimal, InvalidOperation

from hourbook_contracts.installation import Source
from hourbook_contracts.ledger import UnitDoubt
from hourbook_kit.source.protocol import Booking, EntryReading

UNITS_LIMIT = Decimal(10**6)
"""Zammad's column is decimal(6,2); what is beyond this is no time."""


def of_sane_size(raw: str) -> str:
    """The same; raises `ValueError` of what is no time."""
    try:
        units = Decimal(raw)
    except InvalidOperation:
        raise ValueError("not a decimal") from None
    if not units.is_finite() or abs(units) > UNITS_LIMIT:
        raise ValueError("not a time")
    return raw


def entry(booking: Booking, source: Source) -> EntryReading | None:
    """With what a unit was worth when it was made, as a person has confirmed; None while nobody has."""
    seconds_per_unit = source.seconds_per_unit(booking.created_at)
    if seconds_per_unit is None:
        return None
    later = source.seconds_per_unit(booking.updated_at)
    doubt = None
    if later is not None and later != seconds_per_unit:
        worth = seconds(booking.raw_units, later)
        doubt = UnitDoubt(seconds_per_unit=later, duration_seconds=worth)
    return EntryReading(
        agent_id=booking.agent_id,
        raw_units=booking.raw_units,
        seconds_per_unit=seconds_per_unit,
        duration_seconds=seconds(booking.raw_units, seconds_per_unit),
        activity_type_id=booking.activity_type_id,
        article_id=booking.article_id,
        created_at=booking.created_at,
        updated_at=booking.updated_at,
        doubt=doubt,
    )


def seconds(raw_units: str, seconds_per_unit: int) -> int:
    return int((Decimal(raw_units) * seconds_per_unit).quantize(Decimal(1), ROUND_HALF_UP))

"""From Zammad's JSON to our values. Pure.

Zammad's `time_unit` is a decimal without a unit; it becomes whole seconds once, here, rounded half
up (away from zero, so that a correction cancels exactly what it corrects). The raw string is kept.
"""

from collections.abc import Iterable
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from typing import Annotated, NamedTuple, TypeVar

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
)

from hourbook_contracts.ledger import TicketAttributes
from hourbook_contracts.message import Moment, Value
from hourbook_contracts.sealed import Sealed

UNITS_LIMIT = Decimal(10**6)
"""Zammad's column is decimal(6,2); what is beyond this is no time."""


class UnreadableError(Exception):
    """Zammad answered something that is not what we know: its version may be newer than this one."""


class EntryReading(Value):
    """What one look at Zammad showed of one time accounting: exactly what is compared."""

    agent_id: int
    raw_units: str
    seconds_per_unit: int
    duration_seconds: int
    activity_type_id: int | None
    article_id: int | None
    created_at: Moment
    updated_at: Moment


class TicketReading(Value):
    """What one look at Zammad showed of one ticket."""

    attributes: TicketAttributes
    title: Sealed | None
    """None when its key was destroyed."""

    def same_as(self, other: "TicketReading") -> bool:
        """Titles are compared by digest: each sealing has another nonce."""
        if self.attributes != other.attributes:
            return False
        return other.title is None if self.title is None else self.title.same_text(other.title)


def _decimal_text(raw: object) -> object:
    """Some versions write a number where others write a string (zammad-api.md 4.3)."""
    return str(raw) if isinstance(raw, int | float) and not isinstance(raw, bool) else raw


def _of_sane_size(raw: str) -> str:
    try:
        units = Decimal(raw)
    except InvalidOperation:
        raise ValueError("not a decimal") from None
    if not units.is_finite() or abs(units) > UNITS_LIMIT:
        raise ValueError("not a time")
    return raw


_ZammadTime = Annotated[AwareDatetime, Field(strict=False)]
_Units = Annotated[str, BeforeValidator(_decimal_text), AfterValidator(_of_sane_size)]


class _Row(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore", strict=True)


_R = TypeVar("_R", bound=_Row)


class TimeAccounting(_Row):
    """Zammad's record, its unit not yet known."""

    id: int
    ticket_id: int
    ticket_article_id: int | None = None
    time_unit: _Units
    type_id: int | None = None
    created_by_id: int
    created_at: _ZammadTime
    updated_at: _ZammadTime


class Ticket(_Row):
    """Of Zammad's ticket what we keep; the title is personal text and leaves this process sealed."""

    id: int
    number: str
    title: str | None = None
    organization_id: int | None = None
    customer_id: int | None = None
    group_id: int | None = None

    @property
    def attributes(self) -> TicketAttributes:
        return TicketAttributes(
            number=self.number,
            organization_id=self.organization_id,
            customer_id=self.customer_id,
            group_id=self.group_id,
        )


class Page(NamedTuple):
    """Rows of a list, and the tickets of those rows that could not be read."""

    accountings: list[TimeAccounting]
    unreadable: set[int]


def time_accounting(row: object) -> TimeAccounting:
    return _read(TimeAccounting, row)


def ticket(row: object) -> Ticket:
    return _read(Ticket, row)


def page(rows: Iterable[object]) -> Page:
    """One bad row does not hide the others: its ticket is named, so that its reading finds it bad."""
    found = Page([], set())
    for row in rows:
        try:
            found.accountings.append(time_accounting(row))
        except UnreadableError:
            ticket_id = row.get("ticket_id") if isinstance(row, dict) else None
            if not isinstance(ticket_id, int):
                raise
            found.unreadable.add(ticket_id)
    return found


def entry(accounting: TimeAccounting, seconds_per_unit: int) -> EntryReading:
    """With what a unit was worth when it was made, as a person has confirmed."""
    return EntryReading(
        agent_id=accounting.created_by_id,
        raw_units=accounting.time_unit,
        seconds_per_unit=seconds_per_unit,
        duration_seconds=seconds(accounting.time_unit, seconds_per_unit),
        activity_type_id=accounting.type_id,
        article_id=accounting.ticket_article_id,
        created_at=accounting.created_at,
        updated_at=accounting.updated_at,
    )


def seconds(raw_units: str, seconds_per_unit: int) -> int:
    return int((Decimal(raw_units) * seconds_per_unit).quantize(Decimal(1), ROUND_HALF_UP))


def _read(kind: type[_R], row: object) -> _R:
    try:
        return kind.model_validate(row)
    except ValidationError as error:
        places = ", ".join(
            f"{'.'.join(str(step) for step in problem['loc']) or 'row'}: {problem['type']}"
            for problem in error.errors(include_input=False, include_url=False)
        )
        raise UnreadableError(f"a {kind.__name__} does not hold what it should: {places}") from None

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

from hourbook_contracts.ids import BookId
from hourbook_contracts.installation import Source
from hourbook_contracts.ledger import TicketAttributes, UnitDoubt
from hourbook_contracts.message import Moment, Value
from hourbook_contracts.sealed import Sealed

MERGED_TYPE = 6
"""Of a ticket's state: the types' ids are the same in every Zammad (recorded: tickets--ticket_merge)."""
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
    doubt: UnitDoubt | None = None


class MergedInto(Value):
    """The ticket that has the articles by now."""

    book: BookId
    number: str
    title: Sealed | None
    """Under the key of that ticket."""


class TicketReading(Value):
    """What one look at Zammad showed of one ticket."""

    attributes: TicketAttributes
    title: Sealed | None
    """None when its key was destroyed."""
    merged_into: MergedInto | None = None
    updated_at: Moment | None = None
    """By which a poll knows that it was read since; never compared."""

    def same_as(self, other: "TicketReading") -> bool:
        """Titles are compared by digest: each sealing has another nonce."""
        if self.attributes != other.attributes or not _same_text(self.title, other.title):
            return False
        mine, theirs = self.merged_into, other.merged_into
        if mine is None or theirs is None:
            return mine is theirs
        same = (mine.book, mine.number) == (theirs.book, theirs.number)
        return same and _same_text(mine.title, theirs.title)


def _same_text(one: Sealed | None, other: Sealed | None) -> bool:
    return other is None if one is None else one.same_text(other)


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
    state_id: int | None = None
    updated_at: _ZammadTime | None = None

    @property
    def attributes(self) -> TicketAttributes:
        return TicketAttributes(
            number=self.number,
            organization_id=self.organization_id,
            customer_id=self.customer_id,
            group_id=self.group_id,
        )


class TicketSeen(_Row):
    """A ticket in a list: which one, and when it changed."""

    id: int
    updated_at: _ZammadTime


class Page(NamedTuple):
    """Rows of a list, and the tickets of those rows that could not be read."""

    accountings: list[TimeAccounting]
    unreadable: set[int]


def time_accounting(row: object) -> TimeAccounting:
    return _read(TimeAccounting, row)


def ticket(row: object) -> Ticket:
    return _read(Ticket, row)


def tickets_seen(body: object) -> list[TicketSeen]:
    """Of a search: a list from 6.5 on; before, ids beside the rows they stand for (zammad-api.md 3.2)."""
    match body:
        case [*rows]:
            return [_read(TicketSeen, row) for row in rows]
        case {"tickets": [*ids], "assets": dict(assets)}:
            shown = assets.get("Ticket") or {}
            return [_read(TicketSeen, shown.get(str(ticket_id))) for ticket_id in ids]
        case _:
            raise UnreadableError("a search for tickets that gives neither a list nor ids")


def parent(links: object) -> Ticket | None:
    """Of a merged ticket's links the one ticket it was merged into; none where that is not plain.

    All its other links went along to that ticket (Zammad's `merge_to`), also when that is merged on.
    """
    match links:
        case {"links": [*found], "assets": dict(assets)}:
            parents = [
                link.get("link_object_value")
                for link in found
                if isinstance(link, dict) and link.get("link_type") == "parent"
            ]
            shown = assets.get("Ticket") or {}
        case _:
            raise UnreadableError("links without links and assets")
    if len(parents) != 1 or not isinstance(shown, dict) or str(parents[0]) not in shown:
        return None
    return ticket(shown[str(parents[0])])


def merged_states(rows: object) -> frozenset[int]:
    """The states whose type is `merged`, whatever they are called."""
    if not isinstance(rows, list):
        raise UnreadableError("the list of ticket states is no list")
    return frozenset(
        row["id"]
        for row in rows
        if isinstance(row, dict) and row.get("state_type_id") == MERGED_TYPE and "id" in row
    )


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


def entry(accounting: TimeAccounting, source: Source) -> EntryReading | None:
    """With what a unit was worth when it was made, as a person has confirmed; None while nobody has."""
    seconds_per_unit = source.seconds_per_unit(accounting.created_at)
    if seconds_per_unit is None:
        return None
    later = source.seconds_per_unit(accounting.updated_at)
    doubt = None
    if later is not None and later != seconds_per_unit:
        worth = seconds(accounting.time_unit, later)
        doubt = UnitDoubt(seconds_per_unit=later, duration_seconds=worth)
    return EntryReading(
        agent_id=accounting.created_by_id,
        raw_units=accounting.time_unit,
        seconds_per_unit=seconds_per_unit,
        duration_seconds=seconds(accounting.time_unit, seconds_per_unit),
        activity_type_id=accounting.type_id,
        article_id=accounting.ticket_article_id,
        created_at=accounting.created_at,
        updated_at=accounting.updated_at,
        doubt=doubt,
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

"""From Zammad's JSON to our values. Pure."""

from collections.abc import Iterable
from typing import Annotated, TypeVar

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
from hourbook_kit.source.protocol import Booking, Page, Ticket, TicketSeen, UnreadableError
from hourbook_kit.source.units import of_sane_size

MERGED_TYPE = 6
"""Of a ticket's state: the types' ids are the same in every Zammad (recorded: tickets--ticket_merge)."""


def _decimal_text(raw: object) -> object:
    """Some versions write a number where others write a string (zammad-api.md 4.3)."""
    return str(raw) if isinstance(raw, int | float) and not isinstance(raw, bool) else raw


_ZammadTime = Annotated[AwareDatetime, Field(strict=False)]
_Units = Annotated[str, BeforeValidator(_decimal_text), AfterValidator(of_sane_size)]


class _Row(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore", strict=True)


_R = TypeVar("_R", bound=_Row)


class TimeAccounting(_Row):
    """Zammad's record."""

    id: int
    ticket_id: int
    ticket_article_id: int | None = None
    time_unit: _Units
    type_id: int | None = None
    created_by_id: int
    created_at: _ZammadTime
    updated_at: _ZammadTime

    @property
    def booking(self) -> Booking:
        return Booking(
            id=self.id,
            ticket_id=self.ticket_id,
            article_id=self.ticket_article_id,
            raw_units=self.time_unit,
            activity_type_id=self.type_id,
            agent_id=self.created_by_id,
            created_at=self.created_at,
            updated_at=self.updated_at,
        )


class TicketRow(_Row):
    """Of Zammad's ticket what is read here."""

    id: int
    number: str
    title: str | None = None
    organization_id: int | None = None
    customer_id: int | None = None
    group_id: int | None = None
    state_id: int | None = None
    updated_at: _ZammadTime | None = None

    @property
    def ticket(self) -> Ticket:
        attributes = TicketAttributes(
            number=self.number,
            organization_id=self.organization_id,
            customer_id=self.customer_id,
            group_id=self.group_id,
        )
        return Ticket(self.id, attributes, self.title, self.updated_at)


class _TicketSeen(_Row):
    """A ticket in a list."""

    id: int
    updated_at: _ZammadTime


def time_accounting(row: object) -> Booking:
    return _read(TimeAccounting, row).booking


def ticket(row: object) -> TicketRow:
    return _read(TicketRow, row)


def tickets_seen(body: object) -> list[TicketSeen]:
    """Of a search: a list from 6.5 on; before, ids beside the rows they stand for (zammad-api.md 3.2)."""
    match body:
        case [*rows]:
            return [_seen(row) for row in rows]
        case {"tickets": [*ids], "assets": dict(assets)}:
            shown = assets.get("Ticket") or {}
            return [_seen(shown.get(str(ticket_id))) for ticket_id in ids]
        case _:
            raise UnreadableError("a search for tickets that gives neither a list nor ids")


def _seen(row: object) -> TicketSeen:
    seen = _read(_TicketSeen, row)
    return TicketSeen(seen.id, seen.updated_at)


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
    return ticket(shown[str(parents[0])]).ticket


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
            found.bookings.append(time_accounting(row))
        except UnreadableError:
            ticket_id = row.get("ticket_id") if isinstance(row, dict) else None
            if not isinstance(ticket_id, int):
                raise
            found.unreadable.add(ticket_id)
    return found


def _read(kind: type[_R], row: object) -> _R:
    try:
        return kind.model_validate(row)
    except ValidationError as error:
        places = ", ".join(
            f"{'.'.join(str(step) for step in problem['loc']) or 'row'}: {problem['type']}"
            for problem in error.errors(include_input=False, include_url=False)
        )
        raise UnreadableError(f"a {kind.__name__} does not hold what it should: {places}") from None

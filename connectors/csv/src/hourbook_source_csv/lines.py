"""From the lines of CSV files to bookings, and to what is bad about the others. Pure.

One line, one booking: a quoted field ends on its line, so that a stray quote spoils no line but its own.
A bad line whose id can be read keeps its booking as it was; one whose id cannot be read may be any.
"""

import csv
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import NamedTuple

from hourbook_contracts.ledger import TicketAttributes
from hourbook_kit.source.protocol import BadRecord, Booking, Ticket
from hourbook_kit.source.units import of_sane_size

NEEDED = ("id", "ticket", "agent", "units", "made_at")
KNOWN = (*NEEDED, "number", "title", "organization", "customer", "group", "activity")
NUMBER_LIMIT = 2**63


class Line(NamedTuple):
    """One that can be read; its ticket as this line describes it."""

    place: str
    booking: Booking
    ticket: Ticket


@dataclass(frozen=True, slots=True)
class Content:
    """What some files hold together."""

    lines: Mapping[int, Line] = field(default_factory=dict)
    """By the booking's id."""
    bad: tuple[BadRecord, ...] = ()
    kept: frozenset[int] = frozenset()
    """Ids of bad lines."""
    doubtful: bool = False
    """Whether there is a bad line whose id cannot be read."""


class BadLineError(Exception):
    """Why a line cannot be read; `booking_id` where that much of it can."""

    def __init__(self, reason: str, booking_id: int | None = None) -> None:
        super().__init__(reason)
        self.booking_id = booking_id


class File(NamedTuple):
    name: str
    octets: bytes
    changed_at: datetime


def content(files: Iterable[File]) -> Content:
    """All of them; a booking that stands twice is one where both lines say the same, and bad where not."""
    lines: dict[int, list[Line]] = {}
    bad: list[BadRecord] = []
    kept: set[int] = set()
    doubtful = False
    for file in files:
        for place, found in _read(file):
            if isinstance(found, Line):
                lines.setdefault(found.booking.id, []).append(found)
                continue
            bad.append(BadRecord(place, str(found)))
            doubtful |= found.booking_id is None
            kept |= set() if found.booking_id is None else {found.booking_id}
    for booking_id, same in lines.items():
        if any(not _agree(one, same[0]) for one in same):
            places = ", ".join(one.place for one in same)
            reason = f"booking {booking_id} stands with different content in {places}"
            bad += [BadRecord(one.place, reason) for one in same]
            kept.add(booking_id)
    good = {number: same[-1] for number, same in lines.items() if number not in kept}
    return Content(good, tuple(bad), frozenset(kept), doubtful)


def _agree(one: Line, other: Line) -> bool:
    """What only tells when a file was changed aside."""
    mine, theirs = one.ticket, other.ticket
    return (one.booking, mine.attributes, mine.title) == (
        other.booking,
        theirs.attributes,
        theirs.title,
    )


def _read(file: File) -> Iterable[tuple[str, Line | BadLineError]]:
    text = file.octets.decode("utf-8-sig", errors="replace")
    rows = text.split("\n")
    try:
        columns, delimiter = _header(rows[0])
    except BadLineError as error:
        yield f"{file.name}:1", error
        return
    for number, row in enumerate(rows[1:], 2):
        if not row.strip():
            continue
        place = f"{file.name}:{number}"
        try:
            shown = _fields(row, columns, delimiter)
            booking = _booking(shown)
            yield place, Line(place, booking, _ticket(shown, booking, file.changed_at))
        except BadLineError as error:
            yield place, error


def _header(row: str) -> tuple[Sequence[str], str]:
    delimiter = ";" if ";" in row and "," not in row else ","
    columns = [name.strip() for name in _split(row, delimiter)]
    missing = [name for name in NEEDED if name not in columns]
    if missing:
        raise BadLineError(f"the first line names no column {', '.join(missing)}")
    twice = sorted({name for name in columns if name in KNOWN and columns.count(name) > 1})
    if twice:
        raise BadLineError(f"the first line names {', '.join(twice)} twice")
    return columns, delimiter


def _split(row: str, delimiter: str) -> list[str]:
    try:
        (fields,) = csv.reader([row.rstrip("\r")], strict=True, delimiter=delimiter)
    except (csv.Error, ValueError):
        raise BadLineError("its quotes do not end on this line") from None
    return fields


def _fields(row: str, columns: Sequence[str], delimiter: str) -> dict[str, str]:
    fields = _split(row, delimiter)
    if len(fields) != len(columns):
        raise BadLineError(f"it has {len(fields)} fields where the first line has {len(columns)}")
    shown = {name: value.strip() for name, value in zip(columns, fields, strict=True)}
    if "\ufffd" in row or "\0" in row:
        raise BadLineError("it is no text in UTF-8", _readable(shown["id"]))
    return shown


def _readable(raw: str) -> int | None:
    return int(raw) if raw.isascii() and raw.isdigit() and 0 < int(raw) < NUMBER_LIMIT else None


def _booking(shown: Mapping[str, str]) -> Booking:
    booking_id = _readable(shown["id"])
    if booking_id is None:
        raise BadLineError("its id is no whole number above zero")
    try:
        units = of_sane_size(shown["units"])
    except ValueError:
        raise BadLineError("its units are no decimal number of a sane size", booking_id) from None
    made_at = _moment(shown["made_at"], booking_id)
    return Booking(
        id=booking_id,
        ticket_id=_number(shown, "ticket", booking_id),
        raw_units=units,
        agent_id=_number(shown, "agent", booking_id),
        created_at=made_at,
        updated_at=made_at,
        activity_type_id=_number_or_none(shown, "activity", booking_id),
    )


def _ticket(shown: Mapping[str, str], booking: Booking, changed_at: datetime) -> Ticket:
    attributes = TicketAttributes(
        number=shown.get("number") or str(booking.ticket_id),
        organization_id=_number_or_none(shown, "organization", booking.id),
        customer_id=_number_or_none(shown, "customer", booking.id),
        group_id=_number_or_none(shown, "group", booking.id),
    )
    return Ticket(booking.ticket_id, attributes, shown.get("title") or None, changed_at)


def _number(shown: Mapping[str, str], column: str, booking_id: int) -> int:
    found = _readable(shown[column])
    if found is None:
        raise BadLineError(f"its {column} is no whole number above zero", booking_id)
    return found


def _number_or_none(shown: Mapping[str, str], column: str, booking_id: int) -> int | None:
    return _number(shown, column, booking_id) if shown.get(column) else None


def _moment(raw: str, booking_id: int) -> datetime:
    try:
        moment = datetime.fromisoformat(raw)
        if moment.tzinfo is None:
            raise BadLineError("its made_at does not say its offset from UTC", booking_id)
        return moment.astimezone(UTC)
    except (ValueError, OverflowError):
        raise BadLineError("its made_at is no moment of ISO 8601", booking_id) from None

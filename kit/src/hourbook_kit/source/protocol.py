"""What a source is: a system in which people book time on tickets, as the loops of this package ask it.

A connector is a class that answers these questions and a `Connector` that makes it; it knows its system
and none of the loops, the loops know this page and no system. Pure values; docs/connectors.md is the guide.
"""

from collections.abc import AsyncGenerator, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple, Protocol

from hourbook_contracts.ids import BookId
from hourbook_contracts.ledger import TicketAttributes, UnitDoubt
from hourbook_contracts.message import Moment, Value
from hourbook_contracts.sealed import Sealed
from hourbook_contracts.zammad.units import SaidUnit


# --------------------------------------------------------------------------- what stands in the way
class SourceError(Exception):
    """The source did not give what it was asked for; the text says what to do, and names no person."""


class RetriableError(SourceError):
    """It does not answer, or not as itself: we ask again until it does."""


class BadCredentialsError(SourceError):
    """It refuses us altogether: give the connection another secret, or the right address."""


class MissingPermissionError(SourceError):
    """We may not read this."""


class GoneError(SourceError):
    """It says that it does not have this."""


class RefusedError(SourceError):
    """It finds our question wrong, or answers what no version we know does."""


class UnfitError(SourceError):
    """It cannot be read at all as it is: too old, or without what completeness is proven by."""


class IncompletePullError(SourceError):
    """A list changed under our hands as often as we read it: it proves nothing."""


class UnreadableError(Exception):
    """It answered something that is not what we know: its version may be newer than this one."""


# --------------------------------------------------------------------------------- what it shows
@dataclass(frozen=True, slots=True)
class Booking:
    """One record of time as the source holds it, before anybody says what a unit of it is worth."""

    id: int
    """For ever this booking's, and a booking never moves to another ticket."""
    ticket_id: int
    raw_units: str
    """A decimal as the source wrote it; may be negative: that is how people correct."""
    agent_id: int
    created_at: datetime
    updated_at: datetime
    activity_type_id: int | None = None
    article_id: int | None = None


class Ticket(NamedTuple):
    """Of a ticket what we keep; the title is personal text and leaves this process sealed."""

    id: int
    attributes: TicketAttributes
    title: str | None = None
    updated_at: datetime | None = None


class TicketRead(NamedTuple):
    """A ticket with all its bookings; without a ticket, the source says it does not have it."""

    ticket: Ticket | None
    bookings: tuple[Booking, ...]
    merged_into: Ticket | None = None
    kept: frozenset[int] = frozenset()
    """Bookings that stand there and cannot be read: neither changed nor gone."""
    doubtful: bool = False
    """Whether something stands in the source that cannot be read and may be any booking: none is gone."""


class TicketSeen(NamedTuple):
    """A ticket in a list: which one, and when it changed."""

    id: int
    updated_at: datetime


class Page(NamedTuple):
    """Some rows of a list, and the tickets of those rows that could not be read."""

    bookings: list[Booking]
    unreadable: set[int]
    kept: frozenset[int] = frozenset()
    """Bookings that stand there and cannot be read: shown, so that nobody takes them for deleted."""


class BadRecord(NamedTuple):
    """Something that stands in the source and cannot be read, for a person to mend there."""

    place: str
    """Where a person finds it, such as `march.csv:17`: names of files and numbers, no personal text."""
    reason: str
    """In a sentence, without what stands there."""


# ---------------------------------------------------------------------------------- what is asked
class Source(Protocol):
    """One system of the kind, with its secrets. Any question may raise a `SourceError` or `UnreadableError`.

    Questions come several at a time, from one event loop.
    """

    @property
    def walks(self) -> str | None:
        """Where every poll reads the whole list: the sentence that says so to people, after a poll."""

    def verifies(self, body: bytes, signature: str | None) -> bool:
        """Whether the source itself sent this delivery; in constant time."""

    async def read_ticket(self, ticket_id: int) -> TicketRead:
        """As it is now, with bookings that are proven to be all of it; raises rather than guess."""

    def latest(self, since: datetime | None) -> AsyncGenerator[Page, None]:
        """Bookings whose `updated_at` is not before this, and perhaps more, in any order; None: all of them."""

    def tickets_changed(self, since: datetime) -> AsyncGenerator[list[TicketSeen], None]:
        """Tickets that changed since then, also those whose time did not."""

    async def newest_ticket(self) -> datetime | None:
        """When the last one changed, by the source's own clock; None where there is none."""

    def everything(self) -> AsyncGenerator[Page, None]:
        """All bookings; raises `IncompletePullError` at the end unless these were all there are."""

    async def is_gone(self, booking_id: int) -> bool:
        """Whether the source itself says that it has no such booking; not being told is no proof."""

    async def control(self) -> None:
        """A read that a healthy source answers to our secrets; raises what keeps it from that."""

    async def said_unit(self) -> SaidUnit | None:
        """What it calls a unit; None where it does not say."""

    async def bad_records(self) -> tuple[BadRecord, ...]:
        """All that stands in it now and cannot be read, beyond what fails the reading of its ticket."""

    async def close(self) -> None:
        """When nobody asks any longer."""


@dataclass(frozen=True, slots=True)
class Connector:
    """A kind of source: what of the vault it is given, and how one is made."""

    connect: Callable[[str, Mapping[str, str]], Source]
    """By the connection's address and its secrets; opens nothing yet."""
    needs: tuple[str, ...] = ()
    """Secrets without which it is not made, by their names in the vault."""
    takes: tuple[str, ...] = ()
    """Secrets it is given where they are set."""


# --------------------------------------------------------------------------------- what is remembered
class EntryReading(Value):
    """What one look at a source showed of one booking: exactly what is compared."""

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
    """What one look at a source showed of one ticket."""

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

"""One reading of one ticket: numbered before it begins, finished in one transaction (protocol.md 5)."""

from collections.abc import Mapping
from dataclasses import replace

import structlog
from opentelemetry import trace

from hourbook_contracts.ids import BookId, EntryId, number_of
from hourbook_contracts.installation import Source
from hourbook_contracts.sealed import Sealed
from hourbook_kit.control import ControlTail
from hourbook_kit.sealing import seal
from hourbook_kit.source import protocol, units
from hourbook_kit.source.diff import Findings, Reading
from hourbook_kit.source.metrics import FACTS, READING_SECONDS, READINGS
from hourbook_kit.source.protocol import (
    Booking,
    EntryReading,
    IncompletePullError,
    MergedInto,
    TicketRead,
    TicketReading,
)
from hourbook_kit.source.store import Store
from hourbook_kit.telemetry import current_traceparent
from hourbook_kit.vault import Vault

log = structlog.get_logger()
tracer = trace.get_tracer("hourbook")


class Reader:
    """Reads tickets; several of them at once, and each as often as one likes."""

    def __init__(self, store: Store, vault: Vault, control: ControlTail) -> None:
        self._store, self._vault, self._control = store, vault, control

    async def read(self, source: Source, system: protocol.Source, ticket_id: int) -> int:
        """Read it now; gives how many facts that brought."""
        book = source.book(ticket_id)
        with tracer.start_as_current_span("read ticket", attributes={"book": book}):
            with READING_SECONDS.time():
                found = await self._read(source, system, ticket_id)
            facts = found.facts if found else ()
            for fact in facts:
                FACTS.labels(fact.TYPE).inc()
            READINGS.labels("news" if facts else "unchanged").inc()
            if facts and found:
                log.info("ticket_read", book=book, facts=[fact.TYPE for fact in facts])
            return len(facts)

    async def _read(
        self, source: Source, system: protocol.Source, ticket_id: int
    ) -> Findings | None:
        book = source.book(ticket_id)
        no = await self._store.begin()
        shown = await system.read_ticket(ticket_id)
        if not shown.bookings and not await self._store.knows(book):
            return None  # nobody ever booked time on it
        counted = entries(source, shown.bookings)
        all_ = {source.entry(booking.id) for booking in shown.bookings}
        all_ |= {source.entry(number) for number in shown.kept}
        reading = Reading(
            book=book,
            connection=source.name,
            no=no,
            ticket=await self._ticket(source, book, shown),
            entries=counted,
            kept=frozenset(all_ - counted.keys()),
        )
        traceparent = current_traceparent()
        found = await self._store.finish(reading, traceparent)
        while not isinstance(found, Findings):
            reading = await confirmed(system, shown, reading, found)
            found = await self._store.finish(reading, traceparent)
        return found

    async def _ticket(
        self, source: Source, book: BookId, shown: TicketRead
    ) -> TicketReading | None:
        """Its text and the text of the one it was merged into, each under its own key.

        No text of a ticket whose customer was erased, also where we have not met the ticket before.
        """
        ticket, target = shown.ticket, shown.merged_into
        if ticket is None:
            return None
        texts = {book: self._title(source, ticket)}
        if target is not None:
            texts[source.book(target.id)] = self._title(source, target)
        titles = await self._sealed(texts)
        merged_into = None
        if target is not None:
            there = source.book(target.id)
            merged_into = MergedInto(
                book=there, number=target.attributes.number, title=titles[there]
            )
        return TicketReading(
            attributes=ticket.attributes,
            title=titles[book],
            merged_into=merged_into,
            updated_at=ticket.updated_at,
        )

    def _title(self, source: Source, ticket: protocol.Ticket) -> str | None:
        customer = ticket.attributes.customer_id
        if customer is not None and source.user(customer) in self._control.installation.erased:
            return None
        return ticket.title

    async def _sealed(self, texts: Mapping[BookId, str | None]) -> dict[BookId, Sealed | None]:
        keys = await self._vault.ensure_keys(list(texts))
        return {
            book: seal(text, key=key, subject=book, field="title")
            if text is not None and (key := keys[book]) is not None
            else None
            for book, text in texts.items()
        }


def entries(source: Source, bookings: tuple[Booking, ...]) -> dict[EntryId, EntryReading]:
    """With the unit that was in force when each was made; where nobody has said which, it waits."""
    found = {}
    for booking in bookings:
        entry = units.entry(booking, source)
        if entry is not None:
            found[source.entry(booking.id)] = entry
    return found


async def confirmed(
    system: protocol.Source, shown: TicketRead, reading: Reading, missing: frozenset[EntryId]
) -> Reading:
    """The same reading, knowing of each missing entry whether the source says that it is gone.

    A 404 counts only beside a control read that answered: the list that the entry would stand in.
    """
    if shown.doubtful:
        return replace(reading, kept=reading.kept | missing)
    gone = {entry for entry in missing if await system.is_gone(number_of(entry))}
    if gone:
        await system.control()
    if shown.ticket is not None and gone != missing:
        raise IncompletePullError("an entry that is not in its ticket's list is still there")
    return replace(reading, gone=reading.gone | gone, kept=reading.kept | (missing - gone))

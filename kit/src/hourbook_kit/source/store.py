"""What is remembered of sources: numbers, readings with their outbox, deliveries."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

import asyncpg

from hourbook_contracts.codec import encode
from hourbook_contracts.ids import BookId, EntryId, book_of, number_of
from hourbook_contracts.topics import LEDGER
from hourbook_kit import clock, outbox
from hourbook_kit.source.diff import (
    Findings,
    KnownEntry,
    KnownTicket,
    Reading,
    Remembered,
    findings,
    missing,
)
from hourbook_kit.source.protocol import EntryReading, TicketReading, UnreadableError

SCHEMA = "ingest"
GONE = json.dumps({"gone": True})

_NUMBER = """
UPDATE ingest.counter
SET no = greatest(no + 1, (extract(epoch FROM clock_timestamp()) * 1000000)::bigint)
RETURNING no
"""
_REMEMBER = """
INSERT INTO ingest.readings (kind, record, book, connection, no, value)
SELECT kind, record, $1, $2, $3, value FROM unnest($4::text[], $5::text[], $6::jsonb[])
    AS seen (kind, record, value)
ORDER BY kind, record
ON CONFLICT (kind, record) DO UPDATE SET no = excluded.no, value = excluded.value, book = excluded.book
WHERE readings.no < excluded.no
"""
_REMEMBERED = """
SELECT kind, record, book, no, value FROM ingest.readings
WHERE book = $1 OR (kind = 'entry' AND record = ANY ($2::text[]))
ORDER BY kind, record FOR UPDATE
"""
MOVED = (
    "{0} stands on {1} and is known on {2}: a booking never moves, and its number is never another's;"
    " book it anew on the other ticket, with a number of its own"
)
_COUNT = """
INSERT INTO ingest.deliveries (connection, delivery, ticket_id, first_at, last_at, times, last_offset,
    body_sha256, body_bytes)
SELECT * FROM unnest($1::text[], $2::text[], $3::bigint[], $4::timestamptz[], $5::timestamptz[],
    $6::int[], $7::bigint[], $8::text[], $9::bigint[])
ON CONFLICT (connection, delivery) DO UPDATE SET
    times = deliveries.times + excluded.times, last_at = excluded.last_at,
    last_offset = excluded.last_offset, body_sha256 = excluded.body_sha256,
    body_bytes = excluded.body_bytes
WHERE deliveries.last_offset < excluded.last_offset
"""


@dataclass(frozen=True, slots=True)
class Delivery:
    """A webhook's delivery as it stands in the inbox."""

    connection: str
    delivery: str
    ticket_id: int
    received_at: datetime
    offset: int
    body_sha256: str | None = None
    body_bytes: int | None = None


class Store:
    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool

    # ---------------------------------------------------------------------------------- readings
    async def begin(self) -> int:
        """The number of a reading that begins now: higher than every one before it (F15, F17)."""
        return int(await self._pool.fetchval(_NUMBER))

    async def knows(self, book: BookId) -> bool:
        found = await self._pool.fetchval(
            "SELECT EXISTS (SELECT FROM ingest.readings WHERE book = $1)", book
        )
        return bool(found)

    async def finish(
        self, reading: Reading, traceparent: str | None
    ) -> Findings | frozenset[EntryId]:
        """Remember what was read and put its facts into the outbox, in one transaction (F16).

        Where entries are missing of which nobody asked whether they are gone, nothing is written and
        they are named.
        """
        async with self._pool.acquire() as connection, connection.transaction():
            known = await _remembered(connection, reading)
            unasked = missing(known, reading)
            if unasked:
                return unasked
            found = findings(known, reading, clock.now())
            await _remember(connection, reading, found.remembered)
            facts = [encode(fact, traceparent=traceparent) for fact in found.facts]
            await outbox.put(connection, SCHEMA, LEDGER.name, facts)
        return found

    # ---------------------------------------------------------------------------- polls and sweeps
    async def known_entries(self, entries: Sequence[EntryId]) -> dict[EntryId, KnownEntry]:
        rows = await self._pool.fetch(
            "SELECT record, book, no, value FROM ingest.readings"
            " WHERE kind = 'entry' AND record = ANY ($1::text[])",
            entries,
        )
        return {EntryId(row["record"]): _known_entry(row) for row in rows}

    async def living(self, connection: str) -> dict[EntryId, BookId]:
        """Every entry that the source should still have, with its book."""
        rows = await self._pool.fetch(
            "SELECT record, book FROM ingest.readings WHERE kind = 'entry' AND connection = $1"
            " AND value IS DISTINCT FROM $2::jsonb",
            connection,
            GONE,
        )
        return {EntryId(row["record"]): BookId(row["book"]) for row in rows}

    async def known_tickets(
        self, connection: str, ids: Sequence[int]
    ) -> dict[int, datetime | None]:
        """Of those that we remember, when each had changed when it was read; None: that was not kept."""
        books = [book_of(connection, ticket_id) for ticket_id in ids]
        rows = await self._pool.fetch(
            "SELECT record, (value->>'updated_at')::timestamptz AS updated_at FROM ingest.readings"
            " WHERE kind = 'ticket' AND record = ANY ($1::text[])",
            books,
        )
        return {number_of(row["record"]): row["updated_at"] for row in rows}

    # ---------------------------------------------------------------------------------- deliveries
    async def count(self, deliveries: Iterable[Delivery]) -> None:
        """Count them, each place in the inbox once; a delivery that comes again is one more time."""
        by_name: dict[tuple[str, str], list[Delivery]] = {}
        for delivery in deliveries:
            by_name.setdefault((delivery.connection, delivery.delivery), []).append(delivery)
        if not by_name:
            return
        counted = await self._counted_up_to(by_name)
        fresh = {
            name: [d for d in some if d.offset > counted.get(name, -1)]
            for name, some in by_name.items()
        }
        some = [sorted(new, key=lambda d: d.offset) for new in fresh.values() if new]
        await self._pool.execute(
            _COUNT,
            [new[0].connection for new in some],
            [new[0].delivery for new in some],
            [new[0].ticket_id for new in some],
            [new[0].received_at for new in some],
            [new[-1].received_at for new in some],
            [len(new) for new in some],
            [new[-1].offset for new in some],
            [new[-1].body_sha256 for new in some],
            [new[-1].body_bytes for new in some],
        )

    async def _counted_up_to(self, names: Iterable[tuple[str, str]]) -> dict[tuple[str, str], int]:
        pairs = list(names)
        rows = await self._pool.fetch(
            "SELECT connection, delivery, last_offset FROM ingest.deliveries"
            " WHERE (connection, delivery) IN (SELECT * FROM unnest($1::text[], $2::text[]))",
            [connection for connection, _ in pairs],
            [delivery for _, delivery in pairs],
        )
        return {(row["connection"], row["delivery"]): row["last_offset"] for row in rows}

    async def forget_deliveries(self) -> None:
        """As old as the inbox itself may be (topics.py)."""
        await self._pool.execute(
            "DELETE FROM ingest.deliveries WHERE last_at < clock_timestamp() - interval '30 days'"
        )


async def _remembered(connection: asyncpg.pool.PoolConnectionProxy, reading: Reading) -> Remembered:
    """Raises `UnreadableError` where a booking is another ticket's, also one that is gone there.

    Else its minutes would count twice, or its story stand in two books.
    """
    found = await connection.fetch(_REMEMBERED, reading.book, list(reading.entries))
    rows = [row for row in found if row["book"] == reading.book]
    for row in found:
        if row["book"] != reading.book:
            raise UnreadableError(MOVED.format(row["record"], reading.book, row["book"]))
    entries = {EntryId(r["record"]): _known_entry(r) for r in rows if r["kind"] == "entry"}
    tickets = [
        KnownTicket(r["no"], TicketReading.model_validate_json(r["value"]))
        for r in rows
        if r["kind"] == "ticket"
    ]
    return Remembered(entries, tickets[0] if tickets else None)


async def _remember(
    connection: asyncpg.pool.PoolConnectionProxy,
    reading: Reading,
    seen: Remembered,
) -> None:
    records: list[tuple[str, str, str]] = [
        ("entry", entry, record.value.model_dump_json() if record.value else GONE)
        for entry, record in seen.entries.items()
    ]
    if seen.ticket is not None:
        records.append(("ticket", reading.book, seen.ticket.value.model_dump_json()))
    if records:
        kinds, names, values = zip(*records, strict=True)
        await connection.execute(
            _REMEMBER, reading.book, reading.connection, reading.no, kinds, names, values
        )


def _known_entry(row: asyncpg.Record) -> KnownEntry:
    no, value, book = row["no"], row["value"], BookId(row["book"])
    if value is None:
        return KnownEntry(no, book=book)
    if json.loads(value).get("gone"):
        return KnownEntry(no, gone=True, book=book)
    return KnownEntry(no, EntryReading.model_validate_json(value), book=book)

"""Numbers of readings, and the last reading of each timesheet.

A reading is numbered before it begins, an answer after it arrived, all from one counter that a lost
database does not set back (protocol.md 1, rule 8). The cache keeps the highest number.
"""

import json
from collections.abc import Iterable, Sequence
from typing import Any

import asyncpg

from hourbook_contracts.ids import BookId, SheetId
from hourbook_kit.sealing import seal
from hourbook_kit.target.protocol import Timesheet
from hourbook_kit.vault import Vault
from hourbook_push_kimai.observe import Create, Reading, reading_of

Connection = asyncpg.Connection | asyncpg.pool.PoolConnectionProxy | asyncpg.Pool

DESCRIPTION = "description"

_NEXT = """
WITH quick AS MATERIALIZED (SELECT set_config('synchronous_commit', 'off', true))
UPDATE push.counter SET no = greatest(no + 1, (extract(epoch FROM clock_timestamp()) * 1000000)::bigint)
FROM quick RETURNING no
"""
"""Need not wait for the disk: the transaction that uses the number does, and comes later in the log."""

_UPSERT = """
INSERT INTO push.timesheets AS known (sheet, target, no, book, value)
SELECT sheet, $2, $3, book, value FROM unnest($1::text[], $4::text[], $5::jsonb[]) AS read (sheet, book, value)
ON CONFLICT (sheet) DO UPDATE SET no = excluded.no, book = coalesce(excluded.book, known.book), value = excluded.value
WHERE excluded.no > known.no AND excluded.value IS DISTINCT FROM known.value
RETURNING sheet
"""


async def next_no(connection: Connection) -> int:
    found = await connection.fetchval(_NEXT)
    return int(found)


async def describe(vault: Vault, row: Timesheet, target: str, book: str | None) -> Reading:
    """A row with its text sealed under its ticket's key; without text if that key was destroyed."""
    if book is None or row.description is None:
        return reading_of(row, target, None)
    key = (await vault.ensure_keys([book]))[book]
    if key is None:
        return reading_of(row, target, None)
    sealed = seal(row.description, key=key, subject=book, field=DESCRIPTION)
    return reading_of(row, target, sealed)


async def keep(
    connection: Connection, target: str, no: int, read: Sequence[tuple[SheetId, str | None, Any]]
) -> set[SheetId]:
    """Cache what a reader saw, (sheet, book, value) each; gives the sheets for which it was news."""
    rows = await connection.fetch(
        _UPSERT,
        [sheet for sheet, _, _ in read],
        target,
        no,
        [book for _, book, _ in read],
        [None if value is None else json.dumps(value) for _, _, value in read],
    )
    return {row["sheet"] for row in rows}


async def cached(connection: Connection, sheets: Iterable[SheetId]) -> dict[SheetId, Any]:
    rows = await connection.fetch(
        "SELECT sheet, value FROM push.timesheets WHERE sheet = ANY ($1::text[])", list(sheets)
    )
    return {
        row["sheet"]: None if row["value"] is None else json.loads(row["value"]) for row in rows
    }


async def known_to_live(connection: Connection, target: str) -> dict[SheetId, BookId]:
    """Sheets of ours, with their books, that a complete list must hold; the ledger taught them."""
    rows = await connection.fetch(
        "SELECT sheet, book FROM push.timesheets"
        " WHERE target = $1 AND book IS NOT NULL AND value IS NOT NULL",
        target,
    )
    return {row["sheet"]: row["book"] for row in rows}


async def tied_books(connection: Connection, sheets: Iterable[SheetId]) -> dict[SheetId, BookId]:
    rows = await connection.fetch(
        "SELECT sheet, book FROM push.tied WHERE sheet = ANY ($1::text[])", list(sheets)
    )
    return {row["sheet"]: row["book"] for row in rows}


async def creates(connection: Connection, codes: Iterable[str]) -> dict[str, Create]:
    """Which of these markers name a request that we know."""
    rows = await connection.fetch(
        "SELECT create_code, book, state = 'done' AS done FROM push.effects"
        " WHERE create_code = ANY ($1::text[]) AND op IN ('create', 'adopt')",
        sorted(set(codes)),
    )
    return {row["create_code"]: Create(row["book"], row["done"]) for row in rows}

"""A million entries in the read model, as if they had come over three years; nothing of them stands on the ledger."""

from collections.abc import Iterator
from pathlib import Path

import asyncpg
from cryptography.fernet import Fernet

from hourbook_contracts.ids import book_of
from hourbook_kit.sealing import new_key, seal

ENTRIES, TICKETS = 1_000_000, 250_000
CHUNK = 10_000
SQL = Path(__file__).with_suffix(".sql")
WORDS = ("Printer", "VPN", "Invoice", "Laptop", "Password", "Backup", "Mail", "Phone")
TABLES = ("book.entries", "book.conflicts", "book.history", "push.effects")
_INDEXES = """
SELECT format('%I.%I', schemaname, indexname) AS name, indexdef AS definition FROM pg_indexes
WHERE schemaname || '.' || tablename = ANY($1::text[]) AND indexname NOT IN (SELECT conname FROM pg_constraint)
"""
Row = tuple[object, ...]


async def fill(dsn: str, vault_key: str) -> None:
    """As the database's owner, into tables that hold next to nothing yet."""
    connection = await asyncpg.connect(dsn)
    try:
        for keys, tickets in _tickets(Fernet(vault_key)):
            await connection.copy_records_to_table(
                "subject_keys", schema_name="vault", columns=("subject", "wrapped"), records=keys
            )
            await connection.copy_records_to_table(
                "tickets",
                schema_name="book",
                columns=("book", "number", "title", "organization_id", "customer_id", "tags"),
                records=tickets,
            )
        await connection.execute("SET maintenance_work_mem = '256MB'")
        indexes = await connection.fetch(_INDEXES, list(TABLES))
        for index in indexes:  # made at the end, they are made at once
            await connection.execute(f"DROP INDEX {index['name']}")
        await connection.execute(SQL.read_text())
        for index in indexes:
            await connection.execute(index["definition"])
        await connection.execute("VACUUM ANALYZE")  # as autovacuum has it long since
    finally:
        await connection.close()


def _tickets(vault: Fernet) -> Iterator[tuple[list[Row], list[Row]]]:
    """Their keys and themselves, some at a time: each title is sealed under a key of its own."""
    for first in range(1, TICKETS + 1, CHUNK):
        keys: list[Row] = []
        rows: list[Row] = []
        for number in range(first, first + CHUNK):
            book, key = book_of("desk", number), new_key()
            words = f"{WORDS[number % 8]} and {WORDS[number // 8 % 8]} of desk {number % 1000}"
            title = seal(words, key=key, subject=book, field="title").model_dump_json()
            keys.append((book, vault.encrypt(key)))
            rows.append((book, f"48{number:06}", title, number % 400, number % 5000, []))
        yield keys, rows

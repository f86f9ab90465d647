"""The schema of the second read model: made like the first one, and what it takes over from it."""

import asyncpg

from hourbook_kit import migrations
from hourbook_reconciler.queries import SCHEMA, query

NEXT, OLD = "book_next", "book_old"
ROLE, PACKAGE = "hourbook_reconciler", "hourbook_reconciler"
BY_BOOK = ("books", "tickets", "entries", "conflicts", "history")
"""What holds rows of books."""
_FOLDED = {*BY_BOOK, "quarantine", "outbox", "checkpoint", "assessment"}
_GRANTS = """
SELECT DISTINCT grantee::regrole::text AS grantee
FROM pg_namespace, aclexplode(nspacl) WHERE nspname = $1 AND privilege_type = 'USAGE'
"""


async def begin(connection: asyncpg.Connection) -> None:
    """The second schema, empty, or as far as one that was stopped had come with these migrations."""
    made_by = await migrations.digest(connection, PACKAGE)
    if await exists(connection, NEXT):
        known = await connection.fetchval("SELECT obj_description($1::regnamespace)", NEXT)
        if known == made_by:
            return
    async with connection.transaction():
        await connection.execute(f'DROP SCHEMA IF EXISTS "{NEXT}" CASCADE')
        await connection.execute(f'CREATE SCHEMA "{NEXT}"')
        await migrations.repeat(connection, PACKAGE, NEXT, ROLE)
        for grant in await connection.fetch(_GRANTS, SCHEMA):
            await connection.execute(f'GRANT USAGE ON SCHEMA "{NEXT}" TO {grant["grantee"]}')
        await connection.execute(f"COMMENT ON SCHEMA \"{NEXT}\" IS '{made_by}'")


async def take_over(connection: asyncpg.Connection) -> None:
    """What no fold makes: which policy has decided, where the outbox counts on, and tables beside the model.

    The outbox itself stays behind: all books are assessed anew, and say again what was not said.
    """
    await connection.execute(query("take_over_checkpoints"))
    await connection.execute(query("take_over_assessment"))
    await connection.execute(
        "SELECT setval(pg_get_serial_sequence($1, 'id'), nextval(pg_get_serial_sequence($2, 'id')))",
        f"{NEXT}.outbox",
        f"{SCHEMA}.outbox",
    )  # the relay deletes by id what it has sent: no new row may have an old one's
    for table in await _tables(connection):
        if table not in _FOLDED:
            await connection.execute(
                f'INSERT INTO {NEXT}."{table}" OVERRIDING SYSTEM VALUE'  # noqa: S608 -- from the catalogue
                f' SELECT * FROM {SCHEMA}."{table}" ON CONFLICT DO NOTHING'
            )


async def exists(connection: asyncpg.Connection, schema: str) -> bool:
    found: bool = await connection.fetchval("SELECT to_regnamespace($1) IS NOT NULL", schema)
    return found


async def _tables(connection: asyncpg.Connection) -> list[str]:
    rows = await connection.fetch(
        "SELECT relname FROM pg_class WHERE relnamespace = $1::regnamespace AND relkind = 'r'",
        SCHEMA,
    )
    return [row["relname"] for row in rows]

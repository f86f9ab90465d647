"""Migrations: SQL in files, forward only; `hourbook migrate` is the only thing with an owner's rights.

A service's files are `migrations/<number>_<words>.<pre|post>.sql` in its package: `pre` before its new
version starts, `post` after. `{role}` in a file is the service's role.
"""

import hashlib
from importlib.resources import files
from typing import Literal

import asyncpg

Phase = Literal["pre", "post"]


class ChangedMigrationError(Exception):
    """A migration that was applied has been edited since: write a new one instead."""


async def prepare(connection: asyncpg.Connection, schema: str, role: str, password: str) -> None:
    """Make a service's role and schema where they are missing, and set the role's password."""
    if not await connection.fetchval("SELECT 1 FROM pg_roles WHERE rolname = $1", role):
        await connection.execute(f'CREATE ROLE "{role}" LOGIN')
    quoted = await connection.fetchval("SELECT quote_literal($1::text)", password)
    await connection.execute(f'ALTER ROLE "{role}" PASSWORD {quoted}')
    await connection.execute(f'CREATE SCHEMA IF NOT EXISTS "{schema}"')
    await connection.execute(f'GRANT USAGE ON SCHEMA "{schema}" TO "{role}"')


async def apply(
    connection: asyncpg.Connection, package: str, schema: str, role: str, phase: Phase
) -> list[str]:
    """Apply what is new of a package's migrations, each in a transaction; gives their names."""
    await connection.execute(
        "CREATE TABLE IF NOT EXISTS public.migrations (package text, name text, digest text,"
        " applied_at timestamptz DEFAULT now(), PRIMARY KEY (package, name))"
    )
    if not await connection.fetchval(
        "SELECT EXISTS (SELECT FROM pg_class WHERE relnamespace = $1::regnamespace)", schema
    ):  # dropped, to be made again from what is for ever
        await connection.execute("DELETE FROM public.migrations WHERE package = $1", package)
    applied = []
    for name, text in _texts(package, phase):
        digest = hashlib.sha256(text.encode()).hexdigest()
        known = await connection.fetchval(
            "SELECT digest FROM public.migrations WHERE package = $1 AND name = $2", package, name
        )
        if known == digest:
            continue
        if known is not None:
            raise ChangedMigrationError(f"{package}/{name}")
        async with connection.transaction():
            await connection.execute(f'SET LOCAL search_path = "{schema}"')
            await connection.execute(text.replace("{role}", f'"{role}"'))
            await connection.execute(
                "INSERT INTO public.migrations (package, name, digest) VALUES ($1, $2, $3)",
                package,
                name,
                digest,
            )
        applied.append(f"{package}/{name}")
    return applied


async def repeat(connection: asyncpg.Connection, package: str, schema: str, role: str) -> None:
    """Apply to an empty schema, within the caller's transaction, all that was applied to a package's own."""
    await connection.execute(f'SET LOCAL search_path = "{schema}"')
    folder = files(package) / "migrations"
    for row in await _applied(connection, package):
        text = (folder / row["name"]).read_text()
        if hashlib.sha256(text.encode()).hexdigest() != row["digest"]:
            raise ChangedMigrationError(f"{package}/{row['name']}")
        await connection.execute(text.replace("{role}", f'"{role}"'))
    await connection.execute("SET LOCAL search_path TO DEFAULT")


async def digest(connection: asyncpg.Connection, package: str) -> str:
    """Of all that was applied of a package: two schemas that it was applied to have one shape."""
    rows = await _applied(connection, package)
    return hashlib.sha256("".join(row["digest"] for row in rows).encode()).hexdigest()


async def _applied(connection: asyncpg.Connection, package: str) -> list[asyncpg.Record]:
    rows: list[asyncpg.Record] = await connection.fetch(
        "SELECT name, digest FROM public.migrations WHERE package = $1 ORDER BY applied_at, name",
        package,
    )
    return rows


def _texts(package: str, phase: Phase) -> list[tuple[str, str]]:
    folder = files(package) / "migrations"
    found = sorted(
        (file for file in folder.iterdir() if file.name.endswith(f".{phase}.sql")),
        key=lambda file: file.name,
    )
    return [(file.name, file.read_text()) for file in found]

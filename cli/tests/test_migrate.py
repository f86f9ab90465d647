"""Migrations: as often as one likes, by an owner who is no superuser."""

import asyncpg
import pytest

from hourbook_cli.migrate import OWNERS, migrate_database

pytestmark = pytest.mark.anyio

PASSWORDS = {owner.role: owner.role for owner in OWNERS}


async def database(postgres: str, name: str, owner: str = "postgres") -> str:
    connection = await asyncpg.connect(postgres)
    await connection.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
    await connection.execute(f'CREATE DATABASE "{name}" OWNER {owner}')
    await connection.close()
    return postgres.rsplit("/", 1)[0] + "/" + name


async def test_a_second_time_there_is_nothing_to_do(postgres: str) -> None:
    dsn = await database(postgres, "migrate_twice")
    assert await migrate_database(dsn, PASSWORDS, "pre")
    assert await migrate_database(dsn, PASSWORDS, "pre") == []


async def test_a_schema_that_was_dropped_is_made_again(postgres: str) -> None:
    dsn = await database(postgres, "migrate_dropped")
    await migrate_database(dsn, PASSWORDS, "pre")
    connection = await asyncpg.connect(dsn)
    await connection.execute("DROP SCHEMA push CASCADE")
    again = await migrate_database(dsn, PASSWORDS, "pre")
    assert again
    assert {name.split("/")[0] for name in again} == {"hourbook_push_kimai"}
    assert await connection.fetchval("SELECT count(*) FROM push.effects") == 0
    await connection.close()


async def test_an_owner_who_may_make_roles_needs_no_superusers_rights(postgres: str) -> None:
    """As CloudNativePG gives one: deploy/k8s/overlays/production/data/postgres.yaml."""
    connection = await asyncpg.connect(postgres)
    await connection.execute("DROP DATABASE IF EXISTS migrate_owner WITH (FORCE)")
    await connection.execute("DROP ROLE IF EXISTS hourbook_owner")
    await connection.execute("CREATE ROLE hourbook_owner LOGIN CREATEROLE PASSWORD 'owner'")
    # the services' roles are the whole server's, and other tests have made them as a superuser
    for role in PASSWORDS:
        if await connection.fetchval("SELECT 1 FROM pg_roles WHERE rolname = $1", role):
            await connection.execute(f"GRANT {role} TO hourbook_owner WITH ADMIN OPTION")
    await connection.close()
    await database(postgres, "migrate_owner", "hourbook_owner")
    place = postgres.rsplit("@", 1)[-1].rsplit("/", 1)[0]
    dsn = f"postgresql://hourbook_owner:owner@{place}/migrate_owner"
    assert await migrate_database(dsn, PASSWORDS, "pre")
    as_service = f"postgresql://hourbook_push:hourbook_push@{place}/migrate_owner"
    connection = await asyncpg.connect(as_service)
    assert await connection.fetch("SELECT * FROM vault.keys_of(ARRAY['nobody'])") == []
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await connection.fetch("SELECT * FROM vault.subject_keys")
    await connection.close()

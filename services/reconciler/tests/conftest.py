"""A database of our own with all schemas in it, and the reconciler's role on it."""

from collections.abc import AsyncIterator

import asyncpg
import pytest
from cryptography.fernet import Fernet

from hourbook_cli.migrate import OWNERS, create_topics, migrate_database
from hourbook_local.children import free_port
from hourbook_reconciler.settings import Settings

TABLES = "books, tickets, entries, conflicts, history, quarantine, outbox, checkpoint"


@pytest.fixture(scope="session")
async def owner_dsn(postgres: str, worker_id: str) -> str:
    name = f"reconciler_{worker_id}"
    connection = await asyncpg.connect(postgres)
    await connection.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
    await connection.execute(f'CREATE DATABASE "{name}"')
    await connection.close()
    dsn = postgres.rsplit("/", 1)[0] + "/" + name
    await migrate_database(dsn, {owner.role: owner.role for owner in OWNERS}, "pre")
    return dsn


@pytest.fixture
async def dsn(owner_dsn: str) -> str:
    """Of the reconciler's role, on a read model that is empty."""
    owner = await asyncpg.connect(owner_dsn, server_settings={"search_path": "book"})
    await owner.execute(f"TRUNCATE {TABLES}")
    await owner.execute(
        "UPDATE assessment SET policy_version = 0, fold_version = 0, after_book = '', finished = false"
    )
    await owner.close()
    place = owner_dsn.rsplit("@", 1)[1]
    return f"postgresql://hourbook_reconciler:hourbook_reconciler@{place}"


@pytest.fixture
async def connection(dsn: str) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(dsn, server_settings={"timezone": "UTC"})
    yield connection
    await connection.close()


@pytest.fixture
async def settings(dsn: str, kafka: str) -> Settings:
    """Of a reconciler on an own port and in an own group; all topics are there."""
    settings = Settings.model_validate(
        {
            "kafka_bootstrap": kafka,
            "database_url": dsn,
            "vault_key": Fernet.generate_key().decode(),
            "port": free_port(),
            "consumer_group": f"reconciler-{free_port()}",
            "log_level": "WARNING",
        }
    )
    await create_topics(settings, 1)
    return settings

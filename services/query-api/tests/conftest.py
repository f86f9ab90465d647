"""The whole API in this process, on a database and a broker that are real."""

import asyncio
from collections.abc import AsyncIterator

import asyncpg
import httpx
import pytest
from cryptography.fernet import Fernet

from hourbook_cli.migrate import OWNERS, create_topics, migrate_database
from hourbook_kit.health import Health
from hourbook_kit.settings import KafkaSettings
from hourbook_query_api.app import create_app
from hourbook_query_api.desk import Desk
from hourbook_query_api.settings import Settings
from hourbook_query_api.testing import House, Shelf


@pytest.fixture(scope="session")
async def owner_dsn(postgres: str, worker_id: str) -> str:
    """A database of our own: other suites fill theirs."""
    name = f"query_{worker_id}"
    connection = await asyncpg.connect(postgres)
    await connection.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
    await connection.execute(f'CREATE DATABASE "{name}"')
    await connection.close()
    dsn = postgres.rsplit("/", 1)[0] + "/" + name
    await migrate_database(dsn, {owner.role: owner.role for owner in OWNERS}, "pre")
    return dsn


@pytest.fixture(scope="session")
def settings(owner_dsn: str, kafka: str, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    place = owner_dsn.rsplit("@", 1)[1]
    folder = tmp_path_factory.mktemp("query-api")
    return Settings.model_validate(
        {
            "kafka_bootstrap": kafka,
            "database_url": f"postgresql://hourbook_query:hourbook_query@{place}",
            "vault_key": Fernet.generate_key().decode(),
            "setup_token_file": folder / "setup-token",
            "access_minutes": 60,
            "live_seconds_max": 1,
            "undo_seconds": 1,
        }
    )


@pytest.fixture(scope="session")
async def house(settings: Settings, owner_dsn: str) -> AsyncIterator[House]:
    await create_topics(KafkaSettings(kafka_bootstrap=settings.kafka_bootstrap), 1)
    told: list[str] = []
    desk = Desk(settings, Health(), tell=told.append)
    app = create_app(desk)
    async with (
        asyncpg.create_pool(owner_dsn, min_size=1, max_size=2) as owner,
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="https://api") as client,
    ):
        async with asyncio.timeout(30):
            while not desk.health.started:  # noqa: ASYNC110 -- asked as an orchestrator asks
                await asyncio.sleep(0.05)
        house = House(desk, app, client, owner, settings, told)
        await house.set_up()
        yield house


@pytest.fixture
def client(house: House) -> httpx.AsyncClient:
    return house.client


@pytest.fixture
async def shelf(house: House) -> AsyncIterator[Shelf]:
    """An answer that a test leaves held is never said: all suites share one ledger."""
    await house.owner.execute("TRUNCATE book.tickets, book.entries, book.history, book.conflicts")
    yield Shelf(house.owner)
    await house.owner.execute("DELETE FROM control.resolved WHERE state = 'held'")

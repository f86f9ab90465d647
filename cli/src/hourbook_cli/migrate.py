"""`hourbook migrate`: roles, schemas and topics, as often as one likes."""

from dataclasses import dataclass

import asyncpg
from aiokafka.admin import NewTopic
from aiokafka.errors import for_code
from pydantic import SecretStr

from hourbook_cli.backup import OwnerSettings
from hourbook_contracts.topics import COMMON_SETTINGS, TOPICS
from hourbook_kit import kafka
from hourbook_kit.migrations import Phase, apply, prepare
from hourbook_kit.settings import KafkaSettings

TOPIC_ALREADY_EXISTS = 36


class MigrateSettings(OwnerSettings):
    """And the passwords the services' roles shall have."""

    ingest_password: SecretStr
    reconciler_password: SecretStr
    push_password: SecretStr
    query_password: SecretStr
    topic_replicas: int = 1


@dataclass(frozen=True, slots=True)
class Owner:
    """A service, its role, and the schemas it owns; its first schema is where its migrations run."""

    package: str
    role: str
    schemas: tuple[str, ...]


OWNERS = (  # query-api first: the others' grants name the vault's functions, its grants their tables
    Owner("hourbook_query_api", "hourbook_query", ("control", "vault")),
    Owner("hourbook_ingest_zammad", "hourbook_ingest", ("ingest",)),
    Owner("hourbook_reconciler", "hourbook_reconciler", ("book",)),
    Owner("hourbook_push_kimai", "hourbook_push", ("push",)),
)


class TopicError(Exception):
    """A topic could not be made."""


async def migrate_database(dsn: str, passwords: dict[str, str], phase: Phase) -> list[str]:
    """Apply what is new to the database; gives what was applied. Passwords are by role."""
    connection = await asyncpg.connect(dsn)
    try:
        for owner in OWNERS:
            for schema in owner.schemas:
                await prepare(connection, schema, owner.role, passwords[owner.role])
        return [
            name
            for owner in OWNERS
            for name in await apply(connection, owner.package, owner.schemas[0], owner.role, phase)
        ]
    finally:
        await connection.close()


async def create_topics(settings: KafkaSettings, replicas: int) -> list[str]:
    """Make the topics that are missing, with the settings of the table; gives their names."""
    common = COMMON_SETTINGS | {"min.insync.replicas": str(max(1, replicas - 1))}
    client = kafka.admin(settings)
    await client.start()
    try:
        answer = await client.create_topics(
            [
                NewTopic(
                    topic.name, topic.partitions, replicas, topic_configs=common | topic.settings
                )
                for topic in TOPICS
            ]
        )
    finally:
        await client.close()
    made = []
    for name, code, *_ in answer.topic_errors:
        if code == TOPIC_ALREADY_EXISTS:
            continue
        if code:
            raise TopicError(f"{name}: {for_code(code).__name__}")
        made.append(name)
    return made


async def migrate(settings: MigrateSettings, phase: Phase) -> list[str]:
    """Both, in the order services need them; gives what was made."""
    passwords = {
        "hourbook_ingest": settings.ingest_password.get_secret_value(),
        "hourbook_reconciler": settings.reconciler_password.get_secret_value(),
        "hourbook_push": settings.push_password.get_secret_value(),
        "hourbook_query": settings.query_password.get_secret_value(),
    }
    applied = await migrate_database(
        settings.admin_database_url.get_secret_value(), passwords, phase
    )
    return applied + await create_topics(settings, settings.topic_replicas)

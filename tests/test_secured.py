"""Everything runs with production's locks: Kafka by TLS and SCRAM, each service with its own rights only."""

import asyncio
import os
import ssl
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.errors import (
    GroupAuthorizationFailedError,
    KafkaConnectionError,
    TopicAuthorizationFailedError,
)

from bench.secured import Secured, secured
from bench.world import World, eventually, world
from hourbook_contracts.topics import INBOX, LEDGER
from hourbook_local.stack import JOBS, SERVICES, Parts

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.slow,
    pytest.mark.timeout(600),
]  # two brokers more than elsewhere


@pytest.fixture(scope="module")
async def locked(folder: Path) -> Secured:
    return await secured(folder / "secured")


@pytest.fixture(scope="module")
async def here(locked: Secured, folder: Path) -> AsyncIterator[World]:
    parts = Parts(
        environment={name: locked.environment(name) for name in (*SERVICES, JOBS)},
        kafka_settings=locked.settings,
    )
    async with world(folder / "secured", parts) as up:
        yield up


async def test_an_hour_travels_with_no_more_rights_than_the_manifests_give(here: World) -> None:
    booked = await here.book(await here.new_ticket("Behind locks"), 15)

    async def holds() -> bool:
        row = await here.sheet_of(booked)
        return row is not None and row["duration"] == 900

    await eventually(holds, seconds=60, what="15 minutes in Kimai")


@pytest.mark.parametrize("kind", ["as_of", "rebuild"])
async def test_a_job_is_done_by_who_may_only_read(here: World, kind: str) -> None:
    job = (await here.api.post("/api/jobs", {"kind": kind}))["job"]

    async def is_done() -> bool:
        told = await here.api.get(f"/api/jobs/{job}")
        assert told["failure"] is None
        return bool(told["state"] == "done")

    await eventually(is_done, seconds=90, what=kind)


async def test_the_command_makes_what_is_missing_with_its_own_rights(
    here: World, locked: Secured
) -> None:
    passwords = here.stack.keys.model_dump(exclude={"vault_key"})
    migrate = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "hourbook_cli", "migrate", "--phase", "pre"),
        env=os.environ
        | {"HOURBOOK_ADMIN_DATABASE_URL": here.stack.admin_dsn}
        | {f"HOURBOOK_{name.upper()}": word for name, word in passwords.items()}
        | locked.environment("hourbook"),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    said, _ = await migrate.communicate()
    assert migrate.returncode == 0, said.decode()


@pytest.mark.usefixtures("here")
async def test_nobody_writes_or_reads_where_it_has_no_business(locked: Secured) -> None:
    async with AIOKafkaProducer(**locked.client("push-kimai")) as producer:
        with pytest.raises(TopicAuthorizationFailedError):
            await producer.send_and_wait(INBOX.name, b"{}")
    async with AIOKafkaConsumer(**locked.client("query-api")) as consumer:
        consumer.assign([TopicPartition(INBOX.name, 0)])
        with pytest.raises(TopicAuthorizationFailedError):
            await asyncio.wait_for(consumer.getone(), 30)
    stranger = AIOKafkaConsumer(
        LEDGER.name, group_id="hourbook-reconciler", **locked.client("push-kimai")
    )
    with pytest.raises(GroupAuthorizationFailedError):
        await asyncio.wait_for(first_of(stranger), 30)


async def first_of(consumer: AIOKafkaConsumer) -> None:
    """One that is refused while it starts is to be stopped too."""
    try:
        await consumer.start()
        await consumer.getone()
    finally:
        await consumer.stop()


@pytest.mark.usefixtures("here")
@pytest.mark.parametrize(
    "other",
    [
        {"sasl_plain_password": "guessed"},
        {"security_protocol": "SSL"},
        {"ssl_context": ssl.create_default_context()},
    ],
    ids=["a wrong password", "nobody", "an authority that is not ours"],
)
async def test_who_cannot_say_who_they_are_do_not_come_in(
    locked: Secured, other: dict[str, Any]
) -> None:
    producer = AIOKafkaProducer(**locked.client("push-kimai", **other), request_timeout_ms=2000)
    with pytest.raises(KafkaConnectionError):
        await producer.start()
    await producer.stop()

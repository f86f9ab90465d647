"""The whole service on a real Kafka and a real PostgreSQL, with a Zammad in memory."""

import asyncio
import hashlib
import hmac
import json
import os
import random
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import count
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import httpx
import pytest
import uvicorn
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, ConsumerRecord, TopicPartition
from cryptography.fernet import Fernet
from pydantic import SecretStr
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from hourbook_cli.migrate import OWNERS, create_topics, migrate_database
from hourbook_contracts.codec import decode, encode, header
from hourbook_contracts.control import (
    UNIT_CHANGED,
    AlarmAnswered,
    AlarmRaised,
    BackfillRequested,
    ConnectionRemoved,
    ControlEvent,
    SourceConfigured,
    SyncRequested,
    UnitConfirmed,
)
from hourbook_contracts.dead_letters import MessageParked
from hourbook_contracts.ids import number_of
from hourbook_contracts.ledger import EntryRecorded, EntryRetracted, LedgerMessage, TicketObserved
from hourbook_contracts.message import Message
from hourbook_contracts.privacy import KeysDestroyed, PersonErased, user_of
from hourbook_contracts.topics import CONTROL, DEAD_LETTERS, INBOX, LEDGER
from hourbook_ingest_zammad.__main__ import run
from hourbook_ingest_zammad.settings import Settings
from hourbook_ingest_zammad.testing import FakeZammad
from hourbook_ingest_zammad.webhook import Door, application
from hourbook_ingest_zammad.zammad import CONNECTOR, Zammad
from hourbook_kit import kafka as kit_kafka
from hourbook_kit.health import Health
from hourbook_kit.sealing import unseal
from hourbook_kit.settings import KafkaSettings
from hourbook_kit.source.backfilling import AT_ONCE
from hourbook_kit.source.requests import Requests
from hourbook_kit.telemetry import start_tracing
from hourbook_kit.vault import Vault
from hourbook_local.children import free_port

pytestmark = [pytest.mark.anyio, pytest.mark.xdist_group("ingest")]

VAULT_KEY = Fernet.generate_key().decode()
ROLE = "hourbook_ingest"
PASSWORD = ROLE  # as in every suite: roles are the server's, which all share
NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
names = count(1)


class World:
    """One source with its Zammad, and the service that reads it."""

    def __init__(self, settings: Settings, admin_pool: asyncpg.Pool) -> None:
        self.settings, self.pool = settings, admin_pool
        self.name = f"support-{next(names)}"
        self.zammad = FakeZammad()
        self.health = Health()
        self.producer: AIOKafkaProducer
        self.http: httpx.AsyncClient
        self._work: asyncio.Task[None] | None = None
        self._begins: dict[TopicPartition, int] = {}

    # ------------------------------------------------------------------------------- the service
    async def start(self) -> None:
        self.health = Health()
        door = Door(self.settings, self.health)
        self._work = asyncio.create_task(
            run(door, {"zammad": replace(CONNECTOR, connect=self._connect)})
        )
        self.http = httpx.AsyncClient(
            transport=httpx.ASGITransport(application(door)), base_url="http://ingest"
        )
        await self.until(lambda: self.health.started)

    async def stop(self) -> None:
        """As abruptly as one can within a process: every task ends at its next await."""
        if self._work is None:
            return
        await self.http.aclose()
        self._work.cancel()
        with suppress(asyncio.CancelledError):
            await self._work
        self._work = None

    def _connect(self, base_url: str, secrets: Mapping[str, str]) -> Zammad:
        token, secret = secrets["token"], secrets.get("webhook_secret")
        if base_url == f"http://{self.name}":
            return self.zammad.client(token, secret)
        unwell = FakeZammad(failing={"everything": httpx.Response(503, json={})})
        return unwell.client(token, secret)  # another test's

    async def until(self, holds: Callable[[], bool | Awaitable[bool]], seconds: float = 20) -> None:
        async with asyncio.timeout(seconds):
            while True:
                found = holds()
                if found if isinstance(found, bool) else await found:
                    return
                if self._work is not None and self._work.done():
                    await self._work
                await asyncio.sleep(0.02)

    # ------------------------------------------------------------------------------ what people do
    async def publish(self, event: ControlEvent) -> None:
        await kit_kafka.send(self.producer, CONTROL.name, encode(event), 0)

    async def configure(
        self,
        *,
        poll_seconds: float = 0.2,
        sweep_seconds: float = 3600,
        base_url: str | None = None,
    ) -> None:
        vault = Vault(self.pool, VAULT_KEY)
        for secret in ("token", "webhook_secret"):
            await self.pool.execute(
                "INSERT INTO vault.secrets VALUES ($1, $2, 1, $3)",
                self.name,
                secret,
                vault.wrap("secret"),
            )
        await self.publish(
            SourceConfigured(
                observed_at=NOW,
                by="test",
                connection=self.name,
                base_url=base_url or f"http://{self.name}",
                secret_version=1,
                poll_seconds=poll_seconds,
                sweep_seconds=sweep_seconds,
            )
        )

    async def confirm(self, unit: str = "minute", seconds: int = 60, since: datetime = NOW) -> None:
        await self.publish(
            UnitConfirmed(
                observed_at=NOW,
                by="test",
                connection=self.name,
                unit=unit,
                seconds_per_unit=seconds,
                effective_from=since,
            )
        )

    async def ask_for_a_sweep(self) -> None:
        await self.publish(
            SyncRequested(observed_at=NOW, by="test", connection=self.name, what="sweep")
        )

    async def deliver(self, ticket_id: int, delivery: str) -> int:
        body = json.dumps({"ticket": {"id": ticket_id}}).encode()
        signature = "sha1=" + hmac.new(b"secret", body, hashlib.sha1).hexdigest()
        headers = {"X-Hub-Signature": signature, "X-Zammad-Delivery": delivery}
        path = f"/api/webhook/zammad/{self.name}"
        return (await self.http.post(path, content=body, headers=headers)).status_code

    # ---------------------------------------------------------------------------- what came of it
    async def mark(self) -> None:
        """From here on the topics are read."""
        async with reading(self.settings) as reader:
            self._begins = await reader.end_offsets(places())

    async def records(self, topic: str) -> list[ConsumerRecord]:
        async with reading(self.settings) as reader:
            at = [place for place in places() if place.topic == topic]
            reader.assign(at)
            for place in at:
                reader.seek(place, self._begins[place])
            ends = await reader.end_offsets(at)
            found: list[ConsumerRecord] = []
            missing = sum(ends[place] - self._begins[place] for place in at)
            while len(found) < missing:
                batches = await reader.getmany(timeout_ms=1000)
                found += [record for batch in batches.values() for record in batch]
        return found

    async def messages(self, topic: str) -> list[Message]:
        found = [decode(record.headers, record.value) for record in await self.records(topic)]
        return [m for m in found if self.name in (m.key or m.subject)]

    async def ledger(self) -> list[LedgerMessage]:
        return [m for m in await self.messages(LEDGER.name) if isinstance(m, LedgerMessage)]

    async def booked(self) -> dict[int, int]:
        """Minutes by time accounting: the ledger, folded."""
        last: dict[str, EntryRecorded | EntryRetracted] = {}
        for fact in await self.ledger():
            if isinstance(fact, EntryRecorded | EntryRetracted) and (
                fact.entry not in last or fact.no > last[fact.entry].no
            ):
                last[fact.entry] = fact
        return {
            number_of(entry): fact.duration_seconds // 60
            for entry, fact in last.items()
            if isinstance(fact, EntryRecorded)
        }

    def in_zammad(self) -> dict[int, int]:
        return {
            number: int(float(row["time_unit"])) for number, row in self.zammad.accountings.items()
        }

    async def is_true(self) -> bool:
        return await self.booked() == self.in_zammad()


def places() -> list[TopicPartition]:
    return [
        TopicPartition(topic.name, partition)
        for topic in (LEDGER, CONTROL, INBOX, DEAD_LETTERS)
        for partition in range(topic.partitions)
    ]


@asynccontextmanager
async def reading(settings: Settings) -> AsyncIterator[AIOKafkaConsumer]:
    reader = kit_kafka.consumer(settings)
    await reader.start()
    try:
        yield reader
    finally:
        await reader.stop()


@pytest.fixture(scope="module")
async def settings(kafka: str, postgres: str) -> Settings:
    await migrate_database(postgres, {owner.role: owner.role for owner in OWNERS}, "pre")
    await create_topics(KafkaSettings(kafka_bootstrap=kafka), 1)
    parts = urlsplit(postgres)
    host = parts.netloc.rpartition("@")[2]
    start_tracing("ingest-tests")
    return Settings(
        kafka_bootstrap=kafka,
        database_url=SecretStr(urlunsplit(parts._replace(netloc=f"{ROLE}:{PASSWORD}@{host}"))),
        vault_key=SecretStr(VAULT_KEY),
    )


@pytest.fixture
async def world(settings: Settings, pool: asyncpg.Pool) -> AsyncIterator[World]:
    world = World(settings, pool)
    world.producer = kit_kafka.producer(settings)
    await world.producer.start()
    await world.mark()
    await world.start()
    yield world
    await world.publish(ConnectionRemoved(observed_at=NOW, by="test", connection=world.name))
    await world.stop()
    await world.producer.stop()
    for table in ("readings", "sources", "obstacles", "backfills", "backfill_tickets"):
        await pool.execute(f"DELETE FROM ingest.{table} WHERE connection = $1", world.name)  # noqa: S608 -- names from the line above


async def test_nothing_is_read_before_a_person_confirmed_the_unit(world: World) -> None:
    world.zammad.book(1, "15.0")
    await world.configure()
    await world.until(lambda: f"unit {world.name}" in world.health.obstacles)
    assert not world.zammad.calls
    await world.confirm()
    await world.until(world.is_true)
    assert f"unit {world.name}" not in world.health.obstacles


async def test_a_first_sync_reads_each_ticket_once_and_the_next_poll_costs_one_call(
    world: World,
) -> None:
    for ticket_id in range(1, 101):
        for _ in range(3):
            world.zammad.book(ticket_id, "15.0")
    world.zammad.latency_seconds = 0.02
    await world.configure(poll_seconds=3600)
    await world.confirm()
    await world.until(world.is_true)
    kinds = [type(fact) for fact in await world.ledger()]
    assert (kinds.count(TicketObserved), kinds.count(EntryRecorded)) == (100, 300)
    await world.until(lambda: world.zammad.calls["all"] == 2)  # one poll, one sweep
    asked = len(await world.messages(INBOX.name))
    assert asked == 100
    await world.publish(SyncRequested(observed_at=NOW, by="test", connection=world.name))
    await world.until(lambda: world.zammad.calls["all"] == 3)
    await asyncio.sleep(0.2)
    assert len(await world.messages(INBOX.name)) == asked
    world.zammad.calls.pop("settings")  # the unit is looked at on its own
    world.zammad.calls.pop("search")
    assert world.zammad.calls == {"all": 3, "ticket": 100, "of_ticket": 100, "states": 1}


async def test_a_delivery_becomes_facts_of_one_trace(world: World, pool: asyncpg.Pool) -> None:
    await world.configure(poll_seconds=3600)
    await world.confirm()
    await world.until(lambda: world.zammad.calls["all"] == 2)
    world.zammad.book(7, "15.0", type_id=2)
    assert await world.deliver(7, "d-1") == 202
    await world.until(world.is_true)
    observed, recorded = await world.ledger()
    assert isinstance(observed, TicketObserved)
    assert isinstance(recorded, EntryRecorded)
    assert (recorded.duration_seconds, recorded.raw_units, recorded.activity_type_id) == (
        900,
        "15.0",
        2,
    )
    assert recorded.ticket == observed.ticket
    assert observed.title is not None
    key = (await Vault(pool, VAULT_KEY).keys_of([observed.book]))[observed.book]
    assert key is not None
    assert unseal(observed.title, key=key, field="title") == "Printer on fire"
    assert await traces(world, INBOX.name) == await traces(world, LEDGER.name)


async def traces(world: World, topic: str) -> set[str]:
    found = [
        header(record.headers, "traceparent") or "none"
        for record in await world.records(topic)
        if world.name.encode() in (record.key or b"")
    ]
    return {traceparent.split("-")[1] for traceparent in found}


async def test_a_delivery_seen_before_is_counted_also_after_a_restart(
    world: World, pool: asyncpg.Pool
) -> None:
    await world.configure(poll_seconds=3600)
    await world.confirm()
    world.zammad.book(7, "15.0")
    await world.until(lambda: world.zammad.calls["all"] >= 2)
    for _ in range(2):
        assert await world.deliver(7, "d-1") == 202
    await world.until(lambda: times(pool, world, 2))
    await world.until(world.is_true)
    await world.until(lambda: relayed(pool))
    await world.stop()
    await world.start()
    assert await world.deliver(7, "d-1") == 202
    await world.until(lambda: times(pool, world, 3))

    async def told_once() -> bool:
        return len(await world.ledger()) == 2

    await world.until(told_once)


async def relayed(pool: asyncpg.Pool) -> bool:
    """A relay that is stopped between sending and noting it sends once more."""
    return not await pool.fetchval("SELECT EXISTS (SELECT FROM ingest.outbox)")


async def times(pool: asyncpg.Pool, world: World, wanted: int) -> bool:
    found = await pool.fetchval(
        "SELECT times FROM ingest.deliveries WHERE connection = $1 AND delivery = 'd-1'",
        world.name,
    )
    return bool(found == wanted)


async def test_edits_are_found_by_a_poll_and_deletions_by_a_sweep(world: World) -> None:
    first, second, third = (world.zammad.book(n, "15.0") for n in (1, 1, 2))
    await world.configure()
    await world.confirm()
    await world.until(world.is_true)
    world.zammad.edit(first, "30.0")
    await world.until(world.is_true)
    world.zammad.delete(second)
    world.zammad.delete_ticket(2)
    await world.ask_for_a_sweep()
    await world.until(world.is_true)
    assert third not in await world.booked()


async def test_what_is_deleted_while_the_schema_is_lost_is_found(
    world: World, pool: asyncpg.Pool
) -> None:
    kept, deleted = world.zammad.book(1, "15.0"), world.zammad.book(1, "30.0")
    world.zammad.book(2, "45.0")
    await world.configure()
    await world.confirm()
    await world.until(world.is_true)
    await world.stop()
    await pool.execute("TRUNCATE ingest.readings, ingest.sources, ingest.ledger_tail")
    await pool.execute("UPDATE ingest.counter SET no = 0")
    world.zammad.delete(deleted)
    world.zammad.delete_ticket(2)
    world.zammad.edit(kept, "20.0")
    await world.start()
    await world.until(lambda: known(pool, world, 3))
    await world.ask_for_a_sweep()
    await world.until(world.is_true)


async def known(pool: asyncpg.Pool, world: World, entries: int) -> bool:
    found = await pool.fetchval(
        "SELECT count(*) FROM ingest.readings WHERE connection = $1 AND kind = 'entry'",
        world.name,
    )
    return bool(found >= entries)


async def test_a_suddenly_empty_zammad_is_not_believed_until_a_person_says_so(
    world: World,
) -> None:
    for n in range(30):
        world.zammad.book(n + 1, "15.0")
    await world.configure()
    await world.confirm()
    await world.until(world.is_true)
    away = dict(world.zammad.tickets)
    booked = dict(world.zammad.accountings)
    world.zammad.tickets.clear()
    world.zammad.accountings.clear()
    for _ in range(2):
        calls = world.zammad.calls["all"]
        await world.ask_for_a_sweep()
        await world.until(lambda calls=calls: world.zammad.calls["all"] > calls + 1)  # type: ignore[misc]
    await world.until(lambda: f"suddenly_empty {world.name}" in world.health.obstacles)
    await world.until(lambda: alarms(world, 1))
    assert len(await world.booked()) == 30

    world.zammad.tickets, world.zammad.accountings = away, booked  # it is well again
    await world.ask_for_a_sweep()
    await world.until(lambda: f"suddenly_empty {world.name}" not in world.health.obstacles)

    world.zammad.tickets, world.zammad.accountings = {}, {}
    await world.ask_for_a_sweep()
    await world.until(lambda: alarms(world, 2))
    await world.publish(
        AlarmAnswered(
            observed_at=NOW,
            by="test",
            connection=world.name,
            alarm="suddenly_empty",
            choice="believe",
        )
    )
    await world.until(world.is_true)
    assert await world.booked() == {}


async def alarms(world: World, wanted: int) -> bool:
    found = [m for m in await world.messages(CONTROL.name) if isinstance(m, AlarmRaised)]
    return len(found) == wanted and all((m.missing, m.known) == (30, 30) for m in found)


async def test_another_customer_is_found_by_a_poll_though_no_time_changed(world: World) -> None:
    world.zammad.book(1, "15.0")
    await world.configure()
    await world.confirm()
    await world.until(world.is_true)
    await world.until(lambda: world.zammad.calls["search"] >= 2)
    world.zammad.give(1, 9)
    await world.until(lambda: observed(world, 2))
    *_, last = [f for f in await world.ledger() if isinstance(f, TicketObserved)]
    assert last.ticket.organization_id == 9
    reads = world.zammad.calls["ticket"]
    await asyncio.sleep(0.6)
    assert world.zammad.calls["ticket"] == reads  # what was read since is not asked for again


async def observed(world: World, times: int) -> bool:
    return [type(fact) for fact in await world.ledger()].count(TicketObserved) == times


async def test_a_merge_is_told_with_the_ticket_it_went_into_and_time_stays(
    world: World, pool: asyncpg.Pool
) -> None:
    world.zammad.book(1, "15.0")
    world.zammad.open_ticket(2, "The other one")
    await world.configure()
    await world.confirm()
    await world.until(world.is_true)
    world.zammad.merge(1, 2)
    await world.until(lambda: observed(world, 2))
    *_, last = [f for f in await world.ledger() if isinstance(f, TicketObserved)]
    assert last.merged_into == f"zammad:{world.name}:2"
    assert last.merged_number == "66002"
    assert last.merged_title is not None
    assert last.merged_title.key_id == last.merged_into
    key = (await Vault(pool, VAULT_KEY).keys_of([last.merged_into]))[last.merged_into]
    assert key is not None
    assert unseal(last.merged_title, key=key, field="title") == "The other one"
    assert await world.booked() == {1: 15}


async def test_of_a_customer_who_was_erased_no_title_goes_on_the_ledger(world: World) -> None:
    """Neither of a ticket whose key was destroyed, nor of one that is met afterwards."""
    for ticket in (1, 2):
        world.zammad.book(ticket, "15.0")
    world.zammad.open_ticket(3)
    world.zammad.tickets[2]["customer_id"] = 27
    await world.configure()
    await world.confirm()
    await world.until(world.is_true)
    known = f"zammad:{world.name}:1"
    how = {"observed_at": NOW, "by": "test", "erasure": f"e-{world.name}"}
    await world.publish(KeysDestroyed.model_validate({**how, "subjects": (known,)}))
    erased = {**how, "asked_by": "test", "identities": (user_of(world.name, 26),)}
    await world.publish(PersonErased.model_validate(erased))
    for ticket in (1, 2, 3):
        world.zammad.book(ticket, "30.0")
    await world.until(world.is_true)
    last = {o.book: o for o in await world.ledger() if isinstance(o, TicketObserved)}
    titled = {book.rsplit(":", 1)[1]: o.title is not None for book, o in last.items()}
    assert titled == {"1": False, "2": True, "3": False}


async def test_another_type_that_touches_no_ticket_is_found_by_a_sweep_alone(world: World) -> None:
    booked = world.zammad.book(1, "15.0", type_id=2)
    await world.configure(poll_seconds=3600)
    await world.confirm()
    await world.until(world.is_true)
    world.zammad.retype(booked, 3)
    await world.ask_for_a_sweep()

    async def is_told() -> bool:
        *_, last = [f for f in await world.ledger() if isinstance(f, EntryRecorded)]
        return last.activity_type_id == 3

    await world.until(is_told)


async def test_where_tickets_cannot_be_searched_time_is_read_and_a_person_is_told(
    world: World, pool: asyncpg.Pool
) -> None:
    world.zammad.failing["search"] = httpx.Response(500, json={"error": "Invalid operator"})
    booked = world.zammad.book(1, "15.0")
    await world.configure()
    await world.confirm()
    await world.until(world.is_true)
    world.zammad.edit(booked, "30.0")
    await world.until(world.is_true)
    assert "by webhook only" in (await obstacles(pool, world))["tickets"]
    world.zammad.failing.clear()
    await world.until(lambda: gone(pool, world, "tickets"))


async def obstacles(pool: asyncpg.Pool, world: World) -> dict[str, str]:
    rows = await pool.fetch(
        "SELECT name, sentence FROM ingest.obstacles WHERE connection = $1", world.name
    )
    return {row["name"]: row["sentence"] for row in rows}


async def gone(pool: asyncpg.Pool, world: World, name: str) -> bool:
    return name not in await obstacles(pool, world)


async def test_a_list_that_never_holds_still_is_said_and_nothing_is_retracted(
    world: World, pool: asyncpg.Pool
) -> None:
    kept = world.zammad.book(1, "15.0")
    world.zammad.book(2, "15.0")
    await world.configure(poll_seconds=3600)
    await world.confirm()
    await world.until(world.is_true)
    honest = world.zammad._list

    def one_short(rows: list[dict[str, object]], params: httpx.QueryParams) -> httpx.Response:
        answer = honest([row for row in rows if row["id"] != kept], params)
        if params.get("full") != "true":
            return answer
        return httpx.Response(200, json=answer.json() | {"total_count": len(rows)})

    world.zammad._list = one_short  # type: ignore[method-assign]
    await world.ask_for_a_sweep()
    await world.until(lambda: f"watching {world.name}" in world.health.obstacles)
    assert "proves nothing" in (await obstacles(pool, world))["watching"]
    assert await world.booked() == {1: 15, 2: 15}
    world.zammad._list = honest  # type: ignore[method-assign]
    await world.until(lambda: gone(pool, world, "watching"))


async def test_a_zammad_before_62_is_refused_with_what_to_do(
    world: World, pool: asyncpg.Pool
) -> None:
    world.zammad.failing["all"] = httpx.Response(404, json={"error": "No route matches"})
    world.zammad.book(1, "15.0")
    await world.configure()
    await world.confirm()
    await world.until(lambda: f"watching {world.name}" in world.health.obstacles)
    assert "update it to 6.2 or newer" in (await obstacles(pool, world))["watching"]
    assert await world.booked() == {}


async def test_a_unit_that_got_another_name_holds_what_is_booked_since_until_a_person_says(
    world: World, pool: asyncpg.Pool
) -> None:
    world.zammad.book(1, "15.0")
    await world.configure()
    await world.confirm()
    await world.until(world.is_true)
    before = world.in_zammad()
    world.zammad.unit = "hour"
    await world.ask_for_a_sweep()
    await world.until(lambda: UNIT_CHANGED in " ".join(world.health.obstacles))
    (raised,) = [m for m in await world.messages(CONTROL.name) if isinstance(m, AlarmRaised)]
    assert raised.since is not None
    assert raised.detail is not None
    assert "a hour" in raised.detail
    world.zammad.at = raised.since + timedelta(minutes=5)
    world.zammad.book(1, "0.25")
    world.zammad.book(3, "0.5")
    await world.until(lambda: world.zammad.calls["of_ticket"] >= 2)
    await asyncio.sleep(0.5)
    assert await world.booked() == before
    await world.confirm("hour", 3600, since=raised.since)

    async def is_read() -> bool:
        return await world.booked() == {1: 15, 2: 15, 3: 30}

    await world.until(is_read)
    await world.until(lambda: gone(pool, world, UNIT_CHANGED))


async def test_a_unit_confirmed_for_the_past_counts_anew_what_came_since_and_nothing_before(
    world: World,
) -> None:
    world.zammad.book(1, "15.0")
    world.zammad.at += timedelta(days=1)
    switched = world.zammad.at
    world.zammad.book(1, "2.0")
    await world.configure()
    await world.confirm()
    await world.until(world.is_true)
    world.zammad.unit = "quarter"
    await world.confirm("quarter", 900, since=switched)

    async def is_counted() -> bool:
        return await world.booked() == {1: 15, 2: 30}

    await world.until(is_counted)


@pytest.mark.timeout(120)
async def test_days_are_read_again_with_progress_while_what_happens_now_goes_on(
    world: World, pool: asyncpg.Pool
) -> None:
    for ticket_id in range(1, 101):
        world.zammad.book(ticket_id, "15.0")
    world.zammad.at += timedelta(days=40)
    world.zammad.book(200, "15.0")
    await world.configure(poll_seconds=3600)
    await world.confirm()
    await world.until(world.is_true)
    world.zammad.latency_seconds = 0.05
    world.zammad.calls.clear()
    await world.publish(
        BackfillRequested(
            observed_at=NOW,
            by="test",
            connection=world.name,
            first_on=NOW.date(),
            last_on=NOW.date() + timedelta(days=1),
        )
    )
    await world.until(lambda: under_way(pool, world))
    await world.stop()
    await world.start()  # it goes on where it stood
    world.zammad.book(300, "45.0")
    assert await world.deliver(300, "d-live") == 202

    async def live_is_read() -> bool:
        return 300 in {row["ticket_id"] for row in world.zammad.accountings.values()} and (
            max(await world.booked()) == max(world.zammad.accountings)
        )

    await world.until(live_is_read)
    await world.until(lambda: finished(pool, world), seconds=60)
    row = await pool.fetchrow("SELECT * FROM ingest.backfills WHERE connection = $1", world.name)
    assert row is not None
    assert (row["tickets"], row["tickets_read"], row["tickets_failed"]) == (100, 100, 0)
    # What was on its way at the stop is asked for anew; what was being read then comes again from the
    # inbox besides; 300 is read for its delivery, and again if the first poll sees it too.
    again = AT_ONCE + world.settings.tickets_at_once
    assert 100 <= world.zammad.calls["ticket"] <= 100 + again + 2
    assert await pool.fetchval("SELECT count(*) FROM ingest.backfill_tickets") == 0


async def test_what_a_process_noted_and_never_asked_for_the_next_one_asks_for_at_once(
    world: World, pool: asyncpg.Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    for ticket_id in (1, 2, 3):
        world.zammad.book(ticket_id, "15.0")
    await world.configure(poll_seconds=3600)
    await world.confirm()
    await world.until(world.is_true)
    ask = Requests.ask

    async def dies(self: Requests, connection: str, tickets: Iterable[int], why: str) -> None:
        if connection == world.name and why == "backfill":
            await asyncio.Event().wait()
        await ask(self, connection, tickets, why)

    monkeypatch.setattr(Requests, "ask", dies)
    today = NOW.date()
    await world.publish(
        BackfillRequested(
            observed_at=NOW, by="test", connection=world.name, first_on=today, last_on=today
        )
    )
    await world.until(lambda: noted(pool, world))
    await world.stop()
    monkeypatch.undo()
    await world.start()
    await world.until(lambda: finished(pool, world))


async def noted(pool: asyncpg.Pool, world: World) -> bool:
    found = await pool.fetchval(
        "SELECT count(*) FROM ingest.backfill_tickets WHERE connection = $1 AND asked_at IS NOT NULL",
        world.name,
    )
    return bool(found)


async def under_way(pool: asyncpg.Pool, world: World) -> bool:
    read = await pool.fetchval(
        "SELECT count(*) FROM ingest.backfill_tickets WHERE connection = $1 AND read_at IS NOT NULL",
        world.name,
    )
    return 0 < int(read) < 100


async def finished(pool: asyncpg.Pool, world: World) -> bool:
    found = await pool.fetchval(
        "SELECT finished_at FROM ingest.backfills WHERE connection = $1", world.name
    )
    return found is not None


async def test_a_ticket_nobody_can_read_is_parked_and_holds_up_no_other(world: World) -> None:
    bad = world.zammad.book(1, "15.0")
    world.zammad.accountings[bad]["created_by_id"] = None
    world.zammad.book(2, "30.0")
    await world.configure(poll_seconds=3600)
    await world.confirm()
    await world.until(lambda: parked(world))
    assert await world.booked() == {2: 30}


async def parked(world: World) -> bool:
    found = [m for m in await world.messages(DEAD_LETTERS.name) if isinstance(m, MessageParked)]
    return len(found) == 1 and found[0].value is not None and "created_by_id" in found[0].error


async def test_a_ticket_that_is_slow_to_read_holds_up_no_delivery_behind_it(world: World) -> None:
    await world.configure(poll_seconds=3600)
    await world.confirm()
    await world.until(lambda: world.zammad.calls["all"] >= 2)
    world.zammad.book(7, "15.0")
    world.zammad.latency_seconds = 10
    before = world.zammad.asked
    assert await world.deliver(7, "d-1") == 202
    await world.until(lambda: world.zammad.asked > before)
    world.zammad.latency_seconds = 0
    world.zammad.book(8, "30.0")
    assert await world.deliver(8, "d-2") == 202

    async def of_the_second_alone() -> bool:
        return list((await world.booked()).values()) == [30]

    await world.until(of_the_second_alone, seconds=8)
    await world.until(world.is_true)


async def test_while_zammad_is_away_nothing_is_lost(world: World) -> None:
    await world.configure()
    await world.confirm()
    await world.until(lambda: world.zammad.calls["all"] >= 2)
    world.zammad.failing["everything"] = httpx.Response(502, html="<h1>Bad gateway</h1>")
    world.zammad.book(1, "15.0")
    assert await world.deliver(1, "d-1") == 202
    await world.until(lambda: f"reading {world.name}" in world.health.obstacles)
    await world.until(lambda: f"watching {world.name}" in world.health.obstacles)
    assert await world.booked() == {}
    world.zammad.failing.clear()
    await world.until(world.is_true)
    await world.until(lambda: not [o for o in world.health.obstacles if world.name in o])


@pytest.mark.slow
@pytest.mark.timeout(180)
async def test_killed_at_any_moment_the_ledger_becomes_true(world: World) -> None:
    chance = random.Random(random.randrange(10**6))  # noqa: S311 -- pytest-randomly prints its seed
    port = free_port()
    await world.stop()
    async with served(world.zammad) as base_url:
        await world.configure(sweep_seconds=0.5, base_url=base_url)
        await world.confirm()
        for _ in range(4):
            async with killed_afterwards(world.settings, port):
                for _ in range(chance.randrange(12)):
                    something_happens(world.zammad, chance)
                    await asyncio.sleep(chance.random() * 0.05)
        async with killed_afterwards(world.settings, port):
            await world.until(world.is_true, seconds=40)


def something_happens(zammad: FakeZammad, chance: random.Random) -> None:
    mine, what = list(zammad.accountings), chance.random()
    if what < 0.6 or not mine:
        zammad.book(chance.randrange(1, 9), f"{chance.randrange(1, 60)}.0")
    elif what < 0.8:
        zammad.edit(chance.choice(mine), f"{chance.randrange(1, 60)}.0")
    else:
        zammad.delete(chance.choice(mine))


@asynccontextmanager
async def killed_afterwards(settings: Settings, port: int) -> AsyncIterator[None]:
    """The service as a process of its own, until SIGKILL."""
    settings_by_name = {
        "HOURBOOK_KAFKA_BOOTSTRAP": settings.kafka_bootstrap,
        "HOURBOOK_DATABASE_URL": settings.database_url.get_secret_value(),
        "HOURBOOK_VAULT_KEY": VAULT_KEY,
        "HOURBOOK_PORT": str(port),
    }
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "hourbook_ingest_zammad",
        env=os.environ | settings_by_name,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        while not await is_ready(port):
            assert process.returncode is None
            await asyncio.sleep(0.05)
        yield
        assert process.returncode is None
    finally:
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()


async def is_ready(port: int) -> bool:
    async with httpx.AsyncClient() as http:
        try:
            answer = await http.get(f"http://127.0.0.1:{port}/health/ready")
        except httpx.TransportError:
            return False
    return answer.status_code == 200


@asynccontextmanager
async def served(zammad: FakeZammad) -> AsyncIterator[str]:
    """The same Zammad behind a port, for another process."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        answer = await zammad.answer(httpx.Request(request.method, str(request.url)))
        headers = {"content-type": answer.headers["content-type"]}
        await Response(answer.content, answer.status_code, headers)(scope, receive, send)

    port = free_port()
    server = uvicorn.Server(uvicorn.Config(app, port=port, log_level="warning", lifespan="off"))
    serving = asyncio.create_task(server.serve())
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        await serving

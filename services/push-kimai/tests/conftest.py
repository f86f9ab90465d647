"""The whole service on a real Kafka and a real PostgreSQL, writing to a Kimai twin over HTTP.

Every test has its own Kimai, target and book; the database and the ledger are shared, so each test is
also a restart of the service with a past.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import count

import asyncpg
import pytest
from aiokafka import AIOKafkaProducer
from cryptography.fernet import Fernet
from pydantic import SecretStr

from hourbook_cli.migrate import OWNERS, create_topics, migrate_database
from hourbook_contracts.codec import decode, encode
from hourbook_contracts.control import (
    ConnectionRemoved,
    ControlEvent,
    MappingSet,
    TargetConfigured,
    TargetLearned,
    WritingSwitched,
)
from hourbook_contracts.ids import BookId, SheetId, SubjectId, book_of, sheet_of
from hourbook_contracts.kimai.lockdown import Lockdown
from hourbook_contracts.ledger import (
    Answer,
    Decision,
    DescriptionParts,
    LedgerMessage,
    Operation,
    Place,
    TimesheetRequested,
    Work,
)
from hourbook_contracts.message import Message
from hourbook_contracts.testing import NOON
from hourbook_contracts.topics import CONTROL, LEDGER
from hourbook_kit import kafka as kit_kafka
from hourbook_kit import postgres as kit_postgres
from hourbook_kit.control import ControlTail
from hourbook_kit.health import Health
from hourbook_kit.outbox import Relay
from hourbook_kit.settings import KafkaSettings
from hourbook_kit.vault import Vault
from hourbook_local.children import free_port
from hourbook_push_kimai import patience
from hourbook_push_kimai.active import Active
from hourbook_push_kimai.forgetting import forget_names
from hourbook_push_kimai.settings import Settings
from hourbook_simulators.faults import Fault, Kind, Switchboard
from hourbook_simulators.kimai.app import build
from hourbook_simulators.kimai.memory import Memory
from hourbook_simulators.kimai.permissions import LEAST_PRIVILEGE
from hourbook_simulators.kimai.records import Timesheet
from hourbook_simulators.kimai.seeds import seeded
from hourbook_simulators.serving import server

VAULT_KEY = Fernet.generate_key().decode()
ROLE = PASSWORD = "hourbook_push"  # as in every suite: roles are the server's, which all share
GRACE, WINDOW, TIMEOUT = 2.5, 1.0, 1.0
ANNA, BEN = 3, 4
numbers = count(1)


@pytest.fixture(scope="session")
async def settings(kafka: str, postgres: str, worker_id: str) -> Settings:
    name = f"push_{worker_id}"
    owner = await asyncpg.connect(postgres)
    await owner.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
    await owner.execute(f'CREATE DATABASE "{name}"')
    await owner.close()
    place = postgres.rsplit("/", 1)[0]
    await migrate_database(f"{place}/{name}", {owner.role: owner.role for owner in OWNERS}, "pre")
    await create_topics(KafkaSettings(kafka_bootstrap=kafka), 1)
    host = place.rsplit("@", 1)[1]
    return Settings(
        kafka_bootstrap=kafka,
        database_url=SecretStr(f"postgresql://{ROLE}:{PASSWORD}@{host}/{name}"),
        vault_key=SecretStr(VAULT_KEY),
    )


@pytest.fixture(scope="session")
async def owner_dsn(settings: Settings, postgres: str) -> str:
    """For what the service itself may not do: put secrets into the vault, lose the schema."""
    name = settings.database_url.get_secret_value().rsplit("/", 1)[1]
    return postgres.rsplit("/", 1)[0] + "/" + name


@dataclass
class Hours:
    """One Kimai, the service that writes to it, and the ledger between us and it."""

    settings: Settings
    owner: asyncpg.Pool
    producer: AIOKafkaProducer
    port: int
    memory: Memory = field(default_factory=lambda: seeded("demo"))
    board: Switchboard = field(default_factory=Switchboard)
    health: Health = field(default_factory=Health)
    number: int = field(default_factory=lambda: next(numbers))
    heard: list[tuple[LedgerMessage, dict[str, str]]] = field(default_factory=list)
    control: ControlTail | None = None
    _running: AsyncExitStack = field(default_factory=AsyncExitStack)

    @property
    def name(self) -> str:
        return f"hours-{self.number}"

    @property
    def book(self) -> BookId:
        return book_of("desk", 1000 + self.number)

    @property
    def ticket(self) -> str:
        return f"65{self.number:03}"

    # ------------------------------------------------------------------------------- the service
    async def start(self) -> None:
        """As `__main__` builds it, without the health port."""
        stack = self._running = AsyncExitStack()
        dsn = self.settings.database_url.get_secret_value()
        pool = await kit_postgres.pool(dsn, size=12)
        stack.push_async_callback(pool.close)
        producer = await patience.started_producer(self.settings)
        stack.push_async_callback(producer.stop)
        vault = Vault(pool, VAULT_KEY)
        control = await patience.started_control(self.settings, vault.hear)
        stack.push_async_callback(control.stop)
        self.health = Health()
        self.control = control
        active = Active(self.settings, dsn, pool, control, vault, self.health)
        work = [
            asyncio.create_task(control.run()),
            asyncio.create_task(Relay(dsn, "push", producer).run()),
            asyncio.create_task(active.run()),
            asyncio.create_task(forget_names(pool, control)),
        ]
        stack.push_async_callback(_end, *work)

    async def stop(self) -> None:
        await self._running.aclose()

    # ------------------------------------------------------------------------------ what people do
    async def configure(
        self,
        *,
        poll_seconds: float = 0.3,
        sweep_seconds: float = 3600,
        write_cap: int = 500,
        send_window_seconds: float = WINDOW,
        writing: bool = True,
        lockdown: Lockdown | None = None,
    ) -> None:
        vault = Vault(self.owner, VAULT_KEY)
        await self.owner.execute(
            "INSERT INTO vault.secrets VALUES ($1, 'token', 1, $2) ON CONFLICT DO NOTHING",
            self.name,
            vault.wrap("kimai-demo-token"),
        )
        await self.tell(
            TargetConfigured(
                observed_at=NOON,
                by="test",
                connection=self.name,
                base_url=f"http://127.0.0.1:{self.port}",
                secret_version=1,
                poll_seconds=poll_seconds,
                sweep_seconds=sweep_seconds,
                send_window_seconds=send_window_seconds,
                timeout_seconds=TIMEOUT,
                grace_seconds=GRACE,
                write_cap=write_cap,
                lockdown=lockdown,
            )
        )
        for user in self.memory.users.values():
            await self.tell(
                MappingSet(
                    observed_at=NOON,
                    by="test",
                    mapping=f"{self.name}-{user.id}",
                    kind="worker",
                    source="desk",
                    source_key=f"{self.number}{user.id:02}",
                    target=self.name,
                    target_id=user.id,
                    time_zone=user.timezone,
                )
            )
        await self.switch(on=writing)

    async def switch(self, *, on: bool) -> None:
        await self.tell(WritingSwitched(observed_at=NOON, by="test", connection=self.name, on=on))

    async def tell(self, event: ControlEvent) -> None:
        await kit_kafka.send(self.producer, CONTROL.name, encode(event), 0)

    # ---------------------------------------------------------------------------- what is decided
    def work(self, minutes: int = 15, *, user_id: int = ANNA, made: datetime = NOON) -> Work:
        place = Place(target=self.name, user_id=user_id, project_id=1, activity_id=1)
        began_at = made - timedelta(minutes=minutes)
        return Work(place=place, began_at=began_at, duration_seconds=minutes * 60)

    def posting(self, entry: int = 1) -> SubjectId:
        return SubjectId(f"{self.book}/{entry}")

    def request(
        self,
        op: Operation = "create",
        want: Work | None = None,
        *,
        gen: int = 1,
        entry: int = 1,
        expected: Work | None = None,
        sheet: SheetId | None = None,
    ) -> TimesheetRequested:
        return TimesheetRequested(
            observed_at=NOON,
            book=self.book,
            connection="desk",
            posting=self.posting(entry),
            gen=gen,
            policy=1,
            op=op,
            sheet=sheet,
            expected=expected,
            want=want,
            inputs=None,
            text=DescriptionParts(template=1, ticket_number=self.ticket),
        )

    async def say(self, message: Message, *, traceparent: str | None = None) -> None:
        await kit_kafka.send(self.producer, LEDGER.name, encode(message, traceparent=traceparent))

    # -------------------------------------------------------------------------- what came of it
    async def queued(self, expected: int) -> bool:
        found = await self.owner.fetchval(
            "SELECT count(*) FROM push.effects WHERE target = $1 AND state = 'queued'", self.name
        )
        return bool(found == expected)

    async def answer(self, gen: int = 1, entry: int = 1, *, within: float = 40) -> Answer:
        await self.until(lambda: bool(self.answers(gen, entry)), within)
        return self.answers(gen, entry)[0]

    def answers(self, gen: int = 1, entry: int = 1) -> list[Answer]:
        return [
            message
            for message, _ in self.heard
            if isinstance(message, Answer)
            and (message.posting, message.gen) == (self.posting(entry), gen)
        ]

    def facts(self, kind: type[LedgerMessage]) -> list[LedgerMessage]:
        return [message for message, _ in self.heard if isinstance(message, kind)]

    async def until(self, holds: Callable[[], bool | Awaitable[bool]], seconds: float = 40) -> None:
        async with asyncio.timeout(seconds):
            while True:
                found = holds()
                if found if isinstance(found, bool) else await found:
                    return
                await asyncio.sleep(0.02)

    async def listen(self) -> None:
        """Keeps what is said about this target on the ledger, decisions aside."""
        reader = kit_kafka.consumer(self.settings, LEDGER.name, fetch_max_wait_ms=50)
        await reader.start()
        try:
            async for record in reader:
                headers = {name: value.decode() for name, value in record.headers}
                with suppress(ValueError):
                    message = decode(record.headers, record.value)
                    if isinstance(message, Decision) or not isinstance(message, LedgerMessage):
                        continue
                    if message.connection == self.name:
                        self.heard.append((message, headers))
        finally:
            await reader.stop()

    def learned(self) -> TargetLearned | None:
        """What the service told of this Kimai on the control topic, as its control tail knows it."""
        if self.control is None:
            return None
        target = self.control.installation.targets.get(self.name)
        return target.learned if target else None

    async def obstacle(self, name: str) -> str:
        """Its sentence, once it stands in the way."""
        full = f"{self.name}:{name}"
        await self.until(lambda: full in self.health.obstacles)
        return self.health.obstacles[full].sentence

    # ------------------------------------------------------------------------------- Kimai itself
    def permit(self, *more: str, without: str = "") -> None:
        """The bot's role: what it needs, more or less of it."""
        self.memory.roles["ROLE_HOURBOOK"] = sorted((LEAST_PRIVILEGE | {*more}) - {without})

    def set(self, **settings: object) -> None:
        """Kimai's own rules, by their names under `timesheet.rules`."""
        self.memory.settings |= {f"timesheet.rules.{name}": v for name, v in settings.items()}

    @property
    def rows(self) -> list[Timesheet]:
        return sorted(self.memory.timesheets.values(), key=lambda row: row.id)

    def sheet(self, row: Timesheet) -> SheetId:
        return sheet_of(self.name, row.id)

    def calls(self, method: str) -> int:
        return sum(
            number
            for route, number in self.board.calls.items()
            if route.startswith(f"{method} /api/timesheets")
        )

    def fault(self, kind: Kind, method: str, **more: object) -> None:
        wish = {"kind": kind, "method": method, "path": r"/api/timesheets.*", **more}
        self.board.faults.append(Fault.model_validate(wish))

    def typed(
        self,
        begin: datetime,
        end: datetime,
        *,
        user_id: int = ANNA,
        description: str = "lunch",
        at: datetime = NOON,
    ) -> Timesheet:
        """A row of a person's own."""
        row = Timesheet(
            id=self.memory.next_id("timesheet"),
            user_id=user_id,
            project_id=1,
            activity_id=1,
            begin=begin,
            end=end,
            zone="Europe/Berlin",
            duration_seconds=int((end - begin).total_seconds()),
            description=description,
        )
        self.memory.touch(row, at)
        return row

    def edit(self, row: Timesheet, at: datetime, **changes: object) -> None:
        """As a person does it in Kimai."""
        for name, value in changes.items():
            setattr(row, name, value)
        self.memory.touch(row, at)


async def _end(*work: asyncio.Task[None]) -> None:
    for task in work:
        task.cancel()
    await asyncio.gather(*work, return_exceptions=True)


@contextlib.asynccontextmanager
async def serving(hours: Hours) -> AsyncIterator[None]:
    running = server(build(hours.memory, switchboard=hours.board), hours.port)
    running.config.lifespan = "off"
    task = asyncio.create_task(running._serve())
    await hours.until(lambda: running.started)
    yield
    running.should_exit = True
    await task


@pytest.fixture
async def hours(settings: Settings, owner_dsn: str) -> AsyncIterator[Hours]:
    async with AsyncExitStack() as stack:
        owner = await stack.enter_async_context(
            asyncpg.create_pool(owner_dsn, min_size=1, max_size=3)
        )
        producer = kit_kafka.producer(settings)
        await producer.start()
        stack.push_async_callback(producer.stop)
        hours = Hours(settings, owner, producer, free_port())
        await stack.enter_async_context(serving(hours))
        listening = asyncio.create_task(hours.listen())
        stack.push_async_callback(_end, listening)
        await hours.start()
        stack.push_async_callback(hours.stop)
        yield hours
        await hours.tell(ConnectionRemoved(observed_at=NOON, by="test", connection=hours.name))

"""What the routes work with: opened in the background, so that health can say what it waits for."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import AsyncExitStack
from typing import Any, NoReturn, Protocol, TypeVar

import asyncpg
import structlog
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError
from fastapi import Request

from hourbook_contracts.control import ControlEvent
from hourbook_contracts.topics import CONTROL, INBOX, LEDGER
from hourbook_kit import kafka, postgres
from hourbook_kit.control import ControlTail
from hourbook_kit.health import Health
from hourbook_kit.vault import Vault
from hourbook_query_api.changes import Changes
from hourbook_query_api.invitations import offer_set_up
from hourbook_query_api.kept_names import KeptNames
from hourbook_query_api.passwords import Passwords
from hourbook_query_api.problems import Kind, ProblemError
from hourbook_query_api.projection import Projection
from hourbook_query_api.settings import Settings
from hourbook_query_api.tokens import AccessTokens
from hourbook_query_api.visits import Visits

log = structlog.get_logger()

WATCH_SECONDS = 2
T = TypeVar("T")


class Desk:
    """Everything that is open; use nothing of it before `health.started`."""

    pool: asyncpg.Pool
    vault: Vault
    visits: Visits
    producer: AIOKafkaProducer
    projection: Projection
    tail: ControlTail
    ends: AIOKafkaConsumer
    """Reads nothing; asked where the topics end."""
    admin: AIOKafkaAdminClient
    cluster_id: str

    def __init__(
        self, settings: Settings, health: Health, *, tell: Callable[[str], None] = print
    ) -> None:
        self.settings, self.health = settings, health
        self._tell = tell
        vault_keys = settings.vault_key.get_secret_value()
        self.access = AccessTokens(vault_keys, settings.access_lifetime)
        self.passwords = Passwords()
        self.changes = Changes()
        self.names = KeptNames()
        self.held = asyncio.Event()
        """Set when an answer was held: whoever says it has to look when it is due."""
        self.turn = asyncio.Lock()
        """Held between looking and publishing, so that two people do not make one thing twice."""

    async def work(self, *loops: "Loop") -> None:
        """Open everything, then keep the projection and the obstacles true for ever, beside these loops."""
        async with AsyncExitStack() as opened:
            await self._open_database(opened)
            await self._open_kafka(opened)
            await self._project(opened)
            self.health.started = True
            log.info("query_api_ready", control_offset=self.projection.next_offset)
            async with asyncio.TaskGroup() as group:
                group.create_task(self.tail.run(), name="control tail")
                group.create_task(self._watch(), name="watch")
                for loop in loops:
                    group.create_task(loop(self), name=loop.__name__)

    async def _open_database(self, opened: AsyncExitStack) -> None:
        async def open_pool() -> asyncpg.Pool:
            return await postgres.pool(
                self.settings.database_url.get_secret_value(),
                size=self.settings.database_pool,
                patience_seconds=1,
                settings=postgres.ANY_QUESTION,
            )

        self.pool = await self._patiently("database", postgres.TRANSIENT, open_pool)
        opened.callback(self.pool.terminate)
        vault_keys = self.settings.vault_key.get_secret_value()
        self.vault = Vault(self.pool, vault_keys)
        self.visits = Visits(self.pool, vault_keys)
        if sentence := await offer_set_up(self.pool, self.settings.setup_token_file):
            self._tell(sentence)

    async def _open_kafka(self, opened: AsyncExitStack) -> None:
        async def ask_cluster() -> str:
            return await kafka.cluster_id(self.settings)

        self.producer = await self._started(opened, kafka.producer)
        self.ends = await self._started(opened, kafka.consumer)
        self.admin = await self._started(opened, kafka.admin)
        self.cluster_id = await self._patiently("kafka", (KafkaError,), ask_cluster)
        places = [
            TopicPartition(topic.name, partition)
            for topic in (LEDGER, CONTROL, INBOX)
            for partition in range(topic.partitions)
        ]
        self.ends.assign(places)
        self.ends.pause(*places)

    async def _started(self, opened: AsyncExitStack, make: Callable[[Settings], Any]) -> Any:
        """A client, as soon as Kafka answers; closed with everything else."""

        async def start() -> Any:
            client = make(self.settings)
            close = getattr(client, "stop", None) or client.close
            try:
                await client.start()
            except BaseException:
                await close()
                raise
            opened.push_async_callback(close)
            return client

        return await self._patiently("kafka", (KafkaError,), start)

    async def _project(self, opened: AsyncExitStack) -> None:
        at = TopicPartition(CONTROL.name, 0)
        end = (await self.ends.end_offsets([at]))[at]
        self.projection = Projection(self.pool)
        await self.projection.begin(self.cluster_id, end)

        async def told(event: ControlEvent, offset: int) -> None:
            await self.vault.hear(event, offset)
            await self.projection.learn(event, offset, self.tail.installation)
            self.changes.tell_event(event)

        self.tail = ControlTail(self.settings, told)
        opened.push_async_callback(self.tail.stop)
        await self.tail.start()

    async def _patiently(
        self,
        name: str,
        transient: tuple[type[BaseException], ...],
        attempt: Callable[[], Awaitable[T]],
    ) -> T:
        """What the attempt gives, however long it takes; health says what we wait for."""
        while True:
            try:
                found = await attempt()
            except transient as error:
                self._away(name, error)
                await asyncio.sleep(0.5)
            else:
                self.health.clear(name)
                return found

    async def _watch(self) -> NoReturn:
        """Look every few seconds whether both still answer."""
        at = TopicPartition(CONTROL.name, 0)
        while True:
            await asyncio.sleep(WATCH_SECONDS)
            try:
                await self.pool.fetchval("SELECT 1", timeout=3)
                self.health.clear("database")
            except postgres.TRANSIENT as error:
                self._away("database", error)
            try:
                async with asyncio.timeout(3):
                    await self.ends.end_offsets([at])
                self.health.clear("kafka")
            except (KafkaError, TimeoutError) as error:
                self._away("kafka", error)

    def _away(self, name: str, error: BaseException) -> None:
        who = {"database": "The database", "kafka": "Kafka"}[name]
        log.warning("waiting", for_whom=name, error=type(error).__name__)
        self.health.hinder(name, f"{who} does not answer ({type(error).__name__}).")


def desk_of(request: Request) -> Desk:
    """For `Depends`; a problem while it is not open yet."""
    desk: Desk = request.app.state.desk
    if not desk.health.started:
        raise ProblemError(
            Kind.STARTING, "Try again in a few seconds; /api/health/ready says what it waits for."
        )
    return desk


class Loop(Protocol):
    """Work that never ends while the desk is open."""

    __name__: str

    def __call__(self, desk: Desk, /) -> Coroutine[Any, Any, NoReturn]: ...

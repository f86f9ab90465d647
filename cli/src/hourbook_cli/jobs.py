"""`hourbook jobs`: does what was asked for at /api/jobs, one at a time, beside the services.

A job is held by its attempt and a lease that is renewed while its worker lives: where it ends, the next
worker takes the job up behind the parts that are kept, and of an older attempt no write counts. What
moves something ends its job in the transaction that moves it: done once, whoever dies when.
"""

import asyncio
import logging
import zlib
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple, NoReturn

import asyncpg
import structlog

from hourbook_cli.job_kinds import EXPECTED, PASSING, Doing, do
from hourbook_cli.sides import ResyncSettings
from hourbook_contracts.jobs import ASKED, CHANNEL, AnyAsked, AnyResult
from hourbook_kit import postgres
from hourbook_kit.crash import spawn
from hourbook_kit.health import Health, health_app, serve
from hourbook_kit.postgres import TRANSIENT
from hourbook_kit.settings import from_environment
from hourbook_kit.telemetry import start_logging

log = structlog.get_logger()

PULSE_SECONDS = 0.5
LEASE_SECONDS = 15
"""Longer than one worker ever computes without a breath."""
LOOK_SECONDS = 5
"""Where nobody wakes us."""
ATTEMPTS_MAX = 10
TRIES_MAX = 300
"""Of one attempt, while Kafka or the database is away: ten minutes."""
TRY_SECONDS = 2
STOP_SECONDS = 4

_OVERDUE = "state = 'running' AND alive_until < now()"
_END_LEFT = f"""
UPDATE control.jobs SET
    state = CASE WHEN cancel_by IS NULL THEN 'failed' ELSE 'cancelled' END,
    failure = CASE WHEN cancel_by IS NULL
        THEN 'It was begun ' || attempt || ' times and its worker ended each time: look into the log of jobs.'
    END,
    ended_at = now(), alive_until = NULL
WHERE ended_at IS NULL AND (state = 'waiting' OR {_OVERDUE})
    AND (cancel_by IS NOT NULL OR attempt >= $1)
"""  # noqa: S608 -- words of ours
_TAKE = f"""
UPDATE control.jobs SET
    state = 'running', attempt = attempt + 1, begun_at = coalesce(begun_at, now()),
    alive_until = now() + make_interval(secs => $1)
WHERE job = (
    SELECT job FROM control.jobs AS j
    WHERE ended_at IS NULL AND (state = 'waiting' OR {_OVERDUE})
        AND NOT (kind IN ('rebuild', 'drop_old') AND EXISTS (
            SELECT FROM control.jobs AS o WHERE o.job <> j.job AND o.kind IN ('rebuild', 'drop_old')
                AND o.state = 'running' AND o.alive_until >= now()))
    ORDER BY asked_at, job LIMIT 1 FOR UPDATE SKIP LOCKED)
RETURNING job, attempt, parameters
"""  # noqa: S608 -- words of ours
_PULSE = """
UPDATE control.jobs SET done = $3, total = $4, sentence = $5,
    alive_until = now() + make_interval(secs => $6)
WHERE job = $1 AND attempt = $2 AND state = 'running' RETURNING cancel_by
"""
_END = """
UPDATE control.jobs SET state = $3, result = $4, failure = $5, ended_at = now(), alive_until = NULL,
    done = $6, total = $7
WHERE job = $1 AND attempt = $2 AND state = 'running'
"""
_GIVE_BACK = """
UPDATE control.jobs SET state = 'waiting', alive_until = NULL
WHERE job = $1 AND attempt = $2 AND state = 'running'
"""


class JobsSettings(ResyncSettings):
    """Where its health is asked."""

    host: str = "127.0.0.1"
    port: int = 8304
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"


class LostError(Exception):
    """Another worker has taken the job, or it is over: what was done here is not to stay."""


class Ended(NamedTuple):
    state: Literal["done", "failed", "cancelled"]
    result: AnyResult | None = None
    failure: str | None = None


@dataclass(slots=True)
class Held:
    """A job that is ours, with what is kept of it (a `Keeper` of the replay)."""

    job: str
    attempt: int
    asked: AnyAsked
    kept: dict[str, bytes]
    fresh: dict[str, bytes] = field(default_factory=dict)
    """Not yet in the database."""
    done: int = 0
    total: int | None = None
    sentence: str | None = None

    def get(self, name: str) -> bytes | None:
        found = self.kept.get(name)
        return None if found is None else zlib.decompress(found)

    def put(self, name: str, done: bytes) -> None:
        self.fresh[name] = zlib.compress(done)

    def tell(self, sentence: str, done: int, total: int | None) -> None:
        self.sentence, self.done, self.total = sentence, done, total

    async def end(self, connection: Any, ended: Ended) -> bool:
        """Whether it was ours to end."""
        result = None if ended.result is None else ended.result.model_dump_json()
        total = self.done if ended.state == "done" and self.total is None else self.total
        status: str = await connection.execute(
            _END,
            *(self.job, self.attempt, ended.state, result, ended.failure, self.done, total),
        )
        return status == "UPDATE 1"

    async def end_with(self, connection: Any, result: AnyResult) -> None:
        """In a transaction that is not to stay where the job is no longer ours."""
        if not await self.end(connection, Ended("done", result)):
            raise LostError


class Worker:
    """Takes jobs and does them."""

    def __init__(self, settings: JobsSettings, pool: asyncpg.Pool) -> None:
        self._settings, self._pool = settings, pool

    async def take(self) -> Held | None:
        """The one that waits longest and that nobody does; those that nobody can do are ended."""
        async with self._pool.acquire() as connection, connection.transaction():
            await connection.execute("SELECT pg_advisory_xact_lock(hashtext($1))", CHANNEL)
            await connection.execute(_END_LEFT, ATTEMPTS_MAX)
            row = await connection.fetchrow(_TAKE, LEASE_SECONDS)
            if row is None:
                return None
            parts = await connection.fetch(
                "SELECT name, done FROM control.job_parts WHERE job = $1", row["job"]
            )
        return Held(
            row["job"],
            row["attempt"],
            ASKED.validate_json(row["parameters"]),
            {part["name"]: part["done"] for part in parts},
        )

    async def carry_out(self, held: Held) -> None:
        """To its end; where this process is stopped, the job is given back."""
        log.info("job_begun", job=held.job, kind=held.asked.kind, attempt=held.attempt)
        work = asyncio.create_task(self._done(held), name=held.job)
        try:
            cancelled = await self._watch(held, work)
        except BaseException:
            await _cancelled(work)
            with suppress(*TRANSIENT):  # its lease ends by itself
                await self._pool.execute(_GIVE_BACK, held.job, held.attempt)
            raise
        ended = Ended("cancelled") if cancelled or work.cancelled() else work.result()
        await self._end(held, ended)
        log.info("job_ended", job=held.job, kind=held.asked.kind, state=ended.state)

    async def _watch(self, held: Held, work: asyncio.Task[Ended]) -> bool:
        """Whether it was cancelled: by whoever wants it to end, or because it is no longer ours."""
        while not work.done():
            await asyncio.wait({work}, timeout=PULSE_SECONDS)
            try:
                goes_on = await self._pulse(held)
            except TRANSIENT as error:
                log.info("pulse_waits", error=type(error).__name__)
                continue
            if not goes_on and not work.done():
                await _cancelled(work)
                return True
        return False

    async def _pulse(self, held: Held) -> bool:
        """Say that we live and how far we are, keep what is done; whether it is still wanted of us."""
        fresh, held.fresh = held.fresh, {}
        try:
            async with self._pool.acquire() as connection, connection.transaction():
                row = await connection.fetchrow(
                    _PULSE,
                    *(held.job, held.attempt, held.done, held.total, held.sentence, LEASE_SECONDS),
                )
                if row is not None and fresh:
                    await connection.executemany(
                        "INSERT INTO control.job_parts VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
                        [(held.job, name, done) for name, done in fresh.items()],
                    )
        except BaseException:
            held.fresh = fresh | held.fresh
            raise
        return row is not None and row["cancel_by"] is None

    async def _done(self, held: Held) -> Ended:
        doing = Doing(self._settings, held, held.tell, held.end_with)
        for _ in range(TRIES_MAX):
            try:
                return Ended("done", await do(held.asked, doing))
            except EXPECTED as error:
                return Ended("failed", failure=str(error))
            except PASSING as error:
                name = type(error).__name__
                log.info("job_waits", job=held.job, error=name)
                held.sentence = f"Waits: Kafka, the database or a lock is away ({name})."
                await asyncio.sleep(TRY_SECONDS)
            except LostError:
                return Ended("cancelled")
            except Exception as error:  # what nobody expected ends this job, and no other
                log.exception("job_failed", job=held.job)
                name = type(error).__name__
                return Ended("failed", failure=f"Hourbook is wrong ({name}): see the log of jobs.")
        return Ended("failed", failure=f"It waited too long. {held.sentence} Ask again.")

    async def _end(self, held: Held, ended: Ended) -> None:
        """What was ended with its own transaction stays so."""
        while True:
            try:
                async with self._pool.acquire() as connection, connection.transaction():
                    await held.end(connection, ended)
                    await connection.execute(
                        "DELETE FROM control.job_parts AS p USING control.jobs AS j"
                        " WHERE p.job = $1 AND j.job = p.job AND j.ended_at IS NOT NULL",
                        held.job,
                    )
            except TRANSIENT as error:
                log.info("ending_waits", job=held.job, error=type(error).__name__)
                await asyncio.sleep(1)
            else:
                return


async def work_for_ever(settings: JobsSettings, health: Health) -> NoReturn:
    dsn = settings.admin_database_url.get_secret_value()
    while True:
        try:
            async with _woken(dsn) as (pool, wait):
                health.started = True
                health.clear("database")
                worker = Worker(settings, pool)
                while True:
                    held = await worker.take()
                    await (wait() if held is None else worker.carry_out(held))
        except TRANSIENT as error:
            name = type(error).__name__
            log.warning("waiting", for_whom="database", error=name)
            health.hinder("database", f"The database does not answer ({name}).")
            await asyncio.sleep(1)


@asynccontextmanager
async def _woken(dsn: str) -> AsyncIterator[tuple[asyncpg.Pool, Callable[[], Any]]]:
    """A pool, and what waits until something was asked, a while at most."""
    asked = asyncio.Event()
    pool = await postgres.pool(dsn, size=3, patience_seconds=1)
    try:
        listening = await postgres.connect(dsn)
        try:
            await listening.add_listener(CHANNEL, lambda *_: asked.set())

            async def wait() -> None:
                if listening.is_closed():
                    raise ConnectionError("listening")
                try:
                    async with asyncio.timeout(LOOK_SECONDS):
                        await asked.wait()
                except TimeoutError:
                    return
                asked.clear()

            yield pool, wait
        finally:
            listening.terminate()
    finally:
        pool.terminate()


async def _cancelled(work: asyncio.Task[Any]) -> None:
    work.cancel()
    await asyncio.wait({work})


async def run(settings: JobsSettings) -> None:
    health = Health()
    work = spawn(work_for_ever(settings, health), "jobs")
    await serve(health_app(health), settings.host, settings.port)
    work.cancel()
    await asyncio.wait({work}, timeout=STOP_SECONDS)


def jobs() -> None:
    """Do what people ask for at /api/jobs, until stopped; runs beside the services."""
    settings = from_environment(JobsSettings)
    start_logging("jobs", level=logging.getLevelNamesMapping()[settings.log_level])
    asyncio.run(run(settings))

"""The whole of Hourbook on one machine: broker, database, twins, the four services and who does jobs.

Use it as `async with Stack(LocalSettings()) as stack:`; what it holds is kept between runs.
"""

import asyncio
import fcntl
import os
import signal
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Self

import asyncpg

from hourbook_local import kafka, postgres
from hourbook_local.children import Leash, StackError, kill_group, last_lines, refuse_taken
from hourbook_local.keys import Keys
from hourbook_local.settings import LocalSettings
from hourbook_local.supervisor import Service, State, Supervisor, Watcher, nobody_watches

DATABASE = "hourbook"
SERVICES = ("ingest-zammad", "reconciler", "push-kimai", "query-api")
JOBS = "jobs"
"""The command's, which does what was asked for at /api/jobs."""
TWINS = ("zammad", "kimai")
PATIENCE_WITH_PORTS_SECONDS = 4
_ROLES = {
    "ingest-zammad": "ingest",
    "reconciler": "reconciler",
    "push-kimai": "push",
    "query-api": "query",
}


@dataclass(frozen=True)
class Parts:
    """What there is beside the broker and the database, which always are."""

    services: tuple[str, ...] = (*SERVICES, JOBS)
    twins: tuple[str, ...] = TWINS
    migrations: bool = True
    environment: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """What a service or twin gets beyond our own, by its name."""
    postgres_settings: tuple[str, ...] = ()
    kafka_settings: tuple[str, ...] = ()
    """Lines of its properties; {port} and {controller_port} are where it listens anyway."""


class Stack:
    """Starts, kills, restarts and stops what runs; a person's Ctrl-C is for the caller to hear."""

    def __init__(
        self,
        settings: LocalSettings,
        parts: Parts = Parts(),
        *,
        watcher: Watcher = nobody_watches,
    ) -> None:
        self.settings, self.folder = settings, settings.folder.absolute()
        self._parts, self._watcher = parts, watcher
        self.logs = self.folder / "logs"
        self._lock: IO[str] | None = None
        self._supervisor = Supervisor(self.logs / "supervisor.log", watcher)

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    async def start(self) -> None:
        """All of it, or nothing: what was started is stopped again when one does not come up."""
        self.logs.mkdir(parents=True, exist_ok=True)
        self._lock = self._alone()
        try:
            await _ports_free(self.settings.ports)
            self.keys = Keys.of(self.folder)
            await self._start_servers()
            if self._parts.migrations:
                await self._migrate("pre")
            await self._supervisor.start(*map(self._twin, self._parts.twins))
            await self._supervisor.start(*map(self._service, self._parts.services))
            if self._parts.migrations and self._parts.services:
                await self._migrate("post")
        except BaseException as error:
            await self.stop()
            if isinstance(error, ExceptionGroup):
                raise _first(error) from error
            raise

    async def stop(self) -> None:
        await self._supervisor.stop()
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    def kill(self, name: str) -> int:
        """SIGKILL; the supervisor starts it again. Gives the pid that is no more."""
        return self._supervisor.kill(name)

    def restart(self, name: str) -> int:
        """Asks it to end, as a deployment does; the supervisor starts it again."""
        return self._supervisor.send(name, signal.SIGTERM)

    def kill_kafka(self) -> int:
        return self.kill("kafka")

    def restart_postgres(self, *, immediate: bool = True) -> int:
        """Immediate: every connection breaks and the next start recovers from the log."""
        return self._supervisor.send("postgres", signal.SIGQUIT if immediate else signal.SIGINT)

    def pid(self, name: str) -> int | None:
        return self._supervisor.pid(name)

    def restarts(self, name: str) -> int:
        return self._supervisor.restarts(name)

    async def until_ready(self, *names: str, patience_seconds: float = 60) -> None:
        """Those, or all that were started."""
        for name in names or self._supervisor.names:
            await self._supervisor.until_ready(name, patience_seconds)

    @property
    def bootstrap(self) -> str:
        return f"127.0.0.1:{self.settings.kafka_port}"

    @property
    def admin_dsn(self) -> str:
        """Of the superuser, on our database."""
        return self._database_server().dsn.rsplit("/", 1)[0] + f"/{DATABASE}"

    def dsn(self, service: str) -> str:
        """Of the service's own role."""
        role = _ROLES[service]
        password = self.keys.model_dump()[f"{role}_password"]
        port = self.settings.postgres_port
        return f"postgresql://hourbook_{role}:{password}@127.0.0.1:{port}/{DATABASE}"

    def url(self, name: str) -> str:
        """Where a service or a twin listens."""
        return f"http://127.0.0.1:{self.settings.ports[name.replace('-', '_')]}"

    @property
    def setup_token_file(self) -> Path:
        """Where query-api writes the set-up token while there is no administrator."""
        return self.folder / "setup-token"

    @property
    def for_the_command(self) -> dict[str, str]:
        """What `hourbook` is told to find this stack."""
        return {
            "HOURBOOK_API_URL": self.url("query-api"),
            "HOURBOOK_SETUP_TOKEN_FILE": str(self.setup_token_file),
            "HOURBOOK_ZAMMAD_URL": self.url("zammad"),
            "HOURBOOK_KIMAI_URL": self.url("kimai"),
            "HOURBOOK_INGEST_URL": self.url("ingest-zammad"),
        }

    def environment(self, service: str) -> dict[str, str]:
        """All that a service is told when it starts; also for starting one by hand."""
        database = (
            {"HOURBOOK_ADMIN_DATABASE_URL": self.admin_dsn}
            if service == JOBS
            else {"HOURBOOK_DATABASE_URL": self.dsn(service)}
        )
        return {
            "HOURBOOK_KAFKA_BOOTSTRAP": self.bootstrap,
            **database,
            "HOURBOOK_VAULT_KEY": self.keys.vault_key,
            "HOURBOOK_HOST": "127.0.0.1",
            "HOURBOOK_PORT": self.url(service).rsplit(":", 1)[-1],
            "HOURBOOK_SETUP_TOKEN_FILE": str(self.setup_token_file),
            "HOURBOOK_COOKIE_SECURE": "false",
            **self._pages(service),
            **self._parts.environment.get(service, {}),
        }

    def _pages(self, service: str) -> dict[str, str]:
        """Beside the API, where they were built (`make ui`)."""
        built = self.settings.ui_folder.absolute()
        there = service == "query-api" and (built / "index.html").exists()
        return {"HOURBOOK_UI_FOLDER": str(built)} if there else {}

    def _alone(self) -> IO[str]:
        """Two stacks on one folder would spoil it."""
        lock = (self.folder / "lock").open("a+")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.seek(0)
            pid = lock.read().strip()
            lock.close()
            raise StackError(f"a stack (pid {pid}) runs on {self.folder} already: end it") from None
        lock.truncate(0)
        lock.write(f"{os.getpid()}\n")
        lock.flush()
        return lock

    async def _start_servers(self) -> None:
        for name in ("kafka", "postgres"):
            self._watcher(name, State.STARTING)
        jars = await asyncio.to_thread(kafka.prepare)
        ports = self.settings
        broker = kafka.Broker(
            self.folder / "kafka",
            ports.kafka_port,
            ports.kafka_controller_port,
            jars,
            settings=self._parts.kafka_settings,
        )
        database = self._database_server()
        await asyncio.gather(
            asyncio.to_thread(broker.make_ready), asyncio.to_thread(database.make_ready)
        )
        await self._supervisor.start(self._broker(broker), self._database(database))
        await _make_database(database.dsn)

    def _database_server(self) -> postgres.Server:
        return postgres.Server(
            postgres_folder(self.folder),
            self.settings.postgres_port,
            settings=self._parts.postgres_settings,
        )

    def _broker(self, broker: kafka.Broker) -> Service:
        async def ready() -> bool:
            return await kafka.answers(broker.bootstrap)

        return Service("kafka", tuple(broker.command()), self.logs / "kafka.log", ready=ready)

    def _database(self, server: postgres.Server) -> Service:
        return Service(
            "postgres",
            tuple(server.command()),
            self.logs / "postgres.log",
            ready=server.answers,
            account=server.account,
            stop_signal=signal.SIGINT,  # SIGTERM would wait for the clients to go
            early_ends_max=20,  # backends of a killed one still going away (local-stack.md 2)
        )

    def _twin(self, name: str) -> Service:
        state = str(self.folder / f"{name}.state")
        port = str(self.settings.ports[name])
        module = f"hourbook_simulators.{name}"
        return Service(
            name,
            (sys.executable, "-m", module, "--port", port, "--state", state, "--seed", "demo"),
            self.logs / f"{name}.log",
            environment=self._parts.environment.get(name, {}),
            health_url=f"{self.url(name)}/",
        )

    def _service(self, name: str) -> Service:
        prefix = "/api" if name == "query-api" else ""
        module = f"hourbook_{name.replace('-', '_')}"
        command = ("hourbook_cli", JOBS) if name == JOBS else (module,)
        return Service(
            name,
            (sys.executable, "-m", *command),
            self.logs / f"{name}.log",
            environment=self.environment(name),
            health_url=f"{self.url(name)}{prefix}/health/ready",
        )

    async def _migrate(self, phase: str) -> None:
        """Roles, schemas and topics: the only thing with an owner's rights."""
        self._watcher("migrate", State.STARTING)
        passwords = self.keys.model_dump(exclude={"vault_key"})
        environment = {
            "HOURBOOK_ADMIN_DATABASE_URL": self.admin_dsn,
            "HOURBOOK_KAFKA_BOOTSTRAP": self.bootstrap,
            **{f"HOURBOOK_{name.upper()}": secret for name, secret in passwords.items()},
        }
        said = self.logs / "migrate.log"
        with said.open("ab") as log:
            command = (sys.executable, "-m", "hourbook_cli", "migrate", "--phase", phase)
            process = await asyncio.create_subprocess_exec(
                *command,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=asyncio.subprocess.STDOUT,
                env=os.environ | environment,
                start_new_session=True,
                preexec_fn=Leash(signal.SIGTERM),
            )
        try:
            code = await process.wait()
        finally:  # also when somebody does not want to wait for it
            kill_group(process.pid)
        if code != 0:
            self._watcher("migrate", State.FAILED)
            raise StackError(f"`hourbook migrate` failed; it said last:\n{last_lines(said)}")
        self._watcher("migrate", State.READY)


def postgres_folder(folder: Path) -> Path:
    """In our folder; or where root's PostgreSQL, which is not root, can reach one, noted in ours."""
    note = folder / "postgres-is-at"
    if note.exists():
        return Path(note.read_text())
    if postgres.can_live_in(folder):
        return folder / "postgres"
    elsewhere = Path(tempfile.mkdtemp(prefix="hourbook-postgres-", dir="/var/tmp"))
    elsewhere.chmod(0o755)
    note.write_text(str(elsewhere))
    return elsewhere


async def _ports_free(ports: Mapping[str, int]) -> None:
    """What a killed stack left behind is just going away: ask again before complaining."""
    for _ in range(int(PATIENCE_WITH_PORTS_SECONDS / 0.25)):
        try:
            refuse_taken(ports)
        except StackError:
            await asyncio.sleep(0.25)
        else:
            return
    refuse_taken(ports)


async def _make_database(dsn: str) -> None:
    connection = await asyncpg.connect(dsn)
    try:
        there = await connection.fetchval(
            "SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1)", DATABASE
        )
        if not there:
            await connection.execute(f'CREATE DATABASE "{DATABASE}"')
    finally:
        await connection.close()


def _first(group: ExceptionGroup[Exception]) -> Exception:
    """Services that come up together also fail together: one is enough to tell."""
    error = group.exceptions[0]
    return _first(error) if isinstance(error, ExceptionGroup) else error

"""One Kafka broker in KRaft mode on 127.0.0.1: real, ready in about two seconds, no Docker.

Every setting here ran as it stands (local-stack.md, 1). Death of the process loses nothing that was
acknowledged; loss of power might, for the broker leaves flushing to the system.
"""

import asyncio
import base64
import contextlib
import secrets
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from aiokafka.client import AIOKafkaClient
from aiokafka.errors import KafkaError

from hourbook_local import kafka_jars
from hourbook_local.children import StackError, end, free_port, kill_group, last_lines, spawn
from hourbook_local.kafka_jars import Jars

_SMALL = ("-Xms64m", "-Xmx256m", "-XX:+UseSerialGC", "-Djava.awt.headless=true")
_QUIET = (
    "-Dlog4j2.loggerContextFactory=org.apache.logging.log4j.simple.SimpleLoggerContextFactory",
    "-Dlog4j2.statusLoggerLevel=OFF",
    "-Duser.timezone=UTC",
)
_LOGGING = """\
handlers=java.util.logging.ConsoleHandler
java.util.logging.ConsoleHandler.level=WARNING
java.util.logging.ConsoleHandler.formatter=java.util.logging.SimpleFormatter
java.util.logging.SimpleFormatter.format=%1$tF %1$tT.%1$tL UTC %4$s %3$s: %5$s%6$s%n
.level=WARNING
"""
_SETTINGS = """\
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:{controller_port}
listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller_port}
advertised.listeners=PLAINTEXT://127.0.0.1:{port}
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT
controller.listener.names=CONTROLLER
inter.broker.listener.name=PLAINTEXT
log.dirs={log}
auto.create.topics.enable=false
offsets.topic.replication.factor=1
offsets.topic.num.partitions=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=1
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
share.coordinator.state.topic.num.partitions=1
group.initial.rebalance.delay.ms=0
group.min.session.timeout.ms=1000
log.cleaner.dedupe.buffer.size=16777216
num.io.threads=2
num.network.threads=2
# The default of 9000 makes every start after a kill wait 12 s for the old incarnation to expire.
broker.session.timeout.ms=3000
broker.heartbeat.interval.ms=500
"""


def prepare() -> Jars:
    """Jars and class archive in the user's cache: a minute the first time, nothing after that."""
    jars = kafka_jars.installed()
    if not jars.archive.exists():
        with kafka_jars.alone_in(jars):
            if not jars.archive.exists():
                _archive_classes(jars)
    return jars


class Broker:
    """A broker with a folder of its own; what it acknowledged is there at the next start."""

    def __init__(
        self,
        folder: Path,
        port: int,
        controller_port: int,
        jars: Jars,
        *,
        settings: tuple[str, ...] = (),
        format_with: tuple[str, ...] = (),
    ) -> None:
        self.folder, self.port, self.controller_port = folder, port, controller_port
        self._more, self._format_with = settings, format_with
        self.log = folder / "kafka.log"
        self._jars = jars
        self._child: subprocess.Popen[bytes] | None = None

    @property
    def bootstrap(self) -> str:
        return f"127.0.0.1:{self.port}"

    @property
    def pid(self) -> int | None:
        return self._child.pid if self._child and self._child.poll() is None else None

    def command(self, *, vm: tuple[str, ...] = ()) -> list[str]:
        """Starts the broker on a folder that is made ready."""
        vm = vm or ("-XX:TieredStopAtLevel=1", f"-XX:SharedArchiveFile={self._jars.archive}")
        vm = (*_SMALL, *_QUIET, *vm, f"-Djava.util.logging.config.file={self._logging}")
        return self._jars.command("kafka.Kafka", str(self._settings), vm=vm)

    def make_ready(self) -> None:
        """Write the settings, and format the log's folder if it is new."""
        log = self.folder / "log"
        self.folder.mkdir(parents=True, exist_ok=True)
        self._logging.write_text(_LOGGING)
        settings = _SETTINGS + "\n".join(self._more)  # of two lines of a name Java takes the last
        self._settings.write_text(
            settings.format(port=self.port, controller_port=self.controller_port, log=log)
        )
        if not (log / "meta.properties").exists():
            self._format()

    def start(self) -> None:
        """Comes back before the broker answers: wait for `answers`."""
        self.make_ready()
        with self.log.open("ab") as log:
            self._child = spawn(self.command(), log=log)

    async def ready(self, *, patience_seconds: float = 45) -> None:
        """Back when it answers; after a kill it first waits for its old self to expire (4 s)."""
        deadline = time.monotonic() + patience_seconds
        while not await answers(self.bootstrap):
            gone = self._child is not None and self._child.poll() is not None
            if gone or time.monotonic() > deadline:
                raise StackError(f"Kafka did not come up on {self.port}:\n{last_lines(self.log)}")
            await asyncio.sleep(0.05)

    def stop(self) -> None:
        if self._child is not None:
            end(self._child, politely=signal.SIGTERM)

    def kill(self) -> None:
        """As a machine does that goes away: nothing is said, nothing is flushed."""
        if self._child is not None:
            kill_group(self._child.pid)
            self._child.wait()

    @property
    def _settings(self) -> Path:
        return self.folder / "server.properties"

    @property
    def _logging(self) -> Path:
        return self.folder / "logging.properties"

    def _format(self) -> None:
        arguments = ("format", "-t", _cluster_id(), "-c", str(self._settings), *self._format_with)
        vm = ("-XX:TieredStopAtLevel=1", f"-XX:SharedArchiveFile={self._jars.archive}")
        command = self._jars.command(
            "kafka.tools.StorageTool", *arguments, vm=(*_SMALL, *_QUIET, *vm)
        )
        said = self.folder / "format.log"
        with said.open("wb") as log:
            child = spawn(command, log=log)
        if child.wait() != 0:
            raise StackError(f"Kafka could not format its folder:\n{last_lines(said)}")


async def answers(bootstrap: str) -> bool:
    """The broker gives its metadata, and is itself in it."""
    host, port = bootstrap.split(":")
    try:  # first a bare connection: a client would log an error each time we are too early
        _, writer = await asyncio.open_connection(host, int(port))
    except OSError:
        return False
    writer.close()
    with contextlib.suppress(OSError):
        await writer.wait_closed()
    client = AIOKafkaClient(bootstrap_servers=bootstrap, request_timeout_ms=2000)
    try:
        await client.bootstrap()
        return bool(client.cluster.brokers())
    except KafkaError:
        return False
    finally:
        await client.close()


@contextmanager
def running(folder: Path, port: int, controller_port: int) -> Iterator[str]:
    """A broker while the context lasts; gives the address that clients begin at."""
    broker = Broker(folder, port, controller_port, prepare())
    broker.start()
    try:
        asyncio.run(broker.ready())
        yield broker.bootstrap
    finally:
        broker.stop()


def _archive_classes(jars: Jars) -> None:
    """Run a broker once, and have Java write down what it loaded when it ends."""
    with tempfile.TemporaryDirectory(prefix="hourbook-archive-") as folder:
        broker = Broker(Path(folder), free_port(), free_port(), jars)
        broker.make_ready()
        unfinished = jars.archive.with_suffix(".unfinished")
        with broker.log.open("ab") as log:
            child = spawn(broker.command(vm=(f"-XX:ArchiveClassesAtExit={unfinished}",)), log=log)
        try:
            asyncio.run(broker.ready())
        finally:
            end(child, politely=signal.SIGTERM, patience_seconds=60)
        if unfinished.exists():
            unfinished.rename(jars.archive)


def _cluster_id() -> str:
    """A random UUID as Kafka writes it; one that begins with `-` would be read as an option."""
    while True:
        drawn = base64.urlsafe_b64encode(secrets.token_bytes(16)).decode().rstrip("=")
        if not drawn.startswith("-"):
            return drawn

"""Keeps a set of programs running: whatever ends is started again, until we are told to stop.

Services rely on this: what they do not understand ends their process (streaming.md 1.4).
"""

import asyncio
import contextlib
import json
import os
import signal
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Self

import httpx

from hourbook_kit import clock
from hourbook_local.children import Account, Leash, StackError, kill_group, last_lines

PATIENCE_AT_STOP_SECONDS = 15
"""Faust sometimes hangs when it is stopped while joining its group (streaming.md 1.4)."""
PATIENCE_AT_START_SECONDS = 90
PAUSE_SECONDS_MIN, PAUSE_SECONDS_MAX = 0.2, 5.0
"""Between an end and the next start; doubled each time, until one has lived for a while."""
LIVED_A_WHILE_SECONDS = 10
LOG_BYTES_MAX = 20_000_000


class State(StrEnum):
    STARTING = "starting"
    READY = "ready"
    RESTARTING = "restarting"
    STOPPED = "stopped"
    FAILED = "failed"


Ready = Callable[[], Awaitable[bool]]
Watcher = Callable[[str, State], None]
"""Is told what each service has come to."""


def nobody_watches(_name: str, _state: State) -> None: ...


@dataclass(frozen=True)
class Service:
    """A program, and how one sees that it is ready: HTTP 200 at `health_url`, or `ready`."""

    name: str
    command: tuple[str, ...]
    log_file: Path
    environment: Mapping[str, str] = field(default_factory=dict)
    health_url: str | None = None
    ready: Ready | None = None
    account: Account | None = None
    stop_signal: signal.Signals = signal.SIGTERM
    early_ends_max: int = 3
    """It may end so often before it is ready for the first time; more than that is an error."""


class Supervisor:
    """Starts services in rounds, and stops them by rounds in the reverse order."""

    def __init__(self, log_file: Path, watcher: Watcher = nobody_watches) -> None:
        self._log_file, self._watcher = log_file, watcher
        self._rounds: list[list[_Kept]] = []

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    async def start(self, *services: Service) -> None:
        """All of one round at once; back when each of them is ready."""
        kept = [_Kept(service, self._say, self._watcher) for service in services]
        self._rounds.append(kept)
        for one in kept:
            one.keep()
        async with asyncio.TaskGroup() as waiting:
            for one in kept:
                waiting.create_task(one.come_up())

    async def stop(self) -> None:
        while self._rounds:
            await asyncio.gather(*(one.stop() for one in self._rounds.pop()))

    def kill(self, name: str) -> int:
        """SIGKILL to the service and all it started; gives the pid that is no more."""
        return self._named(name).kill()

    def send(self, name: str, what: signal.Signals) -> int:
        """A signal that ends it; gives the pid that is soon no more."""
        return self._named(name).send(what)

    def pid(self, name: str) -> int | None:
        return self._named(name).pid

    def restarts(self, name: str) -> int:
        return self._named(name).restarts

    async def until_ready(self, name: str, patience_seconds: float = 60) -> None:
        await self._named(name).until_ready(patience_seconds)

    @property
    def names(self) -> list[str]:
        return [one.service.name for kept in self._rounds for one in kept]

    def _named(self, name: str) -> "_Kept":
        for kept in self._rounds:
            for one in kept:
                if one.service.name == name:
                    return one
        raise StackError(f"no service is called {name}: there are {', '.join(self.names)}")

    def _say(self, event: str, **fields: object) -> None:
        line = {"at": clock.now().isoformat(), "event": event, "service": "supervisor", **fields}
        with self._log_file.open("a") as log:
            log.write(json.dumps(line) + "\n")


class _Kept:
    """One service, its present process, and the task that starts the next one."""

    def __init__(self, service: Service, say: Callable[..., None], watcher: Watcher) -> None:
        self.service, self.restarts = service, 0
        self._say, self._watcher = say, watcher
        self._process: asyncio.subprocess.Process | None = None
        self._stopping = asyncio.Event()
        self._keeping: asyncio.Task[None] | None = None
        self._told_to_end: int | None = None

    @property
    def pid(self) -> int | None:
        process = self._process
        return process.pid if process and process.returncode is None else None

    def keep(self) -> None:
        self._watcher(self.service.name, State.STARTING)
        self._keeping = asyncio.create_task(self._keep(), name=f"keep {self.service.name}")

    async def _keep(self) -> None:
        pause = PAUSE_SECONDS_MIN
        while not self._stopping.is_set():
            began = time.monotonic()
            self._process = process = await self._spawn()
            self._say("started", name=self.service.name, pid=process.pid)
            code = await process.wait()
            kill_group(process.pid)  # what it left behind holds ports and files
            if self._stopping.is_set():
                return
            self.restarts += 1
            self._say("ended", name=self.service.name, pid=process.pid, code=code)
            self._watcher(self.service.name, State.RESTARTING)
            asked_to = process.pid == self._told_to_end
            if asked_to or time.monotonic() - began > LIVED_A_WHILE_SECONDS:
                pause = PAUSE_SECONDS_MIN
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(pause):
                    await self._stopping.wait()
            pause = min(2 * pause, PAUSE_SECONDS_MAX)

    async def _spawn(self) -> asyncio.subprocess.Process:
        service, account = self.service, self.service.account
        _turn_over(service.log_file)
        with service.log_file.open("ab") as log:
            return await asyncio.create_subprocess_exec(
                *service.command,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=asyncio.subprocess.STDOUT,
                cwd="/" if account else None,
                env=os.environ | service.environment,
                user=account.uid if account else None,
                group=account.gid if account else None,
                extra_groups=[] if account else None,
                start_new_session=True,
                preexec_fn=Leash(service.stop_signal),
            )

    async def come_up(self) -> None:
        """Ready for the first time, or an error that holds what the service said last."""
        name, began = self.service.name, time.monotonic()
        while not await self._is_ready():
            late = time.monotonic() - began > PATIENCE_AT_START_SECONDS
            if late or self.restarts >= self.service.early_ends_max:
                self._watcher(name, State.FAILED)
                said = last_lines(self.service.log_file)
                raise StackError(f"{name} did not come up; it said last:\n{said}")
            await asyncio.sleep(0.1)
        self._say("ready", name=name, after_seconds=round(time.monotonic() - began, 2))
        self._watcher(name, State.READY)

    async def until_ready(self, patience_seconds: float) -> None:
        async with asyncio.timeout(patience_seconds):
            while True:
                if await self._is_ready():
                    self._watcher(self.service.name, State.READY)
                    return
                await asyncio.sleep(0.1)

    async def _is_ready(self) -> bool:
        """Whoever answers must be ours, and going to stay."""
        if self.pid is None or self.pid == self._told_to_end:
            return False
        if self.service.ready is not None:
            return await self.service.ready()
        if self.service.health_url is None:
            return True
        return await answers_ok(self.service.health_url)

    def kill(self) -> int:
        self._told_to_end = pid = self._running()
        kill_group(pid)
        return pid

    def send(self, what: signal.Signals) -> int:
        """A signal that ends it."""
        self._told_to_end = pid = self._running()
        os.kill(pid, what)
        return pid

    def _running(self) -> int:
        if self.pid is None:
            raise StackError(f"{self.service.name} is not running")
        return self.pid

    async def stop(self) -> None:
        self._stopping.set()
        if self._keeping is None:
            return
        if self.pid is not None:
            self.send(self.service.stop_signal)
        done, _ = await asyncio.wait({self._keeping}, timeout=PATIENCE_AT_STOP_SECONDS)
        if not done and self.pid is not None:
            self._say("killed", name=self.service.name, pid=self.pid)
            self.kill()
        await self._keeping
        self._say("stopped", name=self.service.name)
        self._watcher(self.service.name, State.STOPPED)


async def answers_ok(url: str) -> bool:
    try:
        async with httpx.AsyncClient(timeout=2, trust_env=False) as client:
            return (await client.get(url)).status_code == httpx.codes.OK
    except httpx.HTTPError:
        return False


def _turn_over(log: Path) -> None:
    log.parent.mkdir(parents=True, exist_ok=True)
    if log.exists() and log.stat().st_size > LOG_BYTES_MAX:
        log.replace(log.with_suffix(".log.1"))

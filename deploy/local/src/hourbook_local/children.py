"""Programs started here die with us: own process group, and a leash to our own life."""

import ctypes
import os
import pwd
import secrets
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO

_PR_SET_PDEATHSIG = 1
_OURS = range(20_000, 32_768)
_LIBC = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None


class StackError(Exception):
    """Something that a person can put right; the message is one line that says how."""


@dataclass(frozen=True)
class Account:
    """The system account a program runs as, where that is not our own."""

    name: str
    uid: int
    gid: int

    @classmethod
    def named(cls, name: str) -> "Account":
        entry = pwd.getpwnam(name)
        return cls(name, entry.pw_uid, entry.pw_gid)


@dataclass(frozen=True)
class Leash:
    """Runs in the child between fork and exec: the kernel sends this signal when we die."""

    on_our_death: signal.Signals

    def __call__(self) -> None:
        if _LIBC is not None:
            _LIBC.prctl(_PR_SET_PDEATHSIG, int(self.on_our_death))


def spawn(
    command: Sequence[str],
    *,
    log: IO[bytes],
    account: Account | None = None,
    environment: Mapping[str, str] | None = None,
    on_our_death: signal.Signals = signal.SIGTERM,
) -> subprocess.Popen[bytes]:
    """The leash is held by the calling thread: start what shall live from one that lives."""
    return subprocess.Popen(  # noqa: S603 -- our own programs, our own arguments
        command,
        stdin=subprocess.DEVNULL,
        stdout=log,
        stderr=subprocess.STDOUT,
        cwd="/" if account else None,
        env=environment,
        user=account.uid if account else None,
        group=account.gid if account else None,
        extra_groups=[] if account else None,
        start_new_session=True,
        preexec_fn=Leash(on_our_death),  # noqa: PLW1509 -- one call into libc, loaded before the fork
    )


def end(
    child: subprocess.Popen[bytes], *, politely: signal.Signals, patience_seconds: float = 15
) -> None:
    """Ask, wait, and then do not ask any more; everything the child started goes with it."""
    if child.poll() is None:
        child.send_signal(politely)
        try:
            child.wait(patience_seconds)
        except subprocess.TimeoutExpired:
            kill_group(child.pid)
    child.wait()


def kill_group(pid: int) -> None:
    """Each child leads a process group of its own, numbered as itself."""
    try:
        os.killpg(pid, signal.SIGKILL)
    except ProcessLookupError:
        return


def free_port() -> int:
    """Free when we looked; nobody keeps it for us.

    Below what Linux gives to outgoing connections: one of those would take it before its server is up.
    """
    while True:
        port = secrets.choice(_OURS)
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


def refuse_taken(ports: Mapping[str, int]) -> None:
    """Says in one line which of these ports somebody listens on already."""
    taken = {what: port for what, port in ports.items() if _is_taken(port)}
    if taken:
        listed = ", ".join(f"{port} ({what})" for what, port in taken.items())
        raise StackError(
            f"port {listed} on 127.0.0.1 is taken: end what listens there, or choose another"
            f" with HOURBOOK_LOCAL_{next(iter(taken)).upper()}_PORT"
        )


def _is_taken(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # TIME_WAIT is not taken
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return True
    return False


def last_lines(log: Path, count: int = 12) -> str:
    """The end of a log, for the message about a program that did not come up."""
    if not log.exists():
        return "(it said nothing)"
    lines = log.read_text(errors="replace").splitlines()[-count:]
    return "\n".join(lines) or "(it said nothing)"

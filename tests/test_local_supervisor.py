"""What ends is started again, what hangs is killed, and what is in the way is named."""

import asyncio
import json
import os
import signal
import socket
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from hourbook_local.children import StackError, free_port, refuse_taken
from hourbook_local.supervisor import Service, State, Supervisor

pytestmark = pytest.mark.anyio

WEB = """
import http.server, sys
class Page(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
http.server.HTTPServer(("127.0.0.1", int(sys.argv[1])), Page).serve_forever()
"""
DEAF = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(60)"


def web(folder: Path, name: str = "web") -> Service:
    port = free_port()
    command = (sys.executable, "-S", "-c", WEB, str(port))
    health_url = f"http://127.0.0.1:{port}/health/ready"
    return Service(name, command, folder / f"{name}.log", health_url=health_url)


def told(folder: Path) -> list[tuple[str, str]]:
    lines = (folder / "supervisor.log").read_text().splitlines()
    return [(line["event"], line["name"]) for line in map(json.loads, lines)]


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


async def until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(40):
        while True:
            if true():
                return
            await asyncio.sleep(0.02)


async def test_a_service_killed_with_sigkill_is_started_again(tmp_path: Path) -> None:
    states: list[State] = []
    async with Supervisor(
        tmp_path / "supervisor.log", lambda _, state: states.append(state)
    ) as supervisor:
        await supervisor.start(web(tmp_path))
        killed = supervisor.kill("web")
        await until(lambda: supervisor.restarts("web") == 1)
        await supervisor.until_ready("web", 40)
        assert supervisor.pid("web") not in {None, killed}
        last = supervisor.pid("web")
    assert last is not None
    assert not is_alive(last)
    assert states == [
        *(State.STARTING, State.READY, State.RESTARTING, State.READY, State.STOPPED),
    ]
    assert told(tmp_path) == [
        (event, "web") for event in ("started", "ready", "ended", "started", "stopped")
    ]


async def test_a_clean_exit_is_no_reason_to_stay_away(tmp_path: Path) -> None:
    async with Supervisor(tmp_path / "supervisor.log") as supervisor:
        await supervisor.start(web(tmp_path))
        supervisor.send("web", signal.SIGTERM)
        await until(lambda: supervisor.restarts("web") == 1)
        await supervisor.until_ready("web", 40)


async def test_services_stop_in_the_reverse_order_of_their_start(tmp_path: Path) -> None:
    async with Supervisor(tmp_path / "supervisor.log") as supervisor:
        await supervisor.start(web(tmp_path, "first"))
        await supervisor.start(web(tmp_path, "second"))
        assert supervisor.names == ["first", "second"]
    stopped = [name for event, name in told(tmp_path) if event == "stopped"]
    assert stopped == ["second", "first"]


async def test_a_service_that_does_not_listen_to_sigterm_is_killed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hourbook_local.supervisor.PATIENCE_AT_STOP_SECONDS", 0.3)
    async with Supervisor(tmp_path / "supervisor.log") as supervisor:
        deaf = Service("deaf", (sys.executable, "-S", "-c", DEAF), tmp_path / "deaf.log")
        await supervisor.start(deaf)
        pid = supervisor.pid("deaf")
        await asyncio.sleep(0.3)  # until it is deaf
    assert pid is not None
    assert not is_alive(pid)
    assert ("killed", "deaf") in told(tmp_path)


async def test_a_service_that_cannot_start_is_told_with_its_last_words(tmp_path: Path) -> None:
    broken = Service(
        "broken",
        (sys.executable, "-S", "-c", "raise SystemExit('no such table')"),
        tmp_path / "broken.log",
        health_url="http://127.0.0.1:1/",
    )
    async with Supervisor(tmp_path / "supervisor.log") as supervisor:
        with pytest.raises(ExceptionGroup) as failed:
            await supervisor.start(web(tmp_path), broken)
        assert failed.group_contains(StackError, match=r"broken did not come up.*\nno such table")


async def test_nothing_outlives_a_supervisor_that_is_killed(tmp_path: Path) -> None:
    """The kernel ends the children: nobody else is left to do it."""
    program = (
        "import asyncio, pathlib, sys\n"
        "from hourbook_local.supervisor import Service, Supervisor\n"
        "async def main() -> None:\n"
        "    folder = pathlib.Path(sys.argv[1])\n"
        "    supervisor = Supervisor(folder / 'supervisor.log')\n"
        "    sleeper = (sys.executable, '-S', '-c', 'import time; time.sleep(60)')\n"
        "    await supervisor.start(Service('sleeper', sleeper, folder / 'sleeper.log'))\n"
        "    print(supervisor.pid('sleeper'), flush=True)\n"
        "    await asyncio.sleep(60)\n"
        "asyncio.run(main())\n"
    )
    supervisor = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", program, str(tmp_path)), stdout=asyncio.subprocess.PIPE
    )
    assert supervisor.stdout is not None
    sleeper = int(await supervisor.stdout.readline())
    assert is_alive(sleeper)
    supervisor.kill()
    await supervisor.wait()
    await until(lambda: not is_alive(sleeper) or is_zombie(sleeper))


def is_zombie(pid: int) -> bool:
    """Dead, and whoever adopted it has not noticed yet."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] == "Z"
    except FileNotFoundError:
        return True


def test_a_taken_port_is_named_in_one_line() -> None:
    with socket.socket() as somebody:
        somebody.bind(("127.0.0.1", 0))
        somebody.listen()
        port = somebody.getsockname()[1]
        with pytest.raises(StackError) as refused:
            refuse_taken({"query_api": port, "kafka": free_port()})
    message = str(refused.value)
    assert message.startswith(f"port {port} (query_api) on 127.0.0.1 is taken")
    assert "HOURBOOK_LOCAL_QUERY_API_PORT" in message
    assert "\n" not in message
    refuse_taken({"query_api": port})


async def test_a_pause_between_starts_grows(tmp_path: Path) -> None:
    """A service that fails at once must not eat the machine."""
    briefly = (sys.executable, "-S", "-c", "import time; time.sleep(0.15)")
    flaky = Service("flaky", briefly, tmp_path / "flaky.log", early_ends_max=99)
    async with Supervisor(tmp_path / "supervisor.log") as supervisor:
        began = time.monotonic()
        await supervisor.start(flaky)
        await until(lambda: supervisor.restarts("flaky") >= 3)
        assert time.monotonic() - began > 0.2 + 0.4

"""The compose stack really runs: an hour travels through it, whatever is killed, and what is for ever comes back.

`make containers` builds the images and runs this; it needs an engine that answers.
"""

import json
import os
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

pytestmark = pytest.mark.timeout(900)

ROOT = Path(__file__).parents[3]
STAY = ("kafka", "postgres", "ingest-zammad", "reconciler", "push-kimai", "query-api", "jobs", "ui")
OURS = STAY[2:-1]
GRACE_SECONDS = 30
SETTLED_SECONDS = 15
"""Longer than push's and ingest's polls are apart."""


class Stack:
    """Compose, as an administrator types it, on a project of our own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        run(ROOT / "deploy/compose/draw-secrets", cwd=folder)
        self._environment = os.environ | {
            "HOURBOOK_SECRETS": str(folder / "secrets"),
            "HOURBOOK_ZAMMAD_TWIN_PORT": "0",
            "HOURBOOK_KIMAI_TWIN_PORT": "0",
            "HOURBOOK_UI_PORT": "0",
            "HOURBOOK_NETWORK": "172.30.85.0/24",
        }

    def compose(self, *arguments: str, given: bytes | None = None, may_fail: bool = False) -> bytes:
        command: list[str | Path] = [
            *("docker", "compose", "--project-name", "hourbook-test"),
            *("--env-file", self.folder / ".env", "--file", ROOT / "docker-compose.yml"),
            *("--profile", "demo", *arguments),
        ]
        done = subprocess.run(  # noqa: S603 -- our own words
            command, env=self._environment, input=given, capture_output=True, check=False
        )
        assert may_fail or done.returncode == 0, (
            f"{arguments}: {done.stderr.decode()}{done.stdout.decode()}"
        )
        return done.stdout

    def up(self) -> None:
        self.compose(
            "up",
            "--detach",
            "--no-build",
            "--pull",
            "missing",
            "--wait",
            *STAY,
            "zammad-twin",
            "kimai-twin",
        )

    def down(self) -> None:
        self.compose("down", "--volumes", "--timeout", "10")

    def an_hour_travels(self) -> str:
        said = self.compose("run", "--rm", "-T", "demo").decode()
        assert "Kimai's timesheet" in said, said
        return said

    def inspect(self, service: str) -> dict[str, Any]:
        name = self.compose("ps", "--all", "--quiet", service).decode().strip()
        (found,) = json.loads(run("docker", "inspect", name))
        return dict(found)

    def command(self, *arguments: str, given: bytes | None = None) -> bytes:
        """`hourbook …` with an owner's rights."""
        return self.compose("run", "--rm", "-T", "--no-deps", "migrate", *arguments, given=given)


def run(*command: str | Path, cwd: Path = ROOT) -> str:
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)  # noqa: S603 -- our own words
    assert done.returncode == 0, f"{command}: {done.stderr}"
    return done.stdout


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """Up, and gone with its volumes afterwards; what it said is kept in build/containers.log."""
    found = Stack(tmp_path_factory.mktemp("containers"))
    found.down()
    try:
        found.up()
        yield found
    finally:
        log = ROOT / "build" / "containers.log"
        log.parent.mkdir(exist_ok=True)
        log.write_bytes(found.compose("logs", "--no-color", "--timestamps"))
        found.down()


def test_an_hour_travels_and_what_is_to_be_opened_is_told_as_a_browser_here_reaches_it(
    stack: Stack,
) -> None:
    opened = stack.an_hour_travels().split("Open")[-1]
    assert "http://localhost:" in opened
    assert "query-api" not in opened


@pytest.mark.parametrize("service", STAY)
def test_a_killed_container_comes_back_and_hours_travel_again(stack: Stack, service: str) -> None:
    before = stack.inspect(service)["State"]
    os.kill(before["Pid"], 9) if os.geteuid() == 0 else stack.compose("kill", service)
    stack.up()
    after = stack.inspect(service)["State"]
    assert after["Pid"] != before["Pid"]
    stack.an_hour_travels()


@pytest.mark.parametrize("service", OURS)
def test_who_is_asked_to_stop_stops_in_time_by_itself(stack: Stack, service: str) -> None:
    stack.compose("stop", "--timeout", str(GRACE_SECONDS), service)
    assert stack.inspect(service)["State"]["ExitCode"] == 0
    stack.up()


def test_hours_travel_after_all_were_stopped_and_started(stack: Stack) -> None:
    stack.an_hour_travels()


@pytest.mark.parametrize("service", OURS)
def test_an_image_says_what_it_is_and_holds_no_tools(stack: Stack, service: str) -> None:
    found = stack.inspect(service)
    labels = found["Config"]["Labels"]
    image = (
        "hourbook" if service == "jobs" else f"hourbook-{service}"
    )  # jobs is the command at work
    assert labels["org.opencontainers.image.title"] == image
    assert labels["org.opencontainers.image.licenses"] == "MIT"
    assert found["Config"]["User"] == "10001:10001"
    look = (
        "import importlib.util as u, shutil;"
        "print([*map(u.find_spec, ('pip', 'setuptools'))], *map(shutil.which, ('uv', 'gcc')))"
    )
    found_tools = stack.compose("exec", "-T", service, "python", "-c", look).strip()
    assert found_tools == b"[None, None] None None"
    write = "import pathlib; pathlib.Path('/app/x').touch()"
    done = f"try:\n {write}\nexcept OSError as e: print(e.errno)"
    assert stack.compose("exec", "-T", service, "python", "-c", done).strip() in {b"13", b"30"}


def answer(stack: Stack, path: str, **more: Any) -> httpx.Response:
    """Of the pages' door, as a browser gets it."""
    place = stack.compose("port", "ui", "8080").decode().strip()
    return httpx.request(more.pop("method", "GET"), f"http://{place}{path}", timeout=10, **more)


def test_the_pages_door_serves_the_pages_and_passes_the_rest_on(stack: Stack) -> None:
    stack.compose("up", "--detach", "--no-build", "--wait", "ui")
    for path, kind in (("/", "text/html"), ("/entries/zammad:desk:1", "text/html")):
        page = answer(stack, path)
        assert page.headers["content-type"].startswith(kind)
        assert "script-src 'self';" in page.headers["content-security-policy"]
        assert page.headers["x-content-type-options"] == "nosniff"
        assert "nginx/" not in page.headers["server"]
    assert answer(stack, "/assets/missing.js").status_code == 404
    assert answer(stack, "/api/health/ready").json()["ready"] is True
    webhook = answer(stack, "/api/webhook/zammad/desk", method="POST", content=b"{}")
    assert webhook.status_code == 401
    limit = 1024 * 1024
    for size, status in ((limit, 401), (limit + 1, 413)):
        sent = answer(stack, "/api/webhook/zammad/desk", method="POST", content=b" " * size)
        assert sent.status_code == status


@pytest.mark.parametrize("proxied", ["198.51.100.9", "203.0.113.1, 198.51.100.9"])
def test_who_signs_in_is_seen_through_the_door_and_a_proxy_in_front(
    stack: Stack, proxied: str
) -> None:
    body = {"name": "nobody", "password": "a wrong one, of course"}
    told = {"X-Forwarded-For": proxied}
    assert answer(stack, "/api/auth/login", method="POST", json=body, headers=told).is_client_error
    last = asked(stack, "SELECT address FROM vault.visits ORDER BY at DESC LIMIT 1")
    assert last == "198.51.100.9"


def test_the_pages_door_finds_a_service_that_was_made_anew(stack: Stack) -> None:
    stack.compose(
        "up", "--detach", "--no-build", "--wait", "--force-recreate", "--no-deps", "query-api"
    )
    for _ in range(20):
        if answer(stack, "/api/health/ready").is_success:
            return
        time.sleep(1)
    raise AssertionError("the door still asks at the old address")


def test_what_is_for_ever_comes_back_from_a_backup(stack: Stack) -> None:
    before = booked(stack)
    assert before
    stack.compose("stop", *OURS, "zammad-twin", "kimai-twin")
    backup = stack.command("backup")
    held = tables(stack)
    assert held["ledger"] > 0
    stack.compose("rm", "--stop", "--force", *STAY, "migrate", "migrate-post")
    for volume in ("kafka", "postgres"):
        run("docker", "volume", "rm", f"hourbook-test_{volume}")
    stack.compose("up", "--detach", "--no-build", "--wait", "kafka", "postgres")
    stack.command("migrate")
    stack.command("restore", given=backup)
    # it tells another read model than before: there was none
    stack.compose("run", "--rm", "-T", "--no-deps", "rebuild", may_fail=True)
    assert tables(stack) == held
    stack.up()
    read_again(stack, held["ledger"])
    # both sides were read again, and nothing was wished for that was there already
    assert tables(stack) | {"ledger": 0} == held | {"ledger": 0}
    assert booked(stack) == before
    stack.an_hour_travels()


def booked(stack: Stack) -> list[dict[str, Any]]:
    """All timesheets that Kimai holds."""
    place = stack.compose("port", "kimai-twin", "8311").decode().strip()
    known = {"Authorization": "Bearer kimai-admin-token"}
    state = httpx.get(f"http://{place}/_twin/state", headers=known).raise_for_status().json()
    return list(state["timesheets"])


def read_again(stack: Stack, known: int) -> None:
    """Wait until what the two sides hold was told once more, and nothing more is."""
    last, since = known, time.monotonic()
    for _ in range(120):
        now = tables(stack)["ledger"]
        if now != last:
            last, since = now, time.monotonic()
        if now > known and time.monotonic() - since > SETTLED_SECONDS:
            return
        time.sleep(1)
    raise AssertionError(f"the ledger went from {known} to {last} and does not come to rest")


def tables(stack: Stack) -> dict[str, int]:
    """How much there is of what must not be lost, and of what is made from it."""
    counts = {
        "ledger": "SELECT coalesce(sum(next_offset), 0) FROM book.checkpoint",
        "books": "SELECT count(*) FROM book.books",
        "entries": "SELECT count(*) FROM book.entries",
        "keys": "SELECT count(*) FROM vault.subject_keys",
        "secrets": "SELECT count(*) FROM vault.secrets",
    }
    return {name: int(asked(stack, query)) for name, query in counts.items()}


def asked(stack: Stack, query: str) -> str:
    """Of the database, as its owner."""
    psql = ("psql", "-U", "postgres", "-d", "hourbook", "-Atc", query)
    return stack.compose("exec", "-T", "postgres", *psql).decode().strip()

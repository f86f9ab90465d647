"""The API over a million entries: each list as the pages ask for it, over HTTP, one question at a time."""

import random
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import quantiles

import httpx
from rich.console import Console

from bench import million
from bench.figures import Figure, less_is_better
from bench.world import world
from hourbook_cli.settings import DEMO_PASSWORD, DEMO_USER
from hourbook_local.postgres import FORGETFUL
from hourbook_local.stack import Parts

TIMES, WARM = 20, 2
P95_SECONDS = 0.05
SORTS = ("created_at", "changed_at", "day", "duration_seconds", "ticket_number")
Asked = tuple[str, dict[str, object]]
say = Console(width=110, highlight=False).print


async def measure(folder: Path) -> list[Figure]:
    """The p95 of all, each question asked as often as any other; what each took is printed."""
    quick = Parts(services=("query-api",), postgres_settings=(*FORGETFUL, "max_wal_size=4GB"))
    async with world(folder, quick) as here:
        await million.fill(here.stack.admin_dsn, here.stack.keys.vault_key)
        seconds = await ask_all(here.stack.url("query-api"))
    return [less_is_better("api_p95_1m_s", _percentile(seconds, 95), "s", P95_SECONDS)]


async def ask_all(url: str) -> list[float]:
    everything: list[float] = []
    async with httpx.AsyncClient(base_url=url, timeout=60, trust_env=False) as client:
        for name, ask in QUESTIONS.items():
            seconds = await _seconds(client, ask)
            p50, p95 = (f"{1000 * _percentile(seconds, place):8.1f}" for place in (50, 95))
            say(f"{name:44} p50 {p50} ms  p95 {p95} ms")
            everything += seconds
    return everything


def _percentile(seconds: list[float], place: int) -> float:
    return quantiles(seconds, n=100, method="inclusive")[place - 1]


async def _seconds(client: httpx.AsyncClient, ask: Callable[[random.Random], Asked]) -> list[float]:
    """Each its own draw, the same in every run; the first ones warm what is warm in daily work."""
    chance = random.Random(1)  # noqa: S311 -- no secret
    await _sign_in(client)  # a token is good for five minutes
    found = []
    for _ in range(WARM + TIMES):
        path, params = ask(chance)
        began = time.perf_counter()
        answer = await client.get(path, params=params)  # type: ignore[arg-type]  # numbers and texts
        found.append(time.perf_counter() - began)
        answer.raise_for_status()
    return found[WARM:]


async def _sign_in(client: httpx.AsyncClient) -> None:
    body = {"name": DEMO_USER, "password": DEMO_PASSWORD}
    answer = await client.post("/api/auth/login", json=body)
    answer.raise_for_status()
    client.headers["Authorization"] = f"Bearer {answer.json()['access_token']}"


def _entries(**more: object) -> Callable[[random.Random], Asked]:
    return lambda _: ("/api/entries", {"limit": 100} | more)


def _conflicts(path: str = "", **more: object) -> Callable[[random.Random], Asked]:
    return lambda _: (f"/api/conflicts{path}", more)


def _any_entry(chance: random.Random) -> int:
    return chance.randint(1, million.ENTRIES)


def _any_ticket(chance: random.Random) -> int:
    return chance.randint(1, million.TICKETS)


def _questions() -> Iterator[tuple[str, Callable[[random.Random], Asked]]]:
    yield "entries", _entries(sort="-created_at")
    for sort in SORTS:
        yield f"entries by {sort}", _entries(sort=sort)
        yield f"entries by -{sort}", _entries(sort=f"-{sort}")
    for state in ("asks", "requested", "held_back", "settled", "retracted"):
        yield f"entries, {state}", _entries(sort="-created_at", state=state)
    yield "entries, asks, by -duration_seconds", _entries(sort="-duration_seconds", state="asks")
    yield "entries of a connection", _entries(sort="-created_at", connection="desk")
    yield (
        "entries of an agent",
        lambda c: ("/api/entries", {"agent": 3 + c.randint(0, 59), "limit": 100}),
    )
    yield (
        "entries of an agent, by -duration_seconds",
        lambda c: (
            "/api/entries",
            {"agent": 3 + c.randint(0, 59), "sort": "-duration_seconds", "limit": 100},
        ),
    )
    yield (
        "entries of a ticket",
        lambda c: ("/api/entries", {"ticket": f"48{_any_ticket(c):06}", "limit": 100}),
    )
    yield "entries since a day", _entries(sort="-created_at", from_day="2026-11-23")
    yield "entries of a month of last year", _entries(from_day="2025-10-01", to_day="2025-10-31")
    yield (
        "entries, text: a ticket's number",
        lambda c: ("/api/entries", {"text": f"48{_any_ticket(c):06}", "limit": 100}),
    )
    yield (
        "entries, text: how one begins",
        lambda c: ("/api/entries", {"text": f"48{_any_ticket(c) // 100:04}", "limit": 100}),
    )
    yield (
        "entries, text: an id",
        lambda c: ("/api/entries", {"text": f"zammad:desk:{_any_entry(c)}", "limit": 100}),
    )
    yield (
        "entries, text: a timesheet",
        lambda c: ("/api/entries", {"text": f"kimai:hours:{_any_entry(c)}", "limit": 100}),
    )
    yield (
        "entries, text: a number",
        lambda c: ("/api/entries", {"text": str(_any_entry(c)), "limit": 100}),
    )
    yield "entries, text: nothing has it", _entries(text="nothing")
    yield "an entry's story", lambda c: (f"/api/entries/zammad:desk:{_any_entry(c)}", {})
    yield "a ticket", lambda c: (f"/api/tickets/zammad:desk:{_any_ticket(c)}", {})
    yield "conflicts", _conflicts(sort="reason", limit=200)
    yield "conflicts by opened_at", _conflicts(sort="opened_at", limit=100)
    yield "conflicts of a reason", _conflicts(sort="reason", limit=200, reason="overlap")
    yield (
        "conflicts of an agent",
        lambda c: ("/api/conflicts", {"agent": 3 + c.randint(0, 59), "limit": 200}),
    )
    yield "conflicts, text", _conflicts(sort="reason", limit=200, text="48123")
    yield "conflicts, closed", _conflicts(open="false", sort="-resolved_at", limit=100)
    yield "counts of conflicts", _conflicts("/counts")
    yield "counts of a reason", _conflicts("/counts", reason="overlap")
    yield (
        "a conflict",
        lambda c: (
            f"/api/conflicts/zammad:desk:{1 + (83 * (n := c.randint(1, 12000)) - 1) // 4}~{83 * n}",
            {},
        ),
    )
    yield "audit", lambda _: ("/api/audit", {"people": "true", "limit": 100})
    yield "audit of everybody", lambda _: ("/api/audit", {"limit": 100})
    yield (
        "audit of a kind",
        lambda _: ("/api/audit", {"type": "hourbook.mapping_set.v1", "limit": 100}),
    )
    yield "audit of a person", lambda _: ("/api/audit", {"by": "user:bench", "limit": 100})
    yield (
        "audit of a subject",
        lambda c: (
            "/api/audit",
            {"subject": f"zammad:desk:{1 + (17 * (n := c.randint(1, 58000)) - 1) // 4}/{17 * n}"},
        ),
    )
    yield "overview", lambda _: ("/api/overview", {})
    yield "minutes", lambda _: ("/api/overview/minutes", {})
    yield "deliveries in", lambda _: ("/api/deliveries/in", {"limit": 100})
    yield (
        "deliveries in of a ticket",
        lambda c: ("/api/deliveries/in", {"book": f"zammad:desk:{_any_ticket(c)}"}),
    )
    yield "deliveries out", lambda _: ("/api/deliveries/out", {"limit": 100})
    yield (
        "deliveries out of a ticket",
        lambda c: ("/api/deliveries/out", {"book": f"zammad:desk:{_any_ticket(c)}"}),
    )
    yield (
        "deliveries out, queued",
        lambda _: ("/api/deliveries/out", {"state": "queued", "limit": 100}),
    )
    yield (
        "deliveries out, refused",
        lambda _: ("/api/deliveries/out", {"outcome": "refused", "limit": 100}),
    )


QUESTIONS = dict(_questions())

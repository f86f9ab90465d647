"""The API over a million entries: each list as the pages ask for it, over HTTP, one question at a time."""

import random
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from statistics import quantiles

import httpx
from rich.console import Console

from bench import million
from bench.figures import Figure, less_is_better
from bench.world import world
from hourbook_cli.api import SignIn
from hourbook_cli.settings import DemoSettings
from hourbook_local.postgres import FORGETFUL
from hourbook_local.stack import Parts

TIMES, WARM = 20, 2
P95_SECONDS = 0.05
STATES = ("asks", "requested", "held_back", "settled", "retracted")
SORTS = ("created_at", "changed_at", "day", "duration_seconds", "ticket_number")
Params = dict[str, object]
Asked = tuple[str, Params]
Ask = Callable[[random.Random], Asked]
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
            client.auth = SignIn(DemoSettings(api_url=url))  # its token outlives a question
            seconds = await _seconds(client, ask)
            p50, p95 = (f"{1000 * _percentile(seconds, place):8.1f}" for place in (50, 95))
            say(f"{name:44} p50 {p50} ms  p95 {p95} ms")
            everything += seconds
    return everything


def _percentile(seconds: list[float], place: int) -> float:
    return quantiles(seconds, n=100, method="inclusive")[place - 1]


async def _seconds(client: httpx.AsyncClient, ask: Ask) -> list[float]:
    """Each its own draw, the same in every run; the first ones warm what is warm in daily work."""
    chance = random.Random(1)  # noqa: S311 -- no secret
    client.auth = SignIn(
        DemoSettings(api_url=str(client.base_url))
    )  # its token outlives a question
    found = []
    for _ in range(WARM + TIMES):
        path, params = ask(chance)
        began = time.perf_counter()
        answer = await client.get(path, params=params)  # type: ignore[arg-type]  # numbers and texts
        found.append(time.perf_counter() - began)
        answer.raise_for_status()
    return found[WARM:]


def _of(path: str, **params: object) -> Ask:
    """The same question each time, or where a parameter is drawn another one."""

    def ask(chance: random.Random) -> Asked:
        return path, {
            name: value(chance) if callable(value) else value for name, value in params.items()
        }

    return ask


def _at(path: str, place: Callable[[random.Random], object]) -> Ask:
    """One thing, drawn."""
    return lambda chance: (path.format(place(chance)), {})


def _entry(chance: random.Random) -> int:
    return chance.randint(1, million.ENTRIES)


def _ticket(chance: random.Random) -> int:
    return chance.randint(1, million.TICKETS)


def _agent(chance: random.Random) -> int:
    return 3 + chance.randint(0, 59)


def _number(chance: random.Random) -> str:
    return f"48{_ticket(chance):06}"


def _book(chance: random.Random) -> str:
    return f"zammad:desk:{_ticket(chance)}"


def _posting(chance: random.Random, *, every: int, most: int, between: str) -> str:
    """Of one entry in so many, as million.sql has them."""
    entry = every * chance.randint(1, most)
    return f"zammad:desk:{1 + (entry - 1) // 4}{between}{entry}"


_ENTRIES = partial(_of, "/api/entries", limit=100)
_NEWEST = partial(_ENTRIES, sort="-created_at")
_CONFLICTS = partial(_of, "/api/conflicts", limit=200)
_AUDIT = partial(_of, "/api/audit", limit=100)
_IN = partial(_of, "/api/deliveries/in")
_OUT = partial(_of, "/api/deliveries/out")

OF_ENTRIES: dict[str, Ask] = {
    "entries": _NEWEST(),
    **{
        f"entries by {sign}{sort}": _ENTRIES(sort=sign + sort)
        for sort in SORTS
        for sign in ("", "-")
    },
    **{f"entries, {state}": _NEWEST(state=state) for state in STATES},
    "entries, asks, by -duration_seconds": _ENTRIES(sort="-duration_seconds", state="asks"),
    "entries of a connection": _NEWEST(connection="desk"),
    "entries of an agent": _ENTRIES(agent=_agent),
    "entries of an agent, by -duration_seconds": _ENTRIES(agent=_agent, sort="-duration_seconds"),
    "entries of a ticket": _ENTRIES(ticket=_number),
    "entries since a day": _NEWEST(from_day="2026-11-23"),
    "entries of a month of last year": _ENTRIES(from_day="2025-10-01", to_day="2025-10-31"),
    "entries, text: a ticket's number": _ENTRIES(text=_number),
    "entries, text: how one begins": _ENTRIES(text=lambda c: _number(c)[:-2]),
    "entries, text: an id": _ENTRIES(text=lambda c: f"zammad:desk:{_entry(c)}"),
    "entries, text: a timesheet": _ENTRIES(text=lambda c: f"kimai:hours:{_entry(c)}"),
    "entries, text: a number": _ENTRIES(text=_entry),
    "entries, text: nothing has it": _ENTRIES(text="nothing"),
    "an entry's story": _at("/api/entries/zammad:desk:{}", _entry),
    "a ticket": _at("/api/tickets/{}", _book),
}
OF_CONFLICTS: dict[str, Ask] = {
    "conflicts": _CONFLICTS(sort="reason"),
    "conflicts by opened_at": _of("/api/conflicts", sort="opened_at", limit=100),
    "conflicts of a reason": _CONFLICTS(sort="reason", reason="overlap"),
    "conflicts of an agent": _CONFLICTS(agent=_agent),
    "conflicts, text": _CONFLICTS(sort="reason", text="48123"),
    "conflicts, closed": _of("/api/conflicts", open="false", sort="-resolved_at", limit=100),
    "counts of conflicts": _of("/api/conflicts/counts"),
    "counts of a reason": _of("/api/conflicts/counts", reason="overlap"),
    "a conflict": _at("/api/conflicts/{}", partial(_posting, every=83, most=12_000, between="~")),
}
OF_THE_HOUSE: dict[str, Ask] = {
    "audit": _AUDIT(people="true"),
    "audit of everybody": _AUDIT(),
    "audit of a kind": _AUDIT(type="hourbook.mapping_set.v1"),
    "audit of a person": _AUDIT(by="user:bench"),
    "audit of a subject": _of(
        "/api/audit", subject=partial(_posting, every=17, most=58_000, between="/")
    ),
    "overview": _of("/api/overview"),
    "minutes": _of("/api/overview/minutes"),
    "deliveries in": _IN(limit=100),
    "deliveries in of a ticket": _IN(book=_book),
    "deliveries out": _OUT(limit=100),
    "deliveries out of a ticket": _OUT(book=_book),
    "deliveries out, queued": _OUT(state="queued", limit=100),
    "deliveries out, refused": _OUT(outcome="refused", limit=100),
}
QUESTIONS = OF_ENTRIES | OF_CONFLICTS | OF_THE_HOUSE

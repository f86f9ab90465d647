"""From an agent's click in Zammad to the timesheet in Kimai, and what the services then weigh."""

import asyncio
from datetime import datetime
from pathlib import Path
from statistics import quantiles

from bench.figures import Figure, less_is_better
from bench.world import World, eventually, world
from hourbook_kit import clock
from hourbook_local.stack import SERVICES

ENTRIES, PER_SECOND, LATENCY_SECONDS = 400, 20, 0.02
TICKETS, AGENTS = 100, (3, 4, 5, 6, 7)
P50_SECONDS, P99_SECONDS, RSS_MB = 0.2, 1.0, 150


async def measure(folder: Path) -> list[Figure]:
    """At 20 entries a second, with peers that take 20 ms to answer."""
    async with world(folder) as here:
        tickets = [await here.new_ticket(f"Bench {n}") for n in range(TICKETS)]
        await _warm_up(here, tickets)
        await here.slow_down(LATENCY_SECONDS)
        seconds = sorted(await _journeys(here, tickets))
        percentiles = quantiles(seconds, n=100)
        return [
            less_is_better("webhook_to_timesheet_p50", percentiles[49], "s", P50_SECONDS),
            less_is_better("webhook_to_timesheet_p99", percentiles[98], "s", P99_SECONDS),
            *_weights(here),
        ]


async def _warm_up(here: World, tickets: list[int]) -> None:
    for ticket in tickets[:10]:
        await here.book(ticket, 5)
    await eventually(here.is_quiet, seconds=60, what="quiet")


async def _journeys(here: World, tickets: list[int]) -> list[float]:
    """Each booking's seconds until its row stands in Kimai; bookings do not wait for each other."""
    began: dict[str, datetime] = {}

    async def book(number: int) -> None:
        at = clock.now()
        made = await here.book(tickets[number % TICKETS], 15, agent=AGENTS[number % len(AGENTS)])
        began[f"zammad:desk:{made}"] = at

    loop = asyncio.get_running_loop()
    first = loop.time()
    async with asyncio.TaskGroup() as bookings:
        for number in range(ENTRIES):  # by the clock: what came late is not followed by less
            await asyncio.sleep(first + number / PER_SECOND - loop.time())
            bookings.create_task(book(number))
    await eventually(here.is_quiet, seconds=120, what="quiet")

    async def all_written() -> bool:
        return began.keys() <= (await _written(here)).keys()

    await eventually(all_written, seconds=120, what="every booking in Kimai")
    written = await _written(here)
    return [(written[entry] - at).total_seconds() for entry, at in began.items()]


async def _written(here: World) -> dict[str, datetime]:
    """By entry: when its row was committed, by the Kimai twin itself."""
    tied = await here.rows("SELECT entry, sheet FROM book.entries WHERE sheet IS NOT NULL")
    stands = {
        str(row["id"]): datetime.fromisoformat(row["committed_at"])
        for row in await here.timesheets()
    }
    sheets = {row["entry"]: row["sheet"].rsplit(":", 1)[1] for row in tied}
    return {entry: stands[sheet] for entry, sheet in sheets.items() if sheet in stands}


def _weights(here: World) -> list[Figure]:
    figures = []
    for name in SERVICES:
        status = Path(f"/proc/{here.stack.pid(name)}/status").read_text()
        kilobytes = int(status.split("VmRSS:")[1].split()[0])
        figures.append(less_is_better(f"rss_{name}", kilobytes / 1024, "MB", RSS_MB))
    return figures

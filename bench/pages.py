"""Pages as a browser gets them: how much it loads first, and how soon ten thousand questions can be answered."""

import json
from datetime import timedelta
from pathlib import Path
from statistics import median

import asyncpg
from playwright.async_api import Browser

from bench.browser import SCREENS, chromium, visit
from bench.figures import Figure, less_is_better
from bench.world import Json, World, world
from hourbook_kit import clock

LOAD_KB, QUESTIONS, USABLE_SECONDS, TIMES = 250.0, 10_000, 1.0, 5
FIRST_ID = 1_000_000
"""Of time accountings that no twin holds."""
REASONS = ("changed_in_kimai", "deleted_in_kimai", "changed_on_both_sides", "refused_by_kimai")

_LOADED = """() => [
  ...performance.getEntriesByType("navigation"), ...performance.getEntriesByType("resource"),
].filter(one => !one.name.includes("/api/") && !one.name.endsWith(".woff2"))
 .reduce((sum, one) => sum + one.encodedBodySize, 0) / 1000"""
_WATCH = """
let busyUntil = 0;
new PerformanceObserver(list => {
  for (const task of list.getEntries()) busyUntil = task.startTime + task.duration;
}).observe({ type: "longtask", buffered: true });
window.usableAt = new Promise(tell => requestAnimationFrame(function look() {
  const there = document.querySelector("[data-row][aria-current]") && document.querySelector("article h2");
  if (!there) { requestAnimationFrame(look); return; }
  setTimeout(() => tell(Math.max(performance.now(), busyUntil)));
}));
"""


async def measure(folder: Path) -> list[Figure]:
    """`ui_first_load_kb`: of the heaviest page, what is not data, compressed; the font apart.

    `ui_conflicts_10k_s`: from the moment the address is entered, nothing cached, until the first question
    is shown whole and the browser listens; median of five.
    """
    async with world(folder) as here, chromium() as browser:
        at = here.stack.url("query-api")
        loads = [await first_load(browser, at, path) for path in SCREENS.values()]
        await ask(here, QUESTIONS)
        seconds = [await until_usable(browser, at) for _ in range(TIMES)]
    return [
        less_is_better("ui_first_load_kb", max(loads), "kB", LOAD_KB),
        less_is_better("ui_conflicts_10k_s", median(seconds), "s", USABLE_SECONDS),
    ]


async def first_load(browser: Browser, at: str, path: str) -> float:
    """In kB, of a page that somebody opens who has never been here."""
    async with visit(browser, at) as window:
        await window.see(path)
        return float(await window.page.evaluate(_LOADED))


async def until_usable(browser: Browser, at: str) -> float:
    async with visit(browser, at) as window:
        await window.page.add_init_script(_WATCH)
        await window.page.goto(f"{at}/conflicts")
        milliseconds = float(await window.page.evaluate("() => window.usableAt"))
        await window.page.keyboard.press("j")
        await window.page.wait_for_url("**conflict=*")
        return milliseconds / 1000


async def ask(here: World, count: int) -> None:
    """So many open questions about tickets that are there, as the reconciler would have written them."""
    tickets = await here.rows("SELECT book, number FROM book.tickets ORDER BY book")
    entries = [_entry(turn, *tickets[turn % len(tickets)]) for turn in range(count)]
    conflicts = [_conflict(entry) for entry in entries]
    connection = await asyncpg.connect(here.stack.admin_dsn)
    try:
        for table, rows in (("entries", entries), ("conflicts", conflicts)):
            await connection.copy_records_to_table(
                table,
                schema_name="book",
                columns=list(rows[0]),
                records=[tuple(row.values()) for row in rows],
            )
        await connection.execute("ANALYZE book.entries, book.conflicts")
    finally:
        await connection.close()


def _entry(turn: int, book: str, number: str) -> Json:
    at = clock.now() - timedelta(minutes=turn + 1)
    place = {"target": "hours", "user_id": 3, "project_id": 1, "activity_id": 1}
    work = {"place": place, "began_at": at.isoformat(), "duration_seconds": 900}
    return {
        "entry": f"zammad:desk:{FIRST_ID + turn}",
        "book": book,
        "posting": f"{book}/{FIRST_ID + turn}",
        "connection": "desk",
        "ticket_number": number,
        "agent_id": 3 + turn % 5,
        "raw_units": "15.0",
        "seconds_per_unit": 60,
        "duration_seconds": 900,
        "net_seconds": 900,
        "created_at": at,
        "updated_at": at,
        "changed_at": at,
        "day": at.date(),
        "retracted": False,
        "state": "asks",
        "reason": REASONS[turn % len(REASONS)],
        "gen": 1,
        "want": json.dumps(work),
        "held": json.dumps(work | {"duration_seconds": 2700}),
        "target": "hours",
        "user_id": 3,
        "partition": 0,
    }


def _conflict(entry: Json) -> Json:
    same = ("book", "entry", "gen", "reason", "want", "held")
    own = {"subject": entry["posting"], "opened_at": entry["created_at"]}
    return {name: entry[name] for name in same} | own | {"candidates": "[]", "open": True}

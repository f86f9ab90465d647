"""A browser on the pages of a real stack: who is signed in, what is pressed, and what axe finds."""

import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from playwright.async_api import Browser, BrowserContext, Page, async_playwright, expect

from bench.world import World, eventually
from hourbook_cli.settings import DEMO_PASSWORD, DEMO_USER

ROOT = Path(__file__).parent.parent
AXE = ROOT / "services/ui/node_modules/axe-core/axe.min.js"
PICTURES = ROOT / "build/screenshots"
ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
PATIENCE_MS = 60_000
"""Of each thing waited for: the machine may do much else."""
SCREENS = {
    "overview": "/",
    "conflicts": "/conflicts",
    "entries": "/entries",
    "mappings": "/mappings",
    "connections": "/connections",
    "deliveries": "/deliveries",
    "audit": "/audit",
}


@asynccontextmanager
async def chromium() -> AsyncIterator[Browser]:
    """The system's own."""
    found = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))))
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=found, args=[*ARGUMENTS])
        yield browser
        await browser.close()


@dataclass
class Visit:
    """One browser window, of somebody who may be signed in."""

    context: BrowserContext
    page: Page
    at: str
    """Where the pages are served."""
    complaints: list[str] = field(default_factory=list)
    """What the pages threw, and what the policy of the pages refused."""

    async def see(self, path: str) -> None:
        """Open it, until it has its heading and nothing is a skeleton."""
        await self.page.goto(self.at + path)
        await self.settled()

    async def settled(self) -> None:
        await self.page.locator("h1").first.wait_for()
        await expect(self.page.locator(".skeleton")).to_have_count(0, timeout=PATIENCE_MS)

    async def picture(self, name: str) -> None:
        PICTURES.mkdir(parents=True, exist_ok=True)
        await self.page.screenshot(path=PICTURES / f"{name}.png")

    async def axe(self) -> list[str]:
        """What it finds, as rule and place; the script is run, not loaded: the policy allows no other."""
        await self.page.evaluate(AXE.read_text())
        found = await self.page.evaluate(
            "async () => (await axe.run()).violations"
            ".flatMap(one => one.nodes.map(node => `${one.id}: ${node.target} ${node.html.slice(0, 120)}`))"
        )
        return [str(one) for one in found]

    async def words(self) -> str:
        return str(await self.page.locator("body").inner_text())


@asynccontextmanager
async def visit(
    browser: Browser, at: str, *, signed_in: bool = True, **how: Any
) -> AsyncIterator[Visit]:
    """A window of its own; `how` is Playwright's: locale, color_scheme, viewport."""
    looks = {"locale": "en-GB", "viewport": {"width": 1280, "height": 800}} | how
    context = await browser.new_context(timezone_id="Europe/Berlin", **looks)
    context.set_default_timeout(PATIENCE_MS)
    if signed_in:
        body = {"name": DEMO_USER, "password": DEMO_PASSWORD}
        answer = await context.request.post(f"{at}/api/auth/login", data=body)
        assert answer.ok, await answer.text()
    page = await context.new_page()
    here = Visit(context, page, at)
    page.on("pageerror", lambda error: here.complaints.append(str(error)))
    page.on("console", lambda said: _listen(here, said.type, said.text))
    yield here
    await context.close()
    assert here.complaints == []


def _listen(here: Visit, kind: str, text: str) -> None:
    """A refused request is shown on the page and told by the browser as well: that is no fault."""
    if kind == "error" and "Failed to load resource" not in text:
        here.complaints.append(text)


async def settled(world: World, *booked: int) -> None:
    """Both sides hold each of these."""
    for one in booked:

        async def is_settled(one: int = one) -> bool:
            return (await world.of_entry(one)).get("state") == "settled"

        await eventually(is_settled, seconds=90, what=f"time accounting {one} in Kimai")


async def edited_in_kimai(world: World, booked: int) -> None:
    """Somebody makes three quarters of an hour of it, and we are asking about that."""
    row = await world.sheet_of(booked)
    assert row is not None
    hour = row["begin"][:14]
    edit = {"begin": f"{hour}00:00+00:00", "end": f"{hour}45:00+00:00"}
    (await world.kimai.patch(f"/api/timesheets/{row['id']}", json=edit)).raise_for_status()
    await asked(world, booked, "changed_in_kimai")


async def asked(world: World, booked: int, reason: str) -> None:
    async def is_asked() -> bool:
        return (await world.of_entry(booked)).get("reason") == reason

    await eventually(is_asked, seconds=90, what=f"the question {reason}")


async def lasts(world: World, booked: int, seconds: int) -> None:
    """Its timesheet in Kimai."""

    async def does() -> bool:
        row = await world.sheet_of(booked)
        return row is not None and row["duration"] == seconds

    await eventually(does, seconds=90, what=f"{seconds} s in Kimai")

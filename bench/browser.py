"""A browser on the pages of a real stack: who is signed in, what is pressed, and what axe finds."""

import shutil
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

from playwright.async_api import Browser, BrowserContext, Error, Page, async_playwright, expect

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
PATIENCE_MS = 30_000
"""Of each thing waited for: the machine may do much else."""
expect.set_options(timeout=PATIENCE_MS)
DEMO = {"name": DEMO_USER, "password": DEMO_PASSWORD}
SCREENS = {
    "overview": "/",
    "conflicts": "/conflicts",
    "entries": "/entries",
    "mappings": "/mappings",
    "connections": "/connections",
    "deliveries": "/deliveries",
    "audit": "/audit",
    "ledger": "/ledger",
    "people": "/people",
    "privacy": "/privacy",
    "setup": "/setup",
}
_failures = count(1)


@asynccontextmanager
async def chromium() -> AsyncIterator[Browser]:
    """The system's own."""
    names = ("chromium", "chromium-browser", "google-chrome")
    found = next(filter(None, map(shutil.which, names)), None)
    if found is None:
        message = "Chromium is missing: `make chromium` installs it, or put one into PATH."
        raise RuntimeError(message)
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
    network_changed: bool = False
    complaints: list[str] = field(default_factory=list)
    """What the pages threw, and what the policy of the pages refused."""

    async def see(self, path: str) -> None:
        """Open it, until it has its heading and nothing is a skeleton.

        Again where the machine got or lost an interface meanwhile: that breaks what is being loaded.
        """
        self.network_changed = False
        await self.page.goto(self.at + path)
        try:
            await self.settled()
        except (Error, AssertionError):
            if not self.network_changed:
                raise
        if self.network_changed:
            await self.see(path)

    async def settled(self) -> None:
        await self.page.locator("h1").first.wait_for()
        await expect(self.page.locator(".skeleton")).to_have_count(0)

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


@asynccontextmanager
async def visit(
    browser: Browser, at: str, *, signed_in: Mapping[str, str] | None = DEMO, **how: Any
) -> AsyncIterator[Visit]:
    """A window of its own; `how` is Playwright's: locale, color_scheme, viewport."""
    looks = {"locale": "en-GB", "viewport": {"width": 1280, "height": 800}} | how
    context = await browser.new_context(timezone_id="Europe/Berlin", **looks)
    context.set_default_timeout(PATIENCE_MS)
    if signed_in:
        answer = await context.request.post(f"{at}/api/auth/login", data=dict(signed_in))
        if not answer.ok:
            message = f"nobody is signed in: {await answer.text()}"
            raise RuntimeError(message)
    page = await context.new_page()
    here = Visit(context, page, at)
    page.on("pageerror", lambda error: here.complaints.append(str(error)))
    page.on("requestfailed", lambda request: _lost(here, request.failure))
    page.on("console", lambda said: _listen(here, said.type, said.text))
    try:
        yield here
    except BaseException:
        await here.picture(f"failed-{next(_failures)}")
        raise
    finally:
        await context.close()
    if here.complaints:
        raise RuntimeError("\n".join(here.complaints))


def _lost(here: Visit, failure: str | None) -> None:
    here.network_changed |= failure == "net::ERR_NETWORK_CHANGED"


def _listen(here: Visit, kind: str, text: str) -> None:
    """A refused request is shown on the page and told by the browser as well: that is no fault."""
    if kind == "error" and "Failed to load resource" not in text:
        here.complaints.append(text)

"""The first person's first quarter of an hour, on the real pages in front of a stack that nobody has used."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page, expect

from bench.browser import DEMO, SCREENS, visit
from bench.world import World, eventually, world

pytestmark = [pytest.mark.anyio, pytest.mark.slow, pytest.mark.story, pytest.mark.timeout(300)]


@pytest.fixture(scope="module")
async def here(folder: Path) -> AsyncIterator[World]:
    async with world(folder / "first-run", stage="fresh") as up:
        yield up


async def test_who_sets_it_up_by_hand_is_told_what_to_open_and_to_type(here: World) -> None:
    code, told = await by_hand(here)
    assert code == 0, told
    token = here.stack.setup_token_file.read_text().strip()
    for what in (here.stack.url("query-api"), token, "zammad-demo-token", "kimai-demo-token"):
        assert what in told


async def test_the_first_person_comes_in_with_the_token_that_was_told(
    browser: Browser, here: World
) -> None:
    async with visit(browser, here.stack.url("query-api"), signed_in=None) as window:
        page = window.page
        await window.see("/")
        await expect(page.get_by_role("heading", name="Welcome to Hourbook")).to_be_visible()
        assert await window.axe() == []
        await window.picture("first-person")
        await page.get_by_label("Name").fill(DEMO["name"])
        await page.get_by_label("Password").fill(DEMO["password"])
        await page.get_by_label("One-time token").fill("guessed")
        await page.get_by_role("button", name="Become administrator").click()
        await expect(page.get_by_role("alert")).to_be_visible()
        token = here.stack.setup_token_file.read_text().strip()
        await page.get_by_label("One-time token").fill(token)
        await page.get_by_role("button", name="Become administrator").click()
        await expect(page.get_by_role("heading", level=1, name="Set up")).to_be_visible()


async def test_what_is_set_up_is_not_set_up_again(here: World) -> None:
    code, told = await by_hand(here)
    assert (code, "set up already" in told) == (1, True), told


async def by_hand(here: World) -> tuple[int | None, str]:
    command = (sys.executable, "-m", "hourbook_cli", "demo", "--by-hand")
    environment = os.environ | here.stack.for_the_command
    process = await asyncio.create_subprocess_exec(
        *command, env=environment, stdout=asyncio.subprocess.PIPE
    )
    told, _ = await process.communicate()
    return process.returncode, told.decode()


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_axe_finds_nothing_on_screens_where_nothing_is_there_yet(
    browser: Browser, here: World, scheme: str
) -> None:
    found: dict[str, list[str]] = {}
    at = here.stack.url("query-api")
    async with visit(browser, at, signed_in=DEMO, color_scheme=scheme) as window:
        for screen, path in SCREENS.items():
            await window.see(path)
            await window.picture(f"{screen}-nothing-{scheme}")
            found[screen] = await window.axe()
    bad = {where: what for where, what in found.items() if what}
    assert bad == {}, bad


async def test_three_steps_lead_from_nothing_to_hours_in_kimai(
    browser: Browser, here: World
) -> None:
    booked = await here.book(await here.new_ticket("Before Hourbook came"), 15)
    async with visit(browser, here.stack.url("query-api"), signed_in=DEMO) as window:
        page = window.page
        await window.see("/setup")
        await page.get_by_label("Secret of the webhook").fill("a long secret that nobody guesses")
        await connected(page, here.stack.url("zammad"), "zammad-demo-token", done=1)
        await connected(page, here.stack.url("kimai"), "kimai-demo-token", done=2)
        await page.get_by_role("button", name="Confirm and begin to read").click()
        await window.picture("setup-connect")
        await page.get_by_role("button", name="On to the mappings").click()
        await everything_mapped(page)
        await window.picture("setup-map")
        day = (await here.of_entry(booked))["day"]
        await page.get_by_role("button", name="See what would be written").click()
        await page.get_by_label("Nothing before").fill("2020-01-01")
        await expect(page.get_by_role("heading", name="15 times would be written")).to_be_visible()
        await page.get_by_label("Nothing before").fill("2999-01-01")
        await expect(page.get_by_role("heading", name="0 times would be written")).to_be_visible()
        await page.get_by_label("Nothing before").fill(day)
        await expect(page.get_by_role("heading", name="0 times would be written")).to_have_count(0)
        assert await window.axe() == []
        await window.picture("setup-look")
        assert await here.timesheets() == []
        await page.get_by_role("button", name="Switch writing on").click()
        await page.get_by_role("link", name="To the overview").click()
        await expect(page.get_by_role("heading", level=1, name="Overview")).to_be_visible()

        async def is_written() -> bool:
            return any(row["duration"] == 900 for row in await here.timesheets())

        await eventually(is_written, seconds=30, what="the quarter of an hour in Kimai")
        await window.picture("setup-done")


async def connected(page: Page, url: str, token: str, *, done: int) -> None:
    await page.get_by_label("Address").fill(url)
    await page.get_by_label("Token", exact=True).fill(token)
    await page.get_by_role("button", name="Connect", exact=True).click()
    await expect(page.get_by_text("done", exact=True)).to_have_count(done)


async def everything_mapped(page: Page) -> None:
    """As suggested by name, else to what comes first, until nothing waits."""
    rows = page.get_by_role("listitem").filter(has=page.get_by_role("button", name="Save"))
    await rows.first.wait_for()
    while left := await rows.count():
        row = rows.first
        if await row.get_by_role("button", name="Save").is_disabled():
            await row.get_by_role("button", name="Choose").click()
            await page.get_by_role("listbox").get_by_role("option").first.click()
        await row.get_by_role("button", name="Save").click()
        await expect(rows).not_to_have_count(left)
    await expect(page.get_by_text("Nothing waits for a mapping")).to_be_visible()

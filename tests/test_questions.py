"""Every kind of question is answered in a browser, by mouse and by keyboard."""

import re
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.async_api import Page, expect

from bench import questions
from bench.browser import Visit
from bench.world import MARKER, World, eventually, world
from hourbook_local.stack import Parts

pytestmark = [pytest.mark.anyio, pytest.mark.slow, pytest.mark.timeout(300)]

AT_ONCE = Parts(environment={"query-api": {"HOURBOOK_UNDO_SECONDS": "1"}})


@pytest.fixture(scope="module")
async def here(folder: Path) -> AsyncIterator[World]:
    async with world(folder / "questions", AT_ONCE) as up:
        yield up


async def is_settled(here: World, booked: int) -> None:
    async def so() -> bool:
        return (await here.of_entry(booked)).get("state") == "settled"

    await eventually(so, seconds=30, what="that both sides agree")


async def is_ignored(here: World, booked: int) -> None:
    await is_settled(here, booked)
    assert await here.sheet_of(booked) is None


def lasts(minutes: int) -> Callable[[World, int], Awaitable[None]]:
    async def so(here: World, booked: int) -> None:
        await here.settled(booked, lambda row: row["duration"] == minutes * 60)

    return so


async def is_adopted(here: World, booked: int) -> None:
    """And stays as it is: nothing of ours is written into it."""
    await is_settled(here, booked)
    (text,) = await of_ticket(here, booked)
    assert MARKER not in text
    assert (await here.of_entry(booked))["sheet"]


async def stands_beside_theirs(here: World, booked: int) -> None:
    await here.settled(booked, lambda row: row["duration"] == 15 * 60)
    assert len(await of_ticket(here, booked)) == 2


async def of_ticket(here: World, booked: int) -> list[str]:
    """Texts of all timesheets in Kimai that name its ticket, ours or not."""
    number = await questions.number_of(here, booked)
    rows = (await here.kimai.get("/_twin/state")).raise_for_status().json()["timesheets"]
    return [row["description"] for row in rows if f"#{number}" in (row["description"] or "")]


@dataclass(frozen=True)
class Case:
    arises: Callable[[World, int], Awaitable[int]]
    button: str
    key: str
    then: Callable[[World, int], Awaitable[None]]

    def __str__(self) -> str:
        return f"{self.arises.__name__}, {self.button}"


ANSWERS = [
    Case(questions.changed_in_kimai, "Take Zammad", "1", lasts(15)),
    Case(questions.changed_in_kimai, "Keep Kimai", "2", lasts(45)),
    Case(questions.changed_on_both_sides, "Take Zammad", "1", lasts(30)),
    Case(questions.deleted_in_kimai, "Ignore for good", "2", is_ignored),
    Case(questions.locked_in_kimai, "Keep Kimai", "2", lasts(15)),
    Case(questions.possible_duplicate, "Adopt this time", "3", is_adopted),
    Case(questions.possible_duplicate, "Write to Kimai", "4", stands_beside_theirs),
    Case(questions.refused_by_kimai, "Try again", "r", lasts(180)),
    Case(questions.refused_by_kimai, "Ignore for good", "2", is_ignored),
    Case(questions.unmapped_activity, "Ignore for good", "2", is_ignored),
]


@pytest.mark.parametrize("case", ANSWERS, ids=str)
@pytest.mark.parametrize("hand", ["mouse", "keyboard"])
async def test_a_question_is_answered(here: World, window: Visit, case: Case, hand: str) -> None:
    title = f"{case}, by {hand}"
    booked = await case.arises(here, await here.new_ticket(title))
    page = window.page
    await window.see(f"/conflicts?text={await questions.number_of(here, booked)}")
    article = page.get_by_role("article")
    await expect(article.get_by_role("heading", name=title)).to_be_visible()
    await window.settled()
    if hand == "mouse":
        await window.picture(f"question-{case.arises.__name__}")
        found = await window.axe()
        assert found == [], found
        await article.get_by_role("button", name=case.button).first.click()
    else:
        await page.keyboard.press(case.key)
    await case.then(here, booked)
    await expect(page.get_by_role("list", name="Open questions")).to_contain_text("Done")


MAPPED = {
    "Worker": questions.unmapped_worker,
    "Customer": questions.unmapped_customer,
    "Activity": questions.unmapped_activity,
}


@pytest.mark.parametrize("kind", MAPPED)
@pytest.mark.parametrize("hand", ["mouse", "keyboard"])
async def test_map_now_leads_to_the_mapping_and_releases_what_waited(
    here: World, window: Visit, kind: str, hand: str
) -> None:
    title = f"{kind} is mapped by {hand}"
    booked = await MAPPED[kind](here, await here.new_ticket(title, organization=4))
    page = window.page
    await window.see(f"/conflicts?text={await questions.number_of(here, booked)}")
    await expect(page.get_by_role("heading", name=title)).to_be_visible()
    if hand == "mouse":
        await page.get_by_role("link", name="Map now").click()
    else:
        await page.keyboard.press("m")
    await expect(page.get_by_role("heading", level=1, name="Mappings")).to_be_visible()
    await window.settled()
    row = page.get_by_role("region", name="Waiting for a mapping").get_by_role("listitem").first
    await expect(row).to_contain_text(f"{kind} · desk")
    await (mapped_by_mouse if hand == "mouse" else mapped_by_key)(page)
    await here.settled(booked, lambda row: row["duration"] == 15 * 60)


RELEASES = re.compile(r"releases [1-9]")


async def mapped_by_mouse(page: Page) -> None:
    row = page.get_by_role("region", name="Waiting for a mapping").get_by_role("listitem").first
    save = row.get_by_role("button", name="Save")
    if await save.is_disabled():
        await row.get_by_role("button", name="Choose").click()
        await page.get_by_role("listbox").get_by_role("option").first.click()
    await expect(row).to_contain_text(RELEASES)
    await save.click()


async def mapped_by_key(page: Page) -> None:
    """The field that one came for has the focus."""
    field = page.locator(":focus")
    await expect(field).to_have_role("combobox")
    if not await field.input_value():
        await page.keyboard.press("ArrowDown")
        await expect(page.get_by_role("listbox").get_by_role("option").first).to_be_visible()
        await page.keyboard.press("ArrowDown")
        await page.keyboard.press("Enter")
        await expect(field).not_to_have_value("")
    await expect(page.get_by_text(RELEASES)).to_be_visible()
    await page.keyboard.press("Enter")


async def test_a_folder_of_csv_files_is_connected_and_says_what_it_waits_for(
    here: World, window: Visit, tmp_path: Path
) -> None:
    page = window.page
    await window.see("/connections?make=csv")
    await page.get_by_label("Short name").fill("papers")
    await page.get_by_label("Folder").fill("srv/hours")
    await page.get_by_role("button", name="Connect").click()
    await expect(page.get_by_text(re.compile("^write it as file:///srv/hours"))).to_be_visible()
    await window.picture("csv-form")
    await page.get_by_label("Folder").fill(str(tmp_path))
    await page.get_by_text("Fine tuning").click()
    await page.get_by_label("Look every … s").fill("1")
    await page.get_by_role("button", name="Connect").click()
    article = page.get_by_role("article")
    await expect(article).to_contain_text(tmp_path.as_uri())
    await expect(article).to_contain_text("Not confirmed: nothing is read")
    await article.get_by_role("button", name="Confirm and begin to read").click()
    await expect(article.get_by_text("1 means a minute")).to_be_visible()
    obstacles = page.get_by_role("list", name="What is in the way")
    await expect(obstacles).to_contain_text("SHA256SUMS")
    found = await window.axe()
    assert found == [], found
    await window.picture("csv-folder")
    await article.get_by_role("button", name="Edit").click()
    form = page.get_by_role("dialog")
    await form.get_by_label("Time zone").fill("America/New_York")
    await form.get_by_role("button", name="Save").click()
    await expect(form).to_have_count(0)
    changed = await here.api.get("/api/connectors/papers")
    assert (changed["time_zone"], changed["connector"]) == ("America/New_York", "csv")
    await page.goto("about:blank")
    await here.api.delete("/api/connectors/papers")

"""What a person does in a browser, on the real pages of a real stack with both twins."""

import asyncio
import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import Browser, Route, expect

from bench.browser import SCREENS, Visit, visit
from bench.questions import changed_in_kimai, deleted_in_kimai, number_of
from bench.world import World, world
from hourbook_cli.__main__ import app as hourbook
from hourbook_local.stack import Parts

pytestmark = [pytest.mark.anyio, pytest.mark.slow, pytest.mark.timeout(300)]

UNDO = Parts(environment={"query-api": {"HOURBOOK_UNDO_SECONDS": "20"}})


@pytest.fixture(scope="module")
async def here(folder: Path) -> AsyncIterator[World]:
    async with world(folder / "pages", UNDO) as up:
        yield up


async def booked_and_edited(here: World, title: str) -> tuple[int, str]:
    """A quarter of an hour that somebody makes three quarters of in Kimai; with its ticket's number."""
    booked = await changed_in_kimai(here, await here.new_ticket(title))
    return booked, await number_of(here, booked)


async def lasts(here: World, booked: int, seconds: int) -> None:
    await here.settled(booked, lambda row: row["duration"] == seconds)


async def test_a_wrong_password_is_told_and_the_right_one_leads_where_one_wanted_to_go(
    browser: Browser, here: World
) -> None:
    async with visit(browser, here.stack.url("query-api"), signed_in=None) as window:
        page = window.page
        await window.see("/mappings")
        await expect(page.get_by_role("heading", name="Sign in to Hourbook")).to_be_visible()
        await page.get_by_label("Name").fill("demo")
        await page.get_by_label("Password").fill("not the password")
        await page.get_by_role("button", name="Sign in").click()
        await expect(page.get_by_role("alert")).to_contain_text("Name or password is wrong")
        assert await window.axe() == []
        await page.get_by_label("Password").fill("for-the-demo-only")
        await page.get_by_role("button", name="Sign in").click()
        await expect(page.get_by_role("heading", level=1, name="Mappings")).to_be_visible()


async def test_an_answer_by_mouse_is_held_can_be_undone_and_is_done_when_kimai_says_so(
    here: World, window: Visit
) -> None:
    booked, number = await booked_and_edited(here, "Answered by mouse")
    page = window.page
    await window.see(f"/conflicts?text={number}")
    await page.get_by_role("button", name="Answered by mouse").click()
    await window.picture("conflict")
    await page.get_by_role("button", name="Keep Kimai").click()
    await page.get_by_role("button", name="Undo").first.click()
    await expect(page.get_by_role("button", name="Keep Kimai")).to_be_visible()
    assert (await here.of_entry(booked))["reason"] == "changed_in_kimai"
    await page.get_by_role("button", name="Keep Kimai").click()
    await lasts(here, booked, 2700)
    await expect(page.get_by_role("article")).to_contain_text(
        "Done · demo"
    )  # and stays in its place
    await page.keyboard.press("n")
    await expect(page.get_by_role("button", name="Answered by mouse")).to_have_count(0)


@pytest.mark.parametrize("hand", ["mouse", "key"])
async def test_undo_works_at_once_though_the_answers_own_request_goes_on(
    here: World, window: Visit, hand: str
) -> None:
    booked, number = await booked_and_edited(here, f"Undone at once by {hand}")
    page = window.page

    async def slowly(route: Route) -> None:
        response = await route.fetch()
        await asyncio.sleep(3)
        await route.fulfill(response=response)

    await page.route("**/resolve", slowly)
    await window.see(f"/conflicts?text={number}")
    await page.get_by_role("button", name="Undone at once").click()
    await page.get_by_role("button", name="Keep Kimai").click()
    if hand == "mouse":
        await page.get_by_role("article").get_by_role("button", name="Undo").click()
    else:
        await page.keyboard.press("z")
    await expect(page.get_by_role("button", name="Keep Kimai")).to_be_visible(timeout=15_000)
    await window.settled()
    await expect(page.get_by_role("button", name="Keep Kimai")).to_be_visible()
    assert (await here.of_entry(booked))["reason"] == "changed_in_kimai"


async def test_undo_takes_back_the_answer_that_is_shown_also_after_the_page_was_loaded_anew(
    here: World, window: Visit
) -> None:
    page, asked = window.page, []
    for title in ("Taken back", "Answered last"):
        booked, _ = await booked_and_edited(here, title)
        asked.append((await here.of_entry(booked))["conflict"]["conflict"])
    for conflict in asked:
        await window.see(f"/conflicts?conflict={conflict}")
        async with page.expect_response("**/resolve"):
            await page.get_by_role("button", name="Keep Kimai").click()
    await window.see(f"/conflicts?conflict={asked[0]}")
    await page.get_by_role("article").get_by_role("button", name="Undo").click()
    await expect(page.get_by_role("button", name="Keep Kimai")).to_be_visible()
    await window.see(f"/conflicts?conflict={asked[1]}")
    await expect(page.get_by_role("article").get_by_role("button", name="Undo")).to_be_visible()


async def test_a_link_to_a_question_that_was_answered_since_shows_that_question(
    here: World, window: Visit
) -> None:
    booked, _ = await booked_and_edited(here, "Linked to")
    conflict = (await here.of_entry(booked))["conflict"]
    await here.api.post(
        f"/api/conflicts/{conflict['conflict']}/resolve",
        {"choice": "zammad", "gen": conflict["gen"]},
    )
    await lasts(here, booked, 900)
    await booked_and_edited(here, "Another question")
    await window.see(f"/conflicts?conflict={conflict['conflict']}")
    await expect(window.page.get_by_role("article")).to_contain_text("Linked to")
    await expect(window.page.get_by_role("article")).to_contain_text("Done · demo")


async def test_a_tab_that_is_closed_at_once_loses_no_answer(browser: Browser, here: World) -> None:
    booked, number = await booked_and_edited(here, "Closed at once")
    async with visit(browser, here.stack.url("query-api")) as window:
        await window.see(f"/conflicts?text={number}")
        async with window.page.expect_response("**/resolve"):
            await window.page.get_by_role("button", name="Take Zammad").click()
    await lasts(here, booked, 900)


async def test_many_are_answered_at_once_after_a_look_at_what_will_happen(
    here: World, window: Visit
) -> None:
    ticket = await here.new_ticket("In bulk")
    both = [await changed_in_kimai(here, ticket) for _ in range(2)]
    number = await number_of(here, both[0])
    page = window.page
    await window.see(f"/conflicts?text={number}")
    await expect(page.get_by_role("heading", name="In bulk")).to_be_visible()
    await page.keyboard.press("Control+a")
    bar = page.get_by_role("region", name="With what is selected")
    await expect(bar).to_contain_text("2 selected")
    await bar.get_by_role("button", name="Zammad").click()
    dialog = page.get_by_role("dialog")
    await expect(dialog).to_contain_text("2 will be changed in Kimai")
    await window.picture("bulk")
    await dialog.get_by_role("button", name="Decide 2").click()
    for booked in both:
        await lasts(here, booked, 900)


async def test_what_is_new_waits_beside_the_list_until_it_is_asked_for(
    here: World, window: Visit
) -> None:
    ticket = await here.new_ticket("Live")
    first = await deleted_in_kimai(here, ticket)
    number = await number_of(here, first)
    page = window.page
    await window.see(f"/conflicts?text={number}")
    rows = page.get_by_role("list", name="Open questions").get_by_role("button", name="Live")
    await expect(rows).to_have_count(1)
    await is_live(window, "Live")
    second = await changed_in_kimai(here, ticket)  # would stand above the one that is shown
    await expect(page.get_by_role("button", name="1 new")).to_be_visible()
    await expect(rows).to_have_count(1)
    await page.keyboard.press("n")
    await expect(rows).to_have_count(2)
    reasons = [(await here.of_entry(booked))["reason"] for booked in (first, second)]
    assert reasons == ["deleted_in_kimai", "changed_in_kimai"]


async def test_the_story_of_an_hour_tells_all_that_happened_to_it(
    here: World, window: Visit
) -> None:
    booked, number = await booked_and_edited(here, "A told story")
    page = window.page
    await window.see(f"/entries?text={number}")
    await page.get_by_role("link", name=number).first.click()
    await expect(page.get_by_role("heading", level=1)).to_contain_text("A told story")
    await window.settled()
    came = page.get_by_role("region", name="How this came to be")
    await expect(came).to_contain_text("a minute")
    await expect(came).to_contain_text("Anna Berg is mapped")
    await window.picture("story")
    await page.get_by_role("tab", name="Timeline").click()
    then = page.get_by_role("region", name="As it stood")
    await expect(then).to_contain_text("Needs you")
    await then.get_by_role("slider").press("Home")
    await expect(then).to_contain_text("event 1 of")
    await expect(then).to_contain_text("Anna Berg booked 0:15 in Zammad")
    said = await then.get_by_role("slider").get_attribute("aria-valuetext")
    assert "Anna Berg booked 0:15" in (said or "")
    await page.reload()  # what was chosen is in the address
    await expect(then).to_contain_text("event 1 of")
    await expect(then).to_contain_text("Anna Berg booked 0:15 in Zammad")
    await expect(then).to_contain_text("Held back")
    await expect(page.get_by_text("Live", exact=True)).to_be_visible()
    await window.picture("as-it-stood")
    await then.get_by_role("slider").press("End")
    await expect(then).to_contain_text("0:45")
    for tab in ("Timeline", "Raw"):
        await page.get_by_role("tab", name=tab).click()
        found = await window.axe()
        assert found == [], found
    await here.asked(booked, "changed_in_kimai")


async def test_keys_and_palette_lead_everywhere(window: Visit) -> None:
    page = window.page
    await window.see("/")
    for key, name in {"c": "Conflicts", "e": "Entries", "m": "Mappings", "l": "Ledger"}.items():
        await page.keyboard.press("g")
        await page.keyboard.press(key)
        await expect(page.get_by_role("heading", level=1, name=name)).to_be_visible()
    await page.keyboard.press("?")
    await expect(page.get_by_role("dialog")).to_contain_text("Take Zammad")
    await page.keyboard.press("Escape")
    await page.keyboard.press("Control+k")
    await page.get_by_role("dialog").get_by_role("combobox").fill("audit")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("heading", level=1, name="Audit")).to_be_visible()


async def test_the_ledger_is_asked_how_it_stood_and_what_else_would_have_come_of_it(
    here: World, window: Visit
) -> None:
    booked = await here.book(await here.new_ticket("Stood so"), 15)
    await here.settled(booked)
    book = (await here.of_entry(booked))["book"]
    page = window.page
    await window.see("/ledger")
    await page.get_by_label("Of", exact=True).fill(book)
    await page.get_by_role("button", name="Begin").click()
    row = page.get_by_role("row").filter(has_text="Stood so")
    await expect(row).to_contain_text("Agreed")
    await expect(page.get_by_text("1 entry · 0:15 wanted · 0:15 in Kimai")).to_be_visible()
    await window.picture("ledger")
    assert await window.axe() == []
    await page.get_by_label("Ask for").select_option("what_if")
    await page.get_by_text("Proposed settings (JSON)").click()
    proposed = page.get_by_role("textbox", name="Proposed settings (JSON)")
    await proposed.fill("[{")
    await page.get_by_role("button", name="Begin").click()
    await expect(page.get_by_role("alert")).to_contain_text("This is not JSON")
    await proposed.fill(
        '[{"type": "mapping_set", "kind": "customer", "source": "desk",'
        ' "source_key": "organization:2", "target": "hours", "target_id": 1}]'
    )
    await page.get_by_role("button", name="Begin").click()
    await expect(page.get_by_text("would be booked otherwise.")).to_be_visible()
    await page.reload()  # what is shown stands in the address
    await expect(page.get_by_text("would be booked otherwise.")).to_be_visible()


async def test_the_ledger_page_says_how_it_becomes_a_file_and_comes_back(window: Visit) -> None:
    """By commands that there are."""
    page = window.page
    await window.see("/ledger")
    await page.get_by_text("Backup and restore").click()
    await expect(page.get_by_text("in a new Kafka", exact=False)).to_be_visible()
    commands = await page.locator("li code").all_inner_texts()
    assert {command.split()[1] for command in commands} <= {
        (command.name or command.callback.__name__).replace("_", "-")
        for command in hourbook.registered_commands
        if command.callback is not None
    }
    assert len(commands) == 4
    await window.picture("backup")
    assert await window.axe() == []


async def test_a_plan_to_bring_both_sides_in_line_says_that_nothing_differs(
    here: World, window: Visit
) -> None:
    booked = await here.book(await here.new_ticket("Read anew"), 15)
    await here.settled(booked)
    number = (await here.of_entry(booked))["ticket_number"]
    page = window.page
    await window.see("/ledger?kind=resync_plan")
    await page.get_by_role("button", name="Make the plan").click()
    await expect(page.get_by_role("alert")).to_be_visible()  # of nothing at all
    await page.get_by_label("Tickets", exact=True).fill(number)
    await page.get_by_role("button", name="Make the plan").click()
    await expect(page.get_by_text("1 ticket was read on both sides")).to_be_visible()
    await expect(page.get_by_text("Both sides say what we know.")).to_be_visible()
    await expect(page.get_by_role("button", name="Apply exactly this plan")).to_have_count(0)


async def invited(here: World, name: str, role: str) -> None:
    """Somebody who signs in with the name as a password, twice over."""
    made = await here.api.post("/api/users", {"name": name, "role": role})
    body = {"token": made["invitation"], "password": name * 2}
    await here.api.post("/api/auth/invitation", body)


async def test_a_person_is_forgotten_when_two_administrators_agree(
    browser: Browser, here: World, window: Visit
) -> None:
    await invited(here, "Somebody", "viewer")
    await invited(here, "Second administrator", "admin")
    page = window.page
    await window.see("/privacy")
    await page.get_by_role("combobox").select_option("Hourbook")
    await page.get_by_role("combobox").last.select_option("Somebody")
    await page.get_by_role("button", name="Look").click()
    await expect(page.get_by_text("What stays, and why")).to_be_visible()
    async with page.expect_download() as taken:
        await page.get_by_role("button", name="Take out as JSON").click()
    assert "Somebody" in (await (await taken.value).path()).read_text()
    await window.picture("privacy")
    assert await window.axe() == []
    await page.get_by_role("button", name="Erase…").click()
    await page.get_by_role("button", name="Ask for the erasure").click()
    await expect(page.get_by_text("Another administrator confirms it.").last).to_be_visible()
    assert await page.get_by_role("button", name="Confirm and erase").count() == 0
    other = {"name": "Second administrator", "password": "Second administrator" * 2}
    async with visit(browser, window.at, signed_in=other) as second:
        await second.see("/privacy")
        await second.page.get_by_role("button", name="Confirm and erase").click()
        await second.page.get_by_role("button", name="Report").click()
        report = second.page.get_by_role("dialog", name="Report")
        await expect(report).to_contain_text("Erased")
    names = [user["name"] for user in (await here.api.get("/api/users"))["items"]]
    assert "Somebody" not in names


async def test_how_long_is_kept_who_looked_at_whose_hours_is_changed_and_shown(
    window: Visit,
) -> None:
    page = window.page
    await window.see("/entries")  # which is noted
    await window.see("/privacy")
    await page.get_by_label("Days: Access log").fill("90")
    await page.get_by_label("Days: Access log").press("Enter")
    await page.reload()
    await expect(page.get_by_label("Days: Access log")).to_have_value("90")
    await expect(page.get_by_text("saw in a list").first).to_be_visible()


@pytest.mark.parametrize(
    ("locale", "name"), [("de-DE", "Übersicht"), ("fr-FR", "Aperçu"), ("en-GB", "Overview")]
)
async def test_pages_speak_the_browsers_language_and_show_no_key_of_theirs(
    browser: Browser, here: World, locale: str, name: str
) -> None:
    async with visit(browser, here.stack.url("query-api"), locale=locale) as window:
        for screen, path in SCREENS.items():
            await window.see(path)
            assert await window.page.locator("html").get_attribute("lang") == locale[:2]
            if screen == "overview":
                assert await window.page.locator("h1").first.inner_text() == name
                await window.picture(f"overview-{locale[:2]}")


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_axe_finds_nothing_on_any_screen(browser: Browser, here: World, scheme: str) -> None:
    found: dict[str, list[str]] = {}
    async with visit(browser, here.stack.url("query-api"), color_scheme=scheme) as window:
        for screen, path in SCREENS.items():
            await window.see(path)
            await window.picture(f"{screen}-{scheme}")
            found[screen] = await window.axe()
        for screen in ("conflicts", "entries"):
            await window.see(f"{SCREENS[screen]}?text=nothing-is-called-so")
            found[f"{screen}, empty"] = await window.axe()
        await window.page.route(BEHIND_THE_DOOR, lambda route: route.fulfill(status=503, json=AWAY))
        for screen, path in SCREENS.items():
            await window.page.goto(window.at + path)
            told = window.page.get_by_role("alert").filter(has_text="The database does not answer")
            await expect(told.first).to_be_visible()
            found[f"{screen}, error"] = await window.axe()
    bad = {where: what for where, what in found.items() if what}
    assert bad == {}, bad


async def test_a_page_that_could_not_be_loaded_whole_says_so_and_loads_again(
    window: Visit,
) -> None:
    await window.page.route("**/assets/index-*.js", lambda route: route.abort())
    await window.page.goto(window.at)
    await expect(window.page.get_by_role("alert")).to_contain_text("could not be loaded")
    await window.page.unroute("**/assets/index-*.js")
    await window.page.get_by_role("button", name="Load again").click()
    await expect(window.page.get_by_role("heading", level=1, name="Overview")).to_be_visible()


BEHIND_THE_DOOR = re.compile(r"/api/(?!auth/)")
"""All but who is signed in."""
AWAY = {
    "type": "urn:hourbook:problem:database-away",
    "title": "The database does not answer",
    "status": 503,
    "detail": "Try again.",
}


async def test_on_a_phone_no_page_is_wider_than_the_screen_and_a_question_replaces_the_list(
    browser: Browser, here: World
) -> None:
    _, number = await booked_and_edited(here, "On the phone")
    phone = {"width": 390, "height": 844}
    async with visit(browser, here.stack.url("query-api"), viewport=phone) as window:
        page = window.page
        for screen, path in SCREENS.items():
            await window.see(path)
            wide = await page.evaluate("document.documentElement.scrollWidth")
            assert wide <= phone["width"], screen
        await window.see(f"/conflicts?text={number}")
        row = page.get_by_role("button", name="On the phone")
        await row.click()
        await expect(page.get_by_role("heading", level=2, name="On the phone")).to_be_visible()
        await expect(row).to_be_hidden()
        await window.picture("phone")
        await page.get_by_role("button", name="Back").click()
        await expect(row).to_be_visible()


async def test_without_a_network_what_was_seen_stays_and_the_badge_says_so(
    window: Visit,
) -> None:
    await window.see("/entries")
    await is_live(window, "Live")
    rows = await window.page.get_by_role("row").count()
    await window.context.set_offline(offline=True)
    await is_live(window, "Offline")
    assert await window.page.get_by_role("row").count() == rows
    await window.context.set_offline(offline=False)
    await is_live(window, "Live")


async def is_live(window: Visit, word: str) -> None:
    badge = window.page.get_by_role("banner").get_by_role("status")
    await expect(badge).to_have_text(word)


async def test_while_kimai_is_down_the_overview_does_not_say_that_all_is_well(
    here: World, window: Visit
) -> None:
    await here.poll_every(1)
    await window.see("/")
    await expect(window.page.get_by_text("On time")).to_have_count(2)
    await here.fault("kimai", kind="status", status=503, path="/api/.*", times=None)
    try:  # whoever has it open is told, too
        await expect(window.page.get_by_text("On time")).to_have_count(1)
        await window.picture("kimai-down")
    finally:
        await here.heal()

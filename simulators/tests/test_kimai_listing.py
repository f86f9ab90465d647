"""How Kimai lists timesheets: filters that fail open, search, pages (kimai-api.md 2.4, 7)."""

import asyncio

import httpx
import pytest

from hourbook_simulators.kimai.in_process import (
    ADMIN,
    ANNA,
    ANNA_HERSELF,
    BEN,
    BOT,
    EMMA,
    NEW_YORKER,
    booked,
    client,
    demo,
    ids,
)

pytestmark = pytest.mark.anyio


async def three(kimai: httpx.AsyncClient) -> list[int]:
    """Of Anna on Monday and Tuesday, of Emma on Monday."""
    monday = await booked(kimai)
    tuesday = await booked(
        kimai,
        project=2,
        begin="2026-03-17T09:00:00+01:00",
        end="2026-03-17T10:00:00+01:00",
        description="Ticket#65002 Screen [zammad-4712-7]",
    )
    emmas = await booked(kimai, user=EMMA, description=None)
    return [monday["id"], tuesday["id"], emmas["id"]]


async def test_without_a_user_one_sees_oneself_and_with_all_everybody() -> None:
    async with client() as kimai:
        monday, tuesday, emmas = await three(kimai)
        assert await ids(kimai, "") == []
        assert await ids(kimai, "user=all") == [monday, tuesday, emmas]
        assert await ids(kimai, f"user={ANNA}") == [monday, tuesday]
        assert await ids(kimai, f"users[]={ANNA}&users[]={EMMA}") == [monday, tuesday, emmas]


async def test_filters_by_what_does_not_exist_fail_open() -> None:
    async with client() as kimai:
        listed = await three(kimai)
        for query in ("project=999", "customer=999", "activities[]=999", "unknown=1"):
            assert await ids(kimai, f"user=all&{query}") == listed
        assert await ids(kimai, "user=999") == []  # one's own, and the bot has none
        assert await ids(kimai, f"user={EMMA}", ANNA_HERSELF) == listed[:2]
        assert await ids(kimai, "user=all", ANNA_HERSELF) == listed[:2]


async def test_filters_by_what_exists_filter() -> None:
    async with client() as kimai:
        monday, tuesday, emmas = await three(kimai)
        assert await ids(kimai, "user=all&project=2") == [tuesday]
        assert await ids(kimai, "user=all&customer=1&activity=1") == [monday, tuesday, emmas]
        assert await ids(kimai, "user=all&activity=2") == []
        await kimai.post("/_twin/export", json={"ids": [emmas]})
        assert await ids(kimai, "user=all&exported=1") == [emmas]
        assert await ids(kimai, "user=all&exported=0&active=0&billable=1") == [monday, tuesday]


async def test_begin_and_end_both_look_at_the_start_in_the_callers_zone() -> None:
    async with client() as kimai:
        monday, tuesday, emmas = await three(kimai)
        day = "begin=2026-03-16T00:00:00&end=2026-03-16T23:59:59"
        assert await ids(kimai, f"user=all&{day}") == [monday, emmas]
        instant = "begin=2026-03-17T09:00:00&end=2026-03-17T09:00:00"
        assert await ids(kimai, f"user={ANNA}&{instant}") == [tuesday]
        assert await ids(kimai, "begin=2026-03-16T04:00:00", NEW_YORKER) == [emmas]
        assert await ids(kimai, "begin=2026-03-16T04:00:01", NEW_YORKER) == []


async def test_a_term_is_any_part_of_a_description_and_words_are_anded() -> None:
    async with client() as kimai:
        monday, tuesday, emmas = await three(kimai)
        found = {
            "zammad-4711-22": [monday],
            "[zammad-4711-22]": [monday],
            "zammad-4711-2": [monday],
            "zammad-471": [monday, tuesday],
            "ZAMMAD screen": [tuesday],
            "screen printer": [],
            "4712": [tuesday],
            "-4711-": [monday],
            "11-22": [monday],
            "!screen": [monday, emmas],
            "ticket: zammad": [],
            "zammad_4711": [monday],
            "%": [monday, tuesday],
            "zammad-9999-1": [],
        }
        for term, expected in found.items():
            answer = await kimai.get(
                "/api/timesheets",
                params={"user": "all", "term": term, "orderBy": "id", "order": "ASC"},
            )
            assert [row["id"] for row in answer.json()] == expected, term


async def test_a_search_forgets_what_a_description_no_longer_says() -> None:
    async with client() as kimai:
        held = await booked(kimai)
        await kimai.patch(f"/api/timesheets/{held['id']}", json={"description": "by hand"})
        assert await ids(kimai, "user=all&term=zammad-4711-22") == []
        assert await ids(kimai, "user=all&term=hand") == [held["id"]]


async def test_modified_after_is_inclusive_and_does_not_see_bulk_exports() -> None:
    async with client() as kimai:
        monday, tuesday, emmas = await three(kimai)
        await kimai.post("/_twin/modified", json={"at": "2026-11-20T09:00:00Z"})
        await kimai.post("/_twin/modified", json={"at": "2026-11-20T10:00:00Z", "ids": [tuesday]})
        since = "user=all&modified_after=2026-11-20T"
        assert await ids(kimai, since + "09:00:00") == [monday, tuesday, emmas]
        assert await ids(kimai, since + "10:00:00") == [tuesday]
        assert await ids(kimai, since + "10:00:01") == []
        await kimai.post("/_twin/export", json={"ids": [monday]})
        assert await ids(kimai, since + "09:00:01") == [tuesday]
        await kimai.patch(f"/api/timesheets/{emmas}", json={"description": "seen"})
        assert await ids(kimai, since + "10:00:01") == [emmas]


async def test_a_patch_that_changes_nothing_does_not_count_as_modified() -> None:
    async with client() as kimai:
        held = await booked(kimai)
        await kimai.post("/_twin/modified", json={"at": "2026-11-20T09:00:00Z"})
        same = {"description": held["description"], "begin": "2026-03-16T08:00:00Z", "project": "1"}
        assert (await kimai.patch(f"/api/timesheets/{held['id']}", json=same)).json() == held
        assert await ids(kimai, "user=all&modified_after=2026-11-20T09:00:01") == []


async def test_a_clock_that_is_set_back_hides_nothing() -> None:
    async with client() as kimai:
        await kimai.post("/_twin/clock", json={"offset_seconds": 3600})
        early = await booked(kimai)
        await kimai.post("/_twin/clock", json={"offset_seconds": -3600})
        late = await booked(kimai)
        state = (await kimai.get("/_twin/state")).json()["timesheets"]
        oldest = min(row["modified_at"] for row in state)[:19]
        assert await ids(kimai, f"user=all&modified_after={oldest}") == [early["id"], late["id"]]


async def test_pages_tell_their_place_and_end_with_a_404() -> None:
    async with client() as kimai:
        listed = await three(kimai)
        answer = await kimai.get("/api/timesheets?user=all&size=2&page=2&orderBy=id&order=ASC")
        assert [row["id"] for row in answer.json()] == listed[2:]
        told = {name: answer.headers[f"x-{name}"] for name in ("page", "total-count", "per-page")}
        assert told == {"page": "2", "total-count": "3", "per-page": "2"}
        assert answer.headers["x-total-pages"] == "2"
        assert (await kimai.get("/api/timesheets?user=all&page=3&size=2")).status_code == 404
        assert (await kimai.get("/api/timesheets?page=1")).headers["x-total-pages"] == "1"


@pytest.mark.parametrize(("size", "held_to"), [("0", "50"), ("1000", "500"), ("", "50")])
async def test_the_size_of_a_page_is_clamped(size: str, held_to: str) -> None:
    async with client() as kimai:
        answer = await kimai.get(f"/api/timesheets?size={size}")
        assert answer.headers["x-per-page"] == held_to


@pytest.mark.parametrize(
    "query",
    [
        *("size=-1", "page=abc", "orderBy=foo", "order=asc", "exported=2", "full=yes"),
        *("begin=2026-11-19", "begin=2026-11-19T00:00:00Z", "modified_after=foo", "users=5"),
        *("tags=Foo", "tags[]=nope", "user=abc", "users[]=abc", "billable=true"),
    ],
)
async def test_a_parameter_out_of_form_is_a_masked_bad_request(query: str) -> None:
    async with client() as kimai:
        answer = await kimai.get(f"/api/timesheets?{query}")
        assert (answer.status_code, answer.json()) == (400, {"code": 400, "message": "Bad Request"})


async def test_an_invisible_tag_can_be_given_but_not_listed_or_filtered_by() -> None:
    async with client() as kimai:
        await kimai.post("/api/tags", json={"name": "quiet"})
        await kimai.post("/api/tags", json={"name": "zammad", "visible": True})
        assert (await kimai.get("/api/tags")).json() == ["zammad"]
        assert (await kimai.get("/api/tags/find")).json() == []
        found = (await kimai.get("/api/tags/find?name=zam")).json()
        assert [tag["name"] for tag in found] == ["zammad"]
        held = await booked(kimai, tags="quiet,zammad")
        assert held["tags"] == ["quiet", "zammad"]
        assert await ids(kimai, "user=all&tags[]=zammad&tags[]=nope") == [held["id"]]
        assert (await kimai.get("/api/timesheets?user=all&tags[]=quiet")).status_code == 400


async def test_rates_are_shown_by_record_to_those_who_may_see_them() -> None:
    async with client() as kimai:
        await booked(kimai)
        plain = (await kimai.get("/api/timesheets?user=all")).json()[0]
        rated = (await kimai.get("/api/timesheets?user=all", headers=ADMIN)).json()[0]
        assert rated.keys() - plain.keys() == {"rate", "internalRate"}
        assert (await kimai.get("/api/timesheets?user=all")).json()[0] == plain


async def test_full_expands_user_project_and_activity() -> None:
    async with client() as kimai:
        await booked(kimai)
        row = (await kimai.get("/api/timesheets?user=all&full=true")).json()[0]
        assert row["user"]["username"] == "anna.berg"
        assert row["project"]["customer"]["name"] == "Nordwind Logistik GmbH"
        assert row["activity"]["name"] == "Support"


async def test_a_super_admins_records_are_not_a_teamleads_to_list() -> None:
    memory = demo()
    async with client(memory) as kimai:
        await booked(kimai, user=1)
        memory.users[2].roles = ["ROLE_TEAMLEAD"]
        assert (await kimai.get("/api/timesheets?user=1")).status_code == 403
        assert await ids(kimai, f"user={BEN}") == []


async def test_the_newest_begin_comes_first_and_ids_break_ties() -> None:
    async with client(headers=BOT) as kimai:
        monday, tuesday, emmas = await three(kimai)
        answer = await kimai.get("/api/timesheets?user=all")
        assert [row["id"] for row in answer.json()] == [tuesday, emmas, monday]


async def test_many_at_once_lose_nothing() -> None:
    async with client() as kimai:
        held = await asyncio.gather(*(booked(kimai) for _ in range(40)))
        assert await ids(kimai, f"user={ANNA}&size=500") == sorted(row["id"] for row in held)

"""The conformance rows of kimai-api.md 9 that read: one test a row, named by its number."""

from datetime import timedelta

import httpx
import pytest

from hourbook_simulators.kimai.in_process import bearer
from hourbook_simulators.kimai.memory import Memory
from hourbook_simulators.kimai.office import (
    CHIEF,
    JANE,
    JOHN,
    LEADER,
    NOON,
    SUPER,
    got,
    hold,
    listed,
    team,
)
from hourbook_simulators.kimai.records import Tag, Token

pytestmark = pytest.mark.anyio

FLAT = (
    *("activity", "project", "user", "tags", "id", "begin", "end", "duration", "break"),
    *("description", "exported", "billable", "metaFields"),
)
RATES = ("rate", "internalRate")
EXPANDED = (
    *("tags", "id", "begin", "end", "duration", "break", "user", "activity", "project"),
    *("description", "exported", "billable", "metaFields"),
)
BUDGET = {"budget", "timeBudget", "budgetType"}
PAGES = ("x-page", "x-per-page", "x-total-pages", "x-total-count")


async def test_row_1_nobody_is_told_that_they_are_not_authorized(kimai: httpx.AsyncClient) -> None:
    answer = await kimai.get("/api/timesheets")
    assert (answer.status_code, answer.json()) == (401, {"code": 401, "message": "Unauthorized"})


@pytest.mark.parametrize("header", ["bearer user", "Basic dXNlcjp1c2Vy", "Bearer ", "Bearer"])
async def test_row_1_other_credentials_are_none(kimai: httpx.AsyncClient, header: str) -> None:
    answer = await kimai.get("/api/ping", headers={"Authorization": header})
    assert (answer.status_code, answer.json()) == (401, {"code": 401, "message": "Unauthorized"})


async def test_row_2_a_ping_is_answered(kimai: httpx.AsyncClient) -> None:
    assert await got(kimai, "/ping") == {"message": "pong"}


async def test_row_3_an_unknown_bearer_gets_an_empty_401(kimai: httpx.AsyncClient) -> None:
    answer = await kimai.get("/api/ping", headers=bearer("nobody"))
    assert (answer.status_code, answer.text) == (401, "")
    assert 'error="invalid_token"' in answer.headers["www-authenticate"]


async def test_row_6_so_do_a_disabled_user_and_an_expired_token(
    kimai: httpx.AsyncClient, memory: Memory
) -> None:
    memory.add_token(Token("old", JOHN, expires_at=NOON - timedelta(days=1)))
    memory.users[JANE].enabled = False
    for token in ("old", "user2"):
        answer = await kimai.get("/api/ping", headers=bearer(token))
        assert (answer.status_code, answer.text) == (401, "")


async def test_row_7_the_version_is_told(kimai: httpx.AsyncClient) -> None:
    assert (await got(kimai, "/version")).keys() == {"version", "versionId", "copyright"}


async def test_row_8_a_browser_may_read_the_pages(kimai: httpx.AsyncClient) -> None:
    headers = bearer("user") | {"Origin": "https://client.example"}
    exposed = (await kimai.get("/api/ping", headers=headers)).headers[
        "access-control-expose-headers"
    ]
    assert set(exposed.lower().split(", ")) == set(PAGES)


async def test_row_9_five_settings_are_told(kimai: httpx.AsyncClient) -> None:
    assert list(await got(kimai, "/config/timesheet")) == [
        *("trackingMode", "defaultBeginTime", "activeEntriesHardLimit"),
        *("isAllowFutureTimes", "isAllowOverlapping"),
    ]


async def test_row_10_users_are_listed_for_super_admins_only(kimai: httpx.AsyncClient) -> None:
    assert await got(kimai, "/users", "user") == 403
    assert await got(kimai, "/users", "admin") == 403
    assert [row["id"] for row in await got(kimai, "/users", "super")] == [2, 1, 3, 4, 5]


async def test_row_11_who_one_is_shows_preferences_teams_and_roles(
    kimai: httpx.AsyncClient,
) -> None:
    assert list(await got(kimai, "/users/me")) == [
        *("apiToken", "preferences", "locale", "timezone", "language", "teams", "initials"),
        *("color-safe", "id", "alias", "title", "avatar", "memberships", "username", "email"),
        *("accountNumber", "enabled", "roles", "systemAccount", "supervisor", "color"),
    ]


async def test_row_12_a_visibility_that_is_none_is_a_bad_request(kimai: httpx.AsyncClient) -> None:
    assert await got(kimai, "/users?visible=4", "super") == 400


async def test_row_13_a_users_list_has_no_rates(kimai: httpx.AsyncClient, memory: Memory) -> None:
    hold(memory)
    (row,) = await got(kimai, "/timesheets")
    assert tuple(row) == FLAT


async def test_row_14_a_full_list_has_users_activities_and_projects(
    kimai: httpx.AsyncClient, memory: Memory
) -> None:
    hold(memory)
    (row,) = await got(kimai, "/timesheets?full=true")
    assert tuple(row) == EXPANDED
    assert row["project"]["customer"]["name"] == "Acme"


async def test_row_15_a_teamlead_reads_users_without_a_team(
    kimai: httpx.AsyncClient, memory: Memory
) -> None:
    row = hold(memory)
    assert await listed(kimai, f"user={JOHN}", "teamlead") == [row.id]
    assert await listed(kimai, f"users[]={JOHN}", "teamlead") == [row.id]


async def test_row_16_a_plain_member_does_not_read_their_team(
    kimai: httpx.AsyncClient, memory: Memory
) -> None:
    team(memory, LEADER, JOHN)
    assert await listed(kimai, f"user={JOHN}", "teamlead") == 403
    assert await listed(kimai, f"users[]={JOHN}", "teamlead") == 403


async def test_row_17_who_leads_it_does(kimai: httpx.AsyncClient, memory: Memory) -> None:
    team(memory, JOHN, leads=(LEADER,))
    row = hold(memory)
    assert await listed(kimai, f"user={JOHN}", "teamlead") == [row.id]


async def test_row_18_everybody_is_oneself_and_those_one_leads(
    kimai: httpx.AsyncClient, memory: Memory
) -> None:
    row = hold(memory)
    mine = hold(memory, LEADER)
    assert await listed(kimai, "user=all", "teamlead") == [mine.id]
    team(memory, JOHN, leads=(LEADER,))
    assert await listed(kimai, "user=all&orderBy=id&order=ASC", "teamlead") == [row.id, mine.id]


async def test_row_19_for_a_user_everybody_is_oneself(
    kimai: httpx.AsyncClient, memory: Memory
) -> None:
    row = hold(memory)
    hold(memory, JANE)
    assert await listed(kimai, "user=all") == [row.id]


async def test_row_20_for_an_admin_everybody_is_all(
    kimai: httpx.AsyncClient, memory: Memory
) -> None:
    rows = [hold(memory, user_id).id for user_id in (JOHN, JANE, SUPER)]
    assert await listed(kimai, "user=all&orderBy=id&order=ASC", "admin") == rows


async def test_row_21_an_unknown_user_is_oneself(kimai: httpx.AsyncClient, memory: Memory) -> None:
    hold(memory)
    mine = hold(memory, SUPER)
    assert await listed(kimai, "user=999", "super") == [mine.id]


@pytest.mark.parametrize("name", ["customer", "project", "activity"])
async def test_row_22_an_unknown_id_filters_nothing(
    kimai: httpx.AsyncClient, memory: Memory, name: str
) -> None:
    row = hold(memory)
    assert await listed(kimai, f"{name}=999") == [row.id]


async def test_row_23_a_project_of_a_foreign_team_is_forbidden(
    kimai: httpx.AsyncClient, memory: Memory
) -> None:
    memory.projects[2].team_ids = [team(memory, JANE).id]
    assert await listed(kimai, "project=2") == 403
    assert await listed(kimai, "project=2", "user2") == []


async def test_row_24_pages_are_counted(kimai: httpx.AsyncClient, memory: Memory) -> None:
    for hours in range(22):
        hold(memory, begin=NOON - timedelta(hours=hours), rate=float(hours))
    query = "customer=1&project=1&activity=1&page=2&size=4&order=DESC&orderBy=rate&active=0"
    answer = await kimai.get(f"/api/timesheets?{query}", headers=bearer("user"))
    assert tuple(answer.headers[name] for name in PAGES) == ("2", "4", "6", "22")
    assert [row["id"] for row in answer.json()] == [18, 17, 16, 15]


async def test_row_25_a_page_after_the_last_is_not_found(kimai: httpx.AsyncClient) -> None:
    assert await listed(kimai, "page=19") == 404


@pytest.mark.parametrize(
    ("size", "told"), [("1000", "500"), ("0", "50"), ("-1", None), ("abc", None)]
)
async def test_row_26_sizes_are_clamped(
    kimai: httpx.AsyncClient, size: str, told: str | None
) -> None:
    answer = await kimai.get(f"/api/timesheets?size={size}", headers=bearer("user"))
    assert answer.headers.get("x-per-page") == told
    assert answer.status_code == (400 if told is None else 200)


@pytest.mark.parametrize(
    "query",
    [
        *("orderBy=foo", "order=asc", "exported=2", "full=yes", "begin=2026-11-19"),
        *("modified_after=foo", "users=5", "tags=Foo"),
    ],
)
async def test_row_27_what_is_no_value_is_a_bad_request(
    kimai: httpx.AsyncClient, query: str
) -> None:
    answer = await kimai.get(f"/api/timesheets?{query}", headers=bearer("user"))
    assert (answer.status_code, answer.json()) == (400, {"code": 400, "message": "Bad Request"})


async def test_row_28_exported_or_not_or_all(kimai: httpx.AsyncClient, memory: Memory) -> None:
    for number in range(17):
        hold(memory, exported=number < 7)
    counts = [len(await listed(kimai, query)) for query in ("exported=1", "exported=0", "")]
    assert counts == [7, 10, 17]


async def test_row_29_running_and_not_billable(kimai: httpx.AsyncClient, memory: Memory) -> None:
    running, free, _ = hold(memory, end=None), hold(memory, billable=False), hold(memory)
    assert await listed(kimai, "active=1") == [running.id]
    assert await listed(kimai, "billable=0") == [free.id]


async def test_row_30_any_of_the_known_tags(kimai: httpx.AsyncClient, memory: Memory) -> None:
    memory.tags[1] = Tag(1, "Test", visible=True)
    for number in range(12):
        hold(memory, tag_ids=[1] if number < 10 else [])
    assert len(await listed(kimai, "tags[]=test")) == 10
    assert len(await listed(kimai, "tags[]=Test&tags[]=unknown")) == 10
    assert await listed(kimai, "tags[]=unknown") == 400


async def test_row_31_an_invisible_tag_is_unknown(kimai: httpx.AsyncClient, memory: Memory) -> None:
    memory.tags[1] = Tag(1, "Foo")
    assert await listed(kimai, "tags[]=Foo") == 400


async def test_row_32_words_are_all_wanted_and_a_colon_asks_a_field(
    kimai: httpx.AsyncClient, memory: Memory
) -> None:
    row = hold(memory, description="fix [zammad#4711/22] and zammad:4711")
    other = hold(memory)
    assert await listed(kimai, "term=FIX+and") == [row.id]
    assert await listed(kimai, "term=fix+nope") == []
    assert await listed(kimai, "term=!fix") == [other.id]
    assert await listed(kimai, "term=[zammad%234711/22]") == [row.id]
    assert await listed(kimai, "term=zammad:4711") == []


async def test_row_33_modified_in_that_second_counts(
    kimai: httpx.AsyncClient, memory: Memory
) -> None:
    row = hold(memory)
    assert await listed(kimai, f"modified_after={NOON:%Y-%m-%dT%H:%M:%S}") == [row.id]
    late = NOON + timedelta(seconds=1)
    assert await listed(kimai, f"modified_after={late:%Y-%m-%dT%H:%M:%S}") == []


async def test_row_34_ties_are_broken_by_number_the_same_way(
    kimai: httpx.AsyncClient, memory: Memory
) -> None:
    rows = [hold(memory).id for _ in range(3)]
    assert await listed(kimai, "orderBy=begin&order=ASC") == rows
    assert await listed(kimai, "orderBy=begin&order=DESC") == rows[::-1]


async def test_row_35_a_record_shows_the_zone_it_was_made_in(
    kimai: httpx.AsyncClient, memory: Memory
) -> None:
    memory.users[JOHN].timezone = "Pacific/Tongatapu"
    memory.tags[1] = Tag(1, "Test", visible=True)
    wish = {"project": 1, "activity": 1, "tags": "Test"}
    wish |= {"begin": "2026-11-20T09:00:12", "end": "2026-11-20T10:00:31"}
    made = (await kimai.post("/api/timesheets", json=wish, headers=bearer("user"))).json()
    row = await got(kimai, f"/timesheets/{made['id']}")
    assert (row["begin"], row["end"], row["tags"]) == (
        *("2026-11-20T09:00:00+1300", "2026-11-20T10:01:00+1300", ["Test"]),
    )


async def test_row_36_a_rate_has_four_digits(kimai: httpx.AsyncClient) -> None:
    times = {"begin": "2026-11-20T00:00:00", "end": "2026-11-20T12:55:00"}
    wish = {"project": 1, "activity": 1, "hourlyRate": 137.21} | times
    made = (await kimai.post("/api/timesheets", json=wish, headers=bearer("admin"))).json()
    row = await got(kimai, f"/timesheets/{made['id']}", "admin")
    assert (row["rate"], row["duration"]) == (1772.2958, 46500)


def may_view_others(memory: Memory) -> None:
    memory.roles["ROLE_VIEWER"] = [*memory.roles["ROLE_USER"], "view_other_timesheet"]
    memory.roles["ROLE_VIEWER"] += ["view_rate_own_timesheet", "view_all_data"]
    memory.users[JOHN].roles = ["ROLE_VIEWER"]


async def test_row_37_whose_rates_one_may_not_see_are_not_there(
    kimai: httpx.AsyncClient, memory: Memory
) -> None:
    may_view_others(memory)
    row = await got(kimai, f"/timesheets/{hold(memory, JANE).id}")
    assert tuple(row) == FLAT


async def test_row_38_on_one_page_only_ones_own_have_rates(
    kimai: httpx.AsyncClient, memory: Memory
) -> None:
    may_view_others(memory)
    mine = hold(memory)
    hold(memory, JANE)
    rows = await got(kimai, "/timesheets?user=all")
    assert [row["id"] for row in rows if set(RATES) <= row.keys()] == [mine.id]


async def test_row_39_a_foreign_record_is_for_admins(
    kimai: httpx.AsyncClient, memory: Memory
) -> None:
    row = hold(memory, CHIEF)
    assert await got(kimai, f"/timesheets/{row.id}") == 403
    assert (await got(kimai, f"/timesheets/{row.id}", "admin"))["id"] == row.id


async def test_row_40_a_number_beyond_all_numbers_is_not_found(kimai: httpx.AsyncClient) -> None:
    assert await got(kimai, "/timesheets/9223372036854775807") == 404


async def test_row_82_recent_and_active_are_expanded(
    kimai: httpx.AsyncClient, memory: Memory
) -> None:
    old, _ = hold(memory, project_id=2, activity_id=2), hold(memory)
    new = hold(memory, begin=NOON, end=NOON + timedelta(hours=1))
    recent = await got(kimai, "/timesheets/recent?size=2")
    assert [row["id"] for row in recent] == [new.id, old.id]
    assert await got(kimai, "/timesheets/recent?begin=2026-11-22T00:00:00") == recent[:1]
    running = hold(memory, end=None)
    (active,) = await got(kimai, "/timesheets/active")
    assert (active["id"], tuple(active)) == (running.id, EXPANDED)


async def test_row_96_work_of_foreign_teams_is_not_listed(
    kimai: httpx.AsyncClient, memory: Memory
) -> None:
    row, hidden = hold(memory), hold(memory, project_id=2, activity_id=2)
    memory.activities[2].team_ids = [team(memory, JANE).id]
    assert await listed(kimai, "") == [row.id]
    assert await got(kimai, f"/timesheets/{hidden.id}") != 403  # one's own is reached all the same


async def test_row_99_tags_are_found_by_a_part_of_their_name(
    kimai: httpx.AsyncClient, memory: Memory
) -> None:
    for number, name in enumerate(("Test", "Administration", "Tagged"), 1):
        memory.tags[number] = Tag(number, name, visible=True)
    memory.tags[4] = Tag(4, "Tahiti")
    assert await got(kimai, "/tags") == ["Administration", "Tagged", "Test"]
    assert [row["name"] for row in await got(kimai, "/tags/find?name=t")] == [
        *("Administration", "Tagged", "Test"),
    ]
    assert await got(kimai, "/tags/find") == []
    gone = await kimai.delete("/api/tags/1", headers=bearer("admin"))
    assert (gone.status_code, await got(kimai, "/tags?name=tes")) == (204, [])


async def test_row_100_a_tags_name_and_colour_are_looked_at(kimai: httpx.AsyncClient) -> None:
    wish = {"name": "1", "color": "11231231231"}
    answer = await kimai.post("/api/tags", json=wish, headers=bearer("user"))
    children = answer.json()["errors"]["children"]
    assert answer.status_code == 400
    assert {name for name, child in children.items() if child} == {"name", "color"}


@pytest.mark.parametrize("kind", ["customers", "projects", "activities"])
async def test_row_101_a_user_adds_nothing_to_the_catalogue(
    kimai: httpx.AsyncClient, kind: str
) -> None:
    answer = await kimai.post(f"/api/{kind}", json={"name": "New"}, headers=bearer("user"))
    assert (answer.status_code, answer.json()) == (403, {"code": 403, "message": "Forbidden"})


async def test_row_108_details_are_for_those_who_may_see_them(kimai: httpx.AsyncClient) -> None:
    (plain,) = await got(kimai, "/customers?full=1", "teamlead")
    (full,) = await got(kimai, "/customers?full=1", "admin")
    assert {"vatId", "addressLine1", "postCode", "city"} == (
        full.keys() - plain.keys() - {"addressLine2", "addressLine3"} - BUDGET
    )

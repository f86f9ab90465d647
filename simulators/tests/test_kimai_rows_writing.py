"""The conformance rows of kimai-api.md 9 about new records: one test a row, named by its number."""

from datetime import timedelta
from typing import Any

import httpx
import pytest
from dirty_equals import IsPartialDict

from hourbook_simulators.kimai.in_process import bearer
from hourbook_simulators.kimai.memory import Memory
from hourbook_simulators.kimai.office import (
    JANE,
    JOHN,
    LEADER,
    NOON,
    WORK,
    hold,
    patch,
    post,
    said,
    team,
)
from hourbook_simulators.kimai.records import Tag

pytestmark = pytest.mark.anyio

EXTRA = "This form should not contain extra fields."
NO_CHOICE = "The selected choice is invalid."
NO_DATE = "Please enter a valid date and time."


async def test_row_41_an_admin_posts_everything(kimai: httpx.AsyncClient) -> None:
    answer = await post(kimai, "admin", description="foo", fixedRate=2016, billable=False)
    assert answer.json() == IsPartialDict(rate=2016.0, billable=False, description="foo")


async def test_row_42_asked_for_in_full_it_is_expanded(kimai: httpx.AsyncClient) -> None:
    for full in ("true", "false"):
        answer = await kimai.post(
            f"/api/timesheets?full={full}", json=WORK, headers=bearer("admin")
        )
        assert answer.json()["project"]["customer"]["name"] == "Acme"
        assert {"rate", "internalRate", "fixedRate", "hourlyRate"} <= answer.json().keys()


async def test_row_43_an_admin_books_for_another(kimai: httpx.AsyncClient) -> None:
    assert (await post(kimai, "admin", user=JOHN)).json()["user"] == JOHN


async def test_row_44_for_a_user_there_is_no_such_field(kimai: httpx.AsyncClient) -> None:
    assert said(await post(kimai, user=JANE)) == {"": [EXTRA]}


@pytest.mark.parametrize("kind", ["unknown", "disabled", "system account"])
async def test_row_45_some_can_not_be_chosen(
    kimai: httpx.AsyncClient, memory: Memory, kind: str
) -> None:
    memory.users[JANE].enabled = kind != "disabled"
    memory.users[JANE].system_account = kind == "system account"
    user = 999 if kind == "unknown" else JANE
    assert said(await post(kimai, "super", user=user)) == {"user": [NO_CHOICE]}


async def test_row_46_a_teamlead_books_for_those_they_lead(
    kimai: httpx.AsyncClient, memory: Memory
) -> None:
    team(memory, JANE, leads=(LEADER,))
    assert said(await post(kimai, "teamlead", user=JOHN)) == {"user": [NO_CHOICE]}
    assert (await post(kimai, "teamlead", user=JANE)).json()["user"] == JANE


@pytest.mark.parametrize("body", ["{}", "", "[]"])
async def test_row_47_without_a_body_project_and_activity_are_missed(
    kimai: httpx.AsyncClient, body: str
) -> None:
    headers = bearer("user") | {"Content-Type": "application/json"}
    answer = await kimai.post("/api/timesheets", content=body, headers=headers)
    assert said(answer) == {
        "project": ["A project needs to be selected.", "This value should not be null."],
        "activity": ["An activity needs to be selected.", "This value should not be null."],
    }


async def test_row_48_malformed_json_is_a_bad_request(kimai: httpx.AsyncClient) -> None:
    headers = bearer("user") | {"Content-Type": "application/json"}
    answer = await kimai.post("/api/timesheets", content="{bad json", headers=headers)
    assert (answer.status_code, answer.json()) == (400, {"code": 400, "message": "Bad Request"})


@pytest.mark.parametrize(
    "extra",
    ["foo", "duration", "metaFields", "customer", "fixedRate", "billable", "exported", "id"],
)
async def test_row_49_what_is_no_field_is_too_much(kimai: httpx.AsyncClient, extra: str) -> None:
    assert said(await post(kimai, **{extra: 1})) == {"": [EXTRA]}


async def test_row_50_a_project_of_a_hidden_customer_is_not_offered(
    kimai: httpx.AsyncClient,
) -> None:
    assert said(await post(kimai, project=4)) == {"project": [NO_CHOICE]}


async def test_row_51_then_its_activity_is_not_looked_at(kimai: httpx.AsyncClient) -> None:
    assert said(await post(kimai, project=4, activity=99)) == {"project": [NO_CHOICE]}


async def test_row_52_nor_is_a_project_there_is_not(kimai: httpx.AsyncClient) -> None:
    assert said(await post(kimai, project=99)) == {"project": [NO_CHOICE]}


async def test_row_53_nor_one_of_a_foreign_team(kimai: httpx.AsyncClient, memory: Memory) -> None:
    memory.projects[1].team_ids = [team(memory, JANE).id]
    assert said(await post(kimai)) == {"project": [NO_CHOICE]}
    assert (await post(kimai, "user2")).status_code == 200


async def test_row_54_nor_a_hidden_activity(kimai: httpx.AsyncClient) -> None:
    assert said(await post(kimai, activity=3)) == {"activity": [NO_CHOICE]}


async def test_row_55_work_for_a_customer_is_billable_as_they_are(
    kimai: httpx.AsyncClient, memory: Memory
) -> None:
    memory.customers[1].billable = False
    assert (await post(kimai, "admin")).json()["billable"] is False
    assert (await post(kimai, "admin", billable=True)).json()["billable"] is True


@pytest.mark.parametrize("mode", ["punch", "duration_fixed_begin"])
async def test_row_56_only_who_sees_others_says_when(
    kimai: httpx.AsyncClient, memory: Memory, mode: str
) -> None:
    memory.settings = {"timesheet.mode": mode, "timesheet.default_begin": "08:00"}
    answer = await post(kimai)
    assert said(answer) == {"": [EXTRA]}
    assert not {"begin", "end"} & answer.json()["errors"]["children"].keys()
    assert (await post(kimai, "admin")).status_code == 200


@pytest.mark.parametrize(
    "at",
    [
        *("2026-11-19T09:00:00+01:00", "2026-11-19T08:00:00Z", "2026-11-19T09:00"),
        *("2026-11-19 09:00:00", "2026-11-19T09:00:00.000"),
    ],
)
async def test_row_57_moments_are_read_in_many_ways(kimai: httpx.AsyncClient, at: str) -> None:
    assert (await post(kimai, begin=at)).json()["begin"] == "2026-11-19T09:00:00+0100"


@pytest.mark.parametrize("at", ["2026-11-19", 1700000000, "foo", "2026-02-30T09:00:00"])
async def test_row_57_and_not_in_others(kimai: httpx.AsyncClient, at: Any) -> None:
    assert said(await post(kimai, begin=at, end=at)) == {"begin": [NO_DATE], "end": [NO_DATE]}


async def test_row_58_a_naive_time_is_the_callers(kimai: httpx.AsyncClient, memory: Memory) -> None:
    memory.users[JANE].timezone = "America/New_York"
    made = (await post(kimai, "super", user=JANE)).json()
    assert made["begin"] == "2026-11-19T09:00:00+0100"
    row = await kimai.get(f"/api/timesheets/{made['id']}", headers=bearer("super"))
    assert row.json()["begin"] == "2026-11-19T03:00:00-0500"


async def test_row_59_when_it_changes_a_record_it_is_the_records(
    kimai: httpx.AsyncClient, memory: Memory
) -> None:
    memory.users[JANE].timezone = "America/New_York"
    row = hold(memory, JANE, zone="America/New_York")
    answer = await patch(kimai, row, "super", begin="2026-11-21T02:00:00")
    assert answer.json()["begin"] == "2026-11-21T02:00:00-0500"


async def test_row_60_begins_are_floored_and_ends_ceiled(kimai: httpx.AsyncClient) -> None:
    answer = await post(kimai, begin="2026-11-19T09:00:12", end="2026-11-19T10:00:31")
    assert answer.json() == IsPartialDict(
        begin="2026-11-19T09:00:00+0100", end="2026-11-19T10:01:00+0100", duration=3660
    )


def rounding(memory: Memory, mode: str) -> None:
    steps = {"begin": 15, "end": 15, "duration": 30, "mode": mode}
    memory.settings = {f"timesheet.rounding.default.{key}": step for key, step in steps.items()}


@pytest.mark.parametrize(
    ("mode", "begin", "end", "duration"),
    [
        ("default", "10:00", "11:15", 5400),
        ("closest", "10:15", "11:00", 1800),
        ("ceil", "10:15", "11:15", 3600),
        ("floor", "10:00", "11:00", 3600),
    ],
)
async def test_row_61_steps_are_rounded_four_ways(
    kimai: httpx.AsyncClient, memory: Memory, mode: str, begin: str, end: str, duration: int
) -> None:
    rounding(memory, mode)
    answer = await post(kimai, begin="2026-11-13T10:08:00", end="2026-11-13T11:07:00")
    assert answer.json() == IsPartialDict(
        begin=f"2026-11-13T{begin}:00+0100", end=f"2026-11-13T{end}:00+0100", duration=duration
    )


async def test_row_62_another_text_moves_times_that_were_not_rounded(
    kimai: httpx.AsyncClient, memory: Memory
) -> None:
    row = hold(memory, begin=NOON + timedelta(seconds=7), end=NOON + timedelta(seconds=61))
    answer = await patch(kimai, row, description="d")
    assert answer.json() == IsPartialDict(
        begin="2026-11-22T12:00:00+0100", end="2026-11-22T12:02:00+0100", duration=120
    )


async def test_row_63_tags_that_are_not_known_are_dropped(
    kimai: httpx.AsyncClient, memory: Memory
) -> None:
    memory.tags = {1: Tag(1, "Foo", visible=True), 2: Tag(2, "Unseen")}
    answer = await post(kimai, tags="foo , nope,Unseen,Foo")
    assert sorted(answer.json()["tags"]) == ["Foo", "Unseen"]
    assert said(await post(kimai, tags=["Foo"])) == {"tags": ["This value is not valid."]}


async def test_row_64_tags_are_replaced(kimai: httpx.AsyncClient, memory: Memory) -> None:
    memory.tags = {1: Tag(1, "Foo", visible=True), 2: Tag(2, "Bar", visible=True)}
    row = hold(memory, tag_ids=[2])
    assert (await patch(kimai, row, tags="Foo")).json()["tags"] == ["Foo"]
    assert (await patch(kimai, row, tags="")).json()["tags"] == []


async def test_row_65_a_second_running_one_stops_the_first(
    kimai: httpx.AsyncClient, memory: Memory
) -> None:
    first = await post(kimai, begin=..., end=...)
    assert first.json() == IsPartialDict(end=None, duration=0)
    memory.clock_offset_seconds += 90
    await post(kimai, begin=..., end=...)
    assert memory.timesheets[first.json()["id"]].end == NOON + timedelta(minutes=2)


async def test_row_66_three_may_run_where_three_may(
    kimai: httpx.AsyncClient, memory: Memory
) -> None:
    memory.settings = {"timesheet.active_entries.hard_limit": 3}
    for _ in range(4):
        await post(kimai, begin=..., end=...)
    active = await kimai.get("/api/timesheets/active", headers=bearer("user"))
    assert [row["id"] for row in active.json()] == [4, 3, 2]


async def test_row_67_what_starts_in_the_future_can_not_be_stopped(
    kimai: httpx.AsyncClient, memory: Memory
) -> None:
    hold(memory, begin=NOON + timedelta(days=1), end=None)
    text = "You have an active time record which cannot be stopped automatically."
    assert said(await post(kimai, begin=..., end=...)) == {"": [text]}
    assert list(memory.timesheets) == [1]
    assert (await post(kimai)).json()["id"] == 3  # the number of the refused one is spent

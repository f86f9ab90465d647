"""The conformance rows of kimai-api.md 9 about records that are there: one test a row."""

from datetime import timedelta

import httpx
import pytest
from dirty_equals import IsPartialDict

from hourbook_simulators.kimai.in_process import bearer
from hourbook_simulators.kimai.memory import Memory
from hourbook_simulators.kimai.office import (
    CHIEF,
    JANE,
    JOHN,
    LEADER,
    NOON,
    WORK,
    delete,
    hold,
    patch,
    said,
    team,
)
from hourbook_simulators.kimai.records import Tag, Timesheet

pytestmark = pytest.mark.anyio

NO_CHOICE = "The selected choice is invalid."
FORBIDDEN = (403, {"code": 403, "message": "Forbidden"})


async def test_row_68_a_teamlead_changes_a_users_record(
    kimai: httpx.AsyncClient, memory: Memory
) -> None:
    row = hold(memory)
    times = {"begin": "2026-11-20T10:00:00", "end": "2026-11-20T17:00:00"}
    answer = await patch(kimai, row, "teamlead", **times, billable=False)
    assert answer.json() == IsPartialDict(user=JOHN, duration=25200, billable=False)


async def test_row_69_a_move_to_a_foreign_teams_project_changes_nothing(
    kimai: httpx.AsyncClient, memory: Memory
) -> None:
    row = hold(memory)
    memory.projects[2].team_ids = [team(memory, JANE).id]
    answer = await patch(kimai, row, project=2, activity=2, description="moved")
    assert said(answer) == {"project": [NO_CHOICE]}
    assert (row.project_id, row.description) == (1, None)


async def test_row_70_a_foreign_record_is_not_for_users(
    kimai: httpx.AsyncClient, memory: Memory
) -> None:
    answer = await patch(kimai, hold(memory, CHIEF), description="x")
    assert (answer.status_code, answer.json()) == FORBIDDEN


async def test_row_71_an_unknown_one_is_not_found(kimai: httpx.AsyncClient) -> None:
    assert (await patch(kimai, 255, description="x")).status_code == 404


async def test_row_72_every_fault_is_told_at_once(kimai: httpx.AsyncClient, memory: Memory) -> None:
    answer = await patch(
        kimai, hold(memory), begin="2026-11-19T10:00:00", end="2026-11-19T09:00:00", activity=99
    )
    assert said(answer) == {
        "": [
            "The end date must not be earlier than the start date.",
            "Duration cannot be negative.",
        ],
        "activity": [NO_CHOICE],
    }


async def test_row_73_without_an_end_it_runs_again(
    kimai: httpx.AsyncClient, memory: Memory
) -> None:
    running, row = hold(memory, end=None), hold(memory)
    assert (await patch(kimai, row, end=None)).json() == IsPartialDict(end=None, duration=0)
    assert running.end is None


async def test_row_74_a_begin_of_null_breaks_kimai(
    kimai: httpx.AsyncClient, memory: Memory
) -> None:
    answer = await patch(kimai, hold(memory), begin=None)
    assert answer.json() == {"code": 500, "message": "Internal Server Error"}


async def test_row_75_project_and_activity_must_go_together(
    kimai: httpx.AsyncClient, memory: Memory
) -> None:
    row = hold(memory)
    text = "Global activities are forbidden for the selected project."
    assert said(await patch(kimai, row, project=2)) == {"activity": [text]}
    assert (await patch(kimai, row, project=2, activity=2)).json()["project"] == 2
    text = "Project mismatch, project specific activity and timesheet project are different."
    assert said(await patch(kimai, row, project=1)) == {"project": [text]}


async def test_row_76_a_move_is_billable_whatever_it_says(
    kimai: httpx.AsyncClient, memory: Memory
) -> None:
    row = hold(memory, billable=False)
    answer = await patch(kimai, row, "admin", project=2, activity=2, billable=False)
    assert answer.json()["billable"] is True
    assert (await patch(kimai, row, "admin", billable=False)).json()["billable"] is False


async def test_row_77_only_false_is_not_exported(kimai: httpx.AsyncClient, memory: Memory) -> None:
    row = hold(memory)
    assert (await patch(kimai, row, "admin", exported=None)).json()["exported"] is True
    assert (await patch(kimai, row, "admin", exported=False)).json()["exported"] is False


async def test_row_78_nothing_is_put(kimai: httpx.AsyncClient, memory: Memory) -> None:
    url = f"/api/timesheets/{hold(memory).id}"
    answer = await kimai.put(url, json=WORK, headers=bearer("user"))
    assert answer.json() == {"code": 405, "message": "Method Not Allowed"}


async def test_row_79_ones_own_are_deleted_and_others_by_admins(
    kimai: httpx.AsyncClient, memory: Memory
) -> None:
    mine, foreign = hold(memory), hold(memory, CHIEF)
    assert [await delete(kimai, mine.id), await delete(kimai, mine.id)] == [204, 404]
    assert await delete(kimai, foreign.id) == 403
    assert await delete(kimai, hold(memory).id, "admin") == 204
    assert await delete(kimai, 255) == 404


async def test_row_80_exported_ones_by_admins_only(
    kimai: httpx.AsyncClient, memory: Memory
) -> None:
    row = hold(memory, exported=True)
    codes = [await delete(kimai, row.id, who) for who in ("user", "teamlead", "admin")]
    assert codes == [403, 403, 204]


async def test_row_81_exported_ones_are_changed_by_admins_only(
    kimai: httpx.AsyncClient, memory: Memory
) -> None:
    row = hold(memory, exported=True)
    for who, code in (("user", 403), ("teamlead", 403), ("admin", 200)):
        assert (await patch(kimai, row, who, description="x")).status_code == code


async def test_row_83_stopping_what_is_stopped_changes_nothing(
    kimai: httpx.AsyncClient, memory: Memory
) -> None:
    row = hold(memory, begin=NOON - timedelta(hours=1), end=None)
    memory.clock_offset_seconds += 30
    stopped = (await patch(kimai, row, verb="stop")).json()
    assert stopped == IsPartialDict(end="2026-11-22T12:01:00+0100", duration=3660)
    assert (await patch(kimai, row, verb="stop")).json() == stopped
    answer = await kimai.get(f"/api/timesheets/{row.id}/stop", headers=bearer("user"))
    assert answer.status_code == 405


async def test_row_84_what_ran_too_long_is_not_stopped(
    kimai: httpx.AsyncClient, memory: Memory
) -> None:
    memory.settings = {"timesheet.rules.long_running_duration": "750"}
    row = hold(memory, begin=NOON - timedelta(hours=13), end=None)
    answer = await patch(kimai, row, verb="stop")
    assert (answer.status_code, answer.json()) == (
        400,
        {
            "code": "400",
            "message": "There was a problem saving.",
            "errors": {
                "children": {"duration": {"errors": ["Maximum 12:30 hours allowed."]}},
            },
        },
    )
    assert row.end is None


@pytest.mark.parametrize("verb", ["stop", "restart", "duplicate"])
async def test_rows_85_87_89_foreign_and_unknown_ones_are_left_alone(
    kimai: httpx.AsyncClient, memory: Memory, verb: str
) -> None:
    row = hold(memory, CHIEF, end=None)
    assert (await patch(kimai, row, verb=verb)).status_code == 403
    assert (await patch(kimai, 255, verb=verb)).status_code == 404


async def test_row_86_a_restart_copies_what_it_is_told_to(
    kimai: httpx.AsyncClient, memory: Memory
) -> None:
    memory.tags[1] = Tag(1, "Foo", visible=True)
    row = hold(memory, description="text", tag_ids=[1])
    plain = (await patch(kimai, row, verb="restart")).json()
    assert plain == IsPartialDict(end=None, description=None, tags=[])
    begin = "2026-11-22T06:00:00"
    copy = (await patch(kimai, row, verb="restart", copy="all", begin=begin)).json()
    assert copy == IsPartialDict(begin=f"{begin}+0100", description="text", tags=["Foo"])
    assert (await patch(kimai, row, verb="restart", copy="foo")).status_code == 400


@pytest.mark.parametrize("verb", ["restart", "duplicate"])
async def test_row_88_not_on_a_project_that_is_another_teams_by_now(
    kimai: httpx.AsyncClient, memory: Memory, verb: str
) -> None:
    row = hold(memory)
    theirs = team(memory, JANE)
    memory.projects[1].team_ids = [theirs.id]
    assert (await patch(kimai, row, verb=verb)).status_code == 403
    theirs.member_ids.append(JOHN)
    assert (await patch(kimai, row, verb=verb)).status_code == 200


async def test_row_89_a_duplicate_is_the_same_but_not_exported(
    kimai: httpx.AsyncClient, memory: Memory
) -> None:
    row = hold(memory, description="[zammad-1-2]", exported=True, fixed_rate=9.0)
    copy = (await patch(kimai, row, "super", verb="duplicate")).json()
    assert copy == IsPartialDict(
        user=JOHN, description="[zammad-1-2]", exported=False, rate=9.0, duration=3600
    )


async def test_row_90_exporting_twice_takes_it_back(
    kimai: httpx.AsyncClient, memory: Memory
) -> None:
    row = hold(memory)
    for exported in (True, False):
        answer = await patch(kimai, row, "admin", verb="export")
        assert answer.json()["exported"] is exported
    assert (await patch(kimai, row, verb="export")).status_code == 403
    assert (await patch(kimai, 255, "admin", verb="export")).status_code == 404


async def test_row_91_a_teamlead_exports_and_does_not_take_it_back(
    kimai: httpx.AsyncClient, memory: Memory
) -> None:
    row = hold(memory)
    assert (await patch(kimai, row, "teamlead", verb="export")).status_code == 200
    assert (await patch(kimai, row, "teamlead", verb="export")).status_code == 403


async def all_ways(kimai: httpx.AsyncClient, row: Timesheet, who: str) -> set[int]:
    url = f"/api/timesheets/{row.id}"
    codes = {(await kimai.get(url, headers=bearer(who))).status_code}
    for verb in ("", "stop", "restart", "duplicate", "export"):
        codes.add((await patch(kimai, row, who, verb)).status_code)
    return codes | {await delete(kimai, row.id, who)}


async def test_row_93_a_teamlead_outside_the_customers_team_does_nothing(
    kimai: httpx.AsyncClient, memory: Memory
) -> None:
    row = hold(memory)
    memory.customers[1].team_ids = [team(memory, JOHN).id]
    memory.teams[1].member_ids = [JANE]
    assert await all_ways(kimai, row, "teamlead") == {403}


async def test_row_94_nor_does_a_plain_member_of_the_owners_team(
    kimai: httpx.AsyncClient, memory: Memory
) -> None:
    row = hold(memory)
    team(memory, JOHN, LEADER)
    assert await all_ways(kimai, row, "teamlead") == {403}


async def test_row_95_an_owner_reaches_their_own_all_the_same(
    kimai: httpx.AsyncClient, memory: Memory
) -> None:
    row = hold(memory)
    memory.customers[1].team_ids = [team(memory, JANE).id]
    answer = await kimai.get(f"/api/timesheets/{row.id}", headers=bearer("user"))
    assert answer.status_code == 200
    assert (await patch(kimai, row, description="x")).status_code == 200

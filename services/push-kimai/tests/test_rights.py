"""On whom an hour is booked, and what the token may do: said with the right or team that is missing."""

import pytest

from hourbook_contracts.ledger import PushRefused, TimesheetWritten
from hourbook_simulators.kimai import writing as twin
from hourbook_simulators.kimai.forms import Draft
from hourbook_simulators.kimai.memory import Memory
from hourbook_simulators.kimai.records import Team, Timesheet

from .conftest import ANNA, BEN, Hours

pytestmark = [pytest.mark.anyio, pytest.mark.xdist_group("push")]
BOT = 2


async def refused(hours: Hours, **of: int) -> PushRefused:
    answer = await hours.answer(**of)
    assert isinstance(answer, PushRefused)
    return answer


async def test_without_the_right_to_create_for_others_nothing_is_booked_on_the_bot(
    hours: Hours,
) -> None:
    hours.permit(without="create_other_timesheet")
    await hours.configure()
    await hours.say(hours.request(want=hours.work()))
    answer = await refused(hours)
    assert answer.why == "missing_permission"
    assert "create_other_timesheet" in (answer.detail or "")
    assert not hours.rows


async def test_without_the_right_to_create_at_all_that_right_is_named(hours: Hours) -> None:
    hours.permit(without="create_own_timesheet")
    await hours.configure()
    await hours.say(hours.request(want=hours.work()))
    answer = await refused(hours)
    assert answer.why == "missing_permission"
    assert "create_own_timesheet" in (answer.detail or "")


async def test_a_disabled_worker_and_a_system_account_are_told_as_such(hours: Hours) -> None:
    hours.memory.users[ANNA].enabled = False
    hours.memory.users[BEN].system_account = True
    await hours.configure()
    await hours.say(hours.request(want=hours.work(user_id=ANNA)))
    await hours.say(hours.request(want=hours.work(user_id=BEN), entry=2))
    await hours.say(hours.request(want=hours.work(user_id=99), entry=3))
    disabled, system = await refused(hours), await refused(hours, entry=2)
    assert (disabled.why, system.why) == ("missing_permission", "missing_permission")
    assert f"user {ANNA} is disabled" in (disabled.detail or "")
    assert f"user {BEN} is a system account" in (system.detail or "")
    unknown = await refused(hours, entry=3)
    assert "user 99" in (unknown.detail or "")
    assert not hours.rows


async def test_a_worker_of_no_led_team_is_told_apart_from_a_disabled_one(hours: Hours) -> None:
    hours.permit(without="view_all_data")
    await hours.configure()
    await hours.say(hours.request(want=hours.work()))
    answer = await refused(hours)
    assert answer.why == "missing_permission"
    assert "teamlead" in (answer.detail or "")


async def test_a_worker_of_a_team_that_the_token_leads_can_be_booked_on_and_no_other(
    hours: Hours,
) -> None:
    hours.permit(without="view_all_data")
    hours.memory.teams[1] = Team(1, "Support", member_ids=[BOT, ANNA], lead_ids=[BOT])
    await hours.configure()
    await hours.say(hours.request(want=hours.work(user_id=ANNA)))
    await hours.say(hours.request(want=hours.work(user_id=BEN), entry=2))
    assert isinstance(await hours.answer(), TimesheetWritten)
    answer = await refused(hours, entry=2)
    assert answer.why == "missing_permission"
    assert f"user {BEN}" in (answer.detail or "")
    assert "teamlead" in (answer.detail or "")


async def test_a_project_of_a_team_that_the_token_is_not_in_is_told_with_the_team(
    hours: Hours,
) -> None:
    hours.permit(without="view_all_data")
    hours.memory.teams[1] = Team(1, "Support", member_ids=[BOT, ANNA], lead_ids=[BOT])
    hours.memory.teams[2] = Team(2, "Board", member_ids=[BEN], lead_ids=[BEN])
    hours.memory.projects[1].team_ids = [2]
    await hours.configure()
    await hours.say(hours.request(want=hours.work()))
    answer = await refused(hours)
    assert answer.why == "missing_permission"
    assert "project 1" in (answer.detail or "")
    assert "team" in (answer.detail or "")


async def test_a_budget_that_is_used_up_is_its_own_reason(hours: Hours) -> None:
    hours.set(allow_overbooking_budget=False)
    hours.memory.projects[1].time_budget_seconds = 600
    await hours.configure()
    await hours.say(hours.request(want=hours.work(15)))
    answer = await refused(hours)
    assert answer.why == "budget_used"
    assert not hours.rows


async def test_a_hidden_project_and_a_deleted_activity_are_told_as_such(hours: Hours) -> None:
    hours.memory.projects[1].visible = False
    await hours.configure()
    await hours.say(hours.request(want=hours.work()))
    work = hours.work()
    assert work.place is not None
    gone = work.model_copy(
        update={"place": work.place.model_copy(update={"project_id": 2, "activity_id": 77})}
    )
    await hours.say(hours.request(want=gone, entry=2))
    hidden, deleted = await refused(hours), await refused(hours, entry=2)
    assert (hidden.why, deleted.why) == ("project_closed", "missing_permission")
    assert "project 1 is hidden" in (hidden.detail or "")
    assert "no activity 77" in (deleted.detail or "")


async def test_a_right_to_change_that_is_missing_is_named_and_the_row_stays(hours: Hours) -> None:
    await hours.configure(poll_seconds=60)
    await hours.say(hours.request(want=hours.work()))
    first = await hours.answer()
    assert isinstance(first, TimesheetWritten)
    hours.permit(without="edit_other_timesheet")
    await hours.say(
        hours.request("update", hours.work(30), gen=2, expected=hours.work(), sheet=first.sheet)
    )
    answer = await refused(hours, gen=2)
    assert answer.why == "missing_permission"
    assert "edit_other_timesheet" in (answer.detail or "")
    hours.permit(without="delete_other_timesheet")
    await hours.say(hours.request("delete", gen=3, expected=hours.work(), sheet=first.sheet))
    answer = await refused(hours, gen=3)
    assert "delete_other_timesheet" in (answer.detail or "")
    assert [row.duration_seconds for row in hours.rows] == [900]


async def test_a_token_that_cannot_see_what_it_wrote_writes_nothing_more(hours: Hours) -> None:
    """What an uncertain write has left could not be found again, and would be written twice."""
    hours.permit(without="view_other_timesheet")
    await hours.configure(poll_seconds=0.2)
    await hours.say(hours.request(want=hours.work()))
    assert isinstance(await hours.answer(), TimesheetWritten)
    assert "view_other_timesheet" in await hours.obstacle("blind")
    await hours.say(hours.request(want=hours.work(), entry=2))
    posts = hours.calls("POST")
    polled = hours.calls("GET")
    await hours.until(lambda: hours.calls("GET") >= polled + 4)
    assert hours.calls("POST") == posts
    hours.permit()
    assert isinstance(await hours.answer(entry=2), TimesheetWritten)
    assert f"{hours.name}:blind" not in hours.health.obstacles


@pytest.mark.parametrize("may_delete_own", [True, False])
async def test_what_kimai_booked_on_the_bot_all_the_same_is_taken_back(
    hours: Hours, monkeypatch: pytest.MonkeyPatch, *, may_delete_own: bool
) -> None:
    hold = twin._hold

    def on_the_bot(memory: Memory, draft: Draft) -> Timesheet:
        draft.user_id = BOT
        return hold(memory, draft)

    monkeypatch.setattr(twin, "_hold", on_the_bot)
    if may_delete_own:
        hours.permit("delete_own_timesheet")
    await hours.configure()
    await hours.say(hours.request(want=hours.work()))
    answer = await refused(hours)
    assert answer.why == "missing_permission"
    assert f"user {BOT} instead of {ANNA}" in (answer.detail or "")
    assert (not hours.rows) is may_delete_own
    assert ("still stands there" in (answer.detail or "")) is not may_delete_own


@pytest.mark.parametrize("mode", ["punch", "duration_fixed_begin"])
async def test_a_tracking_mode_that_sets_its_own_times_is_refused_by_the_settings_name(
    hours: Hours, mode: str
) -> None:
    hours.memory.settings["timesheet.mode"] = mode
    await hours.configure()
    await hours.say(hours.request(want=hours.work()))
    sentence = await hours.obstacle("unfit")
    assert "timesheet.mode" in sentence
    assert mode in sentence
    assert not hours.rows
    hours.memory.settings["timesheet.mode"] = "default"
    assert isinstance(await hours.answer(), TimesheetWritten)
    assert f"{hours.name}:unfit" not in hours.health.obstacles

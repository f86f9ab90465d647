"""What Kimai makes of a written timesheet, and which it refuses (kimai-api.md 0, 3, 4, 5)."""

from typing import Any

import httpx
import pytest
from dirty_equals import IsPartialDict

from hourbook_simulators.kimai.in_process import (
    ADMIN,
    ANNA,
    ANNA_HERSELF,
    BOT,
    EMMA,
    TEAMLEAD,
    bearer,
    booked,
    client,
    demo,
    ids,
    rules,
    work,
)
from hourbook_simulators.kimai.records import Token

pytestmark = pytest.mark.anyio

BOT_FIELDS = ("begin", "end", "project", "activity", "description", "user", "tags", "billable")
LOCKED = "This period is locked. Please choose a later date."
NO_DATE = "Please enter a valid date and time."
OVERLAP = "You already have an entry for this time."


def form_error(*at_form: str, **at_field: list[str]) -> dict[str, Any]:
    """As the bot gets it."""
    children = {name: {"errors": at_field[name]} if name in at_field else {} for name in BOT_FIELDS}
    errors: dict[str, Any] = {"errors": list(at_form)} if at_form else {}
    return {
        "code": 400,
        "message": "Validation Failed",
        "errors": errors | {"children": children},
    }


async def refused(kimai: httpx.AsyncClient, **changes: Any) -> Any:
    answer = await kimai.post("/api/timesheets", json=work(**changes))
    assert answer.status_code == 400
    return answer.json()


async def test_the_bot_books_on_a_worker_and_sees_no_rates() -> None:
    async with client() as kimai:
        held = await booked(kimai)
        assert list(held) == [
            *("activity", "project", "user", "tags", "id", "begin", "end", "duration", "break"),
            *("description", "exported", "billable", "metaFields"),
        ]
        assert held == IsPartialDict(
            user=ANNA, begin="2026-03-16T09:00:00+0100", duration=900, exported=False
        )
        assert (await kimai.get(f"/api/timesheets/{held['id']}")).json() == held


async def test_the_same_post_twice_makes_two_records() -> None:
    async with client() as kimai:
        first, second = await booked(kimai), await booked(kimai)
        assert first["id"] < second["id"]
        assert await ids(kimai, "user=all&term=zammad-4711-22") == [first["id"], second["id"]]


async def test_number_of_a_deleted_record_is_never_given_again() -> None:
    async with client() as kimai:
        held = await booked(kimai)
        url = f"/api/timesheets/{held['id']}"
        assert [(await kimai.delete(url)).status_code for _ in range(2)] == [204, 404]
        assert (await booked(kimai))["id"] > held["id"]


@pytest.mark.parametrize("extra", ["exported", "fixedRate", "duration", "metaFields", "customer"])
async def test_what_is_no_field_of_the_bots_form_is_refused(extra: str) -> None:
    async with client() as kimai:
        answer = await refused(kimai, **{extra: 1})
        assert answer == form_error("This form should not contain extra fields.")


async def test_a_body_without_them_misses_project_and_activity_with_two_sentences_each() -> None:
    async with client() as kimai:
        answer = await kimai.post(
            "/api/timesheets", json={"end": work()["end"], "begin": work()["begin"]}
        )
        assert answer.json() == form_error(
            project=["A project needs to be selected.", "This value should not be null."],
            activity=["An activity needs to be selected.", "This value should not be null."],
        )


async def test_malformed_json_is_a_masked_bad_request() -> None:
    async with client() as kimai:
        headers = {"Content-Type": "application/json"}
        answer = await kimai.post("/api/timesheets", content="{bad", headers=headers)
        assert (answer.status_code, answer.json()) == (400, {"code": 400, "message": "Bad Request"})


@pytest.mark.parametrize("value", [None, 0, "0", "false", "", True], ids=repr)
async def test_everything_but_a_real_false_exports(value: Any) -> None:
    async with client(headers=ADMIN) as kimai:
        held = await booked(kimai)
        answer = await kimai.patch(f"/api/timesheets/{held['id']}", json={"exported": value})
        assert answer.json()["exported"] is True
        answer = await kimai.patch(f"/api/timesheets/{held['id']}", json={"exported": False})
        assert answer.json()["exported"] is False


async def test_snake_case_and_numbers_as_text_are_understood() -> None:
    async with client(headers=ADMIN) as kimai:
        held = await booked(kimai, project="1", activity=1.0, hourly_rate="40,5")
        assert held == IsPartialDict(project=1, activity=1, hourlyRate=40.5, rate=10.125)


async def test_a_begin_of_null_breaks_kimai() -> None:
    async with client() as kimai:
        held = await booked(kimai)
        answer = await kimai.patch(f"/api/timesheets/{held['id']}", json={"begin": None})
        assert (answer.status_code, answer.json()["message"]) == (500, "Internal Server Error")


@pytest.mark.parametrize("text", ["2026-03-16", "1700000000", "2026-02-30T09:00:00", "noon"])
async def test_a_date_that_is_none_is_told_at_its_field(text: str) -> None:
    async with client() as kimai:
        answer = await refused(kimai, begin=text, end=text)
        assert answer == form_error(begin=[NO_DATE], end=[NO_DATE])


async def test_unknown_tags_are_dropped_without_a_word_and_a_list_is_refused() -> None:
    async with client() as kimai:
        await kimai.post("/api/tags", json={"name": "zammad", "visible": True})
        assert (await booked(kimai, tags="nope, ZAMMAD ,zammad"))["tags"] == ["zammad"]
        answer = await refused(kimai, tags=["zammad"])
        assert answer == form_error(tags=["This value is not valid."])


@pytest.mark.parametrize(("user", "why"), [(999, "unknown"), (2, "a system account")])
async def test_only_enabled_people_can_be_booked_on(user: int, why: str) -> None:
    async with client() as kimai:
        answer = await refused(kimai, user=user)
        assert answer == form_error(user=["The selected choice is invalid."]), why
        await kimai.patch(f"/_twin/users/{ANNA}", json={"enabled": False})
        assert (await refused(kimai))["errors"]["children"]["user"]["errors"]


async def test_an_invisible_project_is_no_choice_but_its_old_records_stay_editable() -> None:
    async with client() as kimai:
        held = await booked(kimai)
        await kimai.patch("/_twin/projects/1", json={"visible": False})
        assert await refused(kimai) == form_error(project=["The selected choice is invalid."])
        answer = await kimai.patch(f"/api/timesheets/{held['id']}", json={"description": "still"})
        assert answer.json()["description"] == "still"


async def test_moving_a_record_overrides_billable_in_the_same_request() -> None:
    async with client() as kimai:
        url = f"/api/timesheets/{(await booked(kimai))['id']}"
        answer = await kimai.patch(url, json={"project": 2, "billable": False})
        assert answer.json() == IsPartialDict(project=2, billable=True)
        answer = await kimai.patch(url, json={"billable": False})
        assert answer.json()["billable"] is False


async def test_a_naive_time_is_the_callers_in_a_post_and_the_records_in_a_patch() -> None:
    async with client() as kimai:
        naive = {"begin": "2026-11-10T09:00:00", "end": "2026-11-10T10:00:00"}
        held = await booked(kimai, user=EMMA, **naive)
        url = f"/api/timesheets/{held['id']}"
        assert held["begin"] == "2026-11-10T09:00:00+0100"  # in the caller's zone for once
        assert (await kimai.get(url)).json()["begin"] == "2026-11-10T03:00:00-0500"
        changed = (await kimai.patch(url, json={"begin": "2026-11-10T02:00:00"})).json()
        assert changed == IsPartialDict(begin="2026-11-10T02:00:00-0500", duration=7200)


async def test_the_hour_that_happens_twice_is_the_second_one_without_an_offset() -> None:
    async with client() as kimai:
        held = await booked(kimai, begin="2026-10-25T02:30:00", end="2026-10-25T03:30:00")
        assert held == IsPartialDict(begin="2026-10-25T02:30:00+0100", duration=3600)
        held = await booked(kimai, begin="2026-03-29T02:30:00", end="2026-03-29T03:30:00")
        assert held == IsPartialDict(begin="2026-03-29T03:30:00+0200", duration=0)


async def test_an_unrelated_patch_rounds_again_and_an_empty_one_does_not() -> None:
    async with client() as kimai:
        held = await booked(kimai)
        url = f"/api/timesheets/{held['id']}"
        async with rules(kimai, begin=30, end=30):
            assert (await kimai.patch(url, json={})).json()["duration"] == 900
            assert (await kimai.patch(url, json={"description": "d"})).json()["duration"] == 1800


async def test_an_end_before_the_begin_gives_two_sentences() -> None:
    async with client() as kimai:
        answer = await refused(kimai, end="2026-03-16T08:00:00+01:00")
        assert answer == form_error(
            "The end date must not be earlier than the start date.", "Duration cannot be negative."
        )


@pytest.mark.parametrize(
    ("rule", "end", "text"),
    [
        ({"allow_zero_duration": False}, "09:00:00", "An empty duration is not allowed."),
        ({"long_running_duration": 60}, "10:00:01", "Maximum 1:00 hours allowed."),
    ],
)
async def test_durations_are_held_to_the_rules(rule: dict[str, Any], end: str, text: str) -> None:
    async with client() as kimai, rules(kimai, **rule):
        assert await refused(kimai, end=f"2026-03-16T{end}+01:00") == form_error(text)


async def test_the_future_begins_a_little_later_than_now() -> None:
    async with client() as kimai, rules(kimai, allow_future_times=False):
        answer = await refused(
            kimai, begin="2126-03-16T09:00:00+01:00", end="2126-03-16T09:15:00+01:00"
        )
        assert answer["errors"]["errors"] == [
            "The begin date cannot be in the future.",
            "The end date cannot be in the future.",
        ]
        assert (await booked(kimai))["duration"] == 900


@pytest.mark.parametrize(
    ("begin", "end", "collides"),
    [
        ("09:00", "09:15", True),
        ("08:45", "09:00", False),
        ("09:15", "09:30", False),
        ("08:00", "10:00", True),
        ("09:05", "09:10", True),
        ("09:14", "09:30", True),
        ("09:15", "09:15", True),
    ],
)
async def test_records_of_one_worker_may_touch_but_not_overlap(
    begin: str, end: str, *, collides: bool
) -> None:
    day = "2026-03-16T"
    async with client() as kimai:
        await booked(kimai)
        async with rules(kimai, allow_overlapping_records=False):
            times = {"begin": f"{day}{begin}:00+01:00", "end": f"{day}{end}:00+01:00"}
            answer = await kimai.post("/api/timesheets", json=work(**times))
            assert (answer.json() == form_error(OVERLAP)) == collides
            answer = await kimai.post("/api/timesheets", json=work(user=EMMA, **times))
            assert answer.status_code == 200


async def test_a_locked_month_takes_nothing_new_and_keeps_what_it_has() -> None:
    async with client() as kimai:
        url = f"/api/timesheets/{(await booked(kimai))['id']}"
        lock = {"start": "2026-04-01 00:00:00", "end": "2026-04-30 23:59:59"}
        await kimai.post("/_twin/lockdown", json=lock)
        assert await refused(kimai) == form_error(LOCKED)
        assert (await kimai.patch(url, json={"description": "x"})).status_code == 403
        assert (await kimai.delete(url)).status_code == 403
        answer = await kimai.patch(url, json={"description": "x"}, headers=ADMIN)
        assert answer.status_code == 200
        await booked(kimai, begin="2026-05-04T09:00:00+02:00", end="2026-05-04T09:15:00+02:00")


async def test_an_exported_record_is_closed_to_the_bot_and_open_to_an_admin() -> None:
    async with client() as kimai:
        url = f"/api/timesheets/{(await booked(kimai))['id']}"
        assert (await kimai.patch(url + "/export")).status_code == 403
        exported = await kimai.patch(url + "/export", headers=TEAMLEAD)
        assert exported.json()["exported"] is True
        for answer in (await kimai.patch(url, json={"description": "x"}), await kimai.delete(url)):
            body = {"code": 403, "message": "Forbidden"}
            assert (answer.status_code, answer.json()) == (403, body)
        assert (await kimai.get(url)).json()["exported"] is True
        assert (await kimai.patch(url + "/export", headers=TEAMLEAD)).status_code == 403
        assert (await kimai.delete(url, headers=ADMIN)).status_code == 204


async def test_a_duplicate_copies_the_marker_and_is_not_exported() -> None:
    async with client() as kimai:
        held = await booked(kimai)
        await kimai.post("/_twin/export", json={"ids": [held["id"]]})
        answer = await kimai.patch(f"/api/timesheets/{held['id']}/duplicate", headers=ANNA_HERSELF)
        assert answer.json() == held | {"id": held["id"] + 1}


async def test_a_refused_duplicate_tells_a_code_that_is_text() -> None:
    async with client() as kimai:
        held = await booked(kimai)
        async with rules(kimai, allow_overlapping_records=False):
            answer = await kimai.patch(f"/api/timesheets/{held['id']}/duplicate")
            assert answer.json() == {
                "code": "400",
                "message": "There was a problem saving.",
                "errors": {"children": {"begin_date": {"errors": [OVERLAP]}}},
            }


async def test_starting_a_second_record_stops_the_first_one() -> None:
    async with client(headers=ANNA_HERSELF) as kimai:
        now = {"begin": ..., "end": ..., "user": ...}
        first = await booked(kimai, **now)
        assert first == IsPartialDict(end=None, duration=0)
        second = await booked(kimai, **now)
        assert await ids(kimai, "active=1", ANNA_HERSELF) == [second["id"]]
        stop = f"/api/timesheets/{second['id']}/stop"
        stopped = (await kimai.patch(stop)).json()
        assert stopped["end"] is not None
        assert (await kimai.patch(stop)).json() == stopped


async def test_a_worker_reaches_only_what_is_theirs() -> None:
    async with client() as kimai:
        url = f"/api/timesheets/{(await booked(kimai, user=EMMA))['id']}"
        for answer in (
            await kimai.get(url, headers=ANNA_HERSELF),
            await kimai.patch(url, json={}, headers=ANNA_HERSELF),
            await kimai.delete(url, headers=ANNA_HERSELF),
            await kimai.patch(url + "/duplicate", headers=ANNA_HERSELF),
        ):
            assert answer.status_code == 403


async def test_a_missing_permission_is_a_plain_403() -> None:
    memory = demo()
    memory.users[2].roles = ["ROLE_HOURBOOK"]
    memory.roles["ROLE_HOURBOOK"].remove("create_own_timesheet")
    async with client(memory) as kimai:
        answer = await kimai.post("/api/timesheets", json=work())
        assert (answer.status_code, answer.json()) == (403, {"code": 403, "message": "Forbidden"})


@pytest.mark.parametrize("path", ["/api/customers", "/api/projects", "/api/activities"])
async def test_the_bot_reads_the_catalogue_and_cannot_write_it(path: str) -> None:
    async with client() as kimai:
        assert (await kimai.get(path)).status_code == 200
        assert (await kimai.get(f"{path}/1")).json()["id"] == 1
        assert (await kimai.post(path, json={"name": "X GmbH"})).status_code == 403


async def test_bad_tokens_get_an_empty_401_and_none_a_told_one() -> None:
    memory = demo()
    memory.add_token(Token("of.david", 6))
    memory.users[6].enabled = False
    async with client(memory, headers={}) as kimai:
        for token in ("unknown", "of.david"):
            answer = await kimai.get("/api/ping", headers=bearer(token))
            assert (answer.status_code, answer.content) == (401, b"")
            assert answer.headers["www-authenticate"].startswith("Bearer error=")
        answer = await kimai.get("/api/ping")
        assert answer.json() == {"code": 401, "message": "Unauthorized"}
        assert (await kimai.get("/api/ping", headers=bearer("KIMAI-DEMO-token"))).status_code == 200


async def test_a_route_is_looked_for_before_the_token() -> None:
    async with client(headers={}) as kimai:
        assert (await kimai.get("/api/nope")).status_code == 404
        assert (await kimai.put("/api/timesheets/1")).status_code == 405
        assert (await kimai.get("/api/timesheets/abc")).status_code == 404


async def test_the_bot_lists_users_and_a_worker_does_not() -> None:
    async with client() as kimai:
        names = [user["username"] for user in (await kimai.get("/api/users")).json()]
        assert "anna.berg" in names
        assert (await kimai.get("/api/users/me")).json() == IsPartialDict(
            username="hourbook", systemAccount=True, roles=["ROLE_HOURBOOK"]
        )
        assert (await kimai.get("/api/users", headers=ANNA_HERSELF)).status_code == 403
        assert (await kimai.get(f"/api/users/{ANNA}", headers=BOT)).status_code == 403


@pytest.mark.parametrize("value", [None, 0, "0", "", False], ids=repr)
async def test_billable_takes_what_exported_does_not(value: Any) -> None:
    async with client() as kimai:
        assert (await booked(kimai, billable=value))["billable"] is False
        assert (await booked(kimai, billable=True))["billable"] is True
        assert (await booked(kimai))["billable"] is True


async def test_a_restart_is_the_callers_and_copies_text_only_when_asked() -> None:
    async with client(headers=ADMIN) as kimai:
        url = f"/api/timesheets/{(await booked(kimai))['id']}/restart"
        assert (await kimai.patch(url, json={})).json() == IsPartialDict(
            user=1, end=None, description=None
        )
        copy = (await kimai.patch(url, json={"copy": "all", "begin": "2026-03-16T12:00:00"})).json()
        assert copy == IsPartialDict(
            begin="2026-03-16T12:00:00+0100", description=work()["description"]
        )
        active = (await kimai.get("/api/timesheets/active")).json()
        assert [row["id"] for row in active] == [copy["id"]]
        recent = (await kimai.get("/api/timesheets/recent")).json()
        assert [row["id"] for row in recent] == [copy["id"]]
        assert (await kimai.patch(url, json={"copy": "foo"})).status_code == 400

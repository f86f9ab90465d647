"""A story is told in sentences, whatever it holds."""

from typing import Any

from hourbook_cli.story import conclusion, duration, lines, work

PLACE = {"target": "hours", "user_id": 7, "project_id": 3, "activity_id": 2}
WORK = {"place": PLACE, "began_at": "2026-11-23T11:45:00Z", "duration_seconds": 900}


def told(what: str, **message: Any) -> dict[str, Any]:
    return {
        "partition": 3,
        "offset": 41,
        "at": "2026-11-23T12:00:00Z",
        "type": f"hourbook.{what}.v1",
        "subject": "zammad:desk:17/72",
        "message": message,
    }


def entry(*story: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {
        "entry": "zammad:desk:72",
        "raw_units": "15.0",
        "seconds_per_unit": 60,
        "duration_seconds": 900,
        "net_seconds": 600,
        "state": "settled",
        "want": WORK,
        "trace": {
            "taken": [{"entry": "zammad:desk:73", "seconds": 300}],
            "rules": [{"kind": "worker", "key": "3", "mapping": None}],
        },
        "timesheet": {"number": 31, "held": WORK, "locked": True},
        "conflict": {"open": True, "reason": "locked_in_kimai"},
        "story": list(story),
    } | more


def test_each_message_is_one_sentence_with_its_place() -> None:
    told_lines = lines(
        entry(
            told(
                "entry_recorded",
                raw_units="15.0",
                agent_id=3,
                no=5,
                duration_seconds=900,
                ticket={"number": "67001"},
            ),
            told("timesheet_requested", op="create", want=WORK, gen=1),
            told("timesheet_written", sheet="kimai:hours:31", asked=WORK, stored=None, sure=False),
            told("push_refused", why="invalid", detail="The date is wrong."),
            told("conflict_opened", reason="locked_in_kimai", gen=2),
            told("conflict_resolved", by="operator", choice="zammad"),
            told("settled", gen=3),
            told("timesheet_observed", sheet="kimai:hours:31", work=WORK),
            told("timesheet_vanished", sheet="kimai:hours:31"),
            told("entry_retracted"),
            told("something_newer"),
        )
    )
    assert {line.place for line in told_lines} == {"3/41"}
    sentences = [line.sentence for line in told_lines]
    assert sentences[0] == "Zammad holds 15.0 units of agent 3 on ticket 67001: 0:15."
    assert sentences[2].endswith("stored nothing, found with other values than ours.")
    assert sentences[3] == "We did not write: invalid (The date is wrong.)."
    assert sentences[-1] == "hourbook.something_newer.v1 about zammad:desk:17/72."
    assert all(sentence.endswith(".") for sentence in sentences)


def test_the_conclusion_says_how_the_minutes_came_to_be() -> None:
    assert conclusion(entry()) == [
        "15.0 units of 60 s = 0:15; after netting 0:10.",
        "zammad:desk:73 took 0:05 from it.",
        "Rule worker 3: no mapping.",
        f"Kimai should hold {work(WORK)}.",
        f"Kimai's timesheet 31 holds {work(WORK)}, exported.",
        "A person is asked: locked_in_kimai.",
        "It is settled.",
    ]
    bare = entry(want=None, trace=None, timesheet=None, conflict=None)
    assert conclusion(bare)[1:] == ["It is settled."]


def test_durations_are_hours_and_minutes() -> None:
    assert [duration(seconds) for seconds in (0, 900, -600, 36061)] == [
        "0:00",
        "0:15",
        "-0:10",
        "10:01:01",
    ]


def test_work_without_a_place_says_why() -> None:
    assert "no mapping fires" in work(WORK | {"place": None})

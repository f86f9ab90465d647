"""How entries stood, in lines that a person reads."""

from datetime import UTC, date, datetime

from hourbook_cli import standings
from hourbook_contracts.audit import (
    Answered,
    Change,
    Decided,
    RuleFired,
    Standing,
    added,
    summary,
)
from hourbook_contracts.ids import BookId, EntryId
from hourbook_contracts.testing import NOON, work

STANDING = Standing(
    entry=EntryId("zammad:desk:72"),
    book=BookId("zammad:desk:344"),
    ticket_number="65001",
    customer="organization:2",
    agent_id=3,
    day=date(2026, 3, 30),
    duration_seconds=900,
    net_seconds=900,
    state="asks",
    reason="changed_in_kimai",
    want=work(15),
    held=work(20),
    sheet=None,
    decided=Decided(
        what="asked",
        gen=2,
        policy=7,
        at=NOON,
        place="3/17",
        rules=(RuleFired(kind="worker", key="3", mapping="m1", by="ada", set_at=NOON),),
    ),
    answered=None,
)


def test_a_line_says_what_was_decided_where_and_by_whose_rule() -> None:
    assert standings.row(STANDING) == (
        "zammad:desk:72",
        "65001",
        "organization:2",
        "0:15",
        "0:20",
        "asks: changed_in_kimai",
        "asked at 3/17, policy 7: worker 3 (m1, by ada)",
    )


def test_a_change_says_both_sides_and_who_answered() -> None:
    answered = Answered(choice="kimai", by="bob", at=datetime(2026, 4, 1, tzinfo=UTC))
    after = STANDING.model_copy(
        update={"state": "settled", "reason": None, "decided": None, "answered": answered}
    )
    line = standings.change(Change(entry=STANDING.entry, before=STANDING, after=after))
    assert line.endswith("→ settled, Zammad 0:15, Kimai 0:20 [bob: kimai]")
    new = Change(entry=STANDING.entry, before=None, after=STANDING)
    assert "unknown → asks" in standings.change(new)
    assert standings.seconds_moved([new]) == 20 * 60


def test_all_is_added_up() -> None:
    assert standings.total(summary([STANDING])) == ("1 entries (1 asks): Zammad 0:15, Kimai 0:20")


def test_what_is_added_up_part_by_part_is_what_all_add_up_to() -> None:
    other = STANDING.model_copy(update={"state": "settled", "held": None, "net_seconds": 60})
    whole = [STANDING, other, STANDING]
    assert added(added(summary([]), summary(whole[:1])), summary(whole[1:])) == summary(whole)

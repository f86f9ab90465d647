"""What we send, and the text in it."""

from dataclasses import replace
from datetime import timedelta

import pytest

from hourbook_contracts.ledger import DescriptionParts
from hourbook_contracts.marker import Marker, find
from hourbook_contracts.testing import NOON, PLACE, work
from hourbook_kit.target.protocol import Timesheet
from hourbook_push_kimai.payload import UnplacedError, to_create, to_update
from hourbook_push_kimai.text import BYTES_MAX, description

MARKER = Marker("a" * 16, 2)
PARTS = DescriptionParts(template=1, ticket_number="65001")
OURS = Timesheet(
    id=41,
    user_id=5,
    project_id=7,
    activity_id=9,
    began_at=NOON - timedelta(minutes=15),
    ended_at=NOON,
    duration_seconds=900,
    break_seconds=0,
    description=f"#65001 Printer [hb-{'a' * 16}.1]",
    exported=False,
    billable=True,
)


def test_a_create_says_instants_with_an_offset_and_ids_and_nothing_else() -> None:
    assert to_create(work(15), "text") == {
        "begin": "2026-03-30T11:45:00+00:00",
        "end": "2026-03-30T12:00:00+00:00",
        "project": 7,
        "activity": 9,
        "user": 5,
        "description": "text",
    }


def test_an_update_sends_only_what_differs_and_the_marker_of_this_write() -> None:
    assert to_update(work(30), OURS, MARKER) == {
        "begin": "2026-03-30T11:30:00+00:00",
        "description": f"#65001 Printer {MARKER.text}",
    }


def test_a_persons_text_stays_and_only_the_marker_is_appended() -> None:
    edited = replace(OURS, description="my own words\nin two lines")
    changes = to_update(work(15, place=PLACE.model_copy(update={"project_id": 8})), edited, MARKER)
    assert changes == {
        "project": 8,
        "description": f"my own words\nin two lines {MARKER.text}",
    }


@pytest.mark.parametrize(
    ("written", "left"),
    [
        ("#65001 Printer on fire", "#65002 Printer on fire"),
        ("#65001", "#65002"),
        (
            "#65001 Printer on fire, and two hours of waiting",
            "#65002 Printer on fire, and two hours of waiting",
        ),
        ("Worked on #65001", "Worked on #65001"),
        ("#650011 of another", "#650011 of another"),
    ],
)
def test_of_a_merged_ticket_the_number_is_put_right_and_no_other_word(
    written: str, left: str
) -> None:
    row = replace(OURS, description=f"{written} [hb-aaaaaaaaaaaaaaaa.1]")
    parts = DescriptionParts(template=1, ticket_number="65002", formerly="65001")
    assert to_update(work(30), row, MARKER, parts)["description"] == f"{left} {MARKER.text}"


def test_a_text_that_fills_kimais_column_is_left_alone() -> None:
    full = replace(OURS, description="x" * BYTES_MAX)
    assert "description" not in to_update(work(30), full, MARKER)


def test_a_break_is_added_to_the_end_so_that_the_minutes_stay() -> None:
    with_break = replace(OURS, break_seconds=600)
    assert to_update(work(15), with_break, MARKER)["end"] == "2026-03-30T12:10:00+00:00"


def test_work_without_a_place_is_never_sent() -> None:
    with pytest.raises(UnplacedError):
        to_create(work(15, place=None), "text")


def test_a_description_names_the_ticket_and_ends_with_the_marker() -> None:
    assert description(PARTS, "Printer is dead", MARKER) == f"#65001 Printer is dead {MARKER.text}"


def test_an_erased_title_leaves_the_number() -> None:
    assert description(PARTS, None, MARKER) == f"#65001 {MARKER.text}"


def test_a_title_is_one_short_line_and_cannot_bring_a_marker() -> None:
    title = f"a\nb\t[hb-{'z' * 16}.9] " + "long " * 100
    text = description(PARTS, title, MARKER)
    assert text.startswith("#65001 a b long")
    assert "\n" not in text
    assert len(text) < 250
    assert find(text) == MARKER

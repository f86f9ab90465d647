"""What lines of CSV files say, and what is said of those that cannot be read."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hourbook_kit.source.protocol import BadRecord
from hourbook_source_csv.lines import Content, File, content

HEADER = "id,ticket,agent,units,made_at,title"
CHANGED_AT = datetime(2026, 3, 2, tzinfo=UTC)
GOOD = "7,12,3,0.25,2026-03-02T09:00:00+01:00,Printer"


def read(*lines: str, header: str = HEADER, name: str = "march.csv") -> Content:
    return content([File(name, "\n".join([header, *lines, ""]).encode(), CHANGED_AT)])


def test_a_line_is_a_booking_on_a_ticket() -> None:
    found = read(GOOD)
    line = found.lines[7]
    assert (line.booking.ticket_id, line.booking.agent_id, line.booking.raw_units) == (
        12,
        3,
        "0.25",
    )
    assert line.booking.created_at == datetime(2026, 3, 2, 8, tzinfo=UTC)
    assert (line.ticket.attributes.number, line.ticket.title) == ("12", "Printer")
    assert (found.bad, found.kept, found.doubtful) == ((), frozenset(), False)


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("7,12,3,much,2026-03-02T09:00:00+01:00,", "units are no decimal number"),
        ("7,12,3,1e9,2026-03-02T09:00:00+01:00,", "units are no decimal number"),
        ("7,12,3,1,2026-03-02T09:00:00,", "offset from UTC"),
        ("7,12,3,1,yesterday,", "no moment of ISO 8601"),
        ("7,no,3,1,2026-03-02T09:00:00Z,", "ticket is no whole number"),
        ("7,12,,1,2026-03-02T09:00:00Z,", "agent is no whole number"),
    ],
)
def test_a_bad_line_is_named_and_its_booking_stays_as_it_was(line: str, reason: str) -> None:
    found = read(GOOD.replace("7,", "6,", 1), line)
    assert found.lines.keys() == {6}
    ((place, said),) = found.bad
    assert place == "march.csv:3"
    assert reason in said
    assert (found.kept, found.doubtful) == (frozenset({7}), False)


@pytest.mark.parametrize(
    "line",
    [
        "x,12,3,1,2026-03-02T09:00:00Z,",
        "-7,12,3,1,2026-03-02T09:00:00Z,",
        "7,12,3,1",
        '7,12,3,1,2026-03-02T09:00:00Z,"open',
        "7,12,3,1,2026-03-02T09:00:00Z,one,two",
    ],
)
def test_a_line_without_a_readable_id_may_be_any_booking(line: str) -> None:
    found = read(line, GOOD.replace("7,", "8,", 1))
    assert found.lines.keys() == {8}
    assert found.doubtful
    assert [record.place for record in found.bad] == ["march.csv:2"]


def test_a_file_without_the_columns_is_one_bad_record_and_may_hold_any_booking() -> None:
    found = read(GOOD, header="id,ticket,units,made_at,what")
    assert (dict(found.lines), found.doubtful) == ({}, True)
    assert found.bad == (BadRecord("march.csv:1", "the first line names no column agent"),)


def test_a_booking_in_two_files_counts_once() -> None:
    both = [File(name, f"{HEADER}\n{GOOD}\n".encode(), CHANGED_AT) for name in ("a.csv", "b.csv")]
    found = content(both)
    assert found.lines.keys() == {7}
    assert found.bad == ()


def test_a_booking_that_stands_with_different_content_counts_as_it_did() -> None:
    found = read(GOOD, GOOD.replace("0.25", "0.50"))
    assert not found.lines
    assert found.kept == {7}
    assert [record.place for record in found.bad] == ["march.csv:2", "march.csv:3"]
    assert "march.csv:2, march.csv:3" in found.bad[0].reason


def test_what_other_programs_write_is_read_as_well() -> None:
    octets = (
        "\ufeff" + HEADER.replace(",", ";") + "\r\n" + GOOD.replace(",", ";") + "\r\n"
    ).encode()
    assert content([File("a.csv", octets, CHANGED_AT)]).lines.keys() == {7}


def test_what_is_no_text_is_bad_and_not_repeated() -> None:
    octets = f"{HEADER}\n{GOOD}\n".encode().replace(b"Printer", b"Caf\xe9")
    found = content([File("a.csv", octets, CHANGED_AT)])
    assert found.bad == (BadRecord("a.csv:2", "it is no text in UTF-8"),)
    assert found.kept == {7}


@given(st.binary(max_size=400))
def test_whatever_stands_there_is_read_or_named(octets: bytes) -> None:
    found = content([File("a.csv", HEADER.encode() + b"\n" + octets, CHANGED_AT)])
    rows = [row for row in octets.decode(errors="replace").split("\n") if row.strip()]
    assert len(found.lines) + len(found.bad) <= max(len(rows), 1)
    assert bool(rows) <= bool(found.lines or found.bad)

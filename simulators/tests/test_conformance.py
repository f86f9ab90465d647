"""The judge: Kimai's recordings are played against the twin, and the table tells what came of it."""

import asyncio
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from hourbook_simulators.conformance.__main__ import main
from hourbook_simulators.conformance.compare import difference, restored
from hourbook_simulators.conformance.history import sequence
from hourbook_simulators.conformance.play import Judged, play
from hourbook_simulators.conformance.recordings import Exchange, read_folder
from hourbook_simulators.conformance.report import table, tallies
from hourbook_simulators.conformance.request import content_of, headers_of
from hourbook_simulators.conformance.scope import why_out

ROOT = Path(__file__).parents[2]
FOLDER = "simulators/recordings/kimai"


def played(*folders: Path) -> list[Judged]:
    return asyncio.run(play(sequence([read_folder(str(folder)) for folder in folders])))


@pytest.fixture(scope="module")
def judged() -> list[Judged]:
    return played(ROOT / FOLDER)


def test_the_twin_is_true_to_the_recordings_and_the_table_says_so(judged: list[Judged]) -> None:
    """A difference here: run `make conformance` and look at what changed in the table."""
    (tally,) = tallies([read_folder(str(ROOT / FOLDER))], judged)
    assert tally.is_enough
    told = [type(tally)(FOLDER, tally.matched, tally.in_scope, tally.out)]
    assert table(told, judged) == (ROOT / "docs/conformance.md").read_text(encoding="utf-8")


def test_another_folder_is_merged_by_name_and_reported_on_its_own_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """As if 03 and 06 were handed out later; 04 stands on what 03 made."""
    given, others = tmp_path / "given", tmp_path / "others"
    for path in (ROOT / FOLDER).glob("0[1-6]-*.json"):
        folder = others if path.name.startswith(("03", "06")) else given
        folder.mkdir(exist_ok=True)
        (folder / path.name).write_bytes(path.read_bytes())
    assert main([str(given), str(others)]) == 0
    assert capsys.readouterr().out.splitlines() == [
        f"{given}: matched 199 of 199 in scope, 16 out of scope",
        f"{others}: matched 85 of 85 in scope, 10 out of scope",
    ]


def test_the_same_file_again_is_played_once(tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "01.json").write_text(json.dumps([exchange("GET", "/ping", 401)]))
    assert len(played(tmp_path / "one", tmp_path / "two")) == 1


def test_what_breaks_the_harness_did_not_match_and_the_run_fails(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "20-broken.json").write_text("[{")
    (tmp_path / "21-no-list.json").write_text('{"method": "GET"}')
    refused = {"code": 401, "message": "Unauthorized"}
    rows: list[Any] = [
        None,
        {"path": "/ping"},
        {"method": "GET", "path": 7, "status": "x"},
        exchange("GET", "/pi ng\n", 200),
        exchange("POST", "/customers", 200, response={"id": "none"}),
        exchange("GET", "/ping", 401, response=refused, setup=[{"sql": "drop table"}, 3]),
        exchange("GET", "/ping", 401, response=refused, setup=[{"user": {}}]),
    ]
    (tmp_path / "22-odd.json").write_text(json.dumps(rows))
    assert main([str(tmp_path)]) == 1
    out = capsys.readouterr().out
    assert out == f"{tmp_path}: matched 2 of 8 in scope, 1 out of scope\n"


def test_a_folder_without_recordings_is_told_in_a_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([str(tmp_path)]) == 2
    told = capsys.readouterr()
    assert (told.out, told.err) == ("", f"{tmp_path} is no folder with recordings (*.json)\n")


def exchange(method: str, path: str, status: int, **more: Any) -> dict[str, Any]:
    return {"method": method, "path": path, "status": status, **more}


def asked(method: str, path: str, **more: Any) -> Exchange:
    usual: dict[str, Any] = {"token": "user", "status": 200}
    return Exchange("x.json", 0, method=method, path=path, **(usual | more))


@pytest.mark.parametrize(
    ("one", "why"),
    [
        (asked("GET", "/timesheets?user=all"), None),
        (asked("GET", "/customers"), None),
        (asked("GET", "/users?full=1"), None),
        (asked("POST", "/tags"), None),
        (asked("POST", "/timesheets", body={"metaFields": []}), None),
        (asked("GET", "/nope"), None),
        (asked("POST", "/timesheets"), "punch mode"),
        (asked("PATCH", "/customers/1"), "set-up: a change to customers, projects or activities"),
        (asked("PATCH", "/users/4/preferences"), "users' administration"),
        (asked("PATCH", "/timesheets/1/meta"), "meta fields"),
        (asked("GET", "/timesheets?term=external_id:1"), "meta fields"),
        (asked("GET", "/customers/1/rates"), "rates"),
        (asked("DELETE", "/customers/1/rates/3"), "rates"),
        (asked("POST", "/projects/1/team"), "teams"),
        (asked("GET", "/teams/1"), "teams"),
        (asked("GET", "/plugins"), "plugins"),
        (asked("GET", "/invoices?page=2"), "invoices"),
        (asked("GET", "/config/colors"), "colours"),
        (asked("GET", "/doc.json"), "documentation page"),
        (asked("GET", "/ping", token=None, label="xauth ok"), "legacy X-AUTH headers"),
        (asked("GET", "/ping", token=None), None),
    ],
)
def test_the_scope_is_a_rule_of_method_path_and_body(one: Exchange, why: str | None) -> None:
    assert why_out(one, "punch" if why == "punch mode" else "default") == why


@pytest.mark.parametrize(
    ("recorded", "answered"),
    [
        ({"id": 1}, {"id": 2}),
        ({"id": 1}, {"id": 1, "rate": 0.0}),
        ({"rate": 1.0}, {"rate": 1}),
        ({"exported": True}, {"exported": 1}),
        ([1, 2], [1]),
        ("", None),
    ],
    ids=repr,
)
def test_another_value_key_type_or_row_is_a_difference(recorded: Any, answered: Any) -> None:
    assert difference(recorded, answered) is not None


def test_colours_differ_and_texts_were_cut_short() -> None:
    recorded = {"color-safe": "#1", "text": "xx...<5 chars>"}
    assert difference(restored(recorded), {"color-safe": "#2", "text": "xxxxx"}) is None


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        ("{bad json", "application/json"),
        ("", "application/json"),
        ("project=1&activity=2", "application/x-www-form-urlencoded"),
        ("<a/>", "text/plain"),
        ('{"project":1}', "text/plain"),
    ],
)
def test_a_body_recorded_as_text_had_some_content_type(body: str, kind: str) -> None:
    assert content_of(asked("POST", "/timesheets", body=body))["headers"] == {"Content-Type": kind}


def test_whose_token_it_was_the_answer_tells_where_nothing_else_does() -> None:
    refused = {"WWW-Authenticate": "Bearer"}
    assert headers_of(asked("GET", "/ping", token=None)) == {}
    assert headers_of(asked("GET", "/ping", token=None, headers=refused)) == {
        "Authorization": "Bearer tok_of_nobody"
    }


def test_a_recording_of_lower_numbers_was_made_before(tmp_path: Path) -> None:
    def made(number: int) -> dict[str, Any]:
        return exchange("POST", "/timesheets", 200, response={"id": number})

    files: dict[str, Sequence[dict[str, Any]]] = {
        "01.json": [made(1)],
        "02.json": [made(9)],
        "03.json": [made(5)],
        "04.json": [exchange("GET", "/ping", 200)],
    }
    for name, rows in files.items():
        (tmp_path / name).write_text(json.dumps(rows))
    order = [each.file for each in sequence([read_folder(str(tmp_path))])]
    assert order == ["01.json", "03.json", "04.json", "02.json"]


def test_a_record_that_nobody_made_over_the_api_is_there_as_the_database_says(
    tmp_path: Path,
) -> None:
    columns = "user,project_id,activity_id,start_time,end_time,duration,billable,exported,rate"
    values = "4,1,1,'2026-08-01 08:00:00','2026-08-01 09:00:00',3600,1,0,0"
    sql = f"insert into kimai2_timesheet({columns}) values({values})"
    shown = {
        "activity": 1,
        "project": 1,
        "user": 4,
        "tags": [],
        "id": 500,
        "begin": "2026-08-01T10:00:00+0200",
        "end": "2026-08-01T11:00:00+0200",
        "duration": 3600,
        "break": 0,
        "description": None,
        "exported": False,
        "billable": True,
        "metaFields": [],
    }
    rows = [
        exchange("GET", "/timesheets/500", 200, token="user", response=shown, setup=[{"sql": sql}]),
        exchange("GET", "/timesheets/500", 404, token="nobody"),
    ]
    (tmp_path / "18-inserted.json").write_text(json.dumps(rows))
    (catalogue,) = (ROOT / FOLDER).glob("01-*.json")
    (tmp_path / catalogue.name).write_bytes(catalogue.read_bytes())
    first, second = played(tmp_path)[-2:]
    assert first.is_matched
    assert second.differs is not None

"""The commands say in a sentence what is missing, and end with the exit code that says so."""

import json
import os
from pathlib import Path

import httpx
import pytest
import respx
from typer.testing import CliRunner

from hourbook_cli.__main__ import app
from hourbook_cli.schemas import documents, write


@pytest.fixture(autouse=True)
def _bare(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the shell has set."""
    for name in [name for name in os.environ if name.startswith("HOURBOOK_")]:
        monkeypatch.delenv(name)


def _as_somebody(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOURBOOK_USER", "ada")
    monkeypatch.setenv("HOURBOOK_PASSWORD", "any")


def test_without_a_name_the_story_says_where_to_put_it() -> None:
    answer = CliRunner().invoke(app, ["story", "zammad:desk:1"])
    assert answer.exit_code == 1
    assert "HOURBOOK_USER" in answer.stderr


def test_an_api_that_is_away_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    _as_somebody(monkeypatch)
    monkeypatch.setenv("HOURBOOK_API_URL", "http://127.0.0.1:1")
    answer = CliRunner().invoke(app, ["story", "zammad:desk:1"])
    assert answer.exit_code == 1
    assert answer.stderr == "http://127.0.0.1:1 does not answer (ConnectError).\n"


def test_the_command_signs_in_once_and_again_when_its_session_has_ended(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    _as_somebody(monkeypatch)
    with respx.mock(base_url="http://127.0.0.1:8300/api") as api:
        login = api.post("/auth/login")
        login.side_effect = [
            httpx.Response(200, json={"access_token": "first"}),
            httpx.Response(200, json={"access_token": "second"}),
        ]
        listed = api.get("/connectors")
        refused = httpx.Response(401)
        listed.side_effect = [refused, httpx.Response(200, json={"items": [{"name": "desk"}]})]
        tried = api.post("/connectors/desk/test")
        tried.side_effect = [refused, httpx.Response(200, json={"ok": True, "steps": []})]
        answer = CliRunner().invoke(app, ["doctor"])
    assert answer.exit_code == 0
    assert tried.calls.last.request.headers["Authorization"] == "Bearer second"


def test_a_wrong_password_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    _as_somebody(monkeypatch)
    told = {"title": "Name or password is wrong", "detail": "Look whether they are right."}
    with respx.mock(base_url="http://127.0.0.1:8300/api") as api:
        api.get("/connectors").respond(401)
        api.post("/auth/login").respond(401, json=told)
        answer = CliRunner().invoke(app, ["doctor"])
    assert answer.exit_code == 1
    assert answer.stderr == (
        "POST /api/auth/login: Name or password is wrong. Look whether they are right.\n"
    )


STEPS = [
    {"step": "dns", "level": "ok", "sentence": "The name is known."},
    {"step": "create", "level": "failed", "sentence": "Grant its role create_own_timesheet."},
]


def test_the_doctor_tells_each_step_and_ends_as_the_connections_are(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    _as_somebody(monkeypatch)
    with respx.mock(base_url="http://127.0.0.1:8300/api/connectors") as api:
        api.get("").respond(json={"items": [{"name": "desk"}, {"name": "hours"}]})
        api.post("/desk/test").respond(json={"ok": True, "steps": STEPS[:1]})
        api.post("/hours/test").respond(json={"ok": False, "steps": STEPS})
        both = CliRunner().invoke(app, ["doctor"])
        desk = CliRunner().invoke(app, ["doctor", "desk", "--json"])
    assert both.exit_code == 1
    assert "FAILED" in both.stdout
    assert "Grant its role create_own_timesheet." in both.stdout
    assert desk.exit_code == 0
    assert json.loads(desk.stdout)["desk"]["steps"] == STEPS[:1]


def test_what_the_environment_lacks_is_named() -> None:
    answer = CliRunner().invoke(app, ["rebuild"])
    assert answer.exit_code == 2
    assert "HOURBOOK_KAFKA_BOOTSTRAP (missing)" in answer.stderr


def test_schemas_are_written_only_into_the_repository(tmp_path: Path) -> None:
    answer = CliRunner().invoke(app, ["schemas", "--root", str(tmp_path)])
    assert answer.exit_code == 2
    (tmp_path / "contracts/schemas").mkdir(parents=True)
    (tmp_path / "contracts/schemas/hourbook.gone.v1.json").write_text("{}")
    assert set(write(tmp_path)) == {*documents(), "contracts/schemas/hourbook.gone.v1.json"}
    assert write(tmp_path) == []


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--as-of", "yesterday"], "neither a moment"),
        (["--as-of", "2026-03-30T12:00:00"], "lacks its offset from UTC"),
        (["ticket 7"], "neither a book"),
    ],
)
def test_a_past_that_is_none_is_said_in_a_sentence(
    monkeypatch: pytest.MonkeyPatch, arguments: list[str], sentence: str
) -> None:
    monkeypatch.setenv("HOURBOOK_KAFKA_BOOTSTRAP", "127.0.0.1:1")
    answer = CliRunner().invoke(app, ["replay", *arguments])
    assert answer.exit_code == 2
    assert sentence in answer.stderr


def test_what_stays_of_a_person_is_told_with_who_may_confirm_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    _as_somebody(monkeypatch)
    stays = [{"what": "tickets", "count": 2, "why": "Numbers."}]
    told = {"erasure": "e-1", "identities": ["zammad:desk:user:26"], "stays": stays}
    with respx.mock(base_url="http://127.0.0.1:8300/api") as api:
        api.post("/auth/login").respond(200, json={"access_token": "first"})
        asked = api.post("/privacy/erase")
        asked.side_effect = [httpx.Response(401), httpx.Response(201, json=told)]
        answer = CliRunner().invoke(app, ["privacy", "erase", "zammad:desk:user:26"])
    assert answer.exit_code == 0, answer.output
    assert json.loads(asked.calls.last.request.content) == {"identities": ["zammad:desk:user:26"]}
    assert "stays: tickets (2). Numbers." in answer.output
    assert "hourbook privacy confirm e-1" in answer.output


def test_an_export_is_written_for_its_reader_alone(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    _as_somebody(monkeypatch)
    file = tmp_path / "meier.html"
    with respx.mock(base_url="http://127.0.0.1:8300/api") as api:
        api.post("/auth/login").respond(200, json={"access_token": "first"})
        asked = api.get("/privacy/export")
        asked.side_effect = [httpx.Response(401), httpx.Response(200, text="<h1>Übelacker</h1>")]
        whom = ["zammad:desk:user:26", "kimai:hours:user:3"]
        answer = CliRunner().invoke(app, ["privacy", "export", *whom, "--html", "--to", str(file)])
    assert answer.exit_code == 0, answer.output
    assert asked.calls.last.request.url.params.get_list("identity") == whom
    assert file.read_text() == "<h1>Übelacker</h1>"
    assert file.stat().st_mode & 0o077 == 0

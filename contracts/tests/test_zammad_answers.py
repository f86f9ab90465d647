"""Every shape in which Zammad, or what stands before it, says no: a meaning, and a sentence for people."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hourbook_contracts.zammad.answers import TOLD, Meaning, outcome

GOLDEN: list[dict[str, Any]] = json.loads(
    (Path(__file__).parent / "golden" / "zammad_answers.json").read_text()
)
"""From zammad-api.md 1.2 and the recordings of a real Zammad."""
JSON = "application/json; charset=utf-8"


@pytest.mark.parametrize("golden", GOLDEN, ids=lambda golden: golden["case"])
def test_an_answer_is_what_it_means_and_says_what_to_do(golden: dict[str, Any]) -> None:
    found = outcome(golden["status"], golden["content_type"], golden["body"].encode())
    assert found.meaning == golden["meaning"]
    assert golden["says"] in found.sentence


def test_what_was_asked_for_is_told() -> None:
    assert outcome(200, JSON, b"[]") == TOLD


def test_a_persons_text_is_never_repeated() -> None:
    for status in (400, 401, 403, 404, 422, 500):
        body = json.dumps({"error": "No such user 'julia@alder.example'"}).encode()
        assert "julia" not in outcome(status, JSON, body).sentence


@given(st.integers(200, 599), st.sampled_from([JSON, "text/html", ""]), st.binary(max_size=60))
def test_whatever_comes_there_is_a_sentence(status: int, kind: str, body: bytes) -> None:
    found = outcome(status, kind, body)
    assert found.sentence.endswith(".") or found.sentence.endswith("?")
    assert found.meaning != Meaning.GONE or (status, kind) == (404, JSON)

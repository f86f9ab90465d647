"""The OpenAPI document is the committed one, and says of a delivery what may go wrong."""

from pathlib import Path

from hourbook_ingest_zammad.openapi import made, text
from hourbook_ingest_zammad.problems import Kind
from hourbook_ingest_zammad.webhook import PATH
from hourbook_kit.problems import MEDIA_TYPE

COMMITTED = Path(__file__).parents[1] / "openapi.json"


def test_the_committed_document_is_this_one() -> None:
    """`make schemas` writes it."""
    assert COMMITTED.read_text() == text()


def test_every_problem_of_the_catalogue_is_a_documented_answer_of_every_address() -> None:
    for path in (PATH, f"{PATH}/{{connection}}"):
        answers = made()["paths"][path]["post"]["responses"]
        problems = {int(status) for status, answer in answers.items() if int(status) >= 400}
        assert problems == {kind.value.status for kind in Kind}
        assert all(MEDIA_TYPE in answers[str(status)]["content"] for status in problems)

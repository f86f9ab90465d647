"""The OpenAPI document is the committed one, and says of every route what may go wrong."""

from pathlib import Path

from hourbook_query_api.openapi import made, text
from hourbook_query_api.rights import PUBLIC

COMMITTED = Path(__file__).parents[1] / "openapi.json"


def test_the_committed_document_is_this_one() -> None:
    """`make schemas` writes it."""
    assert COMMITTED.read_text() == text()


def test_every_route_documents_its_problems() -> None:
    for path, operations in made()["paths"].items():
        for operation in operations.values():
            if operation["operationId"] in PUBLIC:
                continue
            assert operation["security"] == [{"bearer": []}], path
            for status in ("401", "403", "422", "503"):
                assert list(operation["responses"][status]["content"]) == [
                    "application/problem+json"
                ]

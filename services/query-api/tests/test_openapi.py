"""The OpenAPI document is the committed one, and every answer is as it says."""

import json
from pathlib import Path
from typing import Any

import pytest
from cryptography.fernet import Fernet

from hourbook_kit.health import Health
from hourbook_query_api.app import create_app, document
from hourbook_query_api.desk import Desk
from hourbook_query_api.settings import Settings

COMMITTED = Path(__file__).parents[1] / "openapi.json"


@pytest.fixture
def made() -> dict[str, Any]:
    settings = Settings.model_validate(
        {
            "kafka_bootstrap": "nowhere:1",
            "database_url": "postgresql://nowhere",
            "vault_key": Fernet.generate_key().decode(),
        }
    )
    return document(create_app(Desk(settings, Health())))


def test_the_committed_document_is_this_one(made: dict[str, Any]) -> None:
    """`hourbook schemas` writes it."""
    assert json.loads(COMMITTED.read_text()) == made


def test_every_route_documents_its_problems(made: dict[str, Any]) -> None:
    for path, operations in made["paths"].items():
        for operation in operations.values():
            if path.startswith("/api/health"):
                continue
            assert operation["security"] == [{"operator": []}]
            for status in ("401", "422", "503"):
                assert list(operation["responses"][status]["content"]) == [
                    "application/problem+json"
                ]

"""`hourbook schemas`: the committed documents of our formats, written anew from the code."""

import json
from pathlib import Path
from typing import Any

from hourbook_contracts.schemas import schemas
from hourbook_kit.health import Health
from hourbook_query_api.app import create_app, document
from hourbook_query_api.desk import Desk
from hourbook_query_api.settings import Settings

_NOBODYS_KEY = "A" * 43 + "="


def documents() -> dict[str, dict[str, Any]]:
    """By their path in the repository: a JSON Schema a message type, and query-api's OpenAPI."""
    found = {f"contracts/schemas/{name}.json": schema for name, schema in schemas().items()}
    found["services/query-api/openapi.json"] = openapi()
    return found


def openapi() -> dict[str, Any]:
    """Of an API that is never opened: its addresses are nobody's."""
    settings = Settings.model_validate(
        {
            "kafka_bootstrap": "nobody.invalid:1",
            "database_url": "postgresql://nobody.invalid",
            "vault_key": _NOBODYS_KEY,
        }
    )
    return document(create_app(Desk(settings, Health())))


def text_of(document: dict[str, Any]) -> str:
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def write(root: Path) -> list[str]:
    """Write what differs; gives the paths, also of the schemas that are no longer."""
    made = documents()
    changed = []
    for path, found in made.items():
        file = root / path
        if not file.exists() or file.read_text() != text_of(found):
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text_of(found))
            changed.append(path)
    for file in (root / "contracts/schemas").glob("*.json"):
        path = file.relative_to(root).as_posix()
        if path not in made:
            file.unlink()
            changed.append(path)
    return changed

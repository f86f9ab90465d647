"""`hourbook schemas`: the committed documents of our formats, written anew from the code."""

import json
from pathlib import Path

from hourbook_contracts import asyncapi
from hourbook_contracts.schemas import schemas
from hourbook_ingest_zammad import openapi as deliveries
from hourbook_query_api import openapi


def documents() -> dict[str, str]:
    """By their path: a JSON Schema a message type, the topics' AsyncAPI, both APIs' OpenAPI."""
    found = {
        f"contracts/schemas/{name}.json": json.dumps(schema, indent=2, ensure_ascii=False) + "\n"
        for name, schema in schemas().items()
    }
    topics = json.dumps(asyncapi.document(), indent=2, ensure_ascii=False) + "\n"
    found["contracts/asyncapi.json"] = topics
    found["services/ingest-zammad/openapi.json"] = deliveries.text()
    found["services/query-api/openapi.json"] = openapi.text()
    return found


def write(root: Path) -> list[str]:
    """Write what differs and remove what is no longer; gives the paths of both."""
    made = documents()
    changed = []
    for path, text in made.items():
        file = root / path
        if not file.exists() or file.read_text() != text:
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text)
            changed.append(path)
    for file in (root / "contracts/schemas").glob("*.json"):
        path = file.relative_to(root).as_posix()
        if path not in made:
            file.unlink()
            changed.append(path)
    return changed

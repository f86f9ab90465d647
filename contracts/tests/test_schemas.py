"""The committed JSON Schemas are those of the code."""

import json
from pathlib import Path

from hourbook_contracts.schemas import schemas

FOLDER = Path(__file__).parents[1] / "schemas"


def test_the_committed_schemas_are_these() -> None:
    """`hourbook schemas` writes them."""
    committed = {file.stem: json.loads(file.read_text()) for file in FOLDER.glob("*.json")}
    assert committed == schemas()


def test_what_we_write_has_no_field_beyond_its_schema() -> None:
    for name, schema in schemas().items():
        objects = [schema, *schema.get("$defs", {}).values()]
        closed = [part["additionalProperties"] for part in objects if part.get("type") == "object"]
        assert closed, name
        assert not any(closed), name

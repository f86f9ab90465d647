"""The OpenAPI document without a running API: `python -m hourbook_query_api.openapi` prints it."""

import json
import sys
from typing import Any

from hourbook_kit.health import Health
from hourbook_query_api.app import create_app
from hourbook_query_api.desk import Desk
from hourbook_query_api.documenting import document
from hourbook_query_api.settings import Settings

_NOBODYS_KEY = "A" * 43 + "="


def made() -> dict[str, Any]:
    """Of an API that is never opened: its addresses are nobody's."""
    settings = Settings.model_validate(
        {
            "kafka_bootstrap": "nobody.invalid:1",
            "database_url": "postgresql://nobody.invalid",
            "vault_key": _NOBODYS_KEY,
        }
    )
    return document(create_app(Desk(settings, Health())))


def text() -> str:
    """As it is committed."""
    return json.dumps(made(), indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    sys.stdout.write(text())

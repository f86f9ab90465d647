"""The OpenAPI document without a running service, as committed in `services/ingest-zammad/openapi.json`."""

import json
from typing import Any

from pydantic import SecretStr

from hourbook_ingest_zammad.documenting import document
from hourbook_ingest_zammad.settings import Settings
from hourbook_ingest_zammad.webhook import Door, application
from hourbook_kit.health import Health


def made() -> dict[str, Any]:
    """Of a door that is never opened: its addresses are nobody's."""
    settings = Settings(
        kafka_bootstrap="nobody.invalid:1",
        database_url=SecretStr("postgresql://nobody.invalid"),
        vault_key=SecretStr(""),
    )
    return document(application(Door(settings, Health())))


def text() -> str:
    """As it is committed."""
    return json.dumps(made(), indent=2, ensure_ascii=False) + "\n"

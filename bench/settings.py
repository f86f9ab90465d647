"""Every process's settings, as the environment names them: for tests of what is written of them."""

from pydantic_settings import BaseSettings

from hourbook_cli.jobs import JobsSettings
from hourbook_cli.migrate import MigrateSettings
from hourbook_cli.settings import ApiSettings
from hourbook_ingest_zammad.settings import Settings as IngestSettings
from hourbook_push_kimai.settings import Settings as PushSettings
from hourbook_query_api.settings import Settings as QuerySettings
from hourbook_reconciler.settings import Settings as ReconcilerSettings

SETTINGS: list[type[BaseSettings]] = [
    ApiSettings,
    JobsSettings,
    MigrateSettings,
    IngestSettings,
    PushSettings,
    QuerySettings,
    ReconcilerSettings,
]


def variables(settings: type[BaseSettings]) -> set[str]:
    """The names in the environment."""
    prefix = settings.model_config.get("env_prefix", "")
    return {f"{prefix}{name}".upper() for name in settings.model_fields}

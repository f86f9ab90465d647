"""Where the command finds the API and, for the demo, the two twins."""

from pathlib import Path

from pydantic import SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict


class ApiSettings(BaseSettings):
    """The token comes from the environment or from the file that query-api wrote."""

    model_config = SettingsConfigDict(env_prefix="HOURBOOK_", frozen=True, extra="ignore")

    api_url: str = "http://127.0.0.1:8300"
    operator_token: SecretStr | None = None
    operator_token_file: Path | None = None


class DemoSettings(ApiSettings):
    zammad_url: str = "http://127.0.0.1:8310"
    kimai_url: str = "http://127.0.0.1:8311"
    ingest_url: str = "http://127.0.0.1:8301"
    zammad_token: SecretStr = SecretStr("zammad-demo-token")
    kimai_token: SecretStr = SecretStr("kimai-demo-token")
    """Of the twins, which everybody may know."""
    demo_patience_seconds: float = 30

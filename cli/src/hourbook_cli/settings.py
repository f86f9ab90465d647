"""Where the command finds the API and, for the demo, the two twins."""

from pathlib import Path

from pydantic import SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

DEMO_USER = "demo"
DEMO_PASSWORD = "for-the-demo-only"  # noqa: S105 -- as it says; only `hourbook demo` makes anybody of this name


class ApiSettings(BaseSettings):
    """Who the command signs in as: somebody whom an administrator has invited."""

    model_config = SettingsConfigDict(env_prefix="HOURBOOK_", frozen=True, extra="ignore")

    api_url: str = "http://127.0.0.1:8300"
    user: str | None = None
    password: SecretStr | None = None
    password_file: Path | None = None


class DemoSettings(ApiSettings):
    user: str | None = DEMO_USER
    password: SecretStr | None = SecretStr(DEMO_PASSWORD)
    setup_token_file: Path | None = None
    """Where query-api wrote the token that makes the first administrator."""
    zammad_url: str = "http://127.0.0.1:8310"
    kimai_url: str = "http://127.0.0.1:8311"
    ingest_url: str = "http://127.0.0.1:8301"
    zammad_token: SecretStr = SecretStr("zammad-demo-token")
    kimai_token: SecretStr = SecretStr("kimai-demo-token")
    """Of the twins, which everybody may know."""
    demo_patience_seconds: float = 30
    pages_shown_at: str | None = None
    zammad_shown_at: str | None = None
    kimai_shown_at: str | None = None
    """Addresses to open in a browser, where these are others than the command's own: in containers."""

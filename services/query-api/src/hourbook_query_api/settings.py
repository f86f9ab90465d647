"""What query-api must know before it can read anything else."""

from datetime import timedelta
from pathlib import Path

from pydantic import field_validator

from hourbook_kit.settings import ServiceSettings
from hourbook_query_api.people import networks


class Settings(ServiceSettings):
    port: int = 8300
    setup_token_file: Path | None = None
    """Where the set-up token is written (mode 600) while there is no administrator; else it is printed."""
    access_minutes: float = 5
    """How long a token for requests is good."""
    session_days: float = 14
    """How long a session lives without being used."""
    cookie_secure: bool = True
    """False only where people come over plain HTTP: a laptop, the demo."""
    trusted_proxies: str = ""
    """Addresses and networks, comma between, whose X-Forwarded-For is believed."""
    address_days: float = 30
    """How long the address of a sign-in is kept."""
    undo_seconds: float = 6
    """How long an answer to a question is held before it is said."""
    live_seconds_max: float = 900
    """How long one stream of /api/live lasts; a browser comes back by itself."""
    act_patience_seconds: float = 2
    """How long an act waits to be seen in our own tables before it is answered 202."""
    peer_timeout_seconds: float = 10
    """Of one request to a Zammad or Kimai while a connection is tested."""
    ui_folder: Path | None = None
    """Of a build of services/ui, served beside the API; in containers nginx does that."""

    @field_validator("trusted_proxies")
    @classmethod
    def _are_networks(cls, text: str) -> str:
        networks(text)
        return text

    @property
    def access_lifetime(self) -> timedelta:
        return timedelta(minutes=self.access_minutes)

    @property
    def session_lifetime(self) -> timedelta:
        return timedelta(days=self.session_days)

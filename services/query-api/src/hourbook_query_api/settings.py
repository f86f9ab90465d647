"""What query-api must know before it can read anything else."""

from pathlib import Path

from hourbook_kit.settings import ServiceSettings


class Settings(ServiceSettings):
    port: int = 8300
    operator_token_file: Path | None = None
    """Where the operator's token is written in the clear when it is made (mode 600); else it is printed once."""
    act_patience_seconds: float = 2
    """How long an act waits to be seen in our own tables before it is answered 202."""
    peer_timeout_seconds: float = 10
    """Of one request to a Zammad or Kimai while a connection is tested."""

"""What this service must be told by its environment."""

from socket import gethostname

from pydantic import Field

from hourbook_kit.settings import ServiceSettings


class Settings(ServiceSettings):
    port: int = 8301
    database_pool: int = 10
    instance: str = Field(default_factory=gethostname)
    """With the port, the name of this process among its kind; the same one after a restart, so that
    Kafka gives it back its partitions at once instead of waiting for a dead member's session."""
    webhook_limit_bytes: int = 1024 * 1024
    """A longer body is refused; Zammad's default payload is some ten kilobytes."""
    webhook_patience_seconds: float = 8
    """For Kafka's acknowledgement; Zammad itself waits 30 s for an answer (zammad-api.md 4.2)."""
    tickets_at_once: int = 16
    """Read at the same time from one Zammad."""
    poll_overlap_seconds: float = 60
    """A poll looks this far behind its cursor: a row is visible only when its transaction commits."""

"""What this service must be told by its environment."""

from hourbook_kit.settings import ServiceSettings


class Settings(ServiceSettings):
    port: int = 8301
    database_pool: int = 10
    webhook_limit_bytes: int = 1024 * 1024
    """A longer body is refused; Zammad's default payload is some ten kilobytes."""
    webhook_patience_seconds: float = 8
    """For Kafka's acknowledgement; Zammad itself waits 30 s for an answer (zammad-api.md 4.2)."""
    tickets_at_once: int = 16
    """Read at the same time from one Zammad."""
    poll_overlap_seconds: float = 60
    """A poll looks this far behind its cursor: a row is visible only when its transaction commits."""

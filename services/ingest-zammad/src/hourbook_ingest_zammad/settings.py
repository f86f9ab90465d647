"""What this service must be told by its environment."""

from hourbook_kit.source.service import SourceSettings


class Settings(SourceSettings):
    port: int = 8301
    webhook_limit_bytes: int = 1024 * 1024
    """A longer body is refused; Zammad's default payload is some ten kilobytes."""
    webhook_patience_seconds: float = 8
    """For Kafka's acknowledgement; Zammad itself waits 30 s for an answer (zammad-api.md 4.2)."""

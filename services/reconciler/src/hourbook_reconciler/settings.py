"""What the reconciler must be told by its environment."""

from hourbook_kit.settings import ServiceSettings


class Settings(ServiceSettings):
    port: int = 8302
    consumer_group: str = "hourbook-reconciler"
    instance: str | None = None
    """A name that stays over restarts (the ordinal of a StatefulSet): a restart then moves no partition."""
    batch_messages: int = 500
    """At most in one transaction."""
    stalled_seconds: float = 60
    """With messages waiting and nothing in work for this long, the process ends itself."""

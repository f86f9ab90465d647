"""What a Kimai says of itself: its version, how it tracks time, what it allows. Pure."""

from collections.abc import Mapping
from typing import Any, NamedTuple

OLDEST = 24500
"""2.45: from it on `modified_after` is UTC and a page's size is clamped (kimai-api.md 11)."""

TRACKING_MODE = (
    "Kimai takes no begin and end: its tracking mode is punch-in or fixed begin."
    " Set it to `default` in Kimai under System → Settings → Timesheet (timesheet.mode)."
)


class Rules(NamedTuple):
    version: str
    version_id: int
    tracking_mode: str
    allows_future: bool
    allows_overlap: bool

    @property
    def unfit(self) -> str | None:
        """Why we do not work with it, and what to change; None: we do."""
        if self.version_id < OLDEST:
            return f"This Kimai is {self.version}, and we need 2.45 or newer: update it."
        if self.tracking_mode != "default":
            return f"{TRACKING_MODE} It is `{self.tracking_mode}`."
        return None


def rules_of(version: Mapping[str, Any], config: Mapping[str, Any]) -> Rules:
    """Of `/version` and `/config/timesheet` (kimai-api.md 2.1); raises `KeyError`, `TypeError`, `ValueError`."""
    return Rules(
        version=str(version["version"]),
        version_id=int(version["versionId"]),
        tracking_mode=str(config["trackingMode"]),
        allows_future=bool(config["isAllowFutureTimes"]),
        allows_overlap=bool(config["isAllowOverlapping"]),
    )

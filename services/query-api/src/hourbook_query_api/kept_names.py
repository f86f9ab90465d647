"""Names that another system told us lately: kept in memory only, for minutes."""

import time
from collections.abc import Iterable

KEPT_SECONDS = 600
NAMES_MAX = 20_000


class KeptNames:
    """By connection, kind and id."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, str, int], tuple[float, str]] = {}

    def of(self, connection: str, kind: str, ids: Iterable[int]) -> dict[int, str]:
        """Those that are known still."""
        fresh = time.monotonic() - KEPT_SECONDS
        found = {one: self._known.get((connection, kind, one)) for one in ids}
        return {one: kept[1] for one, kept in found.items() if kept and kept[0] > fresh}

    def keep(self, connection: str, kind: str, names: dict[int, str]) -> None:
        if len(self._known) > NAMES_MAX:
            self._known.clear()
        now = time.monotonic()
        self._known |= {(connection, kind, one): (now, name) for one, name in names.items()}

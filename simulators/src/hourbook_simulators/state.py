"""A twin's memory on disk: one JSON file, whole at every moment.

Written to a neighbour first and then renamed, a moment after the last change, so that a burst of
requests costs one writing and none of them waits for it.
"""

import asyncio
import time
from collections.abc import Callable
from pathlib import Path

PAUSE_SECONDS = 0.2
SHARE = 20
"""A writing that took long waits that many times as long before the next one."""


class Keeper:
    """Calls `picture` for the bytes to keep; without a path it keeps nothing."""

    def __init__(self, path: Path | None, picture: Callable[[], bytes]) -> None:
        self._path = path
        self._picture = picture
        self._changed = asyncio.Event()

    def changed(self) -> None:
        self._changed.set()

    def save(self) -> None:
        if self._path is None:
            return
        fresh = self._path.with_name(self._path.name + ".new")
        fresh.parent.mkdir(parents=True, exist_ok=True)
        fresh.write_bytes(self._picture())
        fresh.replace(self._path)

    async def run(self) -> None:
        """Until cancelled; the caller saves once more then."""
        pause_seconds = PAUSE_SECONDS
        while True:
            await self._changed.wait()
            await asyncio.sleep(pause_seconds)
            self._changed.clear()
            started = time.monotonic()
            self.save()
            pause_seconds = max(PAUSE_SECONDS, SHARE * (time.monotonic() - started))

"""How long to wait before the next try: longer each time, never at the same moment as the others."""

import asyncio
import random


class Backoff:
    """Doubles up to a limit, with jitter; `reset` after a success."""

    def __init__(self, first_seconds: float = 0.2, most_seconds: float = 30) -> None:
        self._first, self._most, self._tries = first_seconds, most_seconds, 0

    def next_seconds(self) -> float:
        longest = min(self._most, self._first * 2.0**self._tries)
        self._tries = min(self._tries + 1, 20)
        return longest * random.uniform(0.5, 1)  # noqa: S311 -- jitter is no secret

    async def wait(self) -> None:
        await asyncio.sleep(self.next_seconds())

    def reset(self) -> None:
        self._tries = 0

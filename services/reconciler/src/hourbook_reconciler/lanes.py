"""What was read and waits to be stored, and the transactions that take it, side by side.

A book's messages are in one partition and seldom next to each other: many tickets are told of in turn. Taken as they
came, each would find its book in another batch, and the book would be planned and stored again for each. So they are
taken by partition. One that is being stored is nobody else's until that is done: its messages have an order.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Coroutine, Iterator, Sequence
from typing import Any, Generic, TypeVar

T = TypeVar("T")
Store = Callable[[list[T]], Awaitable[None]]
"""One transaction with these; what it raises ends the process."""

REST_SECONDS_MAX = 0.05
"""After a transaction we rest as long as it took, unless a quarter of one waits: the busier, the more goes together."""

PATIENCE_SECONDS = 0.1
"""So long what calls for no decision soon waits for more."""

LARGEST_WAITING = 8
"""Of so many transactions' messages the next ones are chosen: the more wait, the more of a book come together."""


class Waiting(Generic[T]):
    """Messages by partition, in their order within each; whichever partition waits longest comes first."""

    def __init__(self, partition_of: Callable[[T], int]) -> None:
        self._partition_of = partition_of
        self._by_partition: dict[int, list[T]] = {}
        self._held: set[int] = set()
        self._count = 0
        self.free = 0
        """How many could be taken now."""

    def __len__(self) -> int:
        return self._count

    def put(self, message: T) -> None:
        partition = self._partition_of(message)
        self._by_partition.setdefault(partition, []).append(message)
        self._count += 1
        self.free += partition not in self._held

    def take(self, most: int) -> list[T]:
        """So many, of as few partitions as will do, which are held until `release`; the rest of one comes last then."""
        taken: list[T] = []
        for partition in [name for name in self._by_partition if name not in self._held]:
            if len(taken) == most:
                break
            found = self._by_partition.pop(partition)
            taken += (some := found[: most - len(taken)])
            self._held.add(partition)
            self.free -= len(found)
            if len(some) < len(found):
                self._by_partition[partition] = found[len(some) :]
        self._count -= len(taken)
        return taken

    def release(self, taken: list[T]) -> None:
        """They are stored: the next ones of their partitions may be."""
        partitions = {self._partition_of(message) for message in taken}
        self._held -= partitions
        self.free += sum(len(self._by_partition.get(partition, ())) for partition in partitions)


class Lanes(Generic[T]):
    """Stores what is put, a transaction a lane; all but the first one help where a whole transaction waits."""

    def __init__(
        self,
        stores: Sequence[Store[T]],
        partition_of: Callable[[T], int],
        is_patient: Callable[[T], bool],
        *,
        most: int,
    ) -> None:
        """`most` messages in one transaction; a patient one waits a little for more."""
        self.waiting = Waiting(partition_of)
        self.storing = 0
        """Transactions that are open."""
        self._stores, self._is_patient, self._most = stores, is_patient, most
        self._changed, self._room = asyncio.Event(), asyncio.Event()
        self._urgent = False
        self._later: asyncio.TimerHandle | None = None

    async def put(self, message: T) -> None:
        """Returns when there is room for another one."""
        self.waiting.put(message)
        if self._urgent or len(self.waiting) >= self._most or not self._is_patient(message):
            self._hurry()
        elif self._later is None:
            self._later = asyncio.get_running_loop().call_later(PATIENCE_SECONDS, self._hurry)
        while len(self.waiting) >= LARGEST_WAITING * self._most:
            self._room.clear()
            await self._room.wait()

    def loops(self) -> Iterator[Coroutine[Any, Any, None]]:
        """To be run side by side until they are cancelled."""
        for number, store in enumerate(self._stores):
            yield self._run(store, least=self._most if number else 1)

    async def _run(self, store: Store[T], least: int) -> None:
        while True:
            messages = self._take(least)
            if not messages:
                self._changed.clear()
                await self._changed.wait()
                continue
            began = time.monotonic()
            self.storing += 1
            try:
                await store(messages)
            finally:  # whatever was lost is a gap before what comes next, and seen
                self.storing -= 1
                self.waiting.release(messages)
                self._changed.set()
            if self.waiting.free < self._most // 4:
                await asyncio.sleep(min(REST_SECONDS_MAX, time.monotonic() - began))

    def _take(self, least: int) -> list[T]:
        """Nothing while it is in no hurry, or where less waits."""
        if not self._urgent or self.waiting.free < least:
            return []
        messages = self.waiting.take(self._most)
        self._room.set()
        if not self.waiting:
            self._urgent = False
            if self._later is not None:
                self._later.cancel()
                self._later = None
        return messages

    def _hurry(self) -> None:
        self._urgent = True
        self._changed.set()

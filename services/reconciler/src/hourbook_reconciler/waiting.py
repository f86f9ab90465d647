"""Messages that wait for their batch, taken by partition.

A book's messages are in one partition and seldom side by side: many tickets are told of in turn. Taken as they came,
each would find its book in another batch, and the book would be planned and stored again for each.
"""

from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class Waiting(Generic[T]):
    """In their order within a partition; whichever waits longest comes first."""

    def __init__(self, partition_of: Callable[[T], int]) -> None:
        self._partition_of = partition_of
        self._by_partition: dict[int, list[T]] = {}
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def put(self, message: T) -> None:
        self._by_partition.setdefault(self._partition_of(message), []).append(message)
        self._count += 1

    def take(self, most: int, of_one: int) -> list[T]:
        """So many, and no more of a partition while others wait; what is left of one waits behind the others."""
        taken: list[T] = []
        while self._by_partition and len(taken) < most:
            partition = next(iter(self._by_partition))
            found = self._by_partition.pop(partition)
            some = min(of_one, most - len(taken))
            taken += found[:some]
            if len(found) > some:
                self._by_partition[partition] = found[some:]
        self._count -= len(taken)
        return taken

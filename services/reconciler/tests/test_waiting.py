"""Messages that wait are taken by partition: each in its order, none lost, none left for ever."""

from collections.abc import Iterator, Sequence

from hypothesis import given
from hypothesis import strategies as some

from hourbook_reconciler.waiting import Waiting

Message = tuple[int, int]
"""Partition and offset."""

MOST, OF_ONE = 10, 5


def in_order(partitions: Sequence[int]) -> Iterator[Message]:
    offsets = dict.fromkeys(partitions, 0)
    for partition in partitions:
        yield partition, offsets[partition]
        offsets[partition] += 1


def waiting_of(messages: Sequence[Message]) -> Waiting[Message]:
    found = Waiting[Message](lambda message: message[0])
    for message in messages:
        found.put(message)
    return found


@given(some.lists(some.lists(some.integers(0, 4), max_size=30), max_size=6))
def test_whatever_comes_meanwhile_each_partition_is_taken_in_its_order_and_whole(
    bursts: list[list[int]],
) -> None:
    coming = in_order([partition for burst in bursts for partition in burst])
    waiting, taken, put = waiting_of([]), list[Message](), 0
    for burst in bursts:
        for _ in burst:
            waiting.put(next(coming))
        put += len(burst)
        batch = waiting.take(MOST, OF_ONE)
        assert len(batch) == min(MOST, put - len(taken))
        taken += batch
        assert len(waiting) == put - len(taken)
    while waiting:
        taken += waiting.take(MOST, OF_ONE)
    for partition in range(5):
        offsets = [offset for of, offset in taken if of == partition]
        assert offsets == list(range(len(offsets)))
    assert len(taken) == put


def test_what_came_in_turn_is_taken_together() -> None:
    waiting = waiting_of(list(in_order([0, 1, 2, 3] * OF_ONE)))
    assert [partition for partition, _ in waiting.take(MOST, OF_ONE)] == [0] * 5 + [1] * 5
    assert [partition for partition, _ in waiting.take(MOST, OF_ONE)] == [2] * 5 + [3] * 5


def test_a_partition_that_always_has_more_keeps_none_of_the_others_waiting() -> None:
    waiting = waiting_of([(0, offset) for offset in range(1000)])
    waiting.put((1, 0))
    assert (1, 0) in waiting.take(MOST, OF_ONE)
    for turn in range(1, 5):
        waiting.put((1, turn))
        batch = [*waiting.take(MOST, OF_ONE), *waiting.take(MOST, OF_ONE)]
        assert (1, turn) in batch


def test_one_that_is_alone_fills_the_whole_batch() -> None:
    waiting = waiting_of([(0, offset) for offset in range(1000)])
    assert waiting.take(MOST, OF_ONE) == [(0, offset) for offset in range(MOST)]

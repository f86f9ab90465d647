"""The replayers of one replay, a process for each processor we may use, and what they say."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from subprocess import Popen
from threading import Thread
from typing import TypeAlias

from hourbook_kit.kafka import Place
from hourbook_kit.settings import KafkaSettings
from hourbook_reconciler import replayer
from hourbook_reconciler.replayer import Asked, Told
from hourbook_reconciler.store import GapError

MESSAGES_WORTH_A_PROCESS = 5000
"""It takes a second or more to begin; for less, a thread is enough."""
Store = Callable[[int, Told], Awaitable[None]]
"""Given a partition's rows; partitions come mixed, but each one's in order."""
_Replayer: TypeAlias = "Connection[KafkaSettings | Asked, Told]"


class LostReplayerError(Exception):
    """A process of the replay ended before its time; what it said last stands above."""


class Crew:
    """Shares out partitions, the longest first; each process folds one at a time."""

    def __init__(self, replayers: list[_Replayer], ends: Mapping[int, int]) -> None:
        longest = sorted(((end, partition) for partition, end in ends.items() if end), reverse=True)
        self._left = iter([Asked(partition, end) for end, partition in longest])
        self._asked = [(one, self._ask_next(one)) for one in replayers]

    async def replay(self, store: Store) -> list[Place]:
        """All partitions with messages; gives where each was read to. Raises `GapError`."""
        try:
            async with asyncio.TaskGroup() as working:
                works = [
                    working.create_task(self._work(one, partition, store))
                    for one, partition in self._asked
                ]
        except ExceptionGroup as failed:
            raise failed.exceptions[0] from None
        return sorted(place for done in works for place in done.result())

    async def _work(self, one: _Replayer, partition: int | None, store: Store) -> list[Place]:
        places = []
        while partition is not None:
            while not (told := await _hear(one)).ended:
                await store(partition, told)
            places.append(Place(partition, told.next_offset, told.last_ce_id))
            partition = self._ask_next(one)
        return places

    def _ask_next(self, one: _Replayer) -> int | None:
        asked = next(self._left, None)
        if asked is None:
            return None
        one.send(asked)
        return asked.partition


async def _hear(one: _Replayer) -> Told:
    try:
        told = await asyncio.to_thread(one.recv)
    except (EOFError, OSError) as error:
        raise LostReplayerError from error
    if told.gap is not None:
        raise GapError(told.gap)
    return told


@asynccontextmanager
async def crew(settings: KafkaSettings, ends: Mapping[int, int]) -> AsyncIterator[Crew]:
    """Replayers that have begun, and wait when they have something to say."""
    worth = sum(ends.values()) // MESSAGES_WORTH_A_PROCESS
    replayers: list[_Replayer] = []
    processes: list[Popen[bytes]] = []
    try:
        for _ in range(min(worth, len(os.sched_getaffinity(0)))):
            ours, theirs = Pipe()
            replayers.append(ours)
            processes.append(_process(theirs.fileno()))
            theirs.close()
            ours.send(settings)
        if not worth:
            ours, theirs = Pipe()
            replayers.append(ours)
            Thread(target=replayer.run, args=(settings, theirs), daemon=True).start()
        yield Crew(replayers, ends)
    finally:
        for process in processes:
            process.kill()  # it holds nothing, and may be folding
            process.wait()
        for ours in replayers:
            ours.close()


def _process(pipe: int) -> Popen[bytes]:
    """Not a fork of ours: we have threads, and it would have their locks."""
    program = "from hourbook_reconciler.replayer import main; main()"
    command = (sys.executable, "-c", program, str(pipe))
    return Popen(command, pass_fds=[pipe], start_new_session=True)  # noqa: S603 -- our own program

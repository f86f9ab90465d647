"""Works on all sources there are: begins with a new one, ends with a removed one."""

import asyncio
from collections.abc import Callable
from typing import Protocol

from hourbook_kit.source.connections import Connections


class Work(Protocol):
    """On one source; `run` ends when the source is removed."""

    async def run(self) -> None: ...


class Beside:
    """Several kinds of work on one source at the same time."""

    def __init__(self, *works: Work) -> None:
        self._works = works

    async def run(self) -> None:
        async with asyncio.TaskGroup() as group:
            for work in self._works:
                group.create_task(work.run())


async def watch_all(connections: Connections, watch: Callable[[str], Work]) -> None:
    """Work that fails unexpectedly ends all of it, and with it the process."""
    running: dict[str, asyncio.Task[None]] = {}
    try:
        while True:
            changed = connections.changed
            running = {name: task for name, task in running.items() if not task.done()}
            for name in connections.names:
                if name not in running:
                    running[name] = asyncio.create_task(watch(name).run(), name=f"watch {name}")
            told = asyncio.create_task(changed.wait())
            done, _ = await asyncio.wait(
                [told, *running.values()], return_when=asyncio.FIRST_COMPLETED
            )
            told.cancel()
            for task in done:
                await task
    finally:
        for task in running.values():
            task.cancel()
        await asyncio.gather(*running.values(), return_exceptions=True)

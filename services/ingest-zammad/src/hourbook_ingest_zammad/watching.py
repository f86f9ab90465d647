"""Watches all sources there are: begins with a new one, ends with a removed one."""

import asyncio
from collections.abc import Callable

from hourbook_ingest_zammad.connections import Connections
from hourbook_ingest_zammad.watch import Watch


async def watch_all(connections: Connections, watch: Callable[[str], Watch]) -> None:
    """A watch that fails unexpectedly ends all of them, and with them the process."""
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

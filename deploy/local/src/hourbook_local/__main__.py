"""`python -m hourbook_local up | prepare | clean`: the local stack, for people."""

import argparse
import asyncio
import contextlib
import os
import shutil
import signal
import sys
from pathlib import Path

from rich.console import Console

from hourbook_local import kafka
from hourbook_local.children import StackError
from hourbook_local.progress import Progress
from hourbook_local.settings import LocalSettings
from hourbook_local.stack import Stack

console = Console()


async def up(settings: LocalSettings) -> None:
    """Stays up until Ctrl-C; a second one does not wait for anybody."""
    progress = Progress(console)
    stack = Stack(settings, watcher=progress)
    enough = _on_interrupt()
    with progress:
        starting = asyncio.create_task(stack.start())
        await asyncio.wait({starting, enough}, return_when=asyncio.FIRST_COMPLETED)
        if not starting.done():
            starting.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await starting
            return
        await starting
    for name in ("query-api", "zammad", "kimai"):
        console.print(f"{name:>14} {stack.url(name)}", highlight=False)
    console.print("Ctrl-C stops all of it; what it holds stays in", settings.folder)
    await enough
    await stack.stop()


def _on_interrupt() -> asyncio.Future[None]:
    loop = asyncio.get_running_loop()
    enough = loop.create_future()

    def interrupted() -> None:
        if enough.done():
            os._exit(130)  # the leashes stop what is left
        enough.set_result(None)

    for what in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(what, interrupted)
    return enough


def clean(settings: LocalSettings) -> None:
    """Drop all that was kept."""
    note = settings.folder / "postgres-is-at"
    if note.exists():
        shutil.rmtree(Path(note.read_text()), ignore_errors=True)
    shutil.rmtree(settings.folder, ignore_errors=True)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m hourbook_local", description=__doc__)
    parser.add_argument("what", choices=["up", "prepare", "clean"])
    what = parser.parse_args().what
    settings = LocalSettings()
    try:
        if what == "up":
            asyncio.run(up(settings))
        elif what == "prepare":
            kafka.prepare()
        else:
            clean(settings)
    except StackError as error:
        console.print(str(error), style="red", markup=False, highlight=False, soft_wrap=True)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())

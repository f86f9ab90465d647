"""`python -m hourbook_local up | demo [--once | --by-hand] | prepare | clean`: the local stack, for people."""

import argparse
import asyncio
import contextlib
import os
import shutil
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.console import Console

from hourbook_local import kafka
from hourbook_local.children import StackError
from hourbook_local.progress import Progress
from hourbook_local.settings import LocalSettings
from hourbook_local.stack import Stack

console = Console()


async def up(
    settings: LocalSettings, *, demo: Sequence[str] | None = None, once: bool = False
) -> int:
    """Stays up until Ctrl-C (not `once`); a second one does not wait for anybody. Gives the exit code.

    `demo`: how `hourbook demo` is called; None where it is not.
    """
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
            return 130
        await starting
    code = 0 if demo is None else await _story(stack, enough, demo)
    if once or enough.done():
        await stack.stop()
        return code
    for name in ("query-api", "zammad", "kimai"):
        console.print(f"{name:>14} {stack.url(name)}", highlight=False)
    console.print("Ctrl-C stops all of it; what it holds stays in", settings.folder)
    await enough
    await stack.stop()
    return code


async def _story(stack: Stack, enough: asyncio.Future[None], demo: Sequence[str]) -> int:
    """`hourbook demo` on this stack; its exit code, or that of an interrupt."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "hourbook_cli", "demo", *demo),
        env=os.environ | stack.for_the_command,
    )
    told = asyncio.create_task(process.wait())
    either: set[asyncio.Future[Any]] = {told, enough}
    await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
    if not told.done():
        process.terminate()
    return await told


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
    parser.add_argument("what", choices=["up", "demo", "prepare", "clean"])
    how = parser.add_mutually_exclusive_group()
    how.add_argument("--once", action="store_true", help="demo: stop when the story is told")
    how.add_argument("--by-hand", action="store_true", help="demo: you set it up in the browser")
    asked = parser.parse_args()
    what = asked.what
    settings = LocalSettings()
    try:
        if what in ("up", "demo"):
            demo = (["--by-hand"] if asked.by_hand else []) if what == "demo" else None
            return asyncio.run(up(settings, demo=demo, once=asked.once))
        if what == "prepare":
            kafka.prepare()
        else:
            clean(settings)
    except StackError as error:
        console.print(str(error), style="red", markup=False, highlight=False, soft_wrap=True)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""Crash-only: what we do not understand ends the process; whoever restarts it finds a consistent state."""

import asyncio
import logging
import os
from collections.abc import Coroutine
from typing import Any, NoReturn

import structlog

EXIT = 75
"""EX_TEMPFAIL: try again."""

log = structlog.get_logger()


def die(why: str, **fields: object) -> NoReturn:
    """Stop now, without flushing anything but the log: no acknowledgement may escape on the way out."""
    log.critical("crash_only_exit", why=why, **fields)
    logging.shutdown()
    os._exit(EXIT)


def spawn(work: Coroutine[Any, Any, None], name: str) -> asyncio.Task[None]:
    """A task whose unexpected end is the process's: a loop nobody watches is a loop that stopped."""

    def ended(task: asyncio.Task[None]) -> None:
        if task.cancelled():
            return
        error = task.exception()
        if error is not None:
            log.error("task_failed", task=name, exc_info=error)
            die(f"{name} failed: {type(error).__name__}")

    task = asyncio.create_task(work, name=name)
    task.add_done_callback(ended)
    return task

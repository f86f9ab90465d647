"""What one sees while the stack comes up: a live table, or plain lines where nobody looks."""

import time
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.live import Live
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text

from hourbook_local.supervisor import State

_COLOURS = {
    State.STARTING: "yellow",
    State.READY: "green",
    State.RESTARTING: "magenta",
    State.STOPPED: "dim",
    State.FAILED: "bold red",
}


class Progress:
    """Give it to the stack as its watcher, and enter it while there is something to see."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._states: dict[str, State] = {}
        self._began: dict[str, float] = {}
        self._seconds: dict[str, float] = {}
        self._live: Live | None = None

    def __call__(self, name: str, state: State) -> None:
        if self._states.get(name) == state:
            return
        self._states[name] = state
        now = time.monotonic()
        if state in {State.STARTING, State.RESTARTING}:
            self._began[name] = now
        self._seconds[name] = now - self._began.get(name, now)
        if self._live is not None:
            self._live.update(self._table())
        elif state is not State.STARTING:
            self._console.print(f"{name:>14} {state}{self._after(name)}", highlight=False)

    def __enter__(self) -> Self:
        if self._console.is_terminal:
            self._live = Live(self._table(), console=self._console, refresh_per_second=8)
            self._live.start()
        return self

    def __exit__(
        self, _type: type[BaseException] | None, _e: BaseException | None, _t: TracebackType | None
    ) -> None:
        if self._live is not None:
            self._live.stop()
            self._live = None

    def _table(self) -> Table:
        table = Table.grid(padding=(0, 2))
        for name, state in self._states.items():
            shown = Text(f"{state}{self._after(name)}", style=_COLOURS[state])
            table.add_row(name, Spinner("dots", shown) if state is State.STARTING else shown)
        return table

    def _after(self, name: str) -> str:
        ready = self._states[name] is State.READY
        return f" after {self._seconds[name]:.1f} s" if ready else ""

"""`python -m hourbook_local.logs [NAME…] [-f]`: the logs of all that runs, side by side in time."""

import argparse
import heapq
import json
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from rich.console import Console
from rich.text import Text

from hourbook_local.settings import LocalSettings

_COLOURS = ("cyan", "green", "magenta", "yellow", "blue", "bright_red", "bright_cyan", "white")
_PLAIN = re.compile(r"^(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d\.\d+) UTC ?(.*)$")
"""How Kafka and PostgreSQL begin a line here."""
_LEVELS = {"warning": "yellow", "error": "red", "critical": "bold red"}
_FRAME = {"at", "event", "level", "service", "logger", "trace_id", "span_id"}
"""Shown in a place of their own, or not at all."""


@dataclass(frozen=True, order=True)
class Line:
    """`at` is text in UTC, to the microsecond: it sorts as time does."""

    at: str
    number: int
    name: str = field(compare=False)
    event: str = field(compare=False)
    level: str = field(compare=False, default="info")
    fields: dict[str, object] = field(compare=False, default_factory=dict)


@dataclass
class Reader:
    """One log, from where we left it; a line without a time belongs to the one before it."""

    file: Path
    at: str = ""
    number: int = 0
    offset: int = 0

    def read(self) -> Iterator[Line]:
        if self.file.stat().st_size < self.offset:
            self.offset = 0  # turned over
        with self.file.open("rb") as log:
            log.seek(self.offset)
            yield from self._lines(log)

    def _lines(self, log: IO[bytes]) -> Iterator[Line]:
        for raw in log:
            if not raw.endswith(b"\n"):
                return  # still being written
            self.offset += len(raw)
            self.number += 1
            line = parse(
                raw.decode(errors="replace").rstrip(), self.file.stem, self.at, self.number
            )
            self.at = line.at
            yield line


def parse(text: str, name: str, at_before: str, number: int) -> Line:
    """A JSON object with `at` and `event`, a server's line, or the rest of the line before."""
    plain = _PLAIN.match(text)
    if plain:
        return Line(_to_the_microsecond(f"{plain[1]}T{plain[2]}"), number, name, plain[3])
    try:
        spoken = json.loads(text)
    except ValueError:
        spoken = None
    if not isinstance(spoken, dict) or "at" not in spoken:
        return Line(at_before, number, name, text)
    fields = {key: value for key, value in spoken.items() if key not in _FRAME}
    return Line(
        _to_the_microsecond(str(spoken["at"])),
        number,
        name,
        str(spoken.get("event", "")),
        str(spoken.get("level", "info")),
        fields,
    )


def _to_the_microsecond(at: str) -> str:
    whole, _, fraction = at.removesuffix("Z").removesuffix("+00:00").partition(".")
    return f"{whole}.{fraction:0<6}"


def shown(line: Line, colour: str, width: int) -> Text:
    text = Text()
    text.append(line.at[11:23] + " ", style="dim")
    text.append(f"{line.name:<{width}} ", style=colour)
    text.append(line.event, style=_LEVELS.get(line.level, ""))
    for key, value in line.fields.items():
        text.append(f" {key}=", style="dim")
        text.append(value if isinstance(value, str) else json.dumps(value))
    return text


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m hourbook_local.logs", description=__doc__)
    parser.add_argument("names", nargs="*", help="services; without any: all")
    parser.add_argument("-f", "--follow", action="store_true", help="go on until Ctrl-C")
    parser.add_argument("-n", "--lines", type=int, default=200, help="of the past (200)")
    asked = parser.parse_args()
    folder = LocalSettings().folder / "logs"
    console = Console(soft_wrap=True, highlight=False)
    readers: dict[Path, Reader] = {}
    past = asked.lines
    while True:
        for file in sorted(folder.glob("*.log")):
            if not asked.names or file.stem in asked.names:
                readers.setdefault(file, Reader(file))
        width = max((len(file.stem) for file in readers), default=0)
        colours = {file.stem: _COLOURS[i % len(_COLOURS)] for i, file in enumerate(readers)}
        merged = list(heapq.merge(*(list(reader.read()) for reader in readers.values())))
        for line in merged[-past:] if past is not None else merged:
            console.print(shown(line, colours[line.name], width))
        past = None
        if not asked.follow:
            return
        time.sleep(0.3)


if __name__ == "__main__":
    try:
        main()
    except (KeyboardInterrupt, BrokenPipeError):
        raise SystemExit(0) from None

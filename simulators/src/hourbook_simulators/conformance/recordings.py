"""Recordings as they lie in a folder: exchanges in the order they happened (recordings/README.md).

What is no exchange is kept as one that cannot match.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class Exchange:
    """`path` is the one under /api; `body` a string where the request was no JSON."""

    file: str
    number: int
    """Its place in the file, from 0."""
    label: str = ""
    method: str = ""
    path: str = ""
    token: str | None = None
    body: Any = None
    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    response: Any = None
    setup: tuple[Any, ...] = ()
    unreadable: str = ""
    """Why it could not be read, "" if it could."""

    @property
    def name(self) -> str:
        return f"{self.file.split('-', 1)[0].removesuffix('.json')}#{self.number}"

    @property
    def route(self) -> str:
        """Without the query, and without a slash at its end."""
        return self.path.partition("?")[0].rstrip("/")


@dataclass(frozen=True, slots=True)
class Folder:
    """`given` is the folder as somebody wrote it."""

    given: str
    files: dict[str, tuple[Exchange, ...]]


def read_folder(given: str) -> Folder:
    """Raises NotADirectoryError with a sentence when there is nothing to play."""
    paths = sorted(Path(given).glob("*.json"))
    if not paths:
        raise NotADirectoryError(f"{given} is no folder with recordings (*.json)")
    return Folder(given, {path.name: tuple(_read(path)) for path in paths})


def _read(path: Path) -> Iterator[Exchange]:
    try:
        rows = json.loads(path.read_bytes())
    except (OSError, ValueError) as error:
        yield Exchange(path.name, 0, unreadable=f"not JSON: {error}")
        return
    if not isinstance(rows, list):
        yield Exchange(path.name, 0, unreadable="not a list of exchanges")
        return
    for number, row in enumerate(rows):
        yield _exchange(path.name, number, row)


def _exchange(file: str, number: int, row: Any) -> Exchange:
    try:
        return Exchange(
            file,
            number,
            label=str(row.get("label") or ""),
            method=str(row["method"]).upper(),
            path="/" + str(row["path"]).removeprefix("/"),
            token=None if row.get("token") is None else str(row["token"]),
            body=row.get("body"),
            status=int(row["status"]),
            headers={str(key): str(value) for key, value in (row.get("headers") or {}).items()},
            response=row.get("response"),
            setup=tuple(row.get("setup") or ()),
        )
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        return Exchange(file, number, unreadable=f"not an exchange: {error!r}")

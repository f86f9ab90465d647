r"""Rows as PostgreSQL's COPY reads them from text: what a process without a connection can prepare.

Pure. `None` is \N, a list is an array of text; a NUL has no place in PostgreSQL and must not be here.
"""

from collections.abc import Iterable, Sequence
from datetime import date


def lines(rows: Iterable[Sequence[object]]) -> bytes:
    """One line a row, to be copied in the order given; no row, no line."""
    return "".join(["\t".join(map(_field, row)) + "\n" for row in rows]).encode()


def _field(value: object) -> str:
    match value:
        case None:
            return "\\N"
        case str():
            return _escaped(value)
        case bool():
            return "t" if value else "f"
        case int():
            return str(value)
        case date():  # a datetime is one as well
            return value.isoformat()
        case bytes():
            return f"\\\\x{value.hex()}"
        case list():
            return _escaped("{" + ",".join(map(_element, value)) + "}")
        case _:
            raise TypeError(f"no column holds a {type(value).__name__}")


def _escaped(text: str) -> str:
    if "\\" in text:
        text = text.replace("\\", "\\\\")
    if "\t" in text or "\n" in text or "\r" in text:
        text = text.replace("\t", "\\t").replace("\n", "\\n").replace("\r", "\\r")
    return text


def _element(text: str) -> str:
    quoted = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{quoted}"'

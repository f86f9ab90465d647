"""A book as bytes and back: JSON with sorted keys, so that equal books have equal bytes and digests.

Pure.
"""

import hashlib
from dataclasses import replace
from typing import TypeVar

from pydantic import TypeAdapter

from hourbook_reconciler.book import Book

_BOOK = TypeAdapter(Book)
_Key = TypeVar("_Key", bound=str)
_Value = TypeVar("_Value")


def encode(book: Book) -> bytes:
    return _BOOK.dump_json(
        replace(
            book,
            entries=_sorted(book.entries),
            sheets=_sorted(book.sheets),
            postings=_sorted(book.postings),
        )
    )


def decode(state: bytes | str) -> Book:
    """The very book that was encoded; a verdict is known by its fields."""
    return _BOOK.validate_json(state)


def digest(state: bytes) -> str:
    """Of an encoded book: 128 bits, to compare live and rebuilt."""
    return hashlib.sha256(state).hexdigest()[:32]


def _sorted(parts: dict[_Key, _Value]) -> dict[_Key, _Value]:
    return dict(sorted(parts.items()))

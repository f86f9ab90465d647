"""A book as bytes and back: JSON with sorted keys, so that equal books have equal bytes and digests.

Pure, but for the memory of what was encoded last.
"""

import hashlib
from collections import OrderedDict
from typing import TypeVar

from pydantic import TypeAdapter

from hourbook_reconciler.book import Book

_BOOK = TypeAdapter(Book)
_Key = TypeVar("_Key", bound=str)
_Value = TypeVar("_Value")


_recent: OrderedDict[str, Book] = OrderedDict()
_RECENT = 2000  # some 40 MB


def encode(book: Book) -> bytes:
    return _BOOK.dump_json(_in_order(book))


def encode_to_recall(book: Book) -> bytes:
    """`encode`, and let `recall` give this book where it is asked for soon."""
    book = _in_order(book)
    encoded = _BOOK.dump_json(book)
    _recent[encoded.decode()] = book
    if len(_recent) > _RECENT:
        _recent.popitem(last=False)
    return encoded


def decode(state: bytes | str) -> Book:
    """The very book that was encoded; a verdict is known by its fields."""
    return _BOOK.validate_json(state)


def recall(text: str) -> Book:
    """`decode`, spared where this very text was encoded here of late: a book's messages come in flocks."""
    return _recent.get(text) or decode(text)


def digest(state: bytes) -> str:
    """Of an encoded book: 128 bits, to compare live and rebuilt."""
    return hashlib.sha256(state).hexdigest()[:32]


def _in_order(book: Book) -> Book:
    return Book(
        book.id,
        book.ticket,
        entries=_sorted(book.entries),
        sheets=_sorted(book.sheets),
        postings=_sorted(book.postings),
    )


def _sorted(parts: dict[_Key, _Value]) -> dict[_Key, _Value]:
    return dict(sorted(parts.items()))

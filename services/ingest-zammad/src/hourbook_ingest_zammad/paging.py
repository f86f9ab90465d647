"""Which page of Zammad's lists proves what. Pure."""

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

from hourbook_kit.source.protocol import Page, TicketSeen

PAGE_ROWS = 1000
"""Zammad gives no more (zammad-api.md 7)."""
PAGE_ROWS_LEAST = 50
"""With less to a page, the next one could not begin within it and bring news."""


class Window(NamedTuple):
    """A page in Zammad's terms: `per_page` rows from `(page - 1) * per_page` on."""

    page: int
    per_page: int

    @property
    def begins(self) -> int:
        return (self.page - 1) * self.per_page


def window(read: int, most: int = PAGE_ROWS) -> Window:
    """The page of at most so many rows to ask for after this many by id: it begins before they end.

    Offset paging hides a row when another is deleted before it; a page that still shows the last row
    of the one before it proves that nothing lies between them.
    """
    if read == 0:
        return Window(1, most)
    sizes = range(most - most // 10, most + 1)
    windows = [Window((read - 1) // size + 1, size) for size in sizes]
    return max(windows, key=lambda window: window.begins + window.per_page)


def falls(page: Page) -> bool:
    """Whether the last changed come first; where not, Zammad has not sorted them."""
    return all(one.updated_at >= next_.updated_at for one, next_ in pairwise(page.bookings))


def rises(tickets: Sequence[TicketSeen]) -> bool:
    return all(one.updated_at <= next_.updated_at for one, next_ in pairwise(tickets))

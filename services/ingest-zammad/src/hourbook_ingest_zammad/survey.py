"""What polls and sweeps conclude from lists: which page proves what, who differs, what is too much. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from typing import NamedTuple

from hourbook_contracts.ids import EntryId, entry_of
from hourbook_contracts.installation import Source
from hourbook_ingest_zammad.diff import KnownEntry
from hourbook_ingest_zammad.normalise import Page, TicketSeen, TimeAccounting, entry

PAGE_ROWS = 1000
"""Zammad gives no more (zammad-api.md 7)."""
PAGE_ROWS_LEAST = 50
"""With less to a page, the next one could not begin within it and bring news."""

ALARM = "suddenly_empty"
ALARM_FROM_RECORDS = 20
ALARM_FROM_SHARE = 0.2


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
    return all(one.updated_at >= next_.updated_at for one, next_ in pairwise(page.accountings))


def rises(tickets: Sequence[TicketSeen]) -> bool:
    return all(one.updated_at <= next_.updated_at for one, next_ in pairwise(tickets))


Differences = dict[int, frozenset[object]]
"""By ticket: what of it differs from what is remembered; the same differences are equal."""


def differing(page: Page, source: Source, known: Mapping[EntryId, KnownEntry]) -> Differences:
    """Tickets with an entry that is new, changed, counted with another unit or not readable."""
    found: dict[int, set[object]] = {ticket_id: {"unreadable"} for ticket_id in page.unreadable}
    for accounting in page.accountings:
        if _differs(accounting, source, known):
            found.setdefault(accounting.ticket_id, set()).add(accounting)
    return {ticket_id: frozenset(differences) for ticket_id, differences in found.items()}


def _differs(
    accounting: TimeAccounting, source: Source, known: Mapping[EntryId, KnownEntry]
) -> bool:
    shown = entry(accounting, source)
    if shown is None:
        return False
    remembered = known.get(entry_of(source.name, accounting.id))
    return remembered is None or remembered.value != shown


def merged(differences: Iterable[Differences]) -> Differences:
    found: Differences = {}
    for some in differences:
        for ticket_id, difference in some.items():
            found[ticket_id] = found.get(ticket_id, frozenset()) | difference
    return found


def is_suddenly_empty(*, missing: int, known: int) -> bool:
    """Rather a broken Zammad, a narrowed token or another database than so many deletions at once."""
    return missing >= ALARM_FROM_RECORDS and missing >= ALARM_FROM_SHARE * known

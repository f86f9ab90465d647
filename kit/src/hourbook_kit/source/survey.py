"""What polls and sweeps conclude from lists: who differs, what is too much. Pure."""

from collections.abc import Iterable, Mapping

from hourbook_contracts.ids import EntryId
from hourbook_contracts.installation import Source
from hourbook_kit.source.diff import KnownEntry
from hourbook_kit.source.protocol import Booking, Page
from hourbook_kit.source.units import entry

ALARM = "suddenly_empty"
ALARM_FROM_RECORDS = 20
ALARM_FROM_SHARE = 0.2

Differences = dict[int, frozenset[object]]
"""By ticket: what of it differs from what is remembered; the same differences are equal."""


def differing(page: Page, source: Source, known: Mapping[EntryId, KnownEntry]) -> Differences:
    """Tickets with an entry that is new, changed, moved, counted with another unit or not readable."""
    found: dict[int, set[object]] = {ticket_id: {"unreadable"} for ticket_id in page.unreadable}
    for booking in page.bookings:
        if _differs(booking, source, known):
            found.setdefault(booking.ticket_id, set()).add(booking)
    return {ticket_id: frozenset(differences) for ticket_id, differences in found.items()}


def _differs(booking: Booking, source: Source, known: Mapping[EntryId, KnownEntry]) -> bool:
    shown = entry(booking, source)
    if shown is None:
        return False
    remembered = known.get(source.entry(booking.id))
    if remembered is None or remembered.value != shown:
        return True
    return remembered.book not in {None, source.book(booking.ticket_id)}


def merged(differences: Iterable[Differences]) -> Differences:
    found: Differences = {}
    for some in differences:
        for ticket_id, difference in some.items():
            found[ticket_id] = found.get(ticket_id, frozenset()) | difference
    return found


def is_suddenly_empty(*, missing: int, known: int) -> bool:
    """Rather a broken source, a narrowed token or another database than so many deletions at once."""
    return missing >= ALARM_FROM_RECORDS and missing >= ALARM_FROM_SHARE * known

"""The same history under another policy: what would be wanted, beside what was decided.

Pure, and decides nothing. What people decided stays as it is (answers, work ignored for good, whom an
entry counts for); the place of what was written is concluded anew, as if this policy had always been.
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import date

from hourbook_contracts.audit import Booked, Difference, EntryMoved
from hourbook_contracts.ids import EntryId, SubjectId, posting_of, remainder_of
from hourbook_contracts.installation import Policy
from hourbook_contracts.ledger import ConflictOpened, Work
from hourbook_reconciler.book import Book, Entry
from hourbook_reconciler.decide import may_write
from hourbook_reconciler.netting import net
from hourbook_reconciler.plan import Want, plan
from hourbook_reconciler.rows import booked_on, net_seconds, wanted
from hourbook_reconciler.standing import customer_of

HELD_BACK = "held_back"
"""Why nothing is booked: writing is off there, or the day is before its start."""
IGNORED = "ignored"
"""Or: a person said that it stays without a place."""


def moved(book: Book, policy: Policy) -> Iterator[EntryMoved]:
    """The entries of a book of which something else would be booked, or elsewhere, or in another month."""
    netting = net(book)
    wants = {want.subject: want for want in plan(_unwritten(book), policy)}
    for id_ in sorted(book.entries):
        before = _as_decided(book, id_, net_seconds(netting, id_))
        after = _under(book, id_, wants.get(_subject(book, id_)), policy)
        if not _same(before, after):
            number = book.ticket.ticket.number if book.ticket else None
            yield EntryMoved(
                entry=id_,
                ticket_number=number or book.entries[id_].recorded.ticket.number,
                before=before,
                after=after,
            )


def differences(moves: Iterable[EntryMoved]) -> list[Difference]:
    """By customer, project and month, where the sums differ."""
    sums: dict[tuple[str, str, int, str], list[int]] = {}
    for move in moves:
        for side, booked in enumerate((move.before, move.after)):
            key = (booked.customer, booked.target or "", booked.project_id or 0, booked.month)
            sums.setdefault(key, [0, 0])[side] += booked.seconds
    return [
        Difference(
            customer=customer,
            target=target or None,
            project_id=project or None,
            month=month,
            before_seconds=before,
            after_seconds=after,
        )
        for (customer, target, project, month), (before, after) in sorted(sums.items())
        if before != after
    ]


def _unwritten(book: Book) -> Book:
    """Without the places that were written; a person's word that a posting has none stays."""
    return replace(
        book,
        postings={
            subject: posting
            if posting.mapped is None or posting.mapped.place is None
            else replace(posting, mapped=None)
            for subject, posting in book.postings.items()
        },
    )


def _subject(book: Book, id_: EntryId) -> SubjectId:
    """Of a negative entry its remainder: what others bear of it is missing from theirs."""
    posting = posting_of(book.id, id_)
    return remainder_of(posting) if book.entries[id_].seconds < 0 else posting


def _as_decided(book: Book, id_: EntryId, seconds: int) -> Booked:
    posting = book.posting(_subject(book, id_))
    work = wanted(posting, seconds)
    if work is None:
        return _nowhere(book.entries[id_], seconds, HELD_BACK)
    reason = posting.verdict.reason if isinstance(posting.verdict, ConflictOpened) else IGNORED
    return _booked(book.entries[id_], work, booked_on(posting, book.entries[id_], work), reason)


def _under(book: Book, id_: EntryId, want: Want | None, policy: Policy) -> Booked:
    entry = book.entries[id_]
    if want is None or want.work is None:
        return _nowhere(entry, 0, HELD_BACK)
    tied = book.posting(want.subject).sheet is not None
    if not tied and not may_write(book, want, policy):
        return _nowhere(entry, want.work.duration_seconds, HELD_BACK)
    on = want.trace.placed_on if want.trace and want.trace.placed_on else _made_on(entry)
    return _booked(entry, want.work, on, want.missing.value if want.missing else IGNORED)


def _booked(entry: Entry, work: Work, on: date, reason: str) -> Booked:
    place = work.place
    return Booked(
        customer=customer_of(entry.inputs),
        target=place.target if place else None,
        project_id=place.project_id if place else None,
        month=f"{on:%Y-%m}",
        seconds=work.duration_seconds,
        nowhere_because=None if place else reason,
    )


def _nowhere(entry: Entry, seconds: int, reason: str) -> Booked:
    return Booked(
        customer=customer_of(entry.inputs),
        month=f"{_made_on(entry):%Y-%m}",
        seconds=seconds,
        nowhere_because=reason if seconds else None,
    )


def _made_on(entry: Entry) -> date:
    return entry.recorded.created_at.date()


def _same(before: Booked, after: Booked) -> bool:
    """In minutes: why something is booked nowhere makes no difference, nor where nothing is."""
    if not before.seconds and not after.seconds:
        return True
    return before.model_copy(update={"nowhere_because": after.nowhere_because}) == after

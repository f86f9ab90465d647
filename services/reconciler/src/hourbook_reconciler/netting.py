"""Netting: a negative entry takes its seconds from earlier positive ones of the same agent.

Needs no policy, so the read model can show it after a rebuild from the ledger alone.
"""

from dataclasses import dataclass
from datetime import datetime

from hourbook_contracts.ids import EntryId, number_of
from hourbook_contracts.ledger import Taken
from hourbook_reconciler.book import Book, Entry


@dataclass(frozen=True, slots=True)
class Netting:
    """Whole seconds, all of them: what entries sum to is left plus remainders (negative)."""

    left: dict[EntryId, int]
    """Of each positive entry, after what was taken from it."""
    remainders: dict[EntryId, int]
    """Of each negative entry, what no earlier entry could bear; positive, never 0."""
    taken: dict[EntryId, tuple[Taken, ...]]
    """Of each positive entry, which negative ones took how much."""


def net(book: Book) -> Netting:
    """Same activity type first, then any type of that agent; the latest first."""
    left, negative = {}, []
    for id_, entry in book.entries.items():
        seconds = entry.seconds
        if seconds > 0:
            left[id_] = seconds
        elif seconds < 0:
            negative.append(id_)
    taken: dict[EntryId, list[Taken]] = {}
    remainders: dict[EntryId, int] = {}
    for id_ in sorted(negative, key=lambda negative_id: age(book, negative_id)):
        short = -book.entries[id_].seconds
        for other in _bearers(book, id_, left):
            share = min(left[other], short)
            if share:
                left[other] -= share
                short -= share
                taken.setdefault(other, []).append(Taken(entry=id_, seconds=share))
        if short:
            remainders[id_] = short
    return Netting(left, remainders, {id_: tuple(shares) for id_, shares in taken.items()})


def age(book: Book, id_: EntryId) -> tuple[datetime, int]:
    """When it was made; entries of one moment in the order of their ids."""
    return book.entries[id_].recorded.created_at, number_of(id_)


def _bearers(book: Book, id_: EntryId, left: dict[EntryId, int]) -> list[EntryId]:
    """The earlier positive entries of the same agent, in the order they are taken from."""
    entry = book.entries[id_]
    earlier = [
        other
        for other in left
        if age(book, other) < age(book, id_) and _agent(book.entries[other]) == _agent(entry)
    ]

    def nearness(other: EntryId) -> tuple[bool, tuple[datetime, int]]:
        same_activity = (
            book.entries[other].recorded.activity_type_id == entry.recorded.activity_type_id
        )
        return same_activity, age(book, other)

    return sorted(earlier, key=nearness, reverse=True)


def _agent(entry: Entry) -> int:
    return entry.recorded.agent_id

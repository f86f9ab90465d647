"""No minute is lost or made: over any history of a ticket, from Zammad's JSON to what Kimai is to hold.

Pure: ingest's reading and diff, then the reconciler's fold and plan, without any server.
"""

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from hourbook_contracts.ids import EntryId, book_of, entry_of
from hourbook_contracts.ledger import LedgerMessage
from hourbook_contracts.testing import policy
from hourbook_ingest_zammad import normalise
from hourbook_ingest_zammad.diff import Reading, Remembered, findings
from hourbook_ingest_zammad.normalise import MergedInto, TicketReading
from hourbook_reconciler.book import Book
from hourbook_reconciler.evolve import evolve
from hourbook_reconciler.netting import net
from hourbook_reconciler.plan import plan

BEGAN = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
BOOK = book_of("desk", 7)
UNITS = (60, 900, 3600, 1234)
"""Minute, quarter, hour and a factor of one's own."""
Json = dict[str, Any]


@dataclass
class Zammad:
    """One ticket, as its agents see it; what a unit is worth is said from a moment on."""

    rows: dict[int, Json] = field(default_factory=dict)
    units: list[tuple[datetime, int]] = field(default_factory=lambda: [(BEGAN, 60)])
    ticket: Json = field(default_factory=lambda: {"id": 7, "number": "67007", "organization_id": 2})
    merged_into: MergedInto | None = None
    at: datetime = BEGAN
    last: int = 0

    def book(self, time_unit: str, agent: int, type_id: int | None) -> None:
        self.last += 1
        self.rows[self.last] = {
            "id": self.last,
            "ticket_id": 7,
            "time_unit": time_unit,
            "type_id": type_id,
            "created_by_id": agent,
            "created_at": self.at.isoformat(),
            "updated_at": self.at.isoformat(),
        }

    def edit(self, nth: int, **changes: object) -> None:
        if self.rows:
            row = self.rows[sorted(self.rows)[nth % len(self.rows)]]
            row |= {**changes, "updated_at": self.at.isoformat()}

    def delete(self, nth: int) -> None:
        if self.rows:
            del self.rows[sorted(self.rows)[nth % len(self.rows)]]

    def seconds_per_unit(self, made_at: datetime) -> int:
        return [worth for since, worth in self.units if since <= made_at][-1]

    def exact(self) -> Decimal:
        """What agents have booked, each row rounded to a second once."""
        return sum(
            (
                (Decimal(row["time_unit"]) * self.seconds_per_unit(made)).quantize(
                    Decimal(1), ROUND_HALF_UP
                )
                for row in self.rows.values()
                for made in [datetime.fromisoformat(row["created_at"])]
            ),
            Decimal(0),
        )


@dataclass
class Hourbook:
    """What was read of it, and the book that came of that."""

    remembered: Remembered = field(default_factory=Remembered)
    book: Book = field(default_factory=lambda: Book(BOOK))
    ledger: list[LedgerMessage] = field(default_factory=list)
    no: int = 0

    def read(self, zammad: Zammad) -> None:
        self.no += 1
        shown = [normalise.time_accounting(row) for row in zammad.rows.values()]
        entries = {
            entry_of("desk", one.id): normalise.entry(one, zammad.seconds_per_unit(one.created_at))
            for one in shown
        }
        ticket = TicketReading(
            attributes=normalise.ticket(zammad.ticket).attributes,
            title=None,
            merged_into=zammad.merged_into,
        )
        alive = {id_ for id_, known in self.remembered.entries.items() if not known.gone}
        gone: frozenset[EntryId] = frozenset(alive - entries.keys())
        reading = Reading(BOOK, "desk", self.no, ticket, entries, gone)
        found = findings(self.remembered, reading, zammad.at)
        self.remembered = replace(
            found.remembered,
            entries={**self.remembered.entries, **found.remembered.entries},
            ticket=found.remembered.ticket or self.remembered.ticket,
        )
        for fact in found.facts:
            self.ledger.append(fact)
            self.book = evolve(self.book, fact)


TIMES = st.decimals("-40", "40", places=2).map(str)
AGENTS, TYPES = st.sampled_from((3, 4)), st.sampled_from((None, 1, 2))
BOOKING = st.tuples(st.just("book"), TIMES, AGENTS, TYPES)
STEPS = st.one_of(
    BOOKING,
    BOOKING,
    BOOKING,
    st.tuples(st.just("edit"), st.integers(0, 9), TIMES),
    st.tuples(st.just("retype"), st.integers(0, 9), TYPES),
    st.tuples(st.just("delete"), st.integers(0, 9)),
    st.tuples(st.just("unit"), st.sampled_from(UNITS)),
    st.tuples(st.just("customer"), st.integers(1, 3)),
    st.tuples(st.just("merge")),
    st.tuples(st.just("read")),
)


HISTORIES = st.lists(STEPS, min_size=6, max_size=40)


def take(zammad: Zammad, hourbook: Hourbook, step: tuple[Any, ...]) -> None:
    zammad.at += timedelta(minutes=7)
    match step:
        case ("book", time_unit, agent, type_id):
            zammad.book(time_unit, agent, type_id)
        case ("edit", nth, time_unit):
            zammad.edit(nth, time_unit=time_unit)
        case ("retype", nth, type_id):
            zammad.edit(nth, type_id=type_id)
        case ("delete", nth):
            zammad.delete(nth)
        case ("unit", worth):
            zammad.units.append((zammad.at, worth))
        case ("customer", organization_id):
            zammad.ticket["organization_id"] = organization_id
        case ("merge",):
            zammad.merged_into = MergedInto(book=book_of("desk", 8), number="67008", title=None)
        case _:
            hourbook.read(zammad)


def planned(book: Book) -> int:
    """Seconds that Kimai is to hold, less what no earlier entry could bear."""
    postings = [want for want in plan(book, policy()) if want.work is not None]
    remainders = sum(net(book).remainders.values())
    negative = {f"{id_}" for id_ in net(book).remainders}
    held = sum(
        want.work.duration_seconds
        for want in postings
        if want.work is not None and not want.subject.endswith("/remainder")
    )
    assert len(negative) == sum(want.subject.endswith("/remainder") for want in postings)
    return held - remainders


@given(HISTORIES)
def test_what_agents_booked_is_what_kimai_is_to_hold_to_the_second(
    steps: list[tuple[Any, ...]],
) -> None:
    zammad, hourbook = Zammad(), Hourbook()
    for step in steps:
        take(zammad, hourbook, step)
    hourbook.read(zammad)
    assert planned(hourbook.book) == zammad.exact()


@given(HISTORIES)
def test_a_unit_that_changes_changes_only_what_is_booked_after_it(
    steps: list[tuple[Any, ...]],
) -> None:
    zammad, hourbook = Zammad(), Hourbook()
    for step in steps:
        take(zammad, hourbook, step)
    hourbook.read(zammad)
    said = len(hourbook.ledger)
    zammad.at += timedelta(minutes=7)
    zammad.units.append((zammad.at, 3600))
    hourbook.read(zammad)
    assert len(hourbook.ledger) == said


@given(HISTORIES)
def test_reading_more_often_changes_nothing_at_the_end(steps: list[tuple[Any, ...]]) -> None:
    """Between two looks an entry may come and go: only the first look at a ticket's customer stays."""
    zammad, seldom = Zammad(), Hourbook()
    for step in steps:
        if step[0] != "read":
            take(zammad, seldom, step)
    seldom.read(zammad)
    again, often = Zammad(), Hourbook()
    for step in steps:
        if step[0] != "read":
            take(again, often, step)
            often.read(again)
    assert planned(often.book) == planned(seldom.book) == zammad.exact()

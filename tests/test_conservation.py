"""No minute is made or lost between Zammad and Kimai, whatever agents do and in whatever order it is read.

Pure: Zammad is a few dictionaries, ingest's reading of it and the reconciler's core are the real ones,
and Kimai is a table that does what it is asked. Times only pass where somebody does something.
"""

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from hourbook_contracts.control import SourceConfigured, UnitConfirmed
from hourbook_contracts.ids import BookId, SheetId, book_of, entry_of, sheet_of
from hourbook_contracts.installation import Policy, Source
from hourbook_contracts.ledger import (
    ConflictOpened,
    ConflictResolved,
    Decision,
    LedgerMessage,
    TicketAttributes,
    TimesheetRequested,
    TimesheetWritten,
    Work,
)
from hourbook_contracts.testing import mapping, policy
from hourbook_kit.source.diff import Reading, Remembered, findings, missing
from hourbook_kit.source.protocol import Booking, MergedInto, TicketReading
from hourbook_kit.source.reading import entries as counted
from hourbook_reconciler.book import Book
from hourbook_reconciler.decide import decisions
from hourbook_reconciler.evolve import evolve
from hourbook_reconciler.netting import net
from hourbook_reconciler.plan import plan

BEGAN = datetime(2026, 3, 28, 20, 0, tzinfo=UTC)
"""The evening before the clocks go forward in Berlin."""
AGENTS = {3: "Europe/Berlin", 4: "America/New_York"}
ORGANIZATIONS = {2: 7, 3: 8}
"""Each with a project of its own."""
TYPES = (1, 2)
UNITS = {"minute": 60, "quarter": 900, "hour": 3600, "custom": 1001}
RULES: Policy = policy(
    *(mapping("worker", str(agent), 10 + agent, zone) for agent, zone in AGENTS.items()),
    *(mapping("customer", f"organization:{one}", of) for one, of in ORGANIZATIONS.items()),
    *(mapping("activity", str(kind), 20 + kind) for kind in TYPES),
)


@dataclass
class Desk:
    """A Zammad: what agents do to it. Its unit is a name, and changing it changes no number."""

    now: datetime = BEGAN
    rows: dict[int, Booking] = field(default_factory=dict)
    organization: dict[int, int] = field(default_factory=lambda: {1: 2, 2: 2, 3: 3})
    merged: dict[int, int] = field(default_factory=dict)
    deleted: set[int] = field(default_factory=set)
    units: list[UnitConfirmed] = field(default_factory=lambda: [confirmed("minute", BEGAN)])
    made: int = 0

    def book(self, ticket: int, agent: int, units: Decimal, kind: int) -> None:
        self.made += 1
        self.rows[self.made] = Booking(
            id=self.made,
            ticket_id=ticket,
            raw_units=str(units),
            activity_type_id=kind,
            agent_id=agent,
            created_at=self.now,
            updated_at=self.now,
        )

    def edit(self, number: int, **changed: Any) -> None:
        wish = changed | {"updated_at": self.now}
        self.rows[number] = replace(self.rows[number], **wish)

    def switch(self, unit: str) -> None:
        self.units.append(confirmed(unit, self.now))

    @property
    def source(self) -> Source:
        configured = SourceConfigured(
            observed_at=BEGAN, by="test", connection="desk", base_url="http://z", secret_version=1
        )
        return Source(configured, units=tuple(self.units))

    def seconds(self, row: Booking) -> Decimal:
        """What it is worth by the unit in force when it was made, reckoned once more and otherwise."""
        in_force = [unit for unit in self.units if unit.effective_from <= row.created_at]
        worth = Decimal(row.raw_units) * in_force[-1].seconds_per_unit
        return worth.quantize(Decimal(1), ROUND_HALF_UP)


def confirmed(unit: str, since: datetime) -> UnitConfirmed:
    return UnitConfirmed(
        observed_at=since,
        by="test",
        connection="desk",
        unit=unit,
        seconds_per_unit=UNITS[unit],
        effective_from=since,
    )


@dataclass
class World:
    """Zammad, what ingest remembers of it, the books, and a Kimai that does what it is asked."""

    desk: Desk = field(default_factory=Desk)
    remembered: dict[int, Remembered] = field(default_factory=dict)
    books: dict[int, Book] = field(default_factory=dict)
    sheets: dict[SheetId, Work] = field(default_factory=dict)
    ledger: list[LedgerMessage] = field(default_factory=list)
    no: int = 0

    def book(self, ticket: int) -> Book:
        return self.books.get(ticket) or Book(book_of("desk", ticket))

    def tell(self, ticket: int, message: LedgerMessage) -> None:
        self.ledger.append(message)
        self.books[ticket] = evolve(self.book(ticket), message)

    # ------------------------------------------------------------------------------ ingest
    def read(self, ticket: int) -> None:
        self.no += 1
        known = self.remembered.get(ticket, Remembered())
        reading = self.look(ticket)
        gone = missing(known, reading)
        reading = Reading(
            reading.book, "desk", self.no, reading.ticket, reading.entries, gone, reading.kept
        )
        found = findings(known, reading, self.desk.now)
        seen = found.remembered
        self.remembered[ticket] = Remembered(
            {**known.entries, **seen.entries}, seen.ticket or known.ticket
        )
        for fact in found.facts:
            self.tell(ticket, fact)

    def look(self, ticket: int) -> Reading:
        rows = tuple(row for row in self.desk.rows.values() if row.ticket_id == ticket)
        entries = counted(self.desk.source, rows)
        shown = None if ticket in self.desk.deleted else self.ticket(ticket)
        return Reading(book_of("desk", ticket), "desk", self.no, shown, entries)

    def ticket(self, ticket: int) -> TicketReading:
        target = self.desk.merged.get(ticket)
        into = None
        if target is not None:
            into = MergedInto(book=book_of("desk", target), number=f"6500{target}", title=None)
        attributes = TicketAttributes(
            number=f"6500{ticket}", organization_id=self.desk.organization[ticket]
        )
        return TicketReading(attributes=attributes, title=None, merged_into=into)

    # ------------------------------------------------------------------------------ reconciler, push
    def decide(self, ticket: int) -> list[Decision]:
        said = decisions(self.book(ticket), RULES, self.desk.now)
        for decision in said:
            self.tell(ticket, decision)
        return said

    def push(self, ticket: int) -> None:
        """Answer every open request, as a Kimai without rules of its own would."""
        for posting in list(self.book(ticket).postings.values()):
            if posting.waits_for_push and isinstance(posting.verdict, TimesheetRequested):
                self.carry_out(ticket, posting.verdict)

    def carry_out(self, ticket: int, asked: TimesheetRequested) -> None:
        self.no += 1
        sheet = asked.sheet or sheet_of("hours", self.no)
        assert self.sheets.get(sheet) == asked.expected
        self.sheets.pop(sheet, None)
        if asked.want is not None:
            assert asked.want.place is not None
            self.sheets[sheet] = asked.want
        self.tell(
            ticket,
            TimesheetWritten(
                book=asked.book,
                connection="hours",
                observed_at=self.desk.now,
                posting=asked.posting,
                gen=asked.gen,
                no=self.no,
                sheet=sheet,
                asked=asked.want,
                stored=asked.want,
                sure=True,
            ),
        )

    def answer(self, ticket: int, choice: str) -> None:
        """What a person is asked and this is an answer to; negative balances wait for ever."""
        for posting in list(self.book(ticket).postings.values()):
            question = posting.verdict
            if posting.asks and isinstance(question, ConflictOpened) and question.instead:
                self.tell(ticket, resolved(question, choice))

    def settle(self, ticket: int) -> None:
        """Until nobody has anything to say."""
        for _ in range(20):
            self.push(ticket)
            if not self.decide(ticket):
                return
        raise AssertionError("they never come to rest")


def resolved(question: ConflictOpened, choice: str) -> ConflictResolved:
    return ConflictResolved.model_validate(
        {
            "book": question.book,
            "connection": "desk",
            "observed_at": BEGAN,
            "posting": question.posting,
            "gen": question.gen,
            "choice": choice,
            "want": question.want,
            "held": question.held,
            "by": "test",
        },
        strict=False,
    )


class Story:
    """Draws what happens next from what there is."""

    def __init__(self, draw: st.DrawFn, *, doubtful: bool) -> None:
        self.draw, self.world, self.doubtful = draw, World(), doubtful

    def ticket(self) -> int:
        return self.draw(st.sampled_from(sorted(self.world.desk.organization)))

    def units(self, *, negative: bool) -> Decimal:
        cents = self.draw(st.integers(1, 1200))
        return Decimal(-cents if negative else cents) / 100

    def step(self) -> None:
        self.world.desk.now += timedelta(minutes=self.draw(st.integers(1, 600)))
        names = ("book", "book", "correct", "edit", "retype", "delete", "give", "merge", "switch")
        name = self.draw(
            st.sampled_from((*names, "drop", "read", "read", "work", "work", "answer"))
        )
        getattr(self, name)()
        if self.draw(st.booleans()):
            self.read()

    def book(self) -> None:
        self._book(negative=False)

    def correct(self) -> None:
        self._book(negative=True)

    def _book(self, *, negative: bool) -> None:
        alive = set(self.world.desk.organization) - self.world.desk.deleted
        if alive:
            ticket = self.draw(st.sampled_from(sorted(alive)))
            agent, kind = (
                self.draw(st.sampled_from(list(AGENTS))),
                self.draw(st.sampled_from(TYPES)),
            )
            self.world.desk.book(ticket, agent, self.units(negative=negative), kind)

    def _row(self) -> int | None:
        rows = sorted(self.world.desk.rows)
        return self.draw(st.sampled_from(rows)) if rows else None

    def _is_plain(self, number: int) -> bool:
        """By one unit made and edited."""
        units, row = self.world.desk.units, self.world.desk.rows[number]
        return units[-1].effective_from <= row.created_at

    def edit(self) -> None:
        number = self._row()
        if number is not None and (self.doubtful or self._is_plain(number)):
            negative = self.draw(st.booleans())
            units = self.draw(st.sampled_from([self.units(negative=negative), Decimal("0.0")]))
            self.world.desk.edit(number, raw_units=str(units))

    def retype(self) -> None:
        """After a switch of units nobody can tell it from an edit, unless the entry was read before."""
        number = self._row()
        if number is None:
            return
        row = self.world.desk.rows[number]
        known = self.world.book(row.ticket_id).entries.get(entry_of("desk", number))
        was_read = known is not None and known.recorded.raw_units == row.raw_units
        if self.doubtful or was_read or self._is_plain(number):
            self.world.desk.edit(number, activity_type_id=self.draw(st.sampled_from(TYPES)))

    def delete(self) -> None:
        if (number := self._row()) is not None:
            del self.world.desk.rows[number]

    def give(self) -> None:
        self.world.desk.organization[self.ticket()] = self.draw(
            st.sampled_from(sorted(ORGANIZATIONS))
        )

    def merge(self) -> None:
        source, target = self.ticket(), self.ticket()
        if source != target:
            self.world.desk.merged[source] = target

    def switch(self) -> None:
        self.world.desk.switch(self.draw(st.sampled_from(sorted(UNITS))))

    def drop(self) -> None:
        """A ticket is deleted with all its time."""
        ticket, desk = self.ticket(), self.world.desk
        desk.deleted.add(ticket)
        desk.rows = {n: row for n, row in desk.rows.items() if row.ticket_id != ticket}

    def read(self) -> None:
        self.world.read(self.ticket())

    def work(self) -> None:
        ticket = self.ticket()
        if self.draw(st.booleans()):
            self.world.push(ticket)
        self.world.decide(ticket)

    def answer(self) -> None:
        self.world.answer(self.ticket(), self.draw(st.sampled_from(["zammad", "kimai"])))


@st.composite
def worlds(draw: st.DrawFn, *, doubtful: bool) -> World:
    """`doubtful`: agents also edit what was made by another unit than the one in force."""
    story = Story(draw, doubtful=doubtful)
    for _ in range(draw(st.integers(1, 30))):
        story.step()
    return story.world


@dataclass(frozen=True)
class Sums:
    """Of one book, in seconds."""

    entries: int
    held: int
    """By Kimai, in the rows that answer its postings."""
    waiting: int
    """Wanted, and not held because a person or push is still to act; may be negative."""
    unborne: int
    """Negative remainders: what no entry could bear."""

    @property
    def explained(self) -> int:
        return self.held + self.waiting - self.unborne


def sums(world: World, ticket: int) -> Sums:
    book = world.book(ticket)
    wants = {w.subject: w.work for w in plan(book, RULES) if not w.subject.endswith("/remainder")}
    held, waiting = 0, 0
    for subject in wants.keys() | book.postings.keys():
        posting = book.posting(subject)
        work = world.sheets.get(posting.sheet) if posting.sheet else None
        seconds = work.duration_seconds if work else 0
        held += seconds
        if posting.asks or posting.waits_for_push:
            want = wants.get(subject)
            waiting += (want.duration_seconds if want else 0) - seconds
    return Sums(
        entries=sum(entry.seconds for entry in book.entries.values()),
        held=held,
        waiting=waiting,
        unborne=sum(net(book).remainders.values()),
    )


@settings(max_examples=300, deadline=None)
@given(worlds(doubtful=False))
def test_minutes_are_conserved_over_any_history(world: World) -> None:
    """Zammad's, by the units they were made in = Kimai's + those that wait - those nobody could bear."""
    for ticket in world.desk.organization:
        world.read(ticket)
        world.settle(ticket)
        rows = [row for row in world.desk.rows.values() if row.ticket_id == ticket]
        assert sum(map(world.desk.seconds, rows)) == sums(world, ticket).explained


@settings(max_examples=150, deadline=None)
@given(worlds(doubtful=True))
def test_while_an_edit_is_in_doubt_what_was_certain_is_conserved(world: World) -> None:
    """Also where a person answered for it, by whichever unit; and when all is answered, nothing waits."""
    for ticket in world.desk.organization:
        world.read(ticket)
        world.settle(ticket)
        found = sums(world, ticket)
        assert found.entries == found.explained
        world.answer(ticket, "zammad")
        world.settle(ticket)
        found = sums(world, ticket)
        assert (found.entries, found.waiting) == (found.held - found.unborne, 0)


@settings(max_examples=100, deadline=None)
@given(worlds(doubtful=True))
def test_the_ledger_alone_gives_the_same_books_and_once_more_nothing(world: World) -> None:
    for ticket in world.desk.organization:
        world.read(ticket)
        world.settle(ticket)
    folded: dict[BookId, Book] = {}
    for message in [*world.ledger, *world.ledger]:
        folded[message.book] = evolve(folded.get(message.book) or Book(message.book), message)
    assert folded == {book.id: book for book in world.books.values()}
    for book in folded.values():
        assert decisions(book, RULES, world.desk.now) == []


@settings(max_examples=100, deadline=None)
@given(worlds(doubtful=True))
def test_for_whom_an_hour_is_changes_by_a_persons_word_alone(world: World) -> None:
    """Of a customer and month: Kimai's rows are those of the entries that were first read as theirs."""
    for ticket in world.desk.organization:
        world.read(ticket)
        world.settle(ticket)
        world.answer(ticket, "kimai")
        world.settle(ticket)
    first: dict[str, int | None] = {}
    moved: set[str] = set()
    for message in world.ledger:
        if message.TYPE == "hourbook.entry_recorded.v1":
            first.setdefault(message.subject, message.ticket.organization_id)  # type: ignore[attr-defined]  # its type says so
        if isinstance(message, ConflictResolved) and message.choice == "zammad":
            moved.add(message.posting)
    for book in world.books.values():
        for subject, posting in book.postings.items():
            work = world.sheets.get(posting.sheet) if posting.sheet else None
            if work is None or subject in moved or work.place is None:
                continue
            entry = f"zammad:desk:{subject.rpartition('/')[2]}"
            assert work.place.project_id == ORGANIZATIONS[first[entry] or 0]


@settings(max_examples=60, deadline=None)
@given(worlds(doubtful=True), st.sampled_from(sorted(UNITS)))
def test_a_unit_that_changes_changes_only_what_is_booked_after_it(world: World, unit: str) -> None:
    for ticket in world.desk.organization:
        world.read(ticket)
    said = len(world.ledger)
    world.desk.now += timedelta(minutes=7)
    world.desk.switch(unit)
    for ticket in world.desk.organization:
        world.read(ticket)
    assert len(world.ledger) == said

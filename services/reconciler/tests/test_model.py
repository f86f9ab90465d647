"""The product's core says what the executable specification says, on histories of one agent.

The specification's entries e1..e4 are ours 1..4; its activities are our activity types, its projects
our Kimai activities (its rules map the one to the other); a day is a function of the entry, because
Zammad's `created_at` never changes.
"""

import importlib.util
import sys
from datetime import date, timedelta
from pathlib import Path
from types import ModuleType
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from hourbook_contracts.ids import EntryId, SheetId, SubjectId, entry_of, posting_of, sheet_of
from hourbook_contracts.installation import Policy, Target
from hourbook_contracts.ledger import (
    Candidate,
    ConflictOpened,
    ConflictResolved,
    Decision,
    LedgerMessage,
    PushRefused,
    Settled,
    TimesheetObserved,
    TimesheetRequested,
    TimesheetVanished,
    TimesheetWritten,
    Work,
)
from hourbook_contracts.testing import (
    BOOK,
    MAPPINGS,
    NOON,
    PLACE,
    mapping,
    policy,
    recorded,
    retracted,
    work,
)
from hourbook_reconciler.book import Book
from hourbook_reconciler.decide import decisions
from hourbook_reconciler.evolve import evolve


def _specification() -> ModuleType:
    path = Path(__file__).parent / "model" / "core.py"
    spec = importlib.util.spec_from_file_location("hourbook_model_core", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # its dataclasses look their module up
    spec.loader.exec_module(module)
    return module


core = _specification()
MENDS = core.Mends()
TYPES = {"x": 1, "y": 2, "z": 3}
PROJECTS = {"P": 101, "Q": 102, "R": 103}
ENTRIES = ("e1", "e2", "e3", "e4")


def day_of(entry: str) -> int:
    return 0 if entry in ("e1", "e2") else 1


# ------------------------------------------------------------------------ from the specification to ours
def our_entry(entry: str) -> EntryId:
    return entry_of("desk", int(entry[1:]))


def our_posting(posting: str) -> SubjectId:
    return posting_of(BOOK, our_entry(posting))


def our_sheet(sheet: int) -> SheetId:
    return sheet_of("hours", sheet)


def our_work(theirs: Any) -> Work | None:
    if theirs is None:
        return None
    place = (
        PLACE.model_copy(update={"activity_id": PROJECTS[theirs.project]})
        if theirs.project
        else None
    )
    return work(theirs.minutes, place=place, made=NOON + timedelta(days=theirs.day))


def our_policy(theirs: Any) -> Policy:
    rules = [mapping("activity", str(TYPES[a]), PROJECTS[p]) for a, p in theirs.projects if p]
    ours = policy(MAPPINGS[0], MAPPINGS[1], *rules, version=theirs.version)
    days = [(NOON + timedelta(days=day)).date() for day in sorted(theirs.closed)]
    target = ours.targets["hours"]
    closed: tuple[tuple[date, date], ...] = tuple((day, day) for day in days)
    return Policy(
        version=ours.version,
        targets={"hours": Target(target.configured, writing=True, closed=closed)},
        mappings=ours.mappings,
    )


def our_candidates(theirs: Any) -> tuple[Candidate, ...]:
    found = []
    for sheet, held in theirs:
        ours = our_work(held)
        assert ours is not None
        found.append(Candidate(sheet=our_sheet(sheet), work=ours))
    return tuple(found)


def our_message(m: Any) -> LedgerMessage:
    common: dict[str, Any] = {"book": BOOK, "connection": "desk", "observed_at": NOON}
    name = type(m).__name__
    if name == "EntryRecorded":
        made = NOON + timedelta(days=m.day)
        return recorded(
            m.minutes,
            no=m.no,
            entry=our_entry(m.entry),
            activity_type_id=TYPES[m.activity],
            made=made,
        )
    if name == "EntryRetracted":
        return retracted(no=m.no, entry=our_entry(m.entry))
    if name == "TimesheetObserved":
        held = our_work(m.work)
        assert held is not None
        return TimesheetObserved(
            **common, sheet=our_sheet(m.sheet), no=m.no, work=held, locked=m.locked
        )
    if name == "TimesheetVanished":
        return TimesheetVanished(**common, sheet=our_sheet(m.sheet), no=m.no)
    common |= {"posting": our_posting(m.posting), "gen": m.gen}
    if name == "TimesheetWritten":
        return TimesheetWritten(
            **common,
            no=m.no,
            sheet=our_sheet(m.sheet),
            asked=our_work(m.asked),
            stored=our_work(m.stored),
            sure=m.sure,
        )
    if name == "PushRefused":
        return PushRefused(
            **common,
            no=m.no,
            why=m.why,
            sheet=None if m.sheet is None else our_sheet(m.sheet),
            held=our_work(m.held),
            locked=m.locked,
            candidates=our_candidates(m.candidates),
        )
    assert name == "ConflictResolved"
    return ConflictResolved(
        **common,
        choice=m.choice,
        want=our_work(m.want),
        held=our_work(m.held),
        candidates=our_candidates(m.candidates),
        by="test",
    )


# ------------------------------------------------------------------------ what is compared
def their_words(d: Any) -> tuple[Any, ...]:
    """A decision of the specification's, in our values."""
    head = (our_posting(d.posting), d.gen, d.policy)
    kind = type(d).__name__
    if kind == "Settled":
        return (*head, "settled")
    if kind == "ConflictOpened":
        return (*head, d.reason, our_work(d.want), our_work(d.held), our_candidates(d.candidates))
    sheet = None if d.sheet is None else our_sheet(d.sheet)
    others = tuple(our_sheet(s) for s in d.not_these)
    return (*head, d.op, sheet, our_work(d.expected), our_work(d.want), TYPES[d.activity], others)


THEIR_REASON = {
    "unmapped_activity": "unmapped",
    "retracted_after_export": "locked_in_kimai",
}


def our_words(d: Decision) -> tuple[Any, ...]:
    head = (d.posting, d.gen, d.policy)
    if isinstance(d, Settled):
        return (*head, "settled")
    if isinstance(d, ConflictOpened):
        reason = THEIR_REASON.get(d.reason, d.reason)
        return (*head, reason, d.want, d.held, d.candidates)
    assert isinstance(d, TimesheetRequested)
    assert d.inputs is not None
    return (*head, d.op, d.sheet, d.expected, d.want, d.inputs.activity_type_id, d.not_these)


class Pair:
    """Both cores, told the same."""

    def __init__(self) -> None:
        self.theirs, self.ours = core.EMPTY, Book(BOOK)
        self.rules = core.Policy(1, (("x", "P"), ("y", "Q")), frozenset())
        self.no = 0

    def tell(self, message: Any) -> None:
        self.theirs = core.evolve(self.theirs, message, MENDS)
        self.ours = evolve(self.ours, our_message(message))

    def decided(self) -> list[tuple[Any, Decision]]:
        """What both say, each in its own words, once they agree on it."""
        theirs = core.decisions(self.theirs, self.rules, MENDS)
        ours = [
            d
            for d in decisions(self.ours, our_policy(self.rules), NOON)
            if not d.posting.endswith("/remainder")  # a question of the product's own
        ]
        in_order = sorted(theirs, key=lambda d: our_posting(d.posting))
        assert [their_words(d) for d in in_order] == [our_words(d) for d in ours]
        return list(zip(in_order, ours, strict=True))

    def publish(self, theirs: Any, ours: Decision) -> None:
        self.theirs = core.evolve(self.theirs, theirs, MENDS)
        self.ours = evolve(self.ours, ours)


WHYS = ("changed", "gone", "locked", "unclear", "invalid", "possible_duplicate")
CHOICES = ("zammad", "kimai", "adopt", "anyway")


class Story:
    """Draws the next step of a history from what both sides hold now."""

    def __init__(self, draw: st.DrawFn) -> None:
        self.draw, self.pair = draw, Pair()
        self.past: list[tuple[Any, Decision]] = []

    def one_of(self, *choices: Any) -> Any:
        return self.draw(st.sampled_from(choices))

    def number(self) -> int:
        """Mostly the next, sometimes one of the past."""
        self.pair.no += 1
        return (
            self.pair.no
            if self.one_of(True, True, True, False)
            else self.one_of(*range(1, self.pair.no + 1))
        )

    def some_work(self) -> Any:
        return core.Work("u", self.one_of(0, 1), self.one_of("P", "Q"), self.one_of(5, 15, 30, 45))

    def step(self) -> None:
        kind = self.one_of(
            "entry",
            "entry",
            "retract",
            "kimai",
            "answer",
            "answer",
            "answer",
            "person",
            "rules",
            "old",
        )
        getattr(self, kind)()
        for theirs, ours in self.pair.decided():
            self.past.append((theirs, ours))
            if self.one_of(True, True, True, False):
                self.pair.publish(theirs, ours)

    def entry(self) -> None:
        entry = self.one_of(*ENTRIES)
        minutes = self.one_of(15, 30, 45, 5, -15, -30)
        activity = self.one_of("x", "x", "y", "z")
        self.pair.tell(
            core.EntryRecorded(entry, self.number(), minutes, "u", activity, day_of(entry))
        )

    def retract(self) -> None:
        self.pair.tell(core.EntryRetracted(self.one_of(*ENTRIES), self.number()))

    def kimai(self) -> None:
        sheet, no = self.one_of(1, 2, 3), self.number()
        if self.one_of(True, True, False):
            self.pair.tell(
                core.TimesheetObserved(sheet, no, self.some_work(), self.one_of(False, False, True))
            )
        else:
            self.pair.tell(core.TimesheetVanished(sheet, no))

    def answer(self) -> None:
        """To an open request, or to one of the past."""
        open_ = [p.verdict for p in self.pair.theirs.postings.values() if p.waits_for_push]
        asked = open_ or [d for d, _ in self.past if type(d).__name__ == "TimesheetRequested"]
        if not asked:
            return
        r, no = self.one_of(*asked), self.number()
        if self.one_of(True, True, False):
            sheet = r.sheet or self.one_of(1, 2, 3)
            stored = r.want and self.one_of(r.want, r.want, r.want._replace(minutes=60))
            self.pair.tell(
                core.TimesheetWritten(
                    r.posting, r.gen, no, sheet, r.want, stored, self.one_of(True, True, False)
                )
            )
            return
        why = self.one_of(*WHYS)
        candidates = ((3, self.some_work()),) if why == "possible_duplicate" else ()
        held = None if why in ("gone", "possible_duplicate") else self.some_work()
        sheet = None if why == "possible_duplicate" else r.sheet
        self.pair.tell(
            core.PushRefused(r.posting, r.gen, no, why, sheet, held, why == "locked", candidates)
        )

    def person(self) -> None:
        asked = [d for d, _ in self.past if type(d).__name__ == "ConflictOpened"]
        if not asked:
            return
        q, choice = self.one_of(*asked[-4:]), self.one_of(*CHOICES)
        if choice in ("adopt", "anyway") and not q.candidates:
            choice = "zammad"
        self.pair.tell(
            core.ConflictResolved(q.posting, q.gen, choice, q.want, q.held, q.candidates)
        )

    def rules(self) -> None:
        rules = dict(self.pair.rules.projects)
        rules[self.one_of("x", "y", "z")] = self.one_of("P", "Q", "R", None)
        closed = self.pair.rules.closed | ({0} if self.one_of(True, *[False] * 5) else set())
        self.pair.rules = core.Policy(
            self.pair.rules.version + 1, tuple(sorted(rules.items())), frozenset(closed)
        )

    def old(self) -> None:
        """A relay that slept publishes a decision of the past."""
        if self.past:
            self.pair.publish(*self.one_of(*self.past))


@st.composite
def stories(draw: st.DrawFn) -> Pair:
    story = Story(draw)
    for _ in range(draw(st.integers(1, 25))):
        story.step()
    return story.pair


@settings(max_examples=250, deadline=None)
@given(stories())
def test_the_core_decides_what_the_specification_decides(pair: Pair) -> None:
    """Every step was compared on the way; at the end the registers agree, too."""
    for posting, theirs in pair.theirs.postings.items():
        ours = pair.ours.postings[our_posting(posting)]
        assert (ours.gen, ours.policy, ours.answered, ours.resolved) == (
            theirs.gen,
            theirs.policy,
            theirs.answered,
            theirs.resolved,
        )
        assert ours.sheet == (None if theirs.sheet is None else our_sheet(theirs.sheet))
        assert ours.agreed.want == our_work(theirs.agreed.want)

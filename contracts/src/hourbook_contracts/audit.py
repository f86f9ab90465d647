"""How the ledger stood at a place in the past: what a replay tells, as values that go over the wire.

Durations are whole seconds, datetimes are UTC. Nothing here is ever written to a topic.
"""

from collections.abc import Iterable
from datetime import date

from hourbook_contracts.ids import BookId, EntryId, SheetId
from hourbook_contracts.ledger import Work
from hourbook_contracts.message import Moment, Value


class RuleFired(Value):
    """A mapping that a verdict rests on, and who had set it so when the verdict was made."""

    kind: str
    key: str
    mapping: str
    by: str | None = None
    set_at: Moment | None = None


class Decided(Value):
    """The verdict that counted last."""

    what: str
    """`create`, `update`, `delete`, `adopt`; `asked`; `settled`."""
    gen: int
    policy: int
    at: Moment
    place: str | None = None
    """`partition/offset` on the ledger."""
    rules: tuple[RuleFired, ...] = ()


class Answered(Value):
    """How the last question ended: by a person's choice, or `withdrawn`."""

    choice: str
    by: str | None
    at: Moment


class Standing(Value):
    """One entry as it stood."""

    entry: EntryId
    book: BookId
    ticket_number: str
    customer: str
    """`organization:<id>`, `customer:<id>` or `none`: whom its time counts for."""
    agent_id: int
    day: date
    duration_seconds: int
    """What Zammad held; 0 when it was retracted."""
    net_seconds: int
    state: str
    reason: str | None
    want: Work | None
    held: Work | None
    sheet: SheetId | None
    decided: Decided | None
    answered: Answered | None


class Change(Value):
    """An entry that stood otherwise at another place; None: it was not known there."""

    entry: EntryId
    before: Standing | None
    after: Standing | None


class Summary(Value):
    """Many standings added up."""

    entries: int
    states: dict[str, int]
    net_seconds: int
    held_seconds: int


class Booked(Value):
    """How many seconds of an entry are wanted where, and in which month."""

    customer: str
    target: str | None = None
    project_id: int | None = None
    month: str
    """`2026-03`, of the day in the worker's zone."""
    seconds: int
    nowhere_because: str | None = None
    """Where there is no project: a reason of a question, `held_back` or `ignored`."""


class EntryMoved(Value):
    """An entry of which another policy would book something else."""

    entry: EntryId
    ticket_number: str
    before: Booked
    after: Booked


class Difference(Value):
    """What would be booked otherwise for a customer on a project in a month."""

    customer: str
    target: str | None
    project_id: int | None
    month: str
    before_seconds: int
    after_seconds: int


def differences(before: Iterable[Standing], after: Iterable[Standing]) -> list[Change]:
    """Entries that stand otherwise, in the order of their ids."""
    old = {standing.entry: standing for standing in before}
    new = {standing.entry: standing for standing in after}
    return [
        Change(entry=entry, before=old.get(entry), after=new.get(entry))
        for entry in sorted(old.keys() | new.keys())
        if old.get(entry) != new.get(entry)
    ]


def added(one: Summary, other: Summary) -> Summary:
    """Of two that tell of different entries."""
    states = {
        state: one.states.get(state, 0) + other.states.get(state, 0)
        for state in sorted(one.states.keys() | other.states.keys())
    }
    return Summary(
        entries=one.entries + other.entries,
        states=states,
        net_seconds=one.net_seconds + other.net_seconds,
        held_seconds=one.held_seconds + other.held_seconds,
    )


def summary(standings: Iterable[Standing]) -> Summary:
    states: dict[str, int] = {}
    entries = net = held = 0
    for standing in standings:
        entries += 1
        states[standing.state] = states.get(standing.state, 0) + 1
        net += standing.net_seconds
        held += standing.held.duration_seconds if standing.held else 0
    return Summary(
        entries=entries, states=dict(sorted(states.items())), net_seconds=net, held_seconds=held
    )

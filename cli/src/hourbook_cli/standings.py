"""`hourbook replay`: how entries stood at a place of the ledger, and what differs between two, in lines.

Pure: takes what a replay found, gives lines.
"""

from collections.abc import Iterable
from typing import NamedTuple

from hourbook_cli.story import duration
from hourbook_contracts.audit import Booked, Change, Difference, EntryMoved, Standing, Summary
from hourbook_contracts.ledger import Work


class Row(NamedTuple):
    entry: str
    ticket: str
    customer: str
    zammad: str
    kimai: str
    state: str
    decided: str


def row(standing: Standing) -> Row:
    return Row(
        entry=standing.entry,
        ticket=standing.ticket_number,
        customer=standing.customer,
        zammad=duration(standing.net_seconds),
        kimai=held(standing.held),
        state=standing.state + (f": {standing.reason}" if standing.reason else ""),
        decided=decided(standing),
    )


def held(work: Work | None) -> str:
    return "nothing" if work is None else duration(work.duration_seconds)


def decided(standing: Standing) -> str:
    """What was decided last, where that stands, by which rules of whom, and what a person said."""
    parts = []
    if (said := standing.decided) is not None:
        rules = ", ".join(
            f"{rule.kind} {rule.key} ({rule.mapping}" + (f", by {rule.by})" if rule.by else ")")
            for rule in said.rules
        )
        where = f" at {said.place}" if said.place else ""
        parts.append(f"{said.what}{where}, policy {said.policy}" + (f": {rules}" if rules else ""))
    if (answer := standing.answered) is not None:
        parts.append(f"{answer.by or 'its ground is gone'}: {answer.choice}")
    return "; ".join(parts) or "nothing yet"


def change(found: Change) -> str:
    """In one line what became of an entry between two places."""
    before, after = found.before, found.after
    known = after or before
    ticket = known.ticket_number if known else ""
    return f"{found.entry} (ticket {ticket}): {_stood(before)} → {_stood(after)}"


def _stood(standing: Standing | None) -> str:
    if standing is None:
        return "unknown"
    return (
        f"{standing.state}, Zammad {duration(standing.net_seconds)}, Kimai {held(standing.held)}"
        f" [{decided(standing)}]"
    )


def total(found: Summary) -> str:
    states = ", ".join(f"{count} {state}" for state, count in found.states.items())
    return (
        f"{found.entries} entries ({states or 'none'}): Zammad {duration(found.net_seconds)},"
        f" Kimai {duration(found.held_seconds)}"
    )


def seconds_moved(changes: Iterable[Change]) -> int:
    """Seconds by which Kimai held more at the second place than at the first."""
    return sum(_held_seconds(one.after) - _held_seconds(one.before) for one in changes)


def _held_seconds(standing: Standing | None) -> int:
    return standing.held.duration_seconds if standing and standing.held else 0


def difference(found: Difference) -> tuple[str, ...]:
    return (
        found.customer,
        _project(found.target, found.project_id),
        found.month,
        duration(found.before_seconds),
        duration(found.after_seconds),
        duration(found.after_seconds - found.before_seconds),
    )


def move(found: EntryMoved) -> str:
    """In one line where an entry was booked and where it would be."""
    return (
        f"{found.entry} (ticket {found.ticket_number}): {_booked(found.before)}"
        f" → {_booked(found.after)}"
    )


def _booked(booked: Booked) -> str:
    where = _project(booked.target, booked.project_id)
    why = f" ({booked.nowhere_because})" if booked.nowhere_because else ""
    return f"{duration(booked.seconds)} {where}{why} in {booked.month}"


def _project(target: str | None, project_id: int | None) -> str:
    return "nowhere" if target is None else f"{target}:{project_id}"

"""Makes one history of several folders, and fills the gaps of recordings that are not at hand.

Files are played by name. But the numbers that Kimai gave only rise, so where they show that one
file was recorded before another (13 made 123, 12 made 129), they decide.

A record that answers show and no exchange made was made in a recording that is not there. It is
given to the twin, as it is first shown, when its number was due.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from http.client import OK
from typing import Any

from hourbook_simulators.conformance.recordings import Exchange, Folder

KINDS = ("customers", "projects", "activities", "tags", "timesheets")
"""In the order in which they can be given: what stands on another comes after it."""
Record = tuple[str, int]
Shown = dict[str, Any]


def sequence(folders: Sequence[Folder]) -> list[Exchange]:
    """A name that two folders have is played once, as the last has it."""
    files: dict[str, tuple[Exchange, ...]] = {}
    for folder in folders:
        files |= folder.files
    began = 0
    dated = []
    for name in sorted(files):
        began = _first_timesheet(files[name]) or began
        dated.append((began, name))
    return [exchange for _, name in sorted(dated) for exchange in files[name]]


def _first_timesheet(exchanges: Sequence[Exchange]) -> int | None:
    made = (made_by(exchange) for exchange in exchanges)
    return next((record[1] for record in made if record and record[0] == "timesheets"), None)


def made_by(exchange: Exchange) -> Record | None:
    """The record an exchange made, by its kind and number."""
    shown = exchange.response
    if exchange.status != OK or not isinstance(shown, dict):
        return None
    head, *rest = exchange.route.lstrip("/").split("/")
    is_new = (exchange.method == "POST" and not rest) or rest[-1:] in (["restart"], ["duplicate"])
    if head not in KINDS or not is_new or not isinstance(shown.get("id"), int):
        return None
    return head, shown["id"]


def shown_by(exchange: Exchange) -> Iterator[tuple[Record, Shown]]:
    """All records in an answer that can be told apart."""
    head, *rest = exchange.route.lstrip("/").split("/")
    if head not in KINDS or rest[-1:] in (["rates"], ["meta"], ["team"]):
        return
    rows = exchange.response if isinstance(exchange.response, list) else [exchange.response]
    for row in rows:
        if isinstance(row, dict) and isinstance(row.get("id"), int):
            yield (head, row["id"]), row


def strangers(exchanges: Sequence[Exchange]) -> dict[int, list[tuple[str, Shown]]]:
    """By the place in the sequence before which they are due."""
    made = [made_by(exchange) for exchange in exchanges]
    known = set(made)
    shown: dict[Record, Shown] = {}
    first: dict[Record, int] = {}
    for place, exchange in enumerate(exchanges):
        for record, row in shown_by(exchange):
            if record not in known:
                first.setdefault(record, place)
                shown[record] = row | shown.get(record, {})
    due: dict[int, list[tuple[str, Shown]]] = defaultdict(list)
    for record in sorted(first, key=lambda each: (KINDS.index(each[0]), each[1])):
        kind, number = record
        later = (
            place
            for place, each in enumerate(made)
            if each and each[0] == kind and each[1] > number
        )
        due[min(first[record], next(later, len(exchanges)))].append((kind, shown[record]))
    return due


def accounts_at(exchanges: Sequence[Exchange], start: int) -> Iterator[Shown]:
    """As a file's answers first show them, unless it changed them before."""
    seen: set[int] = set()
    for exchange in exchanges[start:]:
        is_change = exchange.route.startswith("/users") and exchange.method != "GET"
        if (
            exchange.file != exchanges[start].file
            or is_change
            or "kimai2_users" in str(exchange.setup)
        ):
            return
        if exchange.route in {"/users", "/users/me"} or exchange.route.startswith("/users/"):
            rows = exchange.response if isinstance(exchange.response, list) else [exchange.response]
            for row in rows:
                if isinstance(row, dict) and "username" in row and row.get("id") not in seen:
                    seen.add(row["id"])
                    yield row

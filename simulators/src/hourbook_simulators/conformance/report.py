"""What came of it: a line for each folder, and the table in docs/conformance.md."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from hourbook_simulators.conformance.history import KINDS, strangers
from hourbook_simulators.conformance.play import Judged
from hourbook_simulators.conformance.recordings import Folder

ENOUGH_PERCENT = 95
REASONS = {
    "17#65": "the change times of records 1 to 117 were set back in a recording that is not at hand",
}
"""Why the few do not match that do not, where more is to be said than what differs."""
HEAD = """# Conformance of the Kimai twin

Written by `make conformance`, and held current by a test. Each recorded exchange in scope with its result: matched is
status and body, field by field, but for colours and meta fields. New records get the numbers they had when recorded,
and the clock stands as the recorded answers show it. What is in scope is decided by rule
(`hourbook_simulators.conformance.scope`). Files are named by their number, and played in the order their records tell.
"""


GIVEN = """Records that answers show and no exchange made, for a recording that is not at hand made them. The twin was
given them as they are first shown, when their numbers were due.
"""


@dataclass(frozen=True, slots=True)
class Tally:
    given: str
    matched: int
    in_scope: int
    out: int

    def __str__(self) -> str:
        return (
            f"{self.given}: matched {self.matched} of {self.in_scope} in scope,"
            f" {self.out} out of scope"
        )

    @property
    def is_enough(self) -> bool:
        return self.matched * 100 >= ENOUGH_PERCENT * self.in_scope


def tallies(folders: Sequence[Folder], judged: Sequence[Judged]) -> list[Tally]:
    """A file that two folders have is counted in both."""
    found = []
    for folder in folders:
        mine = [each for each in judged if each.exchange.file in folder.files]
        in_scope = sum(each.is_in_scope for each in mine)
        matched = sum(each.is_matched for each in mine)
        found.append(Tally(folder.given, matched, in_scope, len(mine) - in_scope))
    return found


def misses(judged: Sequence[Judged]) -> Iterator[str]:
    for each in judged:
        if each.is_in_scope and not each.is_matched:
            asked = each.exchange
            label = f" ({asked.label})" if asked.label else ""
            yield f"  {asked.name} {asked.method} {asked.path}{label}: {each.differs}"


def table(tally_of: Sequence[Tally], judged: Sequence[Judged]) -> str:
    lines = [HEAD, *(f"`{tally}`\n" for tally in tally_of), "## Out of scope\n"]
    lines += ["| why | exchanges |", "|---|---|"]
    why = Counter(each.out for each in judged if each.out is not None)
    lines += [f"| {reason} | {count} |" for reason, count in sorted(why.items())]
    lines += ["", "## Given\n", GIVEN]
    lines += [f"- {kind}: {numbers}" for kind, numbers in _given(judged)]
    lines += ["", "## In scope\n"]
    lines += ["| exchange | as | request | recorded | result |", "|---|---|---|---|---|"]
    lines += [_row(each) for each in judged if each.is_in_scope]
    return "\n".join(lines) + "\n"


def _given(judged: Sequence[Judged]) -> Iterator[tuple[str, str]]:
    given = strangers([each.exchange for each in judged])
    for kind in KINDS:
        mine = (shown["id"] for rows in given.values() for of, shown in rows if of == kind)
        if numbers := ", ".join(map(str, sorted(mine))):
            yield kind, numbers


def _row(judged: Judged) -> str:
    asked = judged.exchange
    label = f" ({asked.label})" if asked.label else ""
    cells = [
        asked.name,
        asked.token or "nobody",
        f"{asked.method} {asked.path}{label}",
        str(asked.status),
        "matched" if judged.is_matched else f"**{REASONS.get(asked.name, judged.differs)}**",
    ]
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"

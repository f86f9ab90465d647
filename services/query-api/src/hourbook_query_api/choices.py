"""What a person may answer to a question, and what comes of it: pure.

| choice | means |
|---|---|
| `zammad` | what Zammad says is right: write it |
| `kimai` | what Kimai holds is right, or is to be ignored for good where it holds nothing |
| `adopt` | this timesheet is the answer: tie it, write nothing |
| `anyway` | none of these timesheets is: create one |

Mapping what is unmapped is no answer but a policy, which releases all that waited for it.
"""

from typing import Any, Literal

from hourbook_contracts.reasons import Reason

Choice = Literal["zammad", "kimai", "adopt", "anyway"]
Outcome = Literal["create", "update", "delete", "try_again", "adopt", "keep", "ignore", "reassign"]

_BOTH: tuple[Choice, ...] = ("zammad", "kimai")
_LEAVE: tuple[Choice, ...] = ("kimai",)
_CHOICES: dict[str, tuple[Choice, ...]] = {
    Reason.UNMAPPED_WORKER: _LEAVE,
    Reason.UNMAPPED_CUSTOMER: _LEAVE,
    Reason.UNMAPPED_ACTIVITY: _LEAVE,
    Reason.LOCKED_IN_KIMAI: _LEAVE,  # unlocked in Kimai it goes on by itself
    Reason.RETRACTED_AFTER_EXPORT: _LEAVE,
    Reason.CLOSED_PERIOD: _LEAVE,  # reopened it goes on by itself
    Reason.POSSIBLE_DUPLICATE: ("adopt", "anyway", "kimai"),
    Reason.DUPLICATE_IN_KIMAI: _LEAVE,
    Reason.ORPHAN_IN_KIMAI: _LEAVE,
    Reason.NEGATIVE_BALANCE: _LEAVE,
}
_TRIES_AGAIN = {
    Reason.REFUSED_BY_KIMAI,
    Reason.MISSING_PERMISSION,
    Reason.OVERLAP,
    Reason.DAY_FULL,
    Reason.PROJECT_CLOSED,
    Reason.BUDGET_USED,
}


def choices_of(reason: str, candidates: list[Any]) -> tuple[Choice, ...]:
    """The answers that make sense, the usual one first; of a reason we do not know both sides."""
    found = _CHOICES.get(reason, _BOTH)
    return found if candidates else tuple(c for c in found if c != "adopt")


def outcome_of(choice: Choice, reason: str, *, want: Any, held: Any) -> Outcome:
    """What will come of it, if nothing moves until then."""
    if choice == "adopt":
        return "adopt"
    if choice == "kimai":
        return "ignore" if held is None else "keep"
    if reason == Reason.CUSTOMER_CHANGED:
        return "reassign"
    if reason in _TRIES_AGAIN:
        return "try_again"
    if held is None or choice == "anyway":
        return "create"
    return "delete" if want is None and reason != Reason.UNIT_UNCONFIRMED else "update"

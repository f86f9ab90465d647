"""A plan has the hash of the world it was made in, however often that is read."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hourbook_contracts.ledger import LedgerMessage
from hourbook_contracts.resync import Plan, plan
from hourbook_contracts.testing import BOOK, NOON, messages, observed, recorded, requested

LATER = NOON.replace(year=2027)


def made(*facts: LedgerMessage, **other: Any) -> Plan:
    told: dict[str, Any] = {"decisions": [requested()], "books": {BOOK: "d"}, "policy": 3} | other
    return plan(facts, told["decisions"], told["books"], told["policy"])


@given(st.lists(messages, max_size=5))
def test_the_same_world_read_again_is_the_same_plan(facts: list[LedgerMessage]) -> None:
    again = [
        fact.model_copy(update={"observed_at": LATER} | ({"no": 77} if hasattr(fact, "no") else {}))
        for fact in facts
    ]
    assert made(*facts).hash == made(*again).hash


@pytest.mark.parametrize(
    "other",
    [
        {"decisions": []},
        {"decisions": [requested(gen=2)]},
        {"books": {BOOK: "moved"}},
        {"policy": 4},
    ],
)
def test_a_world_that_has_moved_is_another_plan(other: dict[str, Any]) -> None:
    assert made(recorded()).hash != made(recorded(), **other).hash
    assert made(recorded(), observed()).hash != made(observed(), recorded()).hash
    assert made(recorded()).hash != made(recorded(30)).hash

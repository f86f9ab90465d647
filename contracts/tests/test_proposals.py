"""Settings that are tried are read strictly, and what is wrong with them is said."""

import json

import pytest

from hourbook_contracts.control import MappingRemoved, MappingSet
from hourbook_contracts.proposals import BY, read
from hourbook_contracts.testing import NOON

SET = {
    "type": "mapping_set",
    "kind": "customer",
    "source": "desk",
    "source_key": "organization:2",
    "target": "hours",
    "target_id": 8,
}


def test_what_everybody_knows_need_not_be_said() -> None:
    first, second = read(json.dumps([SET, {"type": "mapping_removed", "mapping": "m1"}]), NOON)
    assert isinstance(first, MappingSet)
    assert isinstance(second, MappingRemoved)
    assert (first.target_id, first.by, first.observed_at) == (8, BY, NOON)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("{", "no JSON"),
        ("{}", "no JSON list"),
        ('[{"type": "unit_confirmed"}]', "Setting 0 is none of"),
        ("[3]", "Setting 0 is none of"),
        (json.dumps([SET, {**SET, "target_id": "8"}]), "Setting 1 .*target_id: int_type"),
    ],
)
def test_what_is_wrong_is_said_with_its_place(text: str, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        read(text, NOON)

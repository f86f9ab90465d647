"""The committed AsyncAPI document is that of the code, and names every topic, type and header."""

import json
from pathlib import Path

from hypothesis import given, settings

from hourbook_contracts.asyncapi import document
from hourbook_contracts.codec import MESSAGE_TYPES, encode
from hourbook_contracts.ledger import LedgerMessage
from hourbook_contracts.testing import messages
from hourbook_contracts.topics import TOPICS

FILE = Path(__file__).parents[1] / "asyncapi.json"


def test_the_committed_document_is_this() -> None:
    """`make schemas` writes it."""
    assert json.loads(FILE.read_text()) == document()


def test_every_topic_and_every_type_stands_in_it_once() -> None:
    made = document()
    assert {one["address"] for one in made["channels"].values()} == {one.name for one in TOPICS}
    held = [name for channel in made["channels"].values() for name in channel["messages"]]
    assert sorted(held) == sorted(message.__name__ for message in MESSAGE_TYPES)
    told = {one["name"] for one in made["components"]["messages"].values()}
    assert told == {message.TYPE for message in MESSAGE_TYPES}


@given(messages)
@settings(deadline=None)  # the document is made anew for each
def test_a_record_has_the_headers_that_it_says(message: LedgerMessage) -> None:
    told = document()["components"]["schemas"]["CloudEvent"]
    sent = {name for name, _ in encode(message, traceparent="00-1-2-01").headers}
    assert set(told["required"]) <= sent <= set(told["properties"])

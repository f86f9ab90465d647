"""A message on a topic is a CloudEvent in binary mode; what cannot be read is named, never guessed."""

import json

import pytest
from hypothesis import given

from hourbook_contracts.codec import (
    MESSAGE_TYPES,
    UndecodableError,
    UnknownTypeError,
    ce_id,
    decode,
    encode,
    header,
)
from hourbook_contracts.ledger import LedgerMessage
from hourbook_contracts.testing import BOOK, messages, observed, recorded, requested, settled


@given(messages)
def test_what_was_written_is_what_is_read(message: LedgerMessage) -> None:
    record = encode(message)
    assert decode(record.headers, record.value) == message


def test_the_attributes_stand_in_headers_and_the_value_is_the_message_alone() -> None:
    record = encode(recorded(15), traceparent="00-aa-bb-01")
    assert record.key == BOOK.encode()
    headers = dict(record.headers)
    assert headers["ce_specversion"] == b"1.0"
    assert headers["ce_type"] == b"hourbook.entry_recorded.v1"
    assert headers["ce_partitionkey"] == record.key
    assert headers["traceparent"] == b"00-aa-bb-01"
    assert "type" not in json.loads(record.value)


def test_the_same_message_said_twice_has_one_id_and_another_reading_another() -> None:
    assert ce_id(recorded(15)) == ce_id(recorded(15))
    assert ce_id(recorded(15)) != ce_id(recorded(15, no=2))


def test_a_decision_of_the_same_generation_with_other_content_has_another_id() -> None:
    assert ce_id(requested(15)) != ce_id(requested(30))
    assert ce_id(settled(gen=1)) != ce_id(settled(gen=2))


def test_a_type_this_version_does_not_know_is_named() -> None:
    record = encode(recorded(15))
    headers = [(n, b"hourbook.new.v9" if n == "ce_type" else v) for n, v in record.headers]
    with pytest.raises(UnknownTypeError, match=r"hourbook\.new\.v9"):
        decode(headers, record.value)


@pytest.mark.parametrize("value", [b"", b"not json", b"{}", b'{"book": 7}', None])
def test_a_value_that_does_not_hold_its_type_is_refused(value: bytes | None) -> None:
    record = encode(recorded(15))
    with pytest.raises(UndecodableError):
        decode(record.headers, value)


def test_a_refusal_says_which_field_and_never_its_value() -> None:
    record = encode(recorded(15))
    secret = json.dumps({**json.loads(record.value), "no": "secret text"}).encode()
    with pytest.raises(UndecodableError) as caught:
        decode(record.headers, secret)
    assert "no: int_type" in str(caught.value)
    assert "secret" not in str(caught.value)


def test_a_field_of_a_newer_version_is_ignored() -> None:
    record = encode(observed(15))
    newer = json.dumps({**json.loads(record.value), "mood": "good"}).encode()
    assert decode(record.headers, newer) == observed(15)


def test_every_type_has_a_name_of_its_own_with_a_major_version() -> None:
    names = [message.TYPE for message in MESSAGE_TYPES]
    assert len(set(names)) == len(names)
    assert all(name.startswith("hourbook.") and name.rsplit(".v", 1)[1].isdigit() for name in names)


def test_a_header_that_is_not_there_is_none() -> None:
    assert header([], "ce_type") is None

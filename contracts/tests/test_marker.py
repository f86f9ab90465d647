"""The marker names the create request and the last write, and leaves a person's text alone."""

from hypothesis import given
from hypothesis import strategies as st

from hourbook_contracts.marker import (
    Marker,
    create_code,
    find,
    parse,
    with_marker,
    without_marker,
)

CODE = create_code(b"key", "zammad:desk:344/72", 1)
texts = st.text(st.characters(codec="utf-8", exclude_characters="["), max_size=40)


@given(texts, st.integers(0, 10**9 - 1))
def test_a_marker_is_found_where_it_was_put(text: str, write: int) -> None:
    marker = Marker(CODE, write)
    assert find(with_marker(text, marker)) == marker
    assert parse(str(marker)) == marker


@given(texts)
def test_marking_again_replaces_the_marker_and_keeps_the_text(text: str) -> None:
    again = with_marker(with_marker(text, Marker(CODE, 1)), Marker(CODE, 2))
    assert again == with_marker(text, Marker(CODE, 2))
    assert without_marker(again) == text.rstrip()


def test_another_request_or_another_key_has_another_code() -> None:
    assert len({CODE, create_code(b"key", "zammad:desk:344/72", 2), create_code(b"k", "x", 1)}) == 3


def test_a_code_holds_nothing_that_kimais_search_takes_for_a_wildcard_or_a_field() -> None:
    assert CODE.isalnum()
    assert CODE.lower() == CODE


def test_text_without_a_marker_has_none() -> None:
    assert find(None) is None
    assert find("fixed the printer [hb-x.1]") is None

"""What polls and sweeps conclude from lists."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hourbook_ingest_zammad.paging import PAGE_ROWS, window
from hourbook_kit.source.survey import is_suddenly_empty


@given(st.integers(1, 1_000_000))
def test_a_page_begins_within_the_one_before_it_and_brings_news(read: int) -> None:
    asked = window(read)
    assert asked.begins < read < asked.begins + asked.per_page
    assert asked.per_page <= PAGE_ROWS


@pytest.mark.parametrize(
    ("missing", "known", "empty"),
    [(19, 19, False), (20, 100, True), (20, 101, False), (100, 500, True), (0, 0, False)],
)
def test_suddenly_empty_is_many_and_a_fifth_at_once(
    missing: int, known: int, *, empty: bool
) -> None:
    assert is_suddenly_empty(missing=missing, known=known) is empty

"""A book comes back from its bytes as it was."""

from functools import reduce

from hypothesis import given
from hypothesis import strategies as st

from hourbook_contracts.ledger import LedgerMessage
from hourbook_contracts.testing import (
    BOOK,
    conflict,
    histories,
    observed,
    recorded,
    requested,
    retracted,
    settled,
    ticket_observed,
    written,
)
from hourbook_reconciler.book import Book
from hourbook_reconciler.evolve import evolve
from hourbook_reconciler.state import decode, digest, encode


@given(histories)
def test_any_book_survives_its_bytes(history: list[LedgerMessage]) -> None:
    book = reduce(evolve, history, Book(BOOK))
    assert decode(encode(book)) == book
    assert encode(decode(encode(book))) == encode(book)


def test_each_kind_of_verdict_comes_back_as_itself() -> None:
    for verdict in (requested(), conflict("overlap"), settled()):
        book = evolve(Book(BOOK), verdict)
        found = decode(encode(book)).posting(verdict.posting).verdict
        assert type(found) is type(verdict)
        assert found == verdict


@given(st.permutations([recorded(), ticket_observed(), observed(), observed(no=2)]))
def test_equal_books_have_equal_bytes_whatever_was_told_first(told: list[LedgerMessage]) -> None:
    expected = reduce(evolve, [recorded(), ticket_observed(), observed(no=2)], Book(BOOK))
    assert encode(reduce(evolve, told, Book(BOOK))) == encode(expected)


def test_a_digest_tells_books_apart() -> None:
    booked = reduce(evolve, [recorded(), requested(), written()], Book(BOOK))
    assert digest(encode(booked)) == digest(encode(decode(encode(booked))))
    assert digest(encode(booked)) != digest(encode(evolve(booked, retracted())))

"""How entries stood is what the read model showed then, told from the ledger alone."""

from hypothesis import given

from hourbook_contracts.audit import Standing, differences, summary
from hourbook_contracts.ledger import LedgerMessage
from hourbook_contracts.testing import (
    BOOK,
    ENTRY,
    MAPPINGS,
    conflict,
    histories,
    observed,
    policy,
    recorded,
    requested,
    resolved,
    work,
    written,
)
from hourbook_reconciler.book import Book
from hourbook_reconciler.decide import decisions
from hourbook_reconciler.evolve import evolve
from hourbook_reconciler.shelf import Shelf
from hourbook_reconciler.standing import Past, Rules, Selection
from hourbook_reconciler.testing import Ledger


def stood(
    *history: LedgerMessage, selection: Selection | None = None, rules: Rules | None = None
) -> list[Standing]:
    past = Past(selection or Selection(), rules or Rules())
    for record in Ledger().tell(*history):
        past.put(record)
    return list(past.standings())


@given(histories)
def test_it_is_what_the_read_model_shows(history: list[LedgerMessage]) -> None:
    shelf = Shelf()
    for record in Ledger().tell(*history):
        shelf.put(record)
    shown = {row.entry: row for row in shelf.entry_rows()}
    told: dict[str, Standing] = {standing.entry: standing for standing in stood(*history)}
    assert told.keys() == shown.keys()
    for entry, row in shown.items():
        standing = told[entry]
        assert (row.state, row.reason, row.net_seconds, row.day, row.sheet) == (
            standing.state,
            standing.reason,
            standing.net_seconds,
            standing.day,
            standing.sheet,
        )
        held = standing.held.model_dump_json() if standing.held else None
        want = standing.want.model_dump_json() if standing.want else None
        assert (row.held, row.want) == (held, want)


@given(histories)
def test_a_longer_past_begins_with_the_shorter_one(history: list[LedgerMessage]) -> None:
    """Folding on from a place gives what folding from the beginning gives."""
    records = Ledger().tell(*history)
    past = Past(Selection(), Rules())
    for n, record in enumerate(records):
        past.put(record)
        assert list(past.standings()) == stood(*history[: n + 1])


def test_it_says_what_was_decided_where_and_by_whose_rules() -> None:
    rules = Rules()
    for offset, event in enumerate(MAPPINGS):
        rules.learn(event, offset)
        rules.learn(event.model_copy(update={"by": "somebody later"}), offset + 100)
    decided = decisions(evolve(Book(BOOK), recorded()), policy(version=4), recorded().observed_at)
    (standing,) = stood(recorded(), *decided, rules=rules)
    assert standing.decided is not None
    assert (standing.decided.what, standing.decided.place) == ("create", "0/1")
    assert [(rule.mapping, rule.by) for rule in standing.decided.rules] == [
        (mapping.mapping, "test") for mapping in MAPPINGS
    ]


def test_a_decision_that_did_not_count_is_not_the_one_that_is_told() -> None:
    (standing,) = stood(recorded(), requested(), requested(30))
    assert standing.decided is not None
    assert standing.decided.place == "0/1"


def test_it_says_who_answered_a_question() -> None:
    asked = conflict("changed_in_kimai", gen=2, want=work(15), held=work(20))
    history = [recorded(), requested(), written(), observed(20, no=2), asked]
    (open_,) = stood(*history)
    assert (open_.state, open_.answered) == ("asks", None)
    (standing,) = stood(*history, resolved(asked, "kimai"))
    assert standing.answered is not None
    assert (standing.answered.choice, standing.answered.by) == ("kimai", "test")
    (change,) = differences([open_], [standing])
    assert (change.before, change.after) == (open_, standing)
    assert summary([standing]).held_seconds == 20 * 60


def test_only_what_was_asked_for_is_told() -> None:
    history = [recorded()]
    assert stood(*history, selection=Selection(book="zammad:desk:1")) == []
    assert stood(*history, selection=Selection(customer="organization:3")) == []
    (standing,) = stood(*history, selection=Selection(customer="organization:2"))
    assert standing.entry == ENTRY
    assert stood(*history, selection=Selection(book=BOOK)) == [standing]

"""What may be answered to a question, and what comes of it."""

import pytest

from hourbook_contracts.reasons import Reason
from hourbook_query_api.choices import choices_of, outcome_of

WORK = {"duration_seconds": 900}


@pytest.mark.parametrize("reason", [*Reason, "newer_than_this_version"])
def test_every_question_can_be_answered(reason: str) -> None:
    candidates = [WORK] if reason == Reason.POSSIBLE_DUPLICATE else []
    assert "kimai" in choices_of(reason, candidates)


def test_nothing_is_adopted_where_there_is_nothing_to_adopt() -> None:
    """The fold would take the first of no candidates."""
    for reason in Reason:
        assert "adopt" not in choices_of(reason, [])
    assert choices_of(Reason.POSSIBLE_DUPLICATE, [WORK]) == ("adopt", "anyway", "kimai")


def test_what_only_kimai_can_open_offers_no_way_round_it() -> None:
    for reason in (Reason.LOCKED_IN_KIMAI, Reason.CLOSED_PERIOD, Reason.RETRACTED_AFTER_EXPORT):
        assert choices_of(reason, []) == ("kimai",)


def test_what_comes_of_an_answer() -> None:
    def come(choice: str, reason: Reason, want: object, held: object) -> str:
        return outcome_of(choice, reason, want=want, held=held)  # type: ignore[arg-type]  # short words

    assert come("zammad", Reason.CHANGED_IN_KIMAI, WORK, WORK) == "update"
    assert come("zammad", Reason.CHANGED_ON_BOTH_SIDES, None, WORK) == "delete"
    assert come("zammad", Reason.DELETED_IN_KIMAI, WORK, None) == "create"
    assert come("zammad", Reason.OVERLAP, WORK, None) == "try_again"
    assert come("zammad", Reason.CUSTOMER_CHANGED, WORK, WORK) == "reassign"
    assert come("zammad", Reason.UNIT_UNCONFIRMED, None, WORK) == "update"
    assert come("kimai", Reason.CHANGED_IN_KIMAI, WORK, WORK) == "keep"
    assert come("kimai", Reason.UNMAPPED_WORKER, WORK, None) == "ignore"
    assert come("adopt", Reason.POSSIBLE_DUPLICATE, WORK, None) == "adopt"
    assert come("anyway", Reason.POSSIBLE_DUPLICATE, WORK, None) == "create"

"""When two works are the same."""

from datetime import timedelta

from hourbook_contracts.ledger import Placement
from hourbook_contracts.likeness import alike
from hourbook_contracts.testing import NOON, PLACE, work

EXACT = Placement(time_zone="Europe/Berlin", step_seconds=60)
PACKED = EXACT.model_copy(update={"packed": True})
EVENING = work(15, made=NOON + timedelta(hours=9))
TOMORROW_IN_BERLIN = work(15, made=NOON + timedelta(hours=10, minutes=15))


def test_works_are_compared_exactly() -> None:
    assert alike(work(15), work(15), EXACT)
    assert alike(None, None, None)
    for other in (work(16), EVENING, None, work(15, place=None)):
        assert not alike(work(15), other, EXACT)


def test_of_a_begin_that_was_packed_only_its_day_counts_in_the_workers_zone() -> None:
    assert alike(work(15), EVENING, PACKED)
    assert not alike(work(15), TOMORROW_IN_BERLIN, PACKED)
    elsewhere = work(15, place=PLACE.model_copy(update={"project_id": 8}))
    for other in (work(16), elsewhere, None):
        assert not alike(work(15), other, PACKED)

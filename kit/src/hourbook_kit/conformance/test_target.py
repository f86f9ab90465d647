"""What every target's connector promises to the loops around it."""

from datetime import UTC, datetime, timedelta

import pytest

from hourbook_contracts.ledger import Place, Work
from hourbook_contracts.marker import Marker, with_marker
from hourbook_kit.conformance.twins import (
    FAILURES,
    LOST_ANSWERS,
    Failure,
    LostAnswer,
    TargetTwin,
)
from hourbook_kit.target.protocol import (
    BrokenWorld,
    BrokenWorldError,
    Gone,
    NotSent,
    Refused,
    Timesheet,
    Unknown,
    Written,
)

pytestmark = pytest.mark.anyio

NOON = datetime(2026, 3, 16, 11, 0, tzinfo=UTC)
DAY = timedelta(days=1)
CREATE = "abcdefghijklmnop"
MARKER = Marker(CREATE, 1)
TEXT = with_marker("#65001 Printer on fire", MARKER)
MANY = 130


def work(place: Place, minutes: int = 15, began_at: datetime = NOON) -> Work:
    return Work(place=place, began_at=began_at, duration_seconds=minutes * 60)


async def created(twin: TargetTwin, minutes: int = 15) -> Timesheet:
    outcome = await twin.target.create(work(twin.places[0], minutes), TEXT)
    assert isinstance(outcome, Written), outcome
    assert outcome.row is not None
    return outcome.row


# ---------------------------------------------------------------------------- writes that are answered
async def test_what_is_written_is_what_was_asked_for_once(target_twin: TargetTwin) -> None:
    place = target_twin.places[0]
    row = await created(target_twin)
    assert row.work(place.target) == work(place)
    assert row.marker == MARKER
    assert await target_twin.rows() == [row.id]
    assert await target_twin.target.read(row.id) == row


@pytest.mark.parametrize("began_at", [NOON, datetime(2026, 3, 29, 0, 30, tzinfo=UTC)])
async def test_an_instant_is_the_same_instant_in_every_workers_zone(
    target_twin: TargetTwin, began_at: datetime
) -> None:
    """Also in the night in which the clocks of Europe go forward."""
    for place in target_twin.places:
        outcome = await target_twin.target.create(work(place, began_at=began_at), TEXT)
        assert isinstance(outcome, Written)
        assert outcome.row is not None
        assert outcome.row.work(place.target) == work(place, began_at=began_at)
        assert await target_twin.target.read(outcome.row.id) == outcome.row


async def test_a_change_done_twice_is_done_once(target_twin: TargetTwin) -> None:
    row = await created(target_twin)
    wanted, marker = work(target_twin.places[0], 30), Marker(CREATE, 2)
    for _ in range(2):
        outcome = await target_twin.target.change(row, wanted, marker)
        assert isinstance(outcome, Written)
        assert outcome.row is not None
        assert outcome.row.work(target_twin.places[0].target) == wanted
        row = outcome.row
    assert await target_twin.rows() == [row.id]
    assert row.marker == marker


async def test_a_persons_words_stay(target_twin: TargetTwin) -> None:
    row = await created(target_twin)
    await target_twin.edit(row.id, with_marker("Fixed by Anna, see mail", MARKER))
    seen = await target_twin.target.read(row.id)
    assert seen is not None
    outcome = await target_twin.target.change(
        seen, work(target_twin.places[0], 30), Marker(CREATE, 2)
    )
    assert isinstance(outcome, Written)
    assert outcome.row is not None
    assert outcome.row.description == with_marker("Fixed by Anna, see mail", Marker(CREATE, 2))


async def test_what_is_deleted_is_gone_and_stays_so(target_twin: TargetTwin) -> None:
    row, target = await created(target_twin), target_twin.target
    assert await target.delete(row.id) == Written(None)
    assert await target.delete(row.id) == Gone()
    assert await target.change(row, work(target_twin.places[0], 30), MARKER) == Gone()
    assert await target.read(row.id) is None
    assert await target_twin.rows() == []


async def test_what_it_does_not_take_is_refused_in_a_sentence(target_twin: TargetTwin) -> None:
    nowhere = target_twin.places[0].model_copy(update={"project_id": 999_999})
    outcome = await target_twin.target.create(work(nowhere), TEXT)
    assert isinstance(outcome, Refused)
    assert outcome.detail.strip().endswith((".", "!", ")"))
    assert await target_twin.rows() == []


# ---------------------------------------------------------------------- writes of unknown outcome
@pytest.mark.parametrize("how", LOST_ANSWERS)
async def test_a_write_whose_answer_is_lost_is_unknown_and_found_by_its_marker(
    target_twin: TargetTwin, how: LostAnswer
) -> None:
    await target_twin.fail(how)
    outcome = await target_twin.target.create(work(target_twin.places[0]), TEXT)
    assert isinstance(outcome, Unknown), outcome
    await target_twin.heal()
    (found,) = await target_twin.target.with_marker(CREATE)
    assert [found.id] == await target_twin.rows()
    assert found.work(target_twin.places[0].target) == work(target_twin.places[0])


@pytest.mark.parametrize("how", LOST_ANSWERS)
async def test_a_deletion_whose_answer_is_lost_is_unknown(
    target_twin: TargetTwin, how: LostAnswer
) -> None:
    row = await created(target_twin)
    await target_twin.fail(how)
    assert isinstance(await target_twin.target.delete(row.id), Unknown)
    await target_twin.heal()
    assert await target_twin.target.read(row.id) is None


async def test_what_surely_never_left_us_is_said_to_be_so(target_twin: TargetTwin) -> None:
    await target_twin.fail("silent")
    outcome = await target_twin.target.create(work(target_twin.places[0]), TEXT)
    assert isinstance(outcome, NotSent)
    await target_twin.heal()
    assert await target_twin.rows() == []


@pytest.mark.parametrize("how", FAILURES)
async def test_no_failure_is_taken_for_success_or_for_an_answer(
    target_twin: TargetTwin, how: Failure
) -> None:
    await target_twin.fail(how)
    outcome = await target_twin.target.create(work(target_twin.places[0]), TEXT)
    assert isinstance(outcome, NotSent | Unknown | BrokenWorld), outcome


# ------------------------------------------------------------------------------------- reading
@pytest.mark.parametrize("how", FAILURES)
async def test_silence_is_never_absence(target_twin: TargetTwin, how: Failure) -> None:
    row, target = await created(target_twin), target_twin.target
    caller = await target.me()
    await target_twin.fail(how)
    for asked in (
        target.read(row.id),
        target.with_marker(CREATE),
        target.begun_in(row.user_id, NOON - DAY, NOON + DAY, caller),
        target.modified_since(NOON - DAY),
        target.begun_since(NOON - DAY, caller),
        target.me(),
    ):
        with pytest.raises(BrokenWorldError):
            await asked
    await target_twin.heal()
    assert await target.read(row.id) == row


async def test_a_list_of_many_pages_is_all_there_is(target_twin: TargetTwin) -> None:
    place, target = target_twin.places[0], target_twin.target
    caller = await target.me()
    written = {
        await target_twin.write(place, NOON + timedelta(minutes=5 * n), 300, "by hand")
        for n in range(MANY)
    }
    assert {row.id for row in await target.begun_since(NOON, caller)} == written
    assert {row.id for row in (await target.modified_since(NOON - DAY)).rows} == written
    day = await target.begun_in(place.user_id, NOON, NOON + DAY, caller)
    assert {row.id for row in day} == written


async def test_a_worker_is_shown_only_what_is_the_workers_and_begins_in_the_span(
    target_twin: TargetTwin,
) -> None:
    mine, others = target_twin.places
    inside = await target_twin.write(mine, NOON, 900, "by hand")
    for place, at in ((others, NOON), (mine, NOON + timedelta(hours=1)), (mine, NOON - DAY)):
        await target_twin.write(place, at, 900, "by hand")
    caller = await target_twin.target.me()
    found = await target_twin.target.begun_in(mine.user_id, NOON, NOON + timedelta(hours=1), caller)
    assert [row.id for row in found] == [inside]


async def test_a_marker_finds_its_own_create_and_no_other(target_twin: TargetTwin) -> None:
    row = await created(target_twin)
    place = target_twin.places[0]
    await target_twin.write(place, NOON, 900, f"what does hb-{CREATE} mean?")
    await target_twin.write(place, NOON, 900, f"x [hb-{CREATE[:-1]}q.1]")
    assert [one.id for one in await target_twin.target.with_marker(CREATE)] == [row.id]


# -------------------------------------------------------------------------------------- clocks
@pytest.mark.parametrize("ahead", [timedelta(), timedelta(hours=-3), timedelta(hours=3)])
async def test_what_was_modified_is_found_by_the_targets_own_clock(
    target_twin: TargetTwin, ahead: timedelta
) -> None:
    await target_twin.set_clock(ahead)
    row = await created(target_twin)
    asked_at = (await target_twin.target.modified_since(NOON - DAY)).asked_at
    if asked_at is None:
        asked_at = NOON - DAY  # it does not tell: the loops look further back
    await target_twin.edit(row.id, with_marker("and more", MARKER))
    late = await target_twin.write(target_twin.places[1], NOON, 900, "by hand")
    seen = await target_twin.target.modified_since(asked_at - timedelta(minutes=5))
    assert {one.id for one in seen.rows} >= {row.id, late}

"""Where a timesheet fits into a day on which nothing may overlap."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from hourbook_push_kimai.packing import SECOND, Span, slot

MORNING = datetime(2026, 3, 30, tzinfo=UTC)
DAY = Span(MORNING, MORNING + timedelta(days=1))


def at(hour: float) -> datetime:
    return MORNING + timedelta(hours=hour)


def found(wanted: float, hours: float, *busy: tuple[float, float], step: int = 60) -> float | None:
    spans = [Span(at(begins), at(ends)) for begins, ends in busy]
    begins = slot(DAY, at(wanted), timedelta(hours=hours), spans, step)
    return None if begins is None else (begins - MORNING) / timedelta(hours=1)


def test_what_is_free_is_kept() -> None:
    assert found(10, 1) == 10
    assert found(10, 1, (9, 10), (11, 12)) == 10


def test_the_nearest_free_time_before_is_taken_first() -> None:
    assert found(10, 1, (10.5, 12)) == 9.5
    assert found(10, 1, (9.5, 10.5), (8, 9)) == 7


def test_where_nothing_is_free_before_the_first_after_is() -> None:
    assert found(1, 1, (0, 3)) == 3
    assert found(0, 2, (1, 2), (3, 5)) == 5


def test_nothing_leaves_the_workers_day() -> None:
    assert found(23.5, 1) == 23
    assert found(23.5, 1, (22, 23.5)) == 21


def test_a_day_without_room_is_full() -> None:
    assert found(10, 1, (0, 24)) is None
    assert found(10, 25) is None
    assert found(10, 2, *((hour, hour + 1) for hour in range(0, 24, 2))) is None


def test_what_lasts_into_the_day_or_out_of_it_counts() -> None:
    assert found(0, 1, (-2, 1)) == 1
    assert found(23, 1, (22.5, 26)) == 21.5


def test_a_row_of_no_length_stands_in_the_way_of_what_would_enclose_it() -> None:
    assert found(10, 1, (10.5, 10.5)) == 9.5


def test_begins_stand_on_the_step() -> None:
    assert found(10, 0.25, (9.9, 10.6), step=900) == 9.5
    assert found(0, 0.25, (0, 0.1), step=900) == 0.25


minutes = st.integers(0, 24 * 60)


@given(
    st.integers(1, 300),
    minutes,
    st.lists(st.tuples(minutes, st.integers(0, 180)), max_size=12),
    st.sampled_from([60, 300, 900]),
)
def test_what_is_found_is_free_and_nothing_nearer_before_was(
    length: int, wanted: int, rows: list[tuple[int, int]], step: int
) -> None:
    span = timedelta(minutes=length)
    aligned = MORNING + timedelta(seconds=wanted * 60 // step * step)
    busy = [
        Span(MORNING + timedelta(minutes=begins), MORNING + timedelta(minutes=begins + lasts))
        for begins, lasts in rows
    ]

    def is_free(begins: datetime) -> bool:
        """As Kimai tests it, said in another way: no second of it belongs to another."""
        first, last = begins + SECOND, begins + span - SECOND
        inside = DAY.begins <= begins and begins + span <= DAY.ends
        return inside and all(last < other.begins or other.ends < first for other in busy)

    begins = slot(DAY, aligned, span, busy, step)
    grid = [DAY.begins + timedelta(seconds=at) for at in range(0, 24 * 3600, step)]
    free = [moment for moment in grid if is_free(moment)]
    before = [moment for moment in free if moment <= aligned]
    if begins is None:
        assert not free
        return
    assert is_free(begins)
    if before:
        assert begins == max(before)
    elif free:
        assert begins == min(free)

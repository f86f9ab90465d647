"""Kimai's rounding: learned from its answers, and told apart from edits."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hourbook_push_kimai.rounding import Guess, Guesses, Times, rounded
from hourbook_simulators.kimai.rounding import Rounding
from hourbook_simulators.kimai.rounding import rounded as kimai_rounds

DAY = int(datetime(2026, 11, 13, tzinfo=UTC).timestamp())


def asked(begin: int, minutes: int) -> Times:
    """From this minute of the day on."""
    return Times(DAY + begin * 60, DAY + (begin + minutes) * 60, 0, minutes * 60)


def stored(before: Times, rounding: Rounding) -> Times:
    """As the twin does it, which the recordings hold to the real Kimai."""
    begin, end = (datetime.fromtimestamp(at, UTC) for at in (before.begin, before.end))
    found = kimai_rounds(begin, end, before.pause, "UTC", rounding)
    return Times(
        int(found.begin.timestamp()),
        int(found.end.timestamp()),
        before.pause,
        found.duration_seconds,
    )


def learned(rounding: Rounding, *all_asked: Times) -> Guesses:
    guesses = Guesses()
    for one in all_asked:
        guesses = guesses.learn(one, stored(one, rounding))
    return guesses


SOME = [asked(begin, minutes) for begin, minutes in ((608, 59), (611, 15), (634, 7), (655, 31))]


@pytest.mark.parametrize("mode", ["default", "floor", "ceil", "closest"])
@pytest.mark.parametrize("minutes", [1, 5, 6, 10, 15, 30])
def test_a_few_answers_teach_the_step(mode: str, minutes: int) -> None:
    guesses = learned(Rounding(minutes, minutes, 0, mode), *SOME)
    expected = 1 if minutes == 1 else minutes * 60  # our begins are whole minutes already
    assert guesses.step_seconds == expected


def test_without_rounding_nothing_is_learned() -> None:
    assert learned(Rounding(0, 0), *SOME).step_seconds == 1
    assert Guesses().step_seconds == 1


def test_another_setting_is_learned_anew() -> None:
    guesses = learned(Rounding(15, 15), *SOME)
    for one in SOME:
        guesses = guesses.learn(one, stored(one, Rounding(5, 5, 0, "ceil")))
    assert guesses.step_seconds == 300
    assert guesses.begin[0] == Guess(300, "ceil")


def test_a_save_that_only_rounds_is_no_edit() -> None:
    guesses = learned(Rounding(15, 15), *SOME)
    before = asked(608, 59)
    assert rounded(before, stored(before, Rounding(15, 15)), guesses)


@pytest.mark.parametrize(
    "after",
    [
        asked(595, 80),  # further than the step
        asked(615, 52),  # begin in the other direction
        asked(600, 60),  # only the begin
        asked(608, 59),  # nothing
        Times(DAY + 36000, DAY + 40500, 600, 3900),  # another break
    ],
)
def test_every_other_difference_is_an_edit(after: Times) -> None:
    assert not rounded(asked(608, 59), after, learned(Rounding(15, 15), *SOME))
    assert not rounded(asked(608, 59), None, learned(Rounding(15, 15), *SOME))


def test_before_anything_was_learned_every_difference_is_an_edit() -> None:
    before = asked(608, 59)
    assert not rounded(before, stored(before, Rounding(15, 15)), Guesses())


steps = st.sampled_from([0, 1, 5, 6, 10, 15, 20, 30, 60])
roundings = st.builds(
    Rounding,
    steps,
    steps,
    st.sampled_from([0, 15, 30]),
    st.sampled_from(["default", "floor", "ceil", "closest"]),
)
times = st.builds(asked, st.integers(0, 1300), st.integers(1, 300))


@given(roundings, st.lists(times, min_size=1, max_size=8))
def test_what_is_learned_explains_every_answer_it_was_learned_from(
    rounding: Rounding, answers: list[Times]
) -> None:
    guesses = learned(rounding, *answers)
    for one in answers:
        assert guesses.rounds(one) == stored(one, rounding)


@given(roundings, times, st.integers(-40, 40), st.integers(-40, 40))
def test_an_edit_by_a_step_or_more_is_never_taken_for_rounding(
    rounding: Rounding, before: Times, begin: int, end: int
) -> None:
    guesses = learned(rounding, *SOME, before)
    after_begin, after_end = before.begin + begin * 60, before.end + end * 60
    after = Times(after_begin, after_end, 0, after_end - after_begin)
    step = max(guesses.begin[0].step, guesses.end[0].step)
    if abs(begin) * 60 >= max(step, 1) or abs(end) * 60 >= max(step, 1):
        assert not rounded(before, after, guesses)

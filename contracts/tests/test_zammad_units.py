"""What Zammad says a unit is, wherever it says it."""

import pytest

from hourbook_contracts.zammad.units import SaidUnit, said_in_settings, said_in_signshow


def row(name: str, value: object) -> dict[str, object]:
    return {"name": name, "state_current": {"value": value}, "state_initial": {"value": ""}}


SETTINGS = [
    row("time_accounting", value=True),
    row("time_accounting_unit", "custom"),
    row("time_accounting_unit_custom", "Pomodoro"),
]
CUSTOM = SaidUnit("custom", "Pomodoro")


def test_settings_and_signshow_say_the_same() -> None:
    config = {one["name"]: one["state_current"] for one in SETTINGS}
    values = {name: state["value"] for name, state in config.items() if isinstance(state, dict)}
    assert said_in_settings(SETTINGS) == said_in_signshow({"config": values}) == CUSTOM
    assert (CUSTOM.text, CUSTOM.words) == ("custom Pomodoro", "Zammad says one unit is “Pomodoro”")


@pytest.mark.parametrize(
    "rows", [[], [row("fqdn", "x")], None, {}, [{"name": "time_accounting"}, 3]]
)
def test_who_may_not_see_them_is_told_nothing(rows: object) -> None:
    assert said_in_settings(rows) is None


@pytest.mark.parametrize("body", [{"error": "no valid session", "config": {}}, {}, [], None])
def test_a_signshow_that_knows_nobody_tells_nothing(body: object) -> None:
    assert said_in_signshow(body) is None


def test_no_unit_is_told_from_a_unit() -> None:
    none = said_in_settings([row("time_accounting_unit", "")])
    assert none == SaidUnit("")
    assert none.words == "Zammad does not say what a unit is"
    assert said_in_settings(
        [row("time_accounting_unit", "hour"), row("time_accounting", False)]
    ) == (SaidUnit("hour", switched_on=False))

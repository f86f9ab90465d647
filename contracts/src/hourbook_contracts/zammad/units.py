"""What Zammad says a unit of its time accounting is: a name and no more (zammad-api.md 2.5, 6). Pure.

Only a person can say what it is worth, because Zammad lets the name be changed and converts nothing.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

SECONDS_OF_UNIT = {"minute": 60, "quarter": 900, "hour": 3600}
"""Of the units whose name says what they are worth; `custom` and none say nothing."""


class SaidUnit(NamedTuple):
    """As Zammad's settings have it; `unit` is "" where none was chosen."""

    unit: str
    label: str = ""
    """What agents read where the unit is `custom`."""
    switched_on: bool = True
    """Whether agents can book at all."""

    @property
    def text(self) -> str:
        """By which one is told from another."""
        return f"custom {self.label}".strip() if self.unit == "custom" else self.unit

    @property
    def words(self) -> str:
        """For people."""
        if not self.unit:
            return "Zammad does not say what a unit is"
        shown = f"“{self.label}”" if self.unit == "custom" and self.label else f"a {self.unit}"
        return f"Zammad says one unit is {shown}"


def said_in_settings(rows: Any) -> SaidUnit | None:
    """Of `GET /settings`: each row needs its own permission, so the list may lack ours (None)."""
    return _said(_values(rows))


def setting(rows: Any, name: str) -> Any:
    """Another one of `GET /settings`; None where it is not told."""
    return _values(rows).get(name)


def _values(rows: Any) -> dict[str, Any]:
    if not isinstance(rows, list):
        return {}
    return {
        row["name"]: state.get("value")
        for row in rows
        if isinstance(row, dict) and "name" in row
        for state in [row.get("state_current")]
        if isinstance(state, dict)
    }


def said_in_signshow(body: Any) -> SaidUnit | None:
    """Of `GET /signshow`, which answers 200 to everybody and tells only whom it knows."""
    config = body.get("config") if isinstance(body, dict) else None
    return _said(config) if isinstance(config, dict) else None


def _said(values: Mapping[str, Any]) -> SaidUnit | None:
    if "time_accounting_unit" not in values:
        return None
    return SaidUnit(
        str(values["time_accounting_unit"] or ""),
        str(values.get("time_accounting_unit_custom") or ""),
        bool(values.get("time_accounting", True)),
    )

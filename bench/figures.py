"""Figures: what was measured, in which unit, and how it stands to its limit."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table

AIMS: dict[str, tuple[float, float]] = {
    "webhook_throughput": (0.0, 0.8),
    "live_reconcile": (0.0, 0.5),
    "replay": (20_000, 0.0),
    "replay_in_place": (10_000, 0.0),
}
"""Value and ratio that are at least aimed at, where it is not the limit itself."""


@dataclass(frozen=True, slots=True)
class Figure:
    """`ratio` is value over limit where more is better, limit over value where less is: ≥ 1 is at the limit."""

    name: str
    value: float
    unit: str
    limit: float
    ratio: float


def aim_of(figure: Figure) -> tuple[str, bool]:
    """In words, and whether it is met."""
    value, ratio = AIMS.get(figure.name, (0.0, 1.0))
    said = f"≥ {value:,.0f}" if value else f"ratio ≥ {ratio:g}"
    return said, figure.value >= value and figure.ratio >= ratio


def more_is_better(name: str, value: float, unit: str, limit: float) -> Figure:
    return Figure(name, value, unit, limit, value / limit)


def less_is_better(name: str, value: float, unit: str, limit: float) -> Figure:
    return Figure(name, value, unit, limit, limit / value if value else float("inf"))


def show(figures: list[Figure]) -> None:
    table = Table("figure", "value", "unit", "limit", "ratio", "aim", "met")
    for figure in figures:
        aim, met = aim_of(figure)
        table.add_row(
            figure.name,
            f"{figure.value:,.3f}",
            figure.unit,
            f"{figure.limit:,.3f}",
            f"{figure.ratio:.2f}",
            aim,
            "yes" if met else "no",
        )
    Console(width=110).print(table)


def write(figures: list[Figure], path: Path) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps([asdict(figure) for figure in figures], indent=2) + "\n")

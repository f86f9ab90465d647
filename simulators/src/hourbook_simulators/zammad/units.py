"""Zammad's time_unit: a decimal(6,2), read as leniently as ActiveRecord reads it (zammad-api.md 2.1, 2.2). Pure."""

import re
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

LIMIT = Decimal(10_000)
CENT = Decimal("0.01")
NUMBER = re.compile(r"\s*([+-]?(?:\d[\d_]*(?:\.\d+)?|\.\d+)(?:[eE][+-]?\d{1,3})?)")


def read(raw: Any) -> Decimal | None:
    """None where Zammad finds it blank; what begins with no number is 0, what follows one is ignored."""
    if isinstance(raw, bool):
        return Decimal(int(raw))
    if isinstance(raw, int | float):
        return _rounded(Decimal(str(raw)))
    if not isinstance(raw, str) or not raw.strip():
        return None
    number = NUMBER.match(raw)
    return _rounded(Decimal(number[1].replace("_", ""))) if number else Decimal(0)


def _rounded(value: Decimal) -> Decimal:
    if not value.is_finite() or abs(value) >= LIMIT:
        return LIMIT.copy_sign(value)  # whatever it is, it does not fit
    return value.quantize(CENT, ROUND_HALF_UP)


def fits(value: Decimal) -> bool:
    return abs(value) < LIMIT


def text(value: Decimal) -> str:
    """As BigDecimal writes it: at least one decimal, no zeros behind it."""
    if not value:
        return "0.0"
    shown = format(value, "f")
    if "." not in shown:
        return f"{shown}.0"
    shown = shown.rstrip("0")
    return f"{shown}0" if shown.endswith(".") else shown

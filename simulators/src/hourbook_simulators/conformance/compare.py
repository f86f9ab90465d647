"""The recorded answer and the twin's, field by field; equal but for what an instance makes up."""

import re
from typing import Any

MASKED = frozenset({"color-safe", "metaFields"})
"""A pick from a palette; and what a plugin adds, which is out of scope (scope.py)."""
CUT = re.compile(r"(?s)(.*)\.\.\.<(\d+) chars>")
SHOWN = 60


def restored(value: Any) -> Any:
    """A text the recording cut short had one letter all through."""
    if isinstance(value, dict):
        return {key: restored(each) for key, each in value.items()}
    if isinstance(value, list):
        return [restored(each) for each in value]
    if isinstance(value, str) and (match := CUT.fullmatch(value)) and match[1]:
        return match[1] + match[1][-1] * (int(match[2]) - len(match[1]))
    return value


def difference(recorded: Any, answered: Any, at: str = "") -> str | None:
    """The first one, as `[0].end: "…" recorded, "…" answered`; None when there is none."""
    if isinstance(recorded, dict) and isinstance(answered, dict):
        return _of_objects(recorded, answered, at)
    if isinstance(recorded, list) and isinstance(answered, list):
        return _of_lists(recorded, answered, at)
    if type(recorded) is type(answered) and recorded == answered:
        return None
    return f"{at or 'body'}: {_shown(recorded)} recorded, {_shown(answered)} answered"


def _of_objects(recorded: dict[str, Any], answered: dict[str, Any], at: str) -> str | None:
    if recorded.keys() != answered.keys():
        missing = sorted(recorded.keys() - answered.keys())
        added = sorted(answered.keys() - recorded.keys())
        return f"{at or 'body'}: keys missing {missing}, added {added}"
    for key, value in recorded.items():
        if key in MASKED:
            continue
        found = difference(value, answered[key], f"{at}.{key}" if at else key)
        if found:
            return found
    return None


def _of_lists(recorded: list[Any], answered: list[Any], at: str) -> str | None:
    for index, (one, other) in enumerate(zip(recorded, answered, strict=False)):
        found = difference(one, other, f"{at}[{index}]")
        if found:
            return found
    if len(recorded) != len(answered):
        return f"{at or 'body'}: {len(recorded)} rows recorded, {len(answered)} answered"
    return None


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= SHOWN else text[:SHOWN] + "…"

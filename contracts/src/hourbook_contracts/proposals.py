"""Settings to be tried and not set: a JSON list of control events, as what-if takes it from file and API.

Pure. `by` and `observed_at` need not be said, a mapping needs no id of its own:
`[{"type": "mapping_set", "kind": "customer", "source": "desk", "source_key": "organization:2",
"target": "hours", "target_id": 8}]`.
"""

import json
from datetime import datetime
from typing import Any

from pydantic import ValidationError

from hourbook_contracts.control import CONTROL_TYPES, POLICY_TYPES, ControlEvent, MappingSet

BY = "proposal"
_KINDS = {
    kind.TYPE.removeprefix("hourbook.").removesuffix(".v1"): kind
    for kind in CONTROL_TYPES
    if kind in POLICY_TYPES
}


def read(text: str, now: datetime) -> list[ControlEvent]:
    """The events in their order; raises ValueError with a sentence that names the place, never a value."""
    try:
        listed = json.loads(text)
    except ValueError as error:
        raise ValueError("The proposal is no JSON.") from error
    if not isinstance(listed, list):
        raise ValueError("The proposal is no JSON list of settings.")  # noqa: TRY004 -- of the file, not of ours
    return [_event(number, one, now) for number, one in enumerate(listed)]


def told(event: ControlEvent) -> dict[str, Any]:
    """The same event as `read` takes it; who and when are not part of a proposal."""
    name = event.TYPE.removeprefix("hourbook.").removesuffix(".v1")
    return {"type": name} | event.model_dump(
        mode="json", exclude={"by", "observed_at", "idempotency_key"}
    )


def _event(number: int, told: Any, now: datetime) -> ControlEvent:
    kind = _KINDS.get(told.get("type", "")) if isinstance(told, dict) else None
    if kind is None:
        raise ValueError(f"Setting {number} is none of {', '.join(sorted(_KINDS))}.")
    fields = {"by": BY, "observed_at": now.isoformat(), **told}
    if kind is MappingSet:
        fields.setdefault("mapping", f"{BY}-{number}")
    try:
        return kind.model_validate_json(json.dumps(fields))
    except ValidationError as error:
        places = ", ".join(
            f"{'.'.join(map(str, problem['loc']))}: {problem['type']}" for problem in error.errors()
        )
        raise ValueError(f"Setting {number} ({told['type']}) is not whole: {places}.") from None

"""Bodies as Kimai's form decoder reads them (kimai-api.md 0.1).

False becomes null, null becomes "", numbers and true become strings. So `{"exported": null}`
means true.
"""

import json
import re
from typing import Any
from urllib.parse import parse_qsl

from hourbook_simulators.kimai.refusals import masked


def decode(body: bytes, content_type: str) -> dict[str, Any]:
    """Keys in camel case; another content type is as good as no body."""
    kind = content_type.partition(";")[0].strip().lower()
    if not body:
        return {}
    if kind == "application/x-www-form-urlencoded":
        return {
            _camel(key): value for key, value in parse_qsl(body.decode(), keep_blank_values=True)
        }
    if kind != "application/json":
        return {}
    try:
        read = json.loads(body)
    except ValueError as error:
        raise masked(400) from error
    submitted = _as_form(read)
    if isinstance(submitted, list):
        return {str(index): each for index, each in enumerate(submitted)}
    return submitted if isinstance(submitted, dict) else {}


def _as_form(value: Any) -> Any:
    match value:
        case dict():
            return {_camel(key): _as_form(each) for key, each in value.items()}
        case list():
            return [_as_form(each) for each in value]
        case False:
            return None
        case None:
            return ""
        case True:
            return "1"
        case float():
            return str(int(value)) if value.is_integer() else str(value)
        case _:
            return str(value)


def _camel(key: str) -> str:
    return re.sub(r"(?<=.)_(.)", lambda match: match[1].upper(), key)

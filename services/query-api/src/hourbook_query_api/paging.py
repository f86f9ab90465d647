"""Pages by cursor: where the last one ended, so that rows which come meanwhile shift nothing."""

import base64
import binascii
import json
from typing import Annotated, Any

from fastapi import Query
from pydantic import BaseModel, Field

from hourbook_query_api.problems import invalid
from hourbook_query_api.shown import Shown

COUNT_CAP = 10_000

Limit = Annotated[int, Query(ge=1, le=200, description="Rows on a page.")]
Cursor = Annotated[
    str | None, Query(max_length=500, description="`next` of the page before; with the same sort.")
]


Word = Annotated[str | None, Field(max_length=100, pattern=r"^[^\x00]*$")]
"""Of a filter."""


class Filters(BaseModel):
    """What a list may be narrowed to, as its query says; null narrows nothing."""


class Total(Shown):
    count: int
    capped: bool
    """There are more than `count`; they are not counted further."""


def total_of(counted: int) -> Total:
    """Of a count over at most `COUNT_CAP + 1` rows."""
    return Total(count=min(counted, COUNT_CAP), capped=counted > COUNT_CAP)


def cursor_of(sort: str, *values: Any) -> str:
    text = json.dumps([sort, *(str(value) for value in values)])
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def values_of(cursor: str, sort: str, count: int) -> list[str]:
    """What `cursor_of` put into it; a problem when it is none, or one of another sort."""
    try:
        padded = cursor.encode() + b"=" * (-len(cursor) % 4)
        found = json.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
    except (ValueError, binascii.Error):
        found = None
    if (
        not isinstance(found, list)
        or len(found) != count + 1
        or found[0] != sort
        or not all(isinstance(value, str) and "\0" not in value for value in found)
    ):
        raise invalid("query.cursor", "Send `next` of the page before, with the same sort.")
    return found[1:]

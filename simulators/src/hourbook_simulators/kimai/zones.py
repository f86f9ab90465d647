"""Wall times and instants, as Kimai reads and prints them (kimai-api.md 0.5, 3.1, 3.2)."""

import re
from datetime import UTC, datetime
from functools import cache
from zoneinfo import ZoneInfo

IN_BODY = re.compile(
    r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?P<offset>Z|[+-]\d\d:?\d\d)?"
)
IN_QUERY = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d")


@cache
def zone(name: str) -> ZoneInfo:
    return ZoneInfo(name)


def instant(wall: datetime, zone_name: str) -> datetime:
    """In the hour that happens twice the second one; in the one that never happens an hour later."""
    first = wall.replace(tzinfo=zone(zone_name), fold=0)
    second = first.replace(fold=1)
    before, after = first.utcoffset(), second.utcoffset()
    is_twice = before is not None and after is not None and before > after
    return (second if is_twice else first).astimezone(UTC)


def read_in_body(text: str, zone_name: str) -> datetime | None:
    """With an offset it is that instant; None where Kimai says the date is not valid."""
    match = IN_BODY.fullmatch(text)
    if match is None:
        return None
    try:
        read = datetime.fromisoformat(text).replace(microsecond=0)
    except ValueError:
        return None
    return instant(read, zone_name) if match["offset"] is None else read.astimezone(UTC)


def read_in_query(text: str, zone_name: str) -> datetime | None:
    if IN_QUERY.fullmatch(text) is None:
        return None
    try:
        return instant(datetime.fromisoformat(text), zone_name)
    except ValueError:
        return None


def printed(at: datetime, zone_name: str) -> str:
    """`2026-11-20T09:00:00+0100`: the offset has no colon."""
    shown = at.astimezone(zone(zone_name)).isoformat()
    return shown[:-3] + shown[-2:]

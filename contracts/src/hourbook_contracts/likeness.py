"""Whether two works are the same: exactly, but for a begin that push chose. Pure."""

from zoneinfo import ZoneInfo

from hourbook_contracts.ledger import Placement, Work


def alike(one: Work | None, other: Work | None, placement: Placement | None) -> bool:
    """Where a begin was packed among others' it means its day in the worker's zone and no more."""
    if one == other:
        return True
    if one is None or other is None or placement is None or not placement.packed:
        return False
    zone = ZoneInfo(placement.time_zone)
    days = {work.began_at.astimezone(zone).date() for work in (one, other)}
    return len(days) == 1 and (one.place, one.duration_seconds) == (
        other.place,
        other.duration_seconds,
    )

"""Watches what a source calls a unit: another name than the confirmed one is a question, not a guess.

Nothing is converted when that is changed (zammad-api.md 6), so time booked since it was last
seen right waits until a person has said what it is worth.
"""

import structlog

from hourbook_contracts.control import UNIT_CHANGED, AlarmRaised
from hourbook_contracts.installation import Source
from hourbook_contracts.zammad.units import SaidUnit
from hourbook_kit import clock
from hourbook_kit.source import protocol
from hourbook_kit.source.sources import Sources

log = structlog.get_logger()

BY = "ingest-zammad"  # as it stands on the control topic since the first day


async def look_at_unit(source: Source, system: protocol.Source, sources: Sources) -> bool:
    """Remember what it says now; gives whether that raised an alarm."""
    said = await system.said_unit()
    now = clock.now()
    confirmed = source.unit(now)
    if said is None or confirmed is None:
        await sources.unit_seen(source.name, None)
        return False
    before = await sources.unit_said(source.name)
    known = before is not None and before.text == said.text
    fits = is_as_confirmed(said, confirmed.unit, before.text if before else None)
    if fits or known or any(alarm.alarm == UNIT_CHANGED for alarm in source.alarms):
        await sources.unit_seen(source.name, said)
        return False
    await sources.unit_alarm(
        AlarmRaised(
            observed_at=now,
            by=BY,
            connection=source.name,
            alarm=UNIT_CHANGED,
            since=before.seen_at if before else None,
            detail=f"{said.words}, and a {confirmed.unit} is confirmed.",
        ),
        said,
    )
    log.error("unit_changed", source=source.name, said=said.text, confirmed=confirmed.unit)
    return True


def is_as_confirmed(said: SaidUnit, confirmed: str, before: str | None) -> bool:
    """Whether it is still what a person confirmed: no name says nothing, another label is another unit."""
    if not said.unit:
        return True
    if said.unit == "custom" and before is not None and before.startswith("custom"):
        return confirmed == "custom" and said.text == before
    return said.unit == confirmed

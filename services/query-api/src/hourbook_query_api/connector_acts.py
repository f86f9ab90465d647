"""What people decide about a connection: its unit, the switch for writing, alarms, closed days."""

from datetime import UTC, date, datetime
from typing import Annotated

from fastapi import Query

from hourbook_contracts.control import (
    UNIT_CHANGED,
    AlarmAnswered,
    ConnectionEvent,
    PeriodClosed,
    PeriodReopened,
    UnitConfirmed,
    WritesReleased,
    WritingSwitched,
)
from hourbook_kit import clock
from hourbook_query_api.acts import act
from hourbook_query_api.connector_models import (
    AlarmBody,
    AnyConnector,
    KimaiConnector,
    PeriodBody,
    SourceConnector,
    UnitBody,
    WritingBody,
    ZammadConnector,
)
from hourbook_query_api.connectors import PENDING, Name, Open, connector_of, kimai_of
from hourbook_query_api.desk import Desk
from hourbook_query_api.guard import IdempotencyKey, guarded_router
from hourbook_query_api.people import Who
from hourbook_query_api.problems import Kind, ProblemError, invalid

THE_BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)
"""From when on a Zammad's first unit counts: it has always been that one."""

router = guarded_router("/api/connectors/{name}", "connectors", 404, 409, more=PENDING)


@router.post("/unit")
async def confirm_unit(
    desk: Open, who: Who, name: Name, body: UnitBody, key: IdempotencyKey
) -> ZammadConnector | SourceConnector:
    """Say what one unit of this source is worth; until then nothing of it is read."""
    async with desk.turn:
        known = await _source(desk, name)
        now = clock.now()
        event = UnitConfirmed(
            observed_at=now,
            by=who.id,
            idempotency_key=key,
            connection=name,
            unit=body.unit,
            seconds_per_unit=body.seconds_per_unit,
            effective_from=body.effective_from or (now if known.units else THE_BEGINNING),
        )
        await _act(desk, event)
    return await _source(desk, name)


@router.put("/writing")
async def switch_writing(
    desk: Open, who: Who, name: Name, body: WritingBody, key: IdempotencyKey
) -> KimaiConnector:
    """Nothing is written to a Kimai until somebody switches it on, and nothing before `start_on`."""
    async with desk.turn:
        await kimai_of(desk, name)
        event = WritingSwitched(
            observed_at=clock.now(),
            by=who.id,
            idempotency_key=key,
            connection=name,
            on=body.on,
            start_on=body.start_on,
        )
        await _act(desk, event)
    return await kimai_of(desk, name)


@router.post("/release")
async def release_writes(desk: Open, who: Who, name: Name, key: IdempotencyKey) -> KimaiConnector:
    """Let go what is queued beyond the cap of this connection."""
    async with desk.turn:
        await kimai_of(desk, name)
        event = WritesReleased(
            observed_at=clock.now(), by=who.id, idempotency_key=key, connection=name
        )
        await _act(desk, event)
    return await kimai_of(desk, name)


@router.post("/alarm")
async def answer_alarm(
    desk: Open, who: Who, name: Name, body: AlarmBody, key: IdempotencyKey
) -> AnyConnector:
    """Believe what the other side says, or wait until it is well."""
    async with desk.turn:
        known = await connector_of(desk, name)
        if body.alarm not in {alarm.alarm for alarm in known.alarms}:
            raise ProblemError(
                Kind.NOT_FOUND,
                f"Look at `alarms` of /api/connectors/{name}: there is no open one of this name.",
            )
        if (body.alarm, body.choice) == (UNIT_CHANGED, "wait"):
            raise invalid(
                "body.choice",
                f"Confirm what a unit is worth at /api/connectors/{name}/unit, or `believe` that it is"
                " still what was confirmed: until then what was booked since waits by itself.",
            )
        event = AlarmAnswered(
            observed_at=clock.now(),
            by=who.id,
            idempotency_key=key,
            connection=name,
            alarm=body.alarm,
            choice=body.choice,
        )
        await _act(desk, event)
    return await connector_of(desk, name)


@router.post("/closed-periods", status_code=201)
async def close_period(
    desk: Open, who: Who, name: Name, body: PeriodBody, key: IdempotencyKey
) -> KimaiConnector:
    """Refused from now on; in effect one grace later, when what was under way has ended."""
    if body.last_on < body.first_on:
        raise invalid("body.last_on", "Send a last day that is not before the first.")
    async with desk.turn:
        if body in (await kimai_of(desk, name)).closed_periods:
            raise ProblemError(Kind.EXISTS, "These days are closed already: nothing is to be done.")
        event = PeriodClosed(
            observed_at=clock.now(),
            by=who.id,
            idempotency_key=key,
            connection=name,
            first_on=body.first_on,
            last_on=body.last_on,
        )
        await _act(desk, event)
    return await kimai_of(desk, name)


@router.delete("/closed-periods")
async def reopen_period(
    desk: Open,
    who: Who,
    name: Name,
    first_on: Annotated[date, Query()],
    last_on: Annotated[date, Query()],
    key: IdempotencyKey,
) -> KimaiConnector:
    async with desk.turn:
        period = PeriodBody(first_on=first_on, last_on=last_on)
        if period not in (await kimai_of(desk, name)).closed_periods:
            raise ProblemError(
                Kind.NOT_FOUND,
                f"Look at `closed_periods` of /api/connectors/{name}: these days are not among them.",
            )
        event = PeriodReopened(
            observed_at=clock.now(),
            by=who.id,
            idempotency_key=key,
            connection=name,
            first_on=first_on,
            last_on=last_on,
        )
        await _act(desk, event)
    return await kimai_of(desk, name)


async def _act(desk: Desk, event: ConnectionEvent) -> None:
    await act(desk, event, f"/api/connectors/{event.connection}")


async def _source(desk: Desk, name: str) -> ZammadConnector | SourceConnector:
    found = await connector_of(desk, name)
    if not isinstance(found, ZammadConnector | SourceConnector):
        raise ProblemError(Kind.WRONG_KIND, f"Ask it of a source: {name} is a {found.kind}.")
    return found

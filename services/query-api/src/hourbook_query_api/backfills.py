"""Reading days of the past again: how far that is shows in /api/sync/status."""

from datetime import date, datetime
from zoneinfo import ZoneInfo

from hourbook_contracts.control import BackfillRequested
from hourbook_contracts.ids import ConnectionName
from hourbook_contracts.topics import CONTROL
from hourbook_kit import clock
from hourbook_query_api.acts import publish
from hourbook_query_api.connector_models import Body, ReadConnector
from hourbook_query_api.connectors import Open, connector_of
from hourbook_query_api.guard import IdempotencyKey, guarded_router
from hourbook_query_api.people import Who
from hourbook_query_api.problems import Kind, ProblemError, invalid
from hourbook_query_api.shown import Shown

router = guarded_router("/api/sync/backfills", "sync", 404, 409)


class BackfillBody(Body):
    connection: ConnectionName
    """A Zammad whose unit is confirmed."""
    first_on: date
    last_on: date
    """Both included, in the connection's time zone, by when the time was booked."""


class BackfillAsked(Shown):
    connection: str
    id: int
    """By which it stands among `backfills` of the status."""
    topic: str
    partition: int
    offset: int
    look_at: str


@router.post("", status_code=202)
async def read_days_again(
    desk: Open, who: Who, body: BackfillBody, key: IdempotencyKey
) -> BackfillAsked:
    """All tickets with time of these days, a few at a time beside what happens now; goes on after a stop."""
    found = await connector_of(desk, body.connection)
    if not isinstance(found, ReadConnector):
        raise ProblemError(
            Kind.WRONG_KIND, f"Ask it of a source: {body.connection} is a {found.kind}."
        )
    if not found.units:
        raise ProblemError(
            Kind.WRONG_KIND, "Confirm what a unit is worth first: nothing is read before."
        )
    if body.last_on < body.first_on:
        raise invalid("body.last_on", "Send a last day that is not before the first.")
    if body.first_on > _today(found):
        raise invalid("body.first_on", "Send a first day that is not in the future.")
    event = BackfillRequested(
        observed_at=clock.now(),
        by=who.id,
        idempotency_key=key,
        connection=body.connection,
        first_on=body.first_on,
        last_on=body.last_on,
    )
    offset = await publish(desk, event)
    return BackfillAsked(
        connection=body.connection,
        id=offset + 1,
        topic=CONTROL.name,
        partition=0,
        offset=offset,
        look_at="/api/sync/status",
    )


def _today(found: ReadConnector) -> date:
    now: datetime = clock.now()
    return now.astimezone(ZoneInfo(found.time_zone)).date()

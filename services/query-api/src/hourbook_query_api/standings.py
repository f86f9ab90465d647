"""Every connection with how it stands now."""

from datetime import datetime
from typing import Literal

from hourbook_query_api.connectors import list_connectors
from hourbook_query_api.desk import Desk
from hourbook_query_api.shown import Shown
from hourbook_query_api.standing import Standing, Word, of_source, of_target
from hourbook_query_api.sync import SyncStatus, sync_status


class ConnectionStanding(Shown):
    name: str
    kind: Literal["zammad", "source", "kimai"]
    word: Word
    sentence: str
    """In English; the word and the numbers say the same in every language."""
    behind_seconds: float | None
    """Since it was last known to be as the other side; null: it never was."""
    backlog: int
    """Of a Zammad tickets to be read, of a Kimai writes without an answer."""
    looked_at: datetime | None
    swept_at: datetime | None
    last_delivery_at: datetime | None
    """Of a Zammad's webhook."""
    writing: bool | None
    """Of a Kimai."""


async def standings(desk: Desk) -> list[ConnectionStanding]:
    return await standings_of(desk, await sync_status(desk))


async def standings_of(desk: Desk, status: SyncStatus) -> list[ConnectionStanding]:
    intervals = {one.name: one.poll_seconds for one in (await list_connectors(desk)).items}
    lags = {lag.reader: lag.lag for lag in status.lags}
    found = []
    for source in status.sources:
        standing = of_source(
            source,
            poll_seconds=intervals.get(source.name, 30),
            backlog=lags.get("ingest-zammad", 0),
            now=status.at,
        )
        found.append(
            ConnectionStanding(
                **_told(standing),
                name=source.name,
                kind=source.kind,
                looked_at=source.polled_at,
                swept_at=source.swept_at,
                last_delivery_at=source.last_delivery_at,
                writing=None,
            )
        )
    for target in status.targets:
        standing = of_target(
            target,
            poll_seconds=intervals.get(target.name, 30),
            backlog=sum(target.writes.values()),
            now=status.at,
        )
        found.append(
            ConnectionStanding(
                **_told(standing),
                name=target.name,
                kind="kimai",
                looked_at=target.polled_at,
                swept_at=target.swept_at,
                last_delivery_at=None,
                writing=target.writing,
            )
        )
    return found


def _told(standing: Standing) -> dict[str, object]:
    return standing._asdict()

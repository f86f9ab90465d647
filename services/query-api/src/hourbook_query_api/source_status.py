"""How far the reading of a Zammad is: its polls and sweeps, its unit, what waits, what is read again."""

from datetime import date, datetime
from typing import Literal

import asyncpg

from hourbook_contracts.control import UNIT_CHANGED
from hourbook_query_api.connector_models import ReadConnector, ZammadConnector
from hourbook_query_api.shown import Shown

_BACKFILLS = """
SELECT b.id, b.first_on, b.last_on, b.requested_at, b.finished_at, b.tickets,
    CASE WHEN b.finished_at IS NOT NULL THEN 'finished' WHEN b.listed_at IS NOT NULL THEN 'reading'
        ELSE 'listing' END AS state,
    b.tickets_read + count(t.read_at) AS tickets_read,
    b.tickets_failed + count(*) FILTER (WHERE t.failed) AS tickets_failed
FROM ingest.backfills AS b
LEFT JOIN ingest.backfill_tickets AS t ON (t.connection, t.backfill) = (b.connection, b.id)
WHERE b.connection = $1
GROUP BY b.connection, b.id ORDER BY b.id DESC LIMIT 20
"""


class BackfillStatus(Shown):
    """Days of the past that are read again."""

    id: int
    first_on: date
    last_on: date
    state: str
    """`listing` which tickets these are, `reading` them, `finished`; an open string."""
    tickets: int
    tickets_read: int
    """Of these, failed ones included."""
    tickets_failed: int
    """Could not be read and stand among the dead letters."""
    requested_at: datetime
    finished_at: datetime | None


class SourceStatus(Shown):
    kind: Literal["zammad", "source"]
    name: str
    unit_confirmed: bool
    """Nothing is read before."""
    unit_in_zammad: str | None
    """As its settings have it, with its label where it is `custom`; empty: none is chosen; null: we are not told."""
    unit_seen_at: datetime | None
    switched_on: bool | None
    """Whether agents can book time in Zammad at all."""
    polled_at: datetime | None
    swept_at: datetime | None
    suddenly_empty_since: datetime | None
    last_delivery_at: datetime | None
    """Of its webhook."""
    alarms: list[str]
    obstacles: list[str]
    """Sentences: what a person has to do, and what stands in the way of reading."""
    backfills: list[BackfillStatus]
    """The latest first."""


async def status_of(pool: asyncpg.Pool, found: ReadConnector) -> SourceStatus:
    row = await pool.fetchrow("SELECT * FROM ingest.sources WHERE connection = $1", found.name)
    known = dict(row) if row else {}
    backfills = await pool.fetch(_BACKFILLS, found.name)
    return SourceStatus(
        kind="zammad" if isinstance(found, ZammadConnector) else "source",
        name=found.name,
        unit_confirmed=bool(found.units),
        unit_in_zammad=known.get("unit_said"),
        unit_seen_at=known.get("unit_seen_at"),
        switched_on=known.get("switched_on"),
        polled_at=known.get("polled_at"),
        swept_at=known.get("swept_at"),
        suddenly_empty_since=known.get("alarmed_at"),
        last_delivery_at=await pool.fetchval(
            "SELECT max(last_at) FROM ingest.deliveries WHERE connection = $1", found.name
        ),
        alarms=[alarm.alarm for alarm in found.alarms],
        obstacles=await _obstacles(pool, found, known),
        backfills=[BackfillStatus(**dict(backfill)) for backfill in backfills],
    )


async def _obstacles(
    pool: asyncpg.Pool, found: ReadConnector, known: dict[str, object]
) -> list[str]:
    """What a person has to do, then what ingest says; it says of alarms what they are about."""
    told = await pool.fetch(
        "SELECT name, sentence FROM ingest.obstacles WHERE connection = $1 ORDER BY since, name",
        found.name,
    )
    sentences = {row["name"]: row["sentence"] for row in told}
    if not found.units:
        sentences["unit"] = "Confirm what a unit is worth: nothing is read before."
    for alarm in found.alarms:
        if alarm.alarm == UNIT_CHANGED:
            what = "Confirm what a unit is worth by now: time booked since is not read before."
        else:
            what = "Answer its alarm: a side was suddenly empty, and nothing is retracted."
        sentences.setdefault(alarm.alarm, what)
    if found.units and "polled_at" not in known and not sentences:
        sentences["unread"] = "It has not been read yet."
    if known.get("switched_on") is False:
        sentences["switched_off"] = (
            "Time accounting is off: switch it on in Zammad, or agents cannot book."
        )
    return list(sentences.values())

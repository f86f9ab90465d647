"""The effect ledger: one row a request, claimed and answered by compare-and-set on its attempt.

queued → sent → (uncertain → sent →) done. Time is the database's (protocol.md 5 and 10).
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Literal, NamedTuple

import asyncpg

from hourbook_contracts.codec import Record
from hourbook_contracts.ids import SheetId
from hourbook_contracts.ledger import TimesheetRequested
from hourbook_contracts.marker import Marker
from hourbook_contracts.topics import LEDGER
from hourbook_push_kimai.readings import Connection

CREATES = ("create", "adopt")


@dataclass(frozen=True, slots=True)
class Gate:
    """Which rows of a target may be claimed now (promise 10)."""

    writing: bool
    start_on: date | None
    capped: bool
    """More are queued than the cap: only what a person released goes."""
    grace: timedelta


@dataclass(frozen=True, slots=True)
class Claim:
    """A row that is ours to carry out, as long as its attempt stays this one."""

    request: TimesheetRequested
    target: str
    user_id: int
    attempt: int
    tries: int
    rebuilt: bool
    server_errors: int
    code: str | None
    """Of the create request that made the tie, or is to make it."""
    traceparent: str | None
    begins_at: datetime | None = None
    """Chosen by an earlier attempt, for a Kimai that forbids overlap."""

    @property
    def marker(self) -> Marker:
        """Of this write."""
        return Marker(self.code or "", self.request.gen)

    @property
    def first(self) -> bool:
        """Whether surely no earlier attempt reached Kimai."""
        return self.tries == 1 and not self.rebuilt


class Survey(NamedTuple):
    """What is open for a target."""

    waiting: int
    """Queued, allowed by the start date and released by nobody."""
    next_look_seconds: float | None
    """Until the first row in flight may be looked up."""


@dataclass(frozen=True, slots=True)
class NewEffect:
    """A request as it comes from the ledger."""

    request: TimesheetRequested
    target: str
    user_id: int
    day: date
    code: str | None
    traceparent: str | None
    rebuilt: bool


class TiedElsewhereError(Exception):
    """The timesheet already answers another posting: nothing was recorded."""


_DUE = """
effects.target = $1 AND effects.state <> 'done' AND (
    effects.state = 'queued' AND $2 AND ($3::date IS NULL OR effects.day >= $3) AND (effects.released OR NOT $4)
        AND (effects.not_before IS NULL OR effects.not_before <= clock_timestamp())
    OR effects.state IN ('sent', 'uncertain') AND effects.claimed_at + $5 <= clock_timestamp()
) AND NOT EXISTS (
    SELECT FROM push.effects AS sibling WHERE sibling.posting = effects.posting
    AND sibling.gen <> effects.gen AND sibling.state IN ('sent', 'uncertain')
) AND NOT EXISTS (SELECT FROM push.unreadable WHERE unreadable.book = effects.book)
"""

_CLAIM = f"""
UPDATE push.effects SET state = 'sent', attempt = attempt + 1, tries = tries + 1, claimed_at = clock_timestamp()
WHERE (posting, gen) = (
    SELECT posting, gen FROM push.effects WHERE {_DUE} AND effects.user_id = $6
    ORDER BY effects.seq LIMIT 1 FOR UPDATE SKIP LOCKED
)
RETURNING request, target, user_id, attempt, tries, rebuilt, server_errors, traceparent, create_code,
    begin_at
"""  # noqa: S608 -- our own text

_USERS = f"""
SELECT user_id FROM push.effects WHERE {_DUE} AND effects.user_id <> ALL ($6::int[])
GROUP BY user_id ORDER BY min(seq) LIMIT $7
"""  # noqa: S608 -- our own text

_SURVEY = """
SELECT count(*) FILTER (WHERE state = 'queued' AND NOT released AND ($2::date IS NULL OR day >= $2)
        AND (not_before IS NULL OR not_before <= clock_timestamp())) AS waiting,
    extract(epoch FROM min(claimed_at) FILTER (WHERE state <> 'queued') + $3 - clock_timestamp())::float8 AS next_look
FROM push.effects WHERE target = $1 AND state <> 'done'
"""


async def claim(connection: Connection, target: str, user_id: int, gate: Gate) -> Claim | None:
    """The user's first row that may be carried out now, made ours; None: there is none."""
    row = await connection.fetchrow(_CLAIM, *_due(target, gate), user_id)
    if row is None:
        return None
    request = TimesheetRequested.model_validate_json(row["request"])
    code = row["create_code"]
    if code is None and request.sheet is not None:
        code = await connection.fetchval(
            "SELECT create_code FROM push.tied WHERE sheet = $1 AND posting = $2",
            request.sheet,
            request.posting,
        )
    return Claim(
        request=request,
        target=row["target"],
        user_id=row["user_id"],
        attempt=row["attempt"],
        tries=row["tries"],
        rebuilt=row["rebuilt"],
        server_errors=row["server_errors"],
        code=code,
        traceparent=row["traceparent"],
        begins_at=row["begin_at"],
    )


async def users_with_work(
    connection: Connection, target: str, gate: Gate, *, busy: Iterable[int], limit: int
) -> list[int]:
    rows = await connection.fetch(_USERS, *_due(target, gate), list(busy), limit)
    return [row["user_id"] for row in rows]


async def days_that_wait(
    connection: Connection, target: str, user_id: int, first: date, last: date
) -> list[date]:
    """The days of a span on which something is to be created for this user."""
    rows = await connection.fetch(
        "SELECT DISTINCT day FROM push.effects WHERE target = $1 AND user_id = $2"
        " AND state = 'queued' AND op = 'create' AND day BETWEEN $3 AND $4",
        target,
        user_id,
        first,
        last,
    )
    return [row["day"] for row in rows]


async def survey(connection: Connection, target: str, gate: Gate) -> Survey:
    row = await connection.fetchrow(_SURVEY, target, gate.start_on, gate.grace)
    return Survey(row["waiting"], row["next_look"]) if row else Survey(0, None)


def _due(target: str, gate: Gate) -> tuple[str, bool, date | None, bool, timedelta]:
    return target, gate.writing, gate.start_on, gate.capped, gate.grace


async def still_mine(
    connection: Connection, claimed: Claim, *, begins_at: datetime | None = None
) -> bool:
    """Asked before anything is sent; then a chosen begin is kept, too."""
    mine = (claimed.request.posting, claimed.request.gen, claimed.attempt)
    if begins_at is None:
        found = await connection.fetchval(
            "SELECT true FROM push.effects WHERE posting = $1 AND gen = $2 AND state = 'sent' AND attempt = $3",
            *mine,
        )
    else:
        found = await connection.fetchval(
            "UPDATE push.effects SET begin_at = $4"
            " WHERE posting = $1 AND gen = $2 AND state = 'sent' AND attempt = $3 RETURNING true",
            *mine,
            begins_at,
        )
    return found is True


async def not_sent(connection: Connection, claimed: Claim, *, day: date | None = None) -> None:
    """Surely nothing of this attempt reached Kimai: queued again, unless an earlier one may have."""
    await connection.execute(
        "UPDATE push.effects SET tries = tries - 1, day = coalesce($4, day),"
        " state = CASE WHEN tries <= 1 AND NOT rebuilt THEN 'queued' ELSE 'uncertain' END"
        " WHERE posting = $1 AND gen = $2 AND state = 'sent' AND attempt = $3",
        claimed.request.posting,
        claimed.request.gen,
        claimed.attempt,
        day,
    )


async def hold(connection: Connection, claimed: Claim, until: datetime) -> None:
    """Nothing of it is in Kimai, and Kimai takes it from that moment on."""
    await connection.execute(
        "UPDATE push.effects SET state = 'queued', not_before = $4, tries = tries - $5::int"
        " WHERE posting = $1 AND gen = $2 AND state = 'sent' AND attempt = $3",
        claimed.request.posting,
        claimed.request.gen,
        claimed.attempt,
        until,
        int(claimed.first),
    )


async def looked_up(connection: Connection, claimed: Claim, *, day: date) -> None:
    """The grace is over and Kimai holds nothing of it: it waits like one that was never sent."""
    await connection.execute(
        "UPDATE push.effects SET state = 'queued', day = $4"
        " WHERE posting = $1 AND gen = $2 AND state = 'sent' AND attempt = $3",
        claimed.request.posting,
        claimed.request.gen,
        claimed.attempt,
        day,
    )


async def uncertain(connection: Connection, claimed: Claim, *, server_error: bool) -> None:
    """It may have been written: nothing is sent before the grace, from the claim, is over."""
    await connection.execute(
        "UPDATE push.effects SET state = 'uncertain', server_errors = server_errors + $4"
        " WHERE posting = $1 AND gen = $2 AND state = 'sent' AND attempt = $3",
        claimed.request.posting,
        claimed.request.gen,
        claimed.attempt,
        int(server_error),
    )


State = Literal["holds", "gone", "nothing said"]


class Outcome(NamedTuple):
    """What an answer says of one timesheet, to be recorded with it."""

    answer: Record
    no: int
    sheet: SheetId | None = None
    state: State = "nothing said"
    value: object = None
    """As cached, where it holds."""
    ties: bool = False


_RECORD = """
WITH done AS (
    UPDATE push.effects SET state = 'done', done_at = clock_timestamp()
    WHERE posting = $1 AND gen = $2 AND state IN ('sent', 'uncertain') AND attempt = $3
    RETURNING posting, book, target, create_code
), tie AS (
    INSERT INTO push.tied (sheet, posting, book, create_code)
    SELECT $4, posting, book, create_code FROM done WHERE $5
    ON CONFLICT (sheet) DO UPDATE SET posting = tied.posting RETURNING posting
), reading AS (
    INSERT INTO push.timesheets AS known (sheet, target, no, book, value)
    SELECT $4, target, $6, book, $7::jsonb FROM done WHERE $8
    ON CONFLICT (sheet) DO UPDATE SET no = greatest(excluded.no, known.no),
        book = CASE WHEN $5 THEN excluded.book ELSE coalesce(known.book, excluded.book) END,
        value = CASE WHEN excluded.no > known.no THEN excluded.value ELSE known.value END
    WHERE excluded.no > known.no OR $5
), said AS (
    INSERT INTO push.outbox (topic, key, value, headers)
    SELECT $9, $10, $11, $12::jsonb FROM done RETURNING id
)
SELECT (SELECT posting FROM tie) AS tied_to, pg_notify('push_outbox', '') FROM said
"""
"""One round trip on the hot path; the last lines are `hourbook_kit.outbox.put`."""


async def record(pool: asyncpg.Pool, claimed: Claim, outcome: Outcome) -> bool:
    """Outcome, tie, last reading and the fact to publish: one transaction, for the attempt that counts."""
    async with pool.acquire() as connection:
        if claimed.request.op != "adopt":
            return await _record(connection, claimed, outcome)
        async with connection.transaction():  # a tie that is another's takes everything back
            return await _record(connection, claimed, outcome)


async def _record(connection: Connection, claimed: Claim, outcome: Outcome) -> bool:
    answer, request = outcome.answer, claimed.request
    row = await connection.fetchrow(
        _RECORD,
        request.posting,
        request.gen,
        claimed.attempt,
        outcome.sheet,
        outcome.ties,
        outcome.no,
        json.dumps(outcome.value) if outcome.state == "holds" else None,
        outcome.sheet is not None and outcome.state != "nothing said",
        LEDGER.name,
        None if answer.key is None else answer.key.decode(),
        answer.value,
        json.dumps([[name, value.decode()] for name, value in answer.headers]),
    )
    if row is None:
        return False
    if row["tied_to"] not in (None, request.posting):
        raise TiedElsewhereError
    return True


async def tied_to(connection: Connection, sheets: Iterable[SheetId]) -> dict[SheetId, str]:
    """The postings that these timesheets answer."""
    rows = await connection.fetch(
        "SELECT sheet, posting FROM push.tied WHERE sheet = ANY ($1::text[])", list(sheets)
    )
    return {row["sheet"]: row["posting"] for row in rows}


async def earlier_codes(connection: Connection, request: TimesheetRequested) -> frozenset[str]:
    """Of this posting's earlier creates, by which a row of theirs would be known."""
    rows = await connection.fetch(
        "SELECT create_code FROM push.effects WHERE posting = $1 AND gen < $2 AND op = ANY ($3::text[])",
        request.posting,
        request.gen,
        list(CREATES),
    )
    return frozenset(row["create_code"] for row in rows)


async def insert(connection: Connection, new: Sequence[NewEffect]) -> None:
    """Requests that count; in a rebuild they come back as uncertain, for their answers may be lost."""
    if not new:
        return
    await connection.execute(
        "INSERT INTO push.effects (posting, gen, book, target, user_id, day, op, request, create_code,"
        " traceparent, rebuilt, state, claimed_at)"
        " SELECT posting, gen, book, target, user_id, day, op, request, code, traceparent, rebuilt,"
        " CASE WHEN rebuilt THEN 'uncertain' ELSE 'queued' END, CASE WHEN rebuilt THEN clock_timestamp() END"
        " FROM unnest($1::text[], $2::int[], $3::text[], $4::text[], $5::int[], $6::date[], $7::text[], $8::text[],"
        " $9::text[], $10::text[], $11::bool[]) WITH ORDINALITY"
        " AS new (posting, gen, book, target, user_id, day, op, request, code, traceparent, rebuilt, place)"
        " ORDER BY place ON CONFLICT DO NOTHING",
        [effect.request.posting for effect in new],
        [effect.request.gen for effect in new],
        [effect.request.book for effect in new],
        [effect.target for effect in new],
        [effect.user_id for effect in new],
        [effect.day for effect in new],
        [effect.request.op for effect in new],
        [effect.request.model_dump_json() for effect in new],
        [effect.code for effect in new],
        [effect.traceparent for effect in new],
        [effect.rebuilt for effect in new],
    )


async def answered(connection: Connection, answers: Sequence[tuple[str, int]]) -> bool:
    """An answer on the ledger ends its request, whoever gave it; whether one had not ended yet."""
    ended = await connection.fetch(
        "UPDATE push.effects SET state = 'done', done_at = coalesce(done_at, clock_timestamp())"
        " FROM unnest($1::text[], $2::int[]) AS said (posting, gen)"
        " WHERE (effects.posting, effects.gen) = (said.posting, said.gen) AND state <> 'done' RETURNING 1",
        [posting for posting, _ in answers],
        [gen for _, gen in answers],
    )
    return bool(ended)


async def release(connection: Connection, target: str, released: int) -> None:
    """A person lets go what is queued now; told again after a restart, it releases nothing more."""
    await connection.execute(
        "WITH news AS (INSERT INTO push.observed AS known (target, released) VALUES ($1, $2)"
        " ON CONFLICT (target) DO UPDATE SET released = excluded.released"
        " WHERE excluded.released > known.released RETURNING target)"
        " UPDATE push.effects SET released = true FROM news"
        " WHERE effects.target = news.target AND state = 'queued'",
        target,
        released,
    )

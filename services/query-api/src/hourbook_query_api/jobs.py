"""Jobs: work that takes its time, asked here, done by `hourbook jobs`, followed here.

The result is told as entries are: ids and amounts as they were found, titles and sealed text opened now,
where their keys are still there; and whose hours it tells goes into the access log.
"""

import json
from datetime import datetime
from typing import Annotated, Any, Literal

import asyncpg
from fastapi import Path, Query, Response

from hourbook_contracts import jobs, proposals
from hourbook_contracts.house import JobAsked, JobCancelled
from hourbook_contracts.ids import uuid_of
from hourbook_contracts.jobs import AnyAsked, AnyResult, State
from hourbook_kit import clock
from hourbook_query_api.accesses import agents_of, note
from hourbook_query_api.acts import publish
from hourbook_query_api.conflicts import loaded
from hourbook_query_api.connectors import Open
from hourbook_query_api.desk import Desk
from hourbook_query_api.guard import IdempotencyKey, allow_role, guarded_router
from hourbook_query_api.listing import Listing, Sort, Where, where
from hourbook_query_api.opening import opened
from hourbook_query_api.paging import Cursor, Filters, Limit, Total, Word
from hourbook_query_api.people import Person, Who
from hourbook_query_api.problems import Kind, ProblemError, described, invalid
from hourbook_query_api.rights import Role
from hourbook_query_api.shown import Shown

router = guarded_router("/api/jobs", "jobs")

PARAMETERS_MAX = 100_000
"""Characters: they stand on the control topic too."""

OPEN_MAX = 100
_OPEN = "SELECT count(*) FROM control.jobs WHERE ended_at IS NULL"

JobKind = Literal[
    "as_of", "compare", "what_if", "resync_plan", "resync_apply", "rebuild", "drop_old"
]
_READS = frozenset({"as_of", "compare", "what_if"})
"""Which an operator may ask for; the others are an administrator's."""

_JOBS = Listing(
    select=(
        "j.job, j.kind, j.parameters, j.asked_by, u.name AS asked_by_name, j.asked_at, j.state,"
        " j.cancel_by, j.begun_at, j.ended_at, j.attempt, j.done, j.total, j.sentence, j.failure"
    ),
    source="control.jobs AS j LEFT JOIN vault.users AS u ON u.user_id = j.asked_by",
    sorts={"asked_at": Sort("j.asked_at", "timestamptz")},
    key="j.job",
)


class Progress(Shown):
    done: int
    total: int | None
    """Null: nobody knows yet."""
    sentence: str | None
    """What it is at."""


class JobShown(Shown):
    job: str
    kind: JobKind
    asked: AnyAsked
    asked_by: str
    asked_by_name: str | None
    asked_at: datetime
    state: State
    cancel_wanted: bool
    begun_at: datetime | None
    ended_at: datetime | None
    attempt: int
    """2 and more: its worker ended meanwhile, and another one went on."""
    progress: Progress
    failure: str | None
    """Why nothing came of it, and what to do."""


class JobStory(JobShown):
    result: AnyResult | None
    """Of `done`."""
    titles: dict[str, str | None]
    """Of the tickets in the result, by book; null where there is none or it was erased."""


class Jobs(Shown):
    items: list[JobShown]
    next: str | None
    total: Total


class JobFilters(Filters):
    kind: list[JobKind] | None = None
    state: list[State] | None = None
    by: Word = None
    """Who asked: a person's id."""

    def where(self) -> Where:
        return where(
            [
                ("j.kind = ANY({}::text[])", self.kind or None),
                ("j.state = ANY({}::text[])", self.state or None),
                ("j.asked_by = {}", self.by),
            ]
        )


JobId = Annotated[str, Path(max_length=36, pattern=r"^[0-9a-f-]{36}$")]


@router.post("", status_code=202, responses=described(429))
async def ask_job(
    desk: Open, who: Who, body: AnyAsked, key: IdempotencyKey, response: Response
) -> JobShown:
    """Ask for `as_of`, `compare` or `what_if` as an operator, for the others as an administrator.

    It is done by `hourbook jobs`; look at `/api/jobs/{job}` for how far it is and what came of it.
    """
    _allow(who, body.kind)
    parameters = _parameters(body)
    if await desk.pool.fetchval(_OPEN) >= OPEN_MAX:
        raise ProblemError(
            Kind.TOO_MANY_JOBS,
            "Wait until some of /api/jobs are done, or cancel what nobody needs.",
        )
    now = clock.now()
    job = str(uuid_of("job", who.id, now.isoformat(), json.dumps(parameters)))
    await publish(
        desk,
        JobAsked(
            observed_at=now,
            by=who.id,
            idempotency_key=key,
            job=job,
            kind=body.kind,
            parameters=parameters,
        ),
    )
    await desk.pool.execute(
        "INSERT INTO control.jobs (job, kind, parameters, asked_by) VALUES ($1, $2, $3, $4)",
        job,
        body.kind,
        json.dumps(parameters),
        who.id,
    )
    await _wake(desk, job)
    response.headers["Location"] = f"/api/jobs/{job}"
    return _shown(await _row(desk, job))


@router.get("")
async def list_jobs(
    desk: Open,
    wanted: Annotated[JobFilters, Query()],
    sort: Annotated[str, Query(pattern=_JOBS.sort_pattern)] = "-asked_at",
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Jobs:
    """The newest first, without their results."""
    page = await _JOBS.page(desk.pool, wanted.where(), sort=sort, limit=limit, cursor=cursor)
    return Jobs(items=[_shown(row) for row in page.rows], next=page.next, total=page.total)


@router.get("/{job}", responses=described(404))
async def read_job(desk: Open, who: Who, job: JobId) -> JobStory:
    """How far it is, and what came of it."""
    row = await _row(desk, job)
    _allow(who, row["kind"])
    result = await opened(desk.vault, loaded(row["result"]))
    titles: dict[str, str | None] = {}
    if result is not None:
        await _note(desk, who, result)
        titles = await _titles(desk, result)
    return JobStory(
        **_shown(row).model_dump(),
        result=None if result is None else jobs.RESULT.validate_json(json.dumps(result)),
        titles=titles,
    )


@router.post("/{job}/cancel", responses=described(404, 409))
async def cancel_job(desk: Open, who: Who, job: JobId, key: IdempotencyKey) -> JobShown:
    """One that waits is over at once, one that runs when its worker hears of it."""
    row = await _row(desk, job)
    _allow(who, row["kind"])
    if row["ended_at"] is not None:
        raise ProblemError(Kind.ENDED, f"Look at /api/jobs/{job}: it is {row['state']} already.")
    await publish(
        desk, JobCancelled(observed_at=clock.now(), by=who.id, idempotency_key=key, job=job)
    )
    await desk.pool.execute(
        "UPDATE control.jobs SET cancel_by = $2,"
        " state = CASE state WHEN 'waiting' THEN 'cancelled' ELSE state END,"
        " ended_at = CASE state WHEN 'waiting' THEN now() END"
        " WHERE job = $1 AND ended_at IS NULL",
        job,
        who.id,
    )
    await _wake(desk, job)
    return _shown(await _row(desk, job))


def _allow(who: Person, kind: str) -> None:
    allow_role(who, Role.OPERATOR if kind in _READS else Role.ADMIN)


def _parameters(body: AnyAsked) -> dict[str, Any]:
    """As they are kept; of a what-if its settings are read, so that a wrong one is said now."""
    told: dict[str, Any] = body.model_dump(mode="json")
    if isinstance(body, jobs.WhatIf):
        try:
            tried = proposals.read(json.dumps(body.policy), clock.now())
        except ValueError as error:
            raise invalid("body.policy", str(error)) from error
        told["policy"] = [proposals.told(event) for event in tried]
    text = json.dumps(told)
    if "\\u0000" in text or len(text) > PARAMETERS_MAX:
        raise invalid("body", f"Send at most {PARAMETERS_MAX} characters, and no zero among them.")
    return told


async def _wake(desk: Desk, job: str) -> None:
    await desk.pool.execute("SELECT pg_notify($1, $2)", jobs.CHANNEL, job)


async def _row(desk: Desk, job: str) -> asyncpg.Record:
    row = await desk.pool.fetchrow(
        f"SELECT {_JOBS.select}, j.result FROM {_JOBS.source} WHERE j.job = $1",  # noqa: S608 -- our own words
        job,
    )
    if row is None:
        raise ProblemError(
            Kind.NOT_FOUND, "Look at /api/jobs: there is none of this id, or no more."
        )
    return row


def _shown(row: asyncpg.Record) -> JobShown:
    return JobShown(
        **{
            **dict(row),
            "asked": jobs.ASKED.validate_json(row["parameters"]),
            "cancel_wanted": row["cancel_by"] is not None,
            "progress": Progress(done=row["done"], total=row["total"], sentence=row["sentence"]),
        }
    )


async def _note(desk: Desk, who: Person, result: dict[str, Any]) -> None:
    """Whose hours these are: the agents of all entries that are told; of a plan, of its tickets."""
    rows = await desk.pool.fetch(
        "SELECT DISTINCT connection, agent_id FROM book.entries"
        " WHERE entry = ANY($1::text[]) OR book = ANY($2::text[])",
        sorted(_named(result, "entry")),
        sorted(_named(result.get("plan"), "book")),
    )
    await note(desk, who, "past", agents_of(rows))


async def _titles(desk: Desk, result: dict[str, Any]) -> dict[str, str | None]:
    rows = await desk.pool.fetch(
        "SELECT book, title FROM book.tickets WHERE book = ANY($1::text[])",
        sorted(_named(result, "book")),
    )
    titles = await opened(desk.vault, [{"title": loaded(row["title"])} for row in rows])
    return {row["book"]: title["title"] for row, title in zip(rows, titles, strict=True)}


def _named(part: Any, name: str) -> set[str]:
    """All texts that stand under this name, however deep."""
    if isinstance(part, list):
        return set().union(*(_named(inner, name) for inner in part))
    if not isinstance(part, dict):
        return set()
    here = {part[name]} if isinstance(part.get(name), str) else set()
    return here.union(*(_named(inner, name) for inner in part.values()))

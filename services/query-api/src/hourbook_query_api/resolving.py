"""Answering questions: held for a few seconds in which it can be undone, then said for good."""

from collections import Counter
from typing import Annotated, NamedTuple

from fastapi import Path, Response

from hourbook_query_api import held
from hourbook_query_api.choices import Choice, outcome_of
from hourbook_query_api.conflicts import (
    CONFLICTS,
    ConflictFilters,
    ConflictPath,
    conflict_of,
    conflicts_of,
    path_of,
    subject_of,
)
from hourbook_query_api.connectors import Open
from hourbook_query_api.desk import Desk
from hourbook_query_api.entry_models import Conflict
from hourbook_query_api.guard import IdempotencyKey, guarded_router
from hourbook_query_api.listing import where
from hourbook_query_api.people import Who
from hourbook_query_api.problems import Kind, ProblemError, described, invalid
from hourbook_query_api.resolution_models import (
    MANY_MAX,
    Chosen,
    ManyBody,
    OutcomeCount,
    Resolution,
    ResolutionItem,
    ResolutionPreview,
    ResolveBody,
    ResolveManyBody,
    SkipCount,
)

router = guarded_router("/api", "conflicts")

ResolutionPath = Annotated[str, Path(max_length=60, pattern=r"^[0-9a-z-]+$")]


class Sorted(NamedTuple):
    """Which questions an answer is good for, and why not for the others."""

    good: list[Conflict]
    skipped: dict[str, str]
    """Why, by conflict."""


@router.post("/conflicts/preview")
async def preview_resolution(desk: Open, body: ManyBody) -> ResolutionPreview:
    """What would come of it, before it is done; nothing is said or held."""
    found = await _sorted(desk, body)
    count, seconds = Counter[str](), Counter[str]()
    for conflict in found.good:
        outcome = _outcome(body.choice, conflict)
        count[outcome] += 1
        seconds[outcome] += conflict.want.duration_seconds if conflict.want else 0
    skipped = Counter(found.skipped.values())
    return ResolutionPreview(
        count=len(found.good) + len(found.skipped),
        outcomes=[
            OutcomeCount.model_validate({"outcome": o, "count": n, "seconds": seconds[o]})
            for o, n in count.most_common()
        ],
        skipped=[SkipCount(why=why, count=n) for why, n in skipped.most_common()],
    )


@router.post("/conflicts/resolve", status_code=202, responses=described(409))
async def resolve_many(
    desk: Open, who: Who, body: ResolveManyBody, key: IdempotencyKey, response: Response
) -> Resolution:
    """One answer to many questions, with what becomes of each; refused where their number has moved."""
    found = await _sorted(desk, body)
    count = len(found.good) + len(found.skipped)
    if count != body.count:
        raise ProblemError(
            Kind.COUNT_MOVED, f"Preview it again: there are {count} of them now, not {body.count}."
        )
    held_ones = [held.Answer.to(conflict) for conflict in found.good]
    words = held.Words(body.choice, body.comment, key)
    resolution, taken = await held.hold(desk, who, words, held_ones)
    skipped = found.skipped | {path_of(subject): "answered" for subject in taken}
    return await _accepted(desk, response, resolution, skipped)


@router.post("/conflicts/{conflict}/resolve", status_code=202, responses=described(404, 409))
async def resolve_conflict(
    desk: Open,
    who: Who,
    conflict: ConflictPath,
    body: ResolveBody,
    key: IdempotencyKey,
    response: Response,
) -> Resolution:
    """It can be undone until `undo_until`; then it is said, and the question is as the ledger has it."""
    found = await conflict_of(desk, subject_of(conflict))
    if found is None:
        raise ProblemError(
            Kind.NOT_FOUND, "Look at /api/conflicts: there is no question of this id."
        )
    if why := _why_not(found, body.choice, body.gen):
        raise _refused(found, why)
    sheet = _sheet(found, body)
    words = held.Words(body.choice, body.comment, key)
    resolution, taken = await held.hold(desk, who, words, [held.Answer.to(found, sheet)])
    if taken:
        raise _refused(found, "answered")
    return await _accepted(desk, response, resolution, {})


@router.get("/resolutions/{resolution}", responses=described(404))
async def read_resolution(desk: Open, resolution: ResolutionPath) -> Resolution:
    """What became of an answer, question by question."""
    found = await held.resolution_of(desk, resolution)
    if found is None:
        raise ProblemError(Kind.NOT_FOUND, "Look at /api/audit: there is no answer of this id.")
    return found


@router.delete("/resolutions/{resolution}", responses=described(404, 409))
async def undo_resolution(desk: Open, who: Who, resolution: ResolutionPath) -> Resolution:
    """Take it back while it is held; nothing has been said by then."""
    known = await read_resolution(desk, resolution)
    if known.undone_at is None and not await held.undo(desk, resolution, who):
        raise ProblemError(Kind.TOO_LATE, "Answer anew where a question opens again: this is said.")
    return await read_resolution(desk, resolution)


async def _accepted(
    desk: Desk, response: Response, resolution: str, skipped: dict[str, str]
) -> Resolution:
    found = await read_resolution(desk, resolution)
    items = [
        ResolutionItem(conflict=conflict, entry=None, state="skipped", why=why)
        for conflict, why in skipped.items()
    ]
    response.headers["Location"] = found.look_at
    return found.model_copy(update={"items": [*found.items, *items]})


async def _sorted(desk: Desk, body: ManyBody) -> Sorted:
    if (body.conflicts is None) == (body.filter is None):
        raise invalid("body.conflicts", "Send either `conflicts` or `filter`.")
    if body.conflicts is not None:
        return await _chosen(desk, body.choice, body.conflicts)
    filters = ConflictFilters(
        open=True, answered=False, **(body.filter.model_dump() if body.filter else {})
    )
    wanted = filters.where()
    total = await CONFLICTS.count(desk.pool, wanted)
    if total.count > MANY_MAX:
        raise invalid("body.filter", f"Narrow it to {MANY_MAX}: it finds {total.count}.")
    found = await conflicts_of(desk, wanted)
    return _sort(body.choice, [(conflict, conflict.gen) for conflict in found])


async def _chosen(desk: Desk, choice: Choice, chosen: list[Chosen]) -> Sorted:
    gens = {subject_of(one.conflict): one.gen for one in chosen}
    found = await conflicts_of(desk, where([("c.subject = ANY({}::text[])", [*gens])]))
    sorted_ = _sort(choice, [(conflict, gens[conflict.subject]) for conflict in found])
    gone = gens.keys() - {conflict.subject for conflict in found}
    return Sorted(sorted_.good, sorted_.skipped | {path_of(subject): "gone" for subject in gone})


def _sort(choice: Choice, asked: list[tuple[Conflict, int]]) -> Sorted:
    reasons = {
        conflict.conflict: _why_not(conflict, choice, gen)
        or ("needs_a_timesheet" if choice == "adopt" and len(conflict.candidates) > 1 else None)
        for conflict, gen in asked
    }
    good = [conflict for conflict, _ in asked if reasons[conflict.conflict] is None]
    return Sorted(good, {conflict: why for conflict, why in reasons.items() if why is not None})


def _why_not(conflict: Conflict, choice: Choice, gen: int) -> str | None:
    """Why this answer is not taken, if it is not."""
    if not conflict.open or conflict.gen != gen:
        return "moved"
    if conflict.on_its_way is not None:
        return "answered"
    if choice not in conflict.choices:
        return "choice_not_offered"
    return None


def _sheet(conflict: Conflict, body: ResolveBody) -> str | None:
    """Which timesheet is adopted; the only one need not be named."""
    if body.choice != "adopt":
        return None
    sheets = [candidate.sheet for candidate in conflict.candidates]
    if body.sheet is None and len(sheets) == 1:
        return sheets[0]
    if body.sheet not in sheets:
        raise invalid("body.sheet", f"Name one of its candidates: {', '.join(sheets)}.")
    return body.sheet


def _outcome(choice: Choice, conflict: Conflict) -> str:
    return outcome_of(choice, conflict.reason, want=conflict.want, held=conflict.held)


def _refused(conflict: Conflict, why: str) -> ProblemError:
    look_at = f"/api/conflicts/{conflict.conflict}"
    if why == "moved":
        return ProblemError(
            Kind.MOVED, f"Look at {look_at} again: the question is another one now."
        )
    if why == "answered":
        return ProblemError(Kind.ANSWERED, f"Look at {look_at}: somebody has answered it just now.")
    offered = ", ".join(conflict.choices) or "nothing"
    return ProblemError(
        Kind.NOT_OFFERED, f"Choose among {offered}: that is what can be answered here."
    )

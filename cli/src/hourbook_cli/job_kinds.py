"""What is done for each kind of job: what the commands do, with a bounded result instead of a table.

Raises what the commands tell in a sentence (`EXPECTED`); what passes by itself is for the caller to
try again, behind the parts that are kept.
"""

import json
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import Generic, TypeVar

from aiokafka.errors import KafkaError

from hourbook_cli import resync as resyncs
from hourbook_cli.sides import Ours, Range, ResyncError, ResyncSettings
from hourbook_contracts import jobs, proposals
from hourbook_contracts.audit import Change, Standing, added, differences, summary
from hourbook_contracts.installation import learn
from hourbook_contracts.jobs import ROWS_MAX, AnyAsked, AnyResult, bounded
from hourbook_contracts.resync import Plan
from hourbook_kit import clock
from hourbook_kit.kafka import AnotherLogError
from hourbook_kit.postgres import TRANSIENT
from hourbook_kit.vault import VaultKeyError
from hourbook_reconciler import beside
from hourbook_reconciler import replay as replays
from hourbook_reconciler.beside import KeptOldError, Switched
from hourbook_reconciler.cores import LostProcessError
from hourbook_reconciler.standing import Selection
from hourbook_reconciler.what_if import differences as differences_of

EXPECTED = (
    replays.NoSuchPlaceError,
    ResyncError,
    KeptOldError,
    LostProcessError,
    AnotherLogError,
    VaultKeyError,
)
PASSING = (KafkaError, *TRANSIENT)
T = TypeVar("T")

Tell = Callable[[str, int, int | None], None]
"""Told what it is at, and how much of how much is done."""
End = Callable[[object, AnyResult], Awaitable[None]]
"""Ends the job by this connection to the database, in the transaction that is open there."""


@dataclass(frozen=True, slots=True)
class Doing:
    """What a job is done with."""

    settings: ResyncSettings
    keeper: replays.Keeper
    tell: Tell
    end: End

    def telling(self, sentence: str) -> Callable[[int, int | None], None]:
        self.tell(sentence, 0, None)
        return lambda done, of: self.tell(sentence, done, of)


async def do(asked: AnyAsked, doing: Doing) -> AnyResult:
    """The result; of what moves something it is in the job's row by then, with what was moved."""
    match asked:
        case jobs.AsOf():
            return await _as_of(asked, doing)
        case jobs.Compare():
            return await _compare(asked, doing)
        case jobs.WhatIf():
            return await _what_if(asked, doing)
        case jobs.ResyncPlan() | jobs.ResyncApply():
            return await _resync(asked, doing)
        case jobs.Rebuild():
            return await _rebuild(asked, doing)
        case jobs.DropOld():
            return await _drop_old(doing)


class _First(Generic[T]):
    """The first of many rows, and how many more there were."""

    def __init__(self) -> None:
        self.rows: list[T] = []
        self.left_out = 0

    def add(self, more: Sequence[T]) -> None:
        taken, left_out = bounded(more, ROWS_MAX - len(self.rows))
        self.rows += taken
        self.left_out += left_out


async def _as_of(asked: jobs.AsOf, doing: Doing) -> AnyResult:
    """Partition by partition: all entries of a ledger would not stand in memory at once."""
    sums, first = summary([]), _First[Standing]()
    told = doing.telling("Reads the ledger up to there.")
    async with aclosing(_standings(asked.at, asked.of, doing, told)) as parts:
        async for part in parts:
            wanted = [one for one in part if asked.takes(one)]
            sums = added(sums, summary(wanted))
            first.add(wanted)
    return jobs.AsOfResult(summary=sums, entries=tuple(first.rows), left_out=first.left_out)


async def _compare(asked: jobs.Compare, doing: Doing) -> AnyResult:
    """The same for both places in step: an entry stays in its partition."""
    before, after, first = summary([]), summary([]), _First[Change]()
    far = [(0, 0), (0, 0)]

    def telling(side: int) -> replays.Progress:
        def tell(done: int, total: int) -> None:
            far[side] = (done, total)
            doing.tell("Reads the ledger up to both places.", *map(sum, zip(*far, strict=True)))

        return tell

    async with (
        aclosing(_standings(asked.first, asked.of, doing, telling(0))) as olds,
        aclosing(_standings(asked.second, asked.of, doing, telling(1))) as news,
    ):
        async for then in olds:
            later = await anext(news)
            before, after = added(before, summary(then)), added(after, summary(later))
            first.add(differences(then, later))
    return jobs.CompareResult(
        first=before, second=after, changes=tuple(first.rows), left_out=first.left_out
    )


def _standings(
    until: jobs.Until, of: str | None, doing: Doing, told: replays.Progress
) -> AsyncGenerator[list[Standing], None]:
    return replays.parts(
        doing.settings, replays.STANDING, _cut(until), _selection(of), told, doing.keeper
    )


async def _what_if(asked: jobs.WhatIf, doing: Doing) -> AnyResult:
    known = await replays.installation(doing.settings, asked.policy_of)
    for event in proposals.read(json.dumps(asked.policy), clock.now()):
        known = learn(known, event, known.offset)
    told = doing.telling("Reads the ledger under these settings.")
    found = await replays.what_if(
        doing.settings, known.policy, _selection(asked.of), told, doing.keeper
    )
    sums, sums_left_out = bounded(differences_of(found))
    entries, left_out = bounded(found)
    return jobs.WhatIfResult(
        moved=len(found),
        differences=sums,
        differences_left_out=sums_left_out,
        entries=entries,
        entries_left_out=left_out,
    )


async def _resync(asked: jobs.ResyncPlan | jobs.ResyncApply, doing: Doing) -> AnyResult:
    only = asked.hash if isinstance(asked, jobs.ResyncApply) else None

    async def and_then(ours: Ours, plan: Plan) -> None:
        await doing.end(ours, _of_plan(plan, applied=True))

    plan = await resyncs.resync(
        doing.settings,
        Range(
            tickets=asked.tickets,
            customer=asked.customer,
            first_on=asked.first_on,
            last_on=asked.last_on,
        ),
        doing.telling("Reads both sides anew, ticket by ticket."),
        only=only,
        and_then=and_then,
    )
    return _of_plan(plan, applied=only is not None)


def _of_plan(plan: Plan, *, applied: bool) -> AnyResult:
    facts, facts_left_out = bounded(plan.facts)
    decisions, decisions_left_out = bounded(plan.decisions)
    return jobs.ResyncResult(
        applied=applied,
        plan=plan.model_copy(update={"facts": facts, "decisions": decisions}),
        facts_left_out=facts_left_out,
        decisions_left_out=decisions_left_out,
    )


async def _rebuild(asked: jobs.Rebuild, doing: Doing) -> AnyResult:
    async def and_then(connection: object, switched: Switched) -> None:
        await doing.end(connection, _of_switch(switched))

    switched = await beside.rebuild_beside(
        doing.settings,
        doing.settings.admin_database_url.get_secret_value(),
        doing.telling("Folds the ledger into a second read model."),
        even_if_different=asked.even_if_different,
        and_then=and_then,
    )
    return _of_switch(switched)


def _of_switch(switched: Switched) -> AnyResult:
    return jobs.RebuildResult(
        switched=switched.switched, messages=switched.messages, differing=switched.differing
    )


async def _drop_old(doing: Doing) -> AnyResult:
    async def and_then(connection: object, dropped: bool) -> None:  # noqa: FBT001 -- as it is called
        await doing.end(connection, jobs.DropOldResult(dropped=dropped))

    dropped = await beside.drop_old(
        doing.settings.admin_database_url.get_secret_value(), and_then=and_then
    )
    return jobs.DropOldResult(dropped=dropped)


def _cut(until: jobs.Until) -> replays.Cut:
    if until.place is None:
        return replays.Cut(moment=until.moment)
    partition, offset = until.place.split("/")
    return replays.Cut(partition=int(partition), offset=int(offset))


def _selection(of: str | None) -> Selection:
    if of is None or of.count(":") == 2:  # noqa: PLR2004 -- kind, connection, number
        return Selection(book=of)
    return Selection(customer=of)

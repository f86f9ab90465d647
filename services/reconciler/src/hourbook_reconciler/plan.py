"""What Kimai should hold: entries netted, mapped, and placed in time.

Pure. First match wins, and the rules that were tried are part of the answer. A written posting keeps
its place while its own inputs are unchanged; where no rule fires the work has no place, which is a
question and never "nothing wanted".
"""

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import UTC, datetime, time
from functools import lru_cache
from zoneinfo import ZoneInfo

from hourbook_contracts.ids import (
    REMAINDER,
    EntryId,
    SheetId,
    SubjectId,
    connection_of,
    copy_of,
    posting_of,
    remainder_of,
)
from hourbook_contracts.installation import Policy
from hourbook_contracts.ledger import Attribution, Inputs, Place, Placement, RuleTried, Trace, Work
from hourbook_contracts.reasons import Reason
from hourbook_contracts.rules import mapped, project_of
from hourbook_reconciler.book import Book, Entry
from hourbook_reconciler.netting import Netting, net

ANYWHERE = Placement(time_zone="UTC", step_seconds=60)
"""Of work without a place: nobody will write it, and no setting may change what it looks like."""


@dataclass(frozen=True, slots=True)
class Want:
    """What Kimai should hold for a subject, and how that came to be; work None: nothing."""

    subject: SubjectId
    work: Work | None
    missing: Reason | None = None
    """Why the work has no place: the first mapping that is missing."""
    inputs: Inputs | None = None
    placement: Placement | None = None
    trace: Trace | None = None
    sheet: SheetId | None = None
    """Of a copy or orphan: the timesheet it is about, nothing being wanted of it."""
    question: "Question | None" = None
    """To be answered before anything else is done about this work."""


@dataclass(frozen=True, slots=True)
class Question:
    """What Zammad leaves open, and what would be wanted if it is taken as it stands there now."""

    reason: Reason
    instead: Work
    detail: str
    attribution: Attribution | None = None
    """Of `customer_changed`: for whom the ticket is by now."""


def plan(book: Book, policy: Policy, silent: Collection[SubjectId] = ()) -> list[Want]:
    """One want for each subject of the book, in the order of their names.

    Postings that are `silent` are left out: nothing is said of them now, whatever is wanted.
    """
    netting = net(book)
    wants = [
        *_postings(book, policy, netting, silent),
        *_remainders(book, netting),
        *_strangers(book),
    ]
    return sorted(wants, key=lambda want: want.subject)


def _postings(
    book: Book, policy: Policy, netting: Netting, silent: Collection[SubjectId]
) -> list[Want]:
    wants = []
    for id_, entry in book.entries.items():
        subject = posting_of(book.id, id_)
        if subject in silent:
            continue
        seconds = netting.left.get(id_, 0)
        if entry.doubted is not None and not entry.gone:
            wants.append(_doubtful(book, policy, netting, entry=entry, seconds=seconds))
        elif seconds:
            wants.append(_placed(book, policy, netting, entry=entry, seconds=seconds))
        elif subject in book.postings:
            wants.append(Want(subject, None, inputs=entry.inputs, trace=_trace(entry, 0, netting)))
    return wants


def _placed(book: Book, policy: Policy, netting: Netting, *, entry: Entry, seconds: int) -> Want:
    subject = posting_of(book.id, entry.recorded.entry)
    kept = book.posting(subject).mapped
    place, rules, missing = mapped(entry.inputs, policy, connection_of(book.id))
    if kept is not None and kept.inputs == entry.inputs:
        place, placement = kept.place, kept.placement or ANYWHERE
        missing = None if place else missing or Reason.UNMAPPED_ACTIVITY
    else:
        placement = _placement(place, policy)
    work = _work(entry.inputs, seconds, place, placement)
    return Want(
        subject,
        work,
        missing=missing,
        inputs=entry.inputs,
        placement=placement,
        trace=_trace(
            entry, seconds, netting, rules=rules, began_at=work.began_at, placement=placement
        ),
        question=_moved(book, entry.inputs, policy, subject, seconds),
    )


def _doubtful(book: Book, policy: Policy, netting: Netting, *, entry: Entry, seconds: int) -> Want:
    """What was certain before is wanted until a person has said which unit the edit was in."""
    doubted = entry.doubted or entry.recorded
    doubt = doubted.doubt
    worth = doubt.duration_seconds if doubt else 0
    if worth > 0:
        place, _, _ = mapped(entry.inputs, policy, connection_of(book.id))
        instead = _work(entry.inputs, worth, place, _placement(place, policy))
    else:
        instead = Work(place=None, began_at=doubted.created_at, duration_seconds=worth)
    detail = (
        f"Edited to {doubted.raw_units} after Zammad's unit had changed: by the unit it was made in that"
        f" is {doubted.duration_seconds} seconds, by the later one {worth}."
    )
    question = Question(Reason.UNIT_UNCONFIRMED, instead, detail)
    if seconds:
        want = _placed(book, policy, netting, entry=entry, seconds=seconds)
        return replace(want, question=question)
    subject = posting_of(book.id, entry.recorded.entry)
    trace = _trace(entry, 0, netting)
    return Want(subject, None, inputs=entry.inputs, trace=trace, question=question)


def _work(inputs: Inputs, seconds: int, place: Place | None, placement: Placement) -> Work:
    began_at = begin(inputs.created_at, seconds, placement, clamped=place is not None)
    return Work(place=place, began_at=began_at, duration_seconds=seconds)


def _moved(
    book: Book, inputs: Inputs, policy: Policy, subject: SubjectId, seconds: int
) -> Question | None:
    """None also where the rules give both customers one project, and where a person declined it."""
    ticket = book.ticket.ticket if book.ticket else None
    if ticket is None or (ticket.organization_id, ticket.customer_id) == (
        inputs.organization_id,
        inputs.customer_id,
    ):
        return None
    attribution, source = ticket.attribution, connection_of(book.id)
    if attribution == book.posting(subject).declined:
        return None
    now = inputs.model_copy(update=dict(attribution))
    if project_of(now, policy, source) == project_of(inputs, policy, source):
        return None
    place, _, _ = mapped(now, policy, source)
    detail = (
        f"When this was first read, the ticket was for {_whom(inputs.attribution)}; by now it is for"
        f" {_whom(attribution)}."
    )
    instead = _work(now, seconds, place, _placement(place, policy))
    return Question(Reason.CUSTOMER_CHANGED, instead, detail, attribution)


def _whom(attribution: Attribution) -> str:
    organization = attribution.organization_id or "none"
    return f"organization {organization}, customer {attribution.customer_id or 'none'}"


def _placement(place: Place | None, policy: Policy) -> Placement:
    if place is None:
        return ANYWHERE
    target = policy.targets.get(place.target)
    step = target.step_seconds if target else ANYWHERE.step_seconds
    zone = policy.zone_of(place.target, place.user_id)
    return _stepped(zone.key, step, packed=target is not None and target.packs)


@lru_cache(maxsize=1024)
def _stepped(time_zone: str, step_seconds: int, *, packed: bool) -> Placement:
    return Placement(time_zone=time_zone, step_seconds=step_seconds, packed=packed)


def begin(made: datetime, seconds: int, placement: Placement, *, clamped: bool) -> datetime:
    """Where work made at this moment begins: its end less its length, moved down to the step.

    Never before the worker's day began (`clamped`): then it ends later than it was made. Whole steps
    keep 15 minutes 15 minutes, because Kimai floors begins and ceils ends (kimai-api.md 3.4).
    """
    began = made.timestamp() - seconds
    aligned = datetime.fromtimestamp(began // placement.step_seconds * placement.step_seconds, UTC)
    if not clamped:
        return aligned
    zone = ZoneInfo(placement.time_zone)
    morning = datetime.combine(made.astimezone(zone).date(), time(), zone).astimezone(UTC)
    return max(aligned, morning)


def _trace(
    entry: Entry,
    seconds: int,
    netting: Netting,
    *,
    rules: tuple[RuleTried, ...] = (),
    began_at: datetime | None = None,
    placement: Placement = ANYWHERE,
) -> Trace:
    local = began_at.astimezone(ZoneInfo(placement.time_zone)) if began_at else None
    return Trace(
        raw_units=entry.recorded.raw_units,
        seconds_per_unit=entry.recorded.seconds_per_unit,
        net_seconds=seconds,
        taken=netting.taken.get(entry.recorded.entry, ()),
        rules=rules,
        placed_on=local.date() if local else None,
    )


def _remainders(book: Book, netting: Netting) -> list[Want]:
    """What a negative entry could take from nobody: a question of its own."""
    wants = []
    for id_, entry in book.entries.items():
        subject = remainder_of(posting_of(book.id, id_))
        short = netting.remainders.get(id_)
        if short:
            work = Work(place=None, began_at=entry.recorded.created_at, duration_seconds=-short)
            wants.append(
                Want(
                    subject,
                    work,
                    missing=Reason.NEGATIVE_BALANCE,
                    inputs=entry.inputs,
                    trace=_trace(entry, -short, netting),
                )
            )
        elif subject in book.postings:
            wants.append(Want(subject, None, inputs=entry.inputs))
    return wants


def _strangers(book: Book) -> list[Want]:
    """Timesheets with a marker of ours that answer no posting: copies by a person, and orphans.

    While a request is unanswered its own row may be among them, so none is spoken of before.
    """
    if any(posting.waits_for_push for posting in book.postings.values()):
        return []
    tied = {posting.sheet for posting in book.postings.values()}
    strange = {
        sheet
        for sheet, reading in book.sheets.items()
        if reading.marker and reading.work and sheet not in tied
    }
    return [
        Want(copy_of(book.id, sheet), None, sheet=sheet if sheet in strange else None)
        for sheet in book.sheets
        if sheet in strange or copy_of(book.id, sheet) in book.postings
    ]


def entry_of_subject(subject: SubjectId) -> EntryId | None:
    """The entry a posting or remainder is about; None for a copy or orphan."""
    book, _, rest = subject.removesuffix(REMAINDER).partition("/")
    return EntryId(f"{book.rsplit(':', 1)[0]}:{rest}") if rest.isdigit() else None

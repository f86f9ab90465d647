"""What brings Kimai in line with Zammad without losing anybody's edit.

Pure and level-triggered: it looks at where both sides stand, not at what happened last. The table is
protocol.md 3, first line that holds; guard clauses from the safe cases to the bold ones.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, tzinfo
from types import MappingProxyType
from zoneinfo import ZoneInfo

from hourbook_contracts.ids import SheetId, SubjectId, connection_of
from hourbook_contracts.installation import Policy
from hourbook_contracts.ledger import (
    Candidate,
    ConflictOpened,
    Decision,
    DescriptionParts,
    Operation,
    Settled,
    TimesheetRequested,
    Work,
)
from hourbook_contracts.likeness import alike
from hourbook_contracts.reasons import REASON_OF_REFUSAL, Reason
from hourbook_reconciler.book import Book, Posting, Sheet, Verdict, has_moved
from hourbook_reconciler.plan import Want, plan

TEMPLATE = 1


def decisions(
    book: Book,
    policy: Policy,
    observed_at: datetime,
    flying: Mapping[SubjectId, int] = MappingProxyType({}),
) -> list[Decision]:
    """What is new to say about this book, in the order of its subjects' names.

    Not said again: what the last verdict already says, and what is `flying`, by subject the generation
    that was proposed and not yet read back. `observed_at` is the moment the decisions carry; nothing
    depends on it.
    """
    silent = {name for name, posting in book.postings.items() if _is_silent(posting, policy)}
    silent |= {name for name, gen in flying.items() if gen > book.posting(name).gen}
    found = (
        decide(book, want, policy, observed_at)
        for want in plan(book, policy, silent)
        if want.subject not in silent
    )
    return [decision for decision in found if decision is not None]


def _is_silent(posting: Posting, policy: Policy) -> bool:
    """Whether nothing may be said now: an answer is awaited, or a newer policy has spoken."""
    return posting.waits_for_push or policy.version < posting.policy


@dataclass(frozen=True, slots=True)
class _Case:
    """One subject: its register, what is wanted, what Kimai holds, and what to say with."""

    book: Book
    want: Want
    posting: Posting
    policy: Policy
    observed_at: datetime
    sheet: SheetId | None
    held: Work | None
    locked: bool
    reading: Sheet | None

    @property
    def differs(self) -> bool:
        return not alike(self.want.work, self.held, self.want.placement)

    @property
    def zammad_moved(self) -> bool:
        return self.want.work != self.posting.agreed.want

    @property
    def kimai_moved(self) -> bool:
        return has_moved(self.posting.agreed, self.reading, self.posting.placement)


def decide(book: Book, want: Want, policy: Policy, observed_at: datetime) -> Decision | None:
    """The next verdict on this subject, or None while the last one still says it."""
    case = _case_of(book, want, policy, observed_at)
    if _is_silent(case.posting, policy) or not _may_speak(case):
        return None
    verdict = _verdict(case)
    return None if _said(verdict, case.posting) else verdict


def may_write(book: Book, want: Want, policy: Policy) -> bool:
    """Whether this want is spoken of at all (promise 10)."""
    return _may_speak(_case_of(book, want, policy, datetime.min.replace(tzinfo=UTC)))


def _case_of(book: Book, want: Want, policy: Policy, observed_at: datetime) -> _Case:
    posting = book.posting(want.subject)
    sheet = want.sheet or posting.sheet
    reading = book.sheets.get(sheet) if sheet is not None else None
    return _Case(
        book,
        want,
        posting,
        policy,
        observed_at,
        sheet,
        held=reading.work if reading else None,
        locked=reading.locked if reading else False,
        reading=reading,
    )


def _verdict(case: _Case) -> Verdict:
    want, held, posting = case.want.work, case.held, case.posting
    if case.want.question is not None:
        return _ask(case, case.want.question.reason, detail=case.want.question.detail)
    if not case.zammad_moved and not case.kimai_moved:
        return _request(case) if _is_misnamed(case) else _settled(case)
    if want is None and held is None:
        return _settled(case)
    if want is not None and want.place is None:
        return _ask(case, case.want.missing or Reason.UNMAPPED_ACTIVITY)
    if case.want.sheet is not None:
        return _ask(case, _of_a_stranger(case.book))
    if case.kimai_moved and case.differs and not _permitted(case, "overwrite"):
        return _ask(case, _of_an_edit(case))
    if case.differs and held is not None and case.locked:
        return _ask(case, Reason.RETRACTED_AFTER_EXPORT if want is None else Reason.LOCKED_IN_KIMAI)
    if case.differs and _in_closed_period(case):
        return _ask(case, Reason.CLOSED_PERIOD)
    refusal = posting.refusal
    if refusal is not None and (refusal.want, refusal.held) == (want, held):
        reason = REASON_OF_REFUSAL.get(refusal.why, Reason.REFUSED_BY_KIMAI)
        return _ask(case, reason, refusal.candidates, refusal.detail)
    return _request(case)


def _is_misnamed(case: _Case) -> bool:
    """Whether what is written names a ticket that was merged since, and may be written."""
    merged = case.book.ticket.merged_number if case.book.ticket else None
    if merged is None or case.posting.named in (None, merged):
        return False
    if case.held is None or case.locked or case.posting.refusal is not None:
        return False
    return not _in_closed_period(case)


def _permitted(case: _Case, op: str) -> bool:
    permit = case.posting.permit
    return permit is not None and (permit.op, permit.want, permit.held) == (
        op,
        case.want.work,
        case.held,
    )


def _of_an_edit(case: _Case) -> Reason:
    if case.held is None:
        return Reason.DELETED_IN_KIMAI
    return Reason.CHANGED_ON_BOTH_SIDES if case.zammad_moved else Reason.CHANGED_IN_KIMAI


def _of_a_stranger(book: Book) -> Reason:
    of_kimai = book.id.startswith("kimai:")
    return Reason.ORPHAN_IN_KIMAI if of_kimai else Reason.DUPLICATE_IN_KIMAI


def _may_speak(case: _Case) -> bool:
    """Promise 10: silent where nobody has switched writing on, and about days before its start.

    Without a place no one target is meant: then one that may be written on that day, in the worker's
    zone as far as the worker is mapped, is enough.
    """
    instead = case.want.question.instead if case.want.question else None
    works = [work for work in (case.want.work, case.held, instead) if work is not None]
    if not works:
        return True
    placed = [work for work in works if work.place is not None]
    if not placed:
        day = works[0].began_at.astimezone(_zone_of_agent(case)).date()
        return any(target.may_write(day) for target in case.policy.targets.values())
    return all(
        target is not None and target.may_write(day)
        for target, day in (
            (case.policy.targets.get(name), day) for name, day in _days(case, placed)
        )
    )


def _zone_of_agent(case: _Case) -> tzinfo:
    inputs = case.want.inputs
    key = ("worker", connection_of(case.book.id), str(inputs.agent_id if inputs else ""))
    worker = case.policy.mappings.get(key)
    return ZoneInfo(worker.time_zone) if worker and worker.time_zone else UTC


def _in_closed_period(case: _Case) -> bool:
    """Whether a day of what is wanted or of what is held is closed, from the announcement on."""
    works = (case.want.work, case.held)
    return any(case.policy.targets[name].is_closed(day) for name, day in _days(case, works))


def _days(case: _Case, works: Iterable[Work | None]) -> Iterator[tuple[str, date]]:
    """Each target with the day, in its user's zone, on which one of these begins."""
    for work in works:
        if work is not None and work.place is not None:
            zone = case.policy.zone_of(work.place.target, work.place.user_id)
            yield work.place.target, work.began_at.astimezone(zone).date()


def _said(verdict: Verdict, posting: Posting) -> bool:
    """Whether the last verdict says the same, generation and policy aside."""
    last = posting.verdict
    match verdict:
        case Settled():
            return last is None or isinstance(last, Settled)
        case ConflictOpened():
            return (
                isinstance(last, ConflictOpened)
                and posting.asks
                and (verdict.reason, verdict.want, verdict.held, verdict.candidates)
                == (last.reason, last.want, last.held, last.candidates)
                and (verdict.attribution, verdict.instead) == (last.attribution, last.instead)
            )
        case TimesheetRequested():
            return False  # an answered request that is wanted again is a new one


def _settled(case: _Case) -> Settled:
    return Settled(
        book=case.book.id,
        connection=connection_of(case.book.id),
        observed_at=case.observed_at,
        posting=case.want.subject,
        gen=case.posting.gen + 1,
        policy=case.policy.version,
        trace=case.want.trace,
    )


def _ask(
    case: _Case,
    reason: Reason,
    candidates: tuple[Candidate, ...] = (),
    detail: str | None = None,
) -> ConflictOpened:
    question = case.want.question
    return ConflictOpened(
        book=case.book.id,
        connection=connection_of(case.book.id),
        observed_at=case.observed_at,
        posting=case.want.subject,
        gen=case.posting.gen + 1,
        policy=case.policy.version,
        trace=case.want.trace,
        reason=reason.value,
        want=case.want.work,
        held=case.held,
        candidates=candidates,
        detail=detail,
        attribution=question.attribution if question else None,
        instead=question.instead if question else None,
    )


def _request(case: _Case) -> TimesheetRequested:
    posting, held, want = case.posting, case.held, case.want.work
    op: Operation = "create" if held is None else "delete" if want is None else "update"
    sheet, expected = (case.sheet if held is not None else None), held
    permit = posting.permit
    if permit and permit.op == "adopt" and permit.want == want and held is None:
        op, sheet, expected = "adopt", permit.sheet, permit.held
    return TimesheetRequested(
        book=case.book.id,
        connection=connection_of(case.book.id),
        observed_at=case.observed_at,
        posting=case.want.subject,
        gen=posting.gen + 1,
        policy=case.policy.version,
        trace=case.want.trace,
        op=op,
        sheet=sheet,
        expected=expected,
        want=want,
        inputs=case.want.inputs,
        placement=case.want.placement,
        not_these=() if op == "adopt" else posting.not_these,
        text=_text(case.book, case.want, posting) if want is not None else None,
    )


def _text(book: Book, want: Want, posting: Posting) -> DescriptionParts:
    """What the description is rendered from; the number is there even before the title was read.

    Of a ticket that was merged it names the other one, where people find its articles.
    """
    if book.ticket is not None:
        own, merged = book.ticket.ticket.number, book.ticket.merged_number
        named = own if posting.named in (None, merged) else posting.named
        return DescriptionParts(
            template=TEMPLATE,
            ticket_number=merged or own,
            title=book.ticket.merged_title if merged else book.ticket.title,
            formerly=named if merged else None,
        )
    number = next(
        entry.recorded.ticket.number
        for entry in book.entries.values()
        if entry.inputs == want.inputs
    )
    return DescriptionParts(template=TEMPLATE, ticket_number=number)

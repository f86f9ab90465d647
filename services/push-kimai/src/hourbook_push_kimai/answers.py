"""The one answer each request gets, as it goes on the ledger: pure."""

from datetime import datetime

from hourbook_contracts.ledger import (
    Candidate,
    PushRefused,
    TimesheetRequested,
    TimesheetWritten,
)
from hourbook_push_kimai.look import Refuse, evidence
from hourbook_push_kimai.observe import Reading


def written(
    request: TimesheetRequested, target: str, reading: Reading, *, no: int, sure: bool, at: datetime
) -> TimesheetWritten:
    return TimesheetWritten(
        observed_at=at,
        book=request.book,
        connection=target,
        posting=request.posting,
        gen=request.gen,
        no=no,
        sheet=reading.sheet,
        asked=request.want,
        stored=reading.work,
        sure=sure,
        locked=reading.locked,
        billable=reading.billable,
        description=reading.description,
        marker=reading.marker,
        ended_at=reading.ended_at,
        break_seconds=reading.times.pause if reading.times else 0,
    )


def deleted(
    request: TimesheetRequested, target: str, *, no: int, at: datetime
) -> TimesheetWritten | None:
    """None: a request that names no timesheet cannot have deleted one."""
    if request.sheet is None:
        return None
    return TimesheetWritten(
        observed_at=at,
        book=request.book,
        connection=target,
        posting=request.posting,
        gen=request.gen,
        no=no,
        sheet=request.sheet,
        asked=None,
        stored=None,
        sure=True,
    )


def refused(
    request: TimesheetRequested,
    target: str,
    refuse: Refuse,
    reading: Reading | None,
    *,
    no: int,
    at: datetime,
) -> PushRefused:
    """`reading`: of the row that it names, if it names one."""
    gone = refuse.why == "gone"
    return PushRefused(
        observed_at=at,
        book=request.book,
        connection=target,
        posting=request.posting,
        gen=request.gen,
        no=no,
        why=refuse.why,
        sheet=request.sheet if reading is not None or gone else None,
        held=None if reading is None else reading.work,
        locked=reading is not None and reading.locked,
        candidates=_candidates(request, target, refuse),
        detail=refuse.detail,
        rounded_from=None if reading is None else reading.rounded_from,
    )


def _candidates(request: TimesheetRequested, target: str, refuse: Refuse) -> tuple[Candidate, ...]:
    """The likeliest first, with what speaks for it."""
    found = [
        Candidate(
            sheet=row.sheet(target), work=row.work(target), evidence=evidence(request, target, row)
        )
        for row in refuse.candidates
    ]
    return tuple(sorted(found, key=lambda candidate: -len(candidate.evidence)))

"""The one answer each request gets, as it goes on the ledger: pure."""

from datetime import datetime

from hourbook_contracts.ledger import PushRefused, TimesheetRequested, TimesheetWritten
from hourbook_push_kimai.look import Refuse
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
    request: TimesheetRequested, target: str, refuse: Refuse, *, no: int, at: datetime
) -> PushRefused:
    row = refuse.row
    gone = refuse.why == "gone"
    return PushRefused(
        observed_at=at,
        book=request.book,
        connection=target,
        posting=request.posting,
        gen=request.gen,
        no=no,
        why=refuse.why,
        sheet=request.sheet if row is not None or gone else None,
        held=None if row is None else row.work(target),
        locked=row is not None and row.exported,
        candidates=tuple(candidate.candidate(target) for candidate in refuse.candidates),
        detail=refuse.detail,
    )

"""What is left of a budget of time or money (kimai-api.md 4, budget).

Looked at only where overbooking is forbidden, and only for what is stopped and billable.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from hourbook_simulators.kimai.forms import Draft
from hourbook_simulators.kimai.memory import Memory
from hourbook_simulators.kimai.permissions import Caller
from hourbook_simulators.kimai.records import Activity, Customer, Project, Timesheet
from hourbook_simulators.kimai.refusals import Violation
from hourbook_simulators.kimai.settings import is_on
from hourbook_simulators.kimai.zones import zone

OVERBOOKING = "timesheet.rules.allow_overbooking_budget"
UNTOLD = "Sorry, the budget is used up."
SIGNS = {"EUR": "€", "USD": "$", "GBP": "£"}


@dataclass(frozen=True, slots=True)
class _Budget:
    kind: str
    record: Activity | Project | Customer
    currency: str


def overdrawn(
    draft: Draft, memory: Memory, caller: Caller, held: Timesheet | None
) -> list[Violation]:
    """`held` is the record that is changed, as it was."""
    project = memory.projects.get(draft.project_id or 0)
    activity = memory.activities.get(draft.activity_id or 0)
    if is_on(memory.setting(OVERBOOKING)) or draft.end is None:
        return []
    if project is None or activity is None or (held and not _is_dearer(draft, held)):
        return []
    customer = memory.customers[project.customer_id]
    billable = draft.billable
    if billable is None:
        billable = activity.billable and project.billable and customer.billable
    if not billable:
        return []
    found = []
    for kind, record in (("activity", activity), ("project", project), ("customer", customer)):
        budget = _Budget(kind, record, SIGNS.get(customer.currency, customer.currency))
        text = _text(budget, draft, memory, caller, held)
        if text is not None:
            found.append(Violation(kind, text))
    return found


def _is_dearer(draft: Draft, held: Timesheet) -> bool:
    """Nothing is asked of a change that leaves time, money and place as they were."""
    before = (held.begin, held.end, held.break_seconds, held.fixed_rate, held.hourly_rate)
    after = (draft.begin, draft.end, draft.break_seconds, draft.fixed_rate, draft.hourly_rate)
    place = (held.project_id, held.activity_id, held.billable)
    return before != after or place != (draft.project_id, draft.activity_id, draft.billable)


def _text(
    budget: _Budget, draft: Draft, memory: Memory, caller: Caller, held: Timesheet | None
) -> str | None:
    record = budget.record
    if not record.budget and not record.time_budget_seconds:
        return None
    others = list(_others(budget, draft, memory, held))
    booked = sum(row.duration_seconds for row in others)
    seconds = _seconds(draft)
    if record.time_budget_seconds and booked + seconds > record.time_budget_seconds:
        available = record.time_budget_seconds
        told = [_clock(each) for each in (available, booked, max(0, available - booked))]
        return _told(told) if caller.may(f"time_{budget.kind}") else UNTOLD
    spent = round(sum(row.rate for row in others), 4)
    money = _money(draft, held)
    if record.budget and money and spent + money > record.budget:
        left = max(0.0, record.budget - spent)
        told = [f"{budget.currency}{each:,.2f}" for each in (record.budget, spent, left)]
        return _told(told) if caller.may(f"budget_{budget.kind}") else UNTOLD
    return None


def _others(
    budget: _Budget, draft: Draft, memory: Memory, held: Timesheet | None
) -> Iterator[Timesheet]:
    """What else was booked on it, of the same month where the budget is for a month."""
    is_monthly = budget.record.budget_type == "month"
    month = _month(draft.begin, draft.zone)
    for row in memory.timesheets.values():
        places = {
            "activity": row.activity_id,
            "project": row.project_id,
            "customer": memory.projects[row.project_id].customer_id,
        }
        if (
            row.billable
            and row is not held
            and places[budget.kind] == budget.record.id
            and (not is_monthly or _month(row.begin, draft.zone) == month)
        ):
            yield row


def _seconds(draft: Draft) -> int:
    end = draft.end or draft.begin
    return int((end - draft.begin).total_seconds()) - draft.break_seconds


def _money(draft: Draft, held: Timesheet | None) -> float:
    """An hour's rate counts for the duration that was calculated last: none for a new record."""
    if draft.fixed_rate is not None:
        return draft.fixed_rate
    if held is None:
        return 0.0
    hourly = held.hourly_rate if draft.hourly_rate is None else draft.hourly_rate
    return round((hourly or 0.0) * held.duration_seconds / 3600, 4)


def _month(at: datetime, zone_name: str) -> tuple[int, int]:
    here = at.astimezone(zone(zone_name))
    return here.year, here.month


def _clock(seconds: int) -> str:
    hours, rest = divmod(seconds, 3600)
    return f"{hours}:{rest // 60:02}"


def _told(amounts: list[str]) -> str:
    available, booked, left = amounts
    return (
        f"The budget is used up. Of the available {available}, {booked} has been booked so far,"
        f" {left} can still be used."
    )

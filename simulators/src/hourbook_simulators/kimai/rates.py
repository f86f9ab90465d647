"""What a record is worth: its own rates, those of its activity, project or customer, its owner's.

kimai-api.md 3.3, step 4.
"""

from hourbook_simulators.kimai.memory import Memory
from hourbook_simulators.kimai.records import Rate, Timesheet

SCORES = {"activities": 5, "projects": 3, "customers": 1}


def priced(memory: Memory, timesheet: Timesheet) -> None:
    """Sets rate and internal rate; an hourly rate that was found stays on the record."""
    owner = memory.users[timesheet.user_id]
    found = _best(memory, timesheet) if memory.rates else None
    if timesheet.fixed_rate is None and timesheet.hourly_rate is None and found is not None:
        if found.is_fixed:
            timesheet.fixed_rate = found.rate
        else:
            timesheet.hourly_rate = found.rate
    internal = owner.internal_rate
    if found is not None:
        internal = found.internal_rate
    if timesheet.fixed_rate is not None:
        timesheet.rate = timesheet.internal_rate = timesheet.fixed_rate
        if internal is not None:
            is_fixed = found is not None and found.is_fixed
            timesheet.internal_rate = internal if is_fixed else _for(timesheet, internal)
        return
    if timesheet.hourly_rate is None:
        timesheet.hourly_rate = owner.hourly_rate
    timesheet.rate = _for(timesheet, timesheet.hourly_rate)
    timesheet.internal_rate = _for(
        timesheet, timesheet.hourly_rate if internal is None else internal
    )


def _best(memory: Memory, timesheet: Timesheet) -> Rate | None:
    """The nearest: of the activity before the project's before the customer's, one's own first."""
    project = memory.projects[timesheet.project_id]
    places = {
        "activities": timesheet.activity_id,
        "projects": project.id,
        "customers": project.customer_id,
    }
    fitting = [
        rate
        for rate in memory.rates
        if places[rate.kind] == rate.record_id and rate.user_id in {None, timesheet.user_id}
    ]
    return max(
        fitting,
        key=lambda rate: SCORES[rate.kind] + (rate.user_id is not None),
        default=None,
    )


def _for(timesheet: Timesheet, hourly: float) -> float:
    return round(hourly * timesheet.duration_seconds / 3600, 4)

"""Who is kept from what by teams (kimai-api.md 1.4).

A customer, project or activity with teams is for their members only; a user with teams, for who
leads one of them only. `view_all_data` looks over it all.
"""

from hourbook_simulators.kimai.memory import Memory
from hourbook_simulators.kimai.permissions import Caller
from hourbook_simulators.kimai.records import Activity, Customer, Project, Timesheet

Restricted = Customer | Project | Activity


def teams_of(memory: Memory, user_id: int) -> tuple[frozenset[int], frozenset[int]]:
    """Those of which they are a member, and those which they lead."""
    teams = memory.teams.values()
    return (
        frozenset(team.id for team in teams if user_id in team.member_ids),
        frozenset(team.id for team in teams if user_id in team.lead_ids),
    )


def reaches(caller: Caller, *records: Restricted | None) -> bool:
    return caller.may("view_all_data") or all(
        record is None or not record.team_ids or not caller.teams.isdisjoint(record.team_ids)
        for record in records
    )


def reaches_work(caller: Caller, memory: Memory, project_id: int, activity_id: int) -> bool:
    """Its project, with the customer, and its activity."""
    if not memory.teams:
        return True
    project = memory.projects.get(project_id)
    customer = memory.customers.get(project.customer_id) if project else None
    return reaches(caller, customer, project, memory.activities.get(activity_id))


def reaches_user(caller: Caller, memory: Memory, user_id: int) -> bool:
    """Who is in no team is reached by everybody."""
    if user_id == caller.user_id or caller.may("view_all_data"):
        return True
    theirs, _ = teams_of(memory, user_id)
    return not theirs or not caller.leads.isdisjoint(theirs)


def reaches_timesheet(caller: Caller, memory: Memory, held: Timesheet) -> bool:
    """One's own always, also on a project one may not use any more."""
    if held.user_id == caller.user_id:
        return True
    return reaches_user(caller, memory, held.user_id) and reaches_work(
        caller, memory, held.project_id, held.activity_id
    )


def led_by(caller: Caller, memory: Memory) -> set[int]:
    """Oneself and the members of the teams that one leads."""
    members = (memory.teams[team_id].member_ids for team_id in caller.leads)
    return {caller.user_id}.union(*members)

"""Who may do what to whose timesheet (kimai-api.md 1.4, 1.5, 5); teams.py has the rest of it."""

from dataclasses import dataclass

_OWN = {f"{verb}_own_timesheet" for verb in ("view", "create", "edit", "delete", "start", "stop")}
_OTHER = {name.replace("_own_", "_other_") for name in _OWN}
_USER = _OWN | {"api_access", "create_tag", "time_team_project"}
_TEAMLEAD = (
    _USER
    | _OTHER
    | {
        f"{what}_{whose}_timesheet"
        for what in ("view_rate", "edit_export", "edit_billable")
        for whose in ("own", "other")
    }
    | {f"view_teamlead_{what}" for what in ("customer", "project", "activity")}
    | {"delete_tag", "manage_tag", "create_activity", "hourly-rate_own_profile"}
)
_ADMIN = (
    _TEAMLEAD
    | {"edit_rate_own_timesheet", "edit_rate_other_timesheet", "edit_exported_timesheet"}
    | {"lockdown_grace_timesheet", "lockdown_override_timesheet", "view_all_data"}
    | {
        f"{verb}_{what}"
        for verb in ("create", "view", "budget", "time", "details")
        for what in ("customer", "project", "activity")
    }
)
DEFAULT_ROLES: dict[str, frozenset[str]] = {
    "ROLE_USER": frozenset(_USER),
    "ROLE_TEAMLEAD": frozenset(_TEAMLEAD),
    "ROLE_ADMIN": frozenset(_ADMIN),
    "ROLE_SUPER_ADMIN": frozenset(
        _ADMIN | {"view_user", "view_other_profile", "hourly-rate_other_profile"}
    ),
}

LEAST_PRIVILEGE = frozenset(
    {
        "api_access",
        "create_own_timesheet",
        "view_own_timesheet",
        "view_other_timesheet",
        "create_other_timesheet",
        "edit_other_timesheet",
        "delete_other_timesheet",
        "start_other_timesheet",
        "stop_other_timesheet",
        "edit_billable_own_timesheet",
        "edit_billable_other_timesheet",
        "create_tag",
        "view_user",
        "view_all_data",
        "view_customer",
        "view_project",
        "view_activity",
    }
)
"""All that Hourbook's account needs, and nothing that opens accounting's locks (1.5)."""


@dataclass(frozen=True, slots=True)
class Caller:
    """Whose token it is; zone and language are those of the profile."""

    user_id: int
    timezone: str
    permissions: frozenset[str]
    language: str = "en"
    teams: frozenset[int] = frozenset()
    """Those of which they are a member."""
    leads: frozenset[int] = frozenset()

    def may(self, permission: str) -> bool:
        return permission in self.permissions

    def may_on(self, verb: str, owner_id: int) -> bool:
        """`edit` of one's own record is another permission than `edit` of somebody else's."""
        whose = "own" if owner_id == self.user_id else "other"
        return f"{verb}_{whose}_timesheet" in self.permissions


def permissions_of(roles: list[str], known: dict[str, list[str]]) -> frozenset[str]:
    """Without any role one is a ROLE_USER; a custom role has exactly what it lists."""
    granted: set[str] = set()
    for role in roles or ["ROLE_USER"]:
        granted.update(known.get(role, ()))
    return frozenset(granted)

"""Users as Kimai serialises them, and who sees what they earn (kimai-api.md 2.2)."""

from hourbook_simulators.kimai.memory import Memory
from hourbook_simulators.kimai.permissions import Caller
from hourbook_simulators.kimai.records import User
from hourbook_simulators.kimai.shape import Shape, color, team_row

PREFERENCES: dict[str, str | None] = {
    "work_contract_type": "none",
    "work_monday": "0",
    "work_tuesday": "0",
    "work_wednesday": "0",
    "work_thursday": "0",
    "work_friday": "0",
    "work_saturday": "0",
    "work_sunday": "0",
    "public_holiday_group": None,
    "holidays": "0",
    "work_start_day": None,
    "work_last_day": None,
}


def user_row(user: User) -> Shape:
    return {
        "apiToken": user.has_api_password,
        "locale": user.language,
        "timezone": user.timezone,
        "language": user.language,
        **_user_start(user),
        **_user_name(user),
        "systemAccount": user.system_account,
        "color": None,
    }


def user_entity(user: User, memory: Memory, caller: Caller, *, is_prepared: bool = True) -> Shape:
    """Also each row of the list with `full`, of which only the caller's own is prepared."""
    teams = [team for team in memory.teams.values() if user.id in team.member_ids]
    return {
        "apiToken": user.has_api_password,
        "preferences": _preferences(user, caller) if is_prepared else _stored(PREFERENCES),
        "locale": user.language,
        "timezone": user.timezone,
        "language": user.language,
        "teams": [team_row(team) for team in teams],
        **_user_start(user),
        "memberships": [
            {"team": team_row(team), "teamlead": user.id in team.lead_ids} for team in teams
        ],
        **_user_name(user),
        "roles": [role for role in user.roles if role != "ROLE_USER"],
        "systemAccount": user.system_account,
        "supervisor": None,
        "color": None,
    }


def _preferences(user: User, caller: Caller) -> list[Shape]:
    """Rates are for those who may see them (recordings 01, 09, 17)."""
    rates: dict[str, str | None] = {}
    whose = "own" if user.id == caller.user_id else "other"
    if caller.may(f"hourly-rate_{whose}_profile"):
        internal = user.internal_rate
        rates = {
            "hourly_rate": f"{user.hourly_rate:g}",
            "internal_rate": None if internal is None else f"{internal:g}",
        }
    return _stored(PREFERENCES | rates | {"first_weekday": "monday", "favorite_routes": ""})


def _stored(preferences: dict[str, str | None]) -> list[Shape]:
    return [{"name": name, "value": value} for name, value in preferences.items()]


def _user_start(user: User) -> Shape:
    shown = user.alias or user.username
    return {
        "initials": shown[:2].upper(),
        "color-safe": color(shown, None),
        "id": user.id,
        "alias": user.alias,
        "title": user.title,
        "avatar": None,
    }


def _user_name(user: User) -> Shape:
    return {
        "username": user.username,
        "email": user.email,
        "accountNumber": user.account_number,
        "enabled": user.enabled,
    }

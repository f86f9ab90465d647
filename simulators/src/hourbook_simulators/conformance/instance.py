"""The instance that was recorded: its accounts, and what a `setup` step did to it.

Steps change the twin's memory directly, as they changed the real one's database.
"""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from hourbook_kit.clock import now as real_now
from hourbook_simulators.conformance.sql import (
    Column,
    Delete,
    Grant,
    Insert,
    Password,
    Statement,
    Update,
    read,
)
from hourbook_simulators.kimai.memory import Memory
from hourbook_simulators.kimai.permissions import DEFAULT_ROLES
from hourbook_simulators.kimai.records import Timesheet, Token, User

ACCOUNTS = {
    "super": ("susan_super", "ROLE_SUPER_ADMIN"),
    "admin": ("anna_admin", "ROLE_ADMIN"),
    "teamlead": ("tony_teamlead", "ROLE_TEAMLEAD"),
    "user": ("john_user", "ROLE_USER"),
    "user2": ("jane_user", "ROLE_USER"),
}
"""By the name of their token, in the order of their ids (recordings/README.md)."""
COLUMNS = {
    "id": "id",
    "user": "user_id",
    "user_id": "user_id",
    "project_id": "project_id",
    "activity_id": "activity_id",
    "start_time": "begin",
    "end_time": "end",
    "duration": "duration_seconds",
    "break": "break_seconds",
    "description": "description",
    "rate": "rate",
    "internal_rate": "internal_rate",
    "fixed_rate": "fixed_rate",
    "hourly_rate": "hourly_rate",
    "exported": "exported",
    "billable": "billable",
    "timezone": "zone",
    "modified_at": "modified_at",
}
"""Of kimai2_timesheet, by what the twin calls them; times are in UTC there."""
MOMENTS = frozenset({"begin", "end", "modified_at"})
FLAGS = frozenset({"exported", "billable"})
RATES = {f"kimai2_{kind}_rates": kind for kind in ("customers", "projects", "activities")}


class UnknownStepError(ValueError):
    """Nothing of what recordings/README.md names."""


class Instance:
    def __init__(self) -> None:
        self.memory = Memory()
        self._granted: dict[tuple[str, str], bool] = {}
        for name, (username, role) in ACCOUNTS.items():
            number = self.memory.next_id("user")
            self.add_account(name, {"id": number, "username": username, "roles": [role]})

    def add_account(self, token: str, given: dict[str, Any]) -> None:
        """Keys as in an answer, or as in a `user` step."""
        username = str(given["username"])
        user = User(
            int(given["id"]),
            username,
            str(given.get("email") or f"{username.partition('_')[0]}@example.com"),
            roles=[str(role) for role in given.get("roles", ())],
            system_account=bool(given.get("system_account")),
        )
        self.memory.users[user.id] = user
        self.memory.add_token(Token(f"tok_{token}", user.id))

    def take(self, step: Any, next_timesheet: int) -> None:
        """Raises UnknownStepError for what it does not know; a record inserted gets that number."""
        match step:
            case {"sql": str(sql)}:
                now = self.memory.now(real_now()).strftime("%Y-%m-%d %H:%M:%S")
                for statement in read(sql, now):
                    self._run(statement, next_timesheet)
            case {"config": dict(settings)}:
                self.memory.settings = dict(settings)
            case {"role": {"name": str(name), "permissions": list(permissions)}, **_rest}:
                self.memory.roles[name] = [str(each) for each in permissions]
            case {"user": dict()}:
                pass  # who it is, only the exchange knows
            case _:
                raise UnknownStepError(f"set-up step {step}")

    def _run(self, statement: Statement | None, next_timesheet: int) -> None:
        match statement:
            case Grant(role, permission, is_allowed):
                self._granted[role, permission] = is_allowed
                self._apply_grants()
            case Password(user_id):
                self.memory.users[user_id].has_api_password = True
            case Update():
                self._update(statement)
            case Insert("kimai2_configuration", rows):
                fresh = {row["name"]: row["value"] for row in rows}
                self.memory.settings = self.memory.settings | fresh
            case Insert("kimai2_roles", _):
                pass  # a role that grants and takes nothing of its own
            case Insert("kimai2_timesheet", rows):
                for number, values in enumerate(rows, next_timesheet):
                    self._add_timesheet({"id": number} | values)
            case Delete("kimai2_configuration", _):
                self.memory.settings = {}
            case Delete("kimai2_roles" | "kimai2_roles_permissions", where):
                self._ungrant(where.get("permission"))
            case Delete(table, _) if table in RATES:
                kind = RATES[table]
                self.memory.rates = [rate for rate in self.memory.rates if rate.kind != kind]
            case Delete("kimai2_timesheet", where):
                for row in list(self._timesheets(where)):
                    self.memory.forget(row.id)
            case _:
                raise UnknownStepError(f"set-up step {statement or 'in SQL of another kind'}")

    def _ungrant(self, permission: str | None) -> None:
        """Without a permission: all of them are as they are by default again."""
        self._granted = {
            key: allowed
            for key, allowed in self._granted.items()
            if permission is not None and key[1] != permission
        }
        self._apply_grants()

    def _apply_grants(self) -> None:
        """What was granted or taken stands over the defaults."""
        roles = {name: set(may) for name, may in self.memory.roles.items()}
        roles |= {name: set(may) for name, may in DEFAULT_ROLES.items()}
        for (role, permission), is_allowed in self._granted.items():
            known = roles.setdefault(role, set())
            (known.add if is_allowed else known.discard)(permission)
        self.memory.roles = {name: sorted(may) for name, may in roles.items()}

    def _update(self, update: Update) -> None:
        match update.table:
            case "kimai2_timesheet":
                for row in list(self._timesheets(update.where)):
                    self._change(row, update.values)
            case "kimai2_users":
                for user in self.memory.users.values():
                    if all(getattr(user, key) == value for key, value in update.where.items()):
                        for flag in update.values.keys() & {"enabled", "system_account"}:
                            setattr(user, flag, bool(update.values[flag]))
            case "kimai2_access_token":
                token = self.memory.tokens[str(update.where["token"]).casefold()]
                expires = update.values["expires_at"]
                token.expires_at = _instant(expires) if expires else None
            case _:
                raise UnknownStepError(f"set-up step {update}")

    def _timesheets(self, where: dict[str, Any]) -> Iterator[Timesheet]:
        wanted = {COLUMNS[column]: value for column, value in where.items()}
        for row in self.memory.timesheets.values():
            if all(getattr(row, name) == value for name, value in wanted.items()):
                yield row

    def _change(self, row: Timesheet, values: dict[str, Any]) -> None:
        """`modified_at` is as it was unless it is what was changed."""
        for column, value in values.items():
            if column in COLUMNS:
                _set(row, COLUMNS[column], value)
        if "modified_at" in values:
            self.memory.touch(row, row.modified_at)
        else:
            self.memory.rest(row)

    def _add_timesheet(self, given: dict[str, Any]) -> None:
        user = self.memory.users[int(given["user"])]
        row = Timesheet(
            int(given["id"]),
            user.id,
            int(given["project_id"]),
            int(given["activity_id"]),
            begin=_instant(str(given["start_time"])),
            end=None,
            zone=user.timezone,
        )
        self._change(row, given)


def _set(row: Timesheet, name: str, value: Any) -> None:
    if isinstance(value, Column):
        value = getattr(row, COLUMNS[value.name])
    elif name in MOMENTS and value is not None:
        value = _instant(str(value))
    elif name in FLAGS:
        value = bool(value)
    setattr(row, name, value)


def _instant(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)

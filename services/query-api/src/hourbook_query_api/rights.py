"""Who may do what: a viewer reads, an operator answers and maps, an administrator sets up.

By operation, the route's function name. What nobody has thought of is the administrator's alone.
"""

from enum import StrEnum


class Role(StrEnum):
    VIEWER = "viewer"
    OPERATOR = "operator"
    ADMIN = "admin"

    def may(self, needed: "Role") -> bool:
        return _RANK[self] >= _RANK[needed]


_RANK = {Role.VIEWER: 0, Role.OPERATOR: 1, Role.ADMIN: 2}

PUBLIC = frozenset(
    {"read_door", "sign_in", "refresh", "sign_out", "set_up", "take_invitation", "live", "ready"}
)
"""Before anybody has signed in; health too."""

_VIEWERS = frozenset({"change_password", "change_preferences"})
"""Writes about oneself."""

_OPERATORS = frozenset(
    {
        "ask_job",
        "cancel_job",
        "change_mapping",
        "list_jobs",
        "make_mapping",
        "preview_mapping",
        "preview_resolution",
        "read_again",
        "read_job",
        "remove_mapping",
        "resolve_conflict",
        "resolve_many",
        "sync_now",
        "try_connection",
        "undo_resolution",
    }
)
_ADMINS_READS = frozenset(
    {
        "list_users",
        "read_vault",
        "list_visits",
        "read_person",
        "export_person",
        "list_erasures",
        "read_erasure",
        "list_accesses",
    }
)


def role_of(method: str, operation: str) -> Role:
    """The least role that may do it."""
    if operation in _OPERATORS:
        return Role.OPERATOR
    if operation in _VIEWERS or (method == "GET" and operation not in _ADMINS_READS):
        return Role.VIEWER
    return Role.ADMIN

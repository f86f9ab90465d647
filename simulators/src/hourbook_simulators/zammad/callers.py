"""Who calls, on whose behalf, and what they may (zammad-api.md 1)."""

import re
from dataclasses import dataclass

from fastapi import Request

from hourbook_simulators.zammad.memory import Memory
from hourbook_simulators.zammad.records import Ticket, User
from hourbook_simulators.zammad.refusals import Refusal, forbidden

SCHEME = re.compile(r"(Token|Bearer)\s+(?:token=)?\"?([^\",\s]*)", re.IGNORECASE)
LOGIN_FAILED = "Login failed. Have you double-checked your credentials and completed the email verification step?"


@dataclass(frozen=True, slots=True)
class Caller:
    user: User
    by_token: frozenset[str] | None
    """A token's own list; None on behalf of somebody, whose rights then count alone (1.3)."""
    speaks_old: bool = False
    lists_heed_token: bool = False

    def may(self, permission: str) -> bool:
        mine = covers(self.user.permissions(), permission)
        return mine and (self.by_token is None or covers(self.by_token, permission))

    def require(self, permission: str) -> None:
        if not covers(self.user.permissions(), permission):
            raise forbidden(
                "Not authorized (user)!" if self.speaks_old else "User authorization failed."
            )
        if not self.may(permission):
            raise forbidden(
                "Not authorized (token)!" if self.speaks_old else "Token authorization failed."
            )

    def may_ticket(self, ticket: Ticket, access: str) -> bool:
        if self.may("ticket.agent") and self.user.may_in(ticket.group_id, access):
            return True
        return access == "read" and self.may("ticket.customer") and _is_theirs(self.user, ticket)

    def may_list(self, ticket: Ticket) -> bool:
        """Lists and searches do not look at a token's own permissions (1.4), as far as is known."""
        rights = self.user.permissions()
        if self.lists_heed_token and self.by_token is not None:
            rights = {right for right in rights if covers(self.by_token, right)}
        if "ticket.agent" in rights and self.user.may_in(ticket.group_id, "read"):
            return True
        return "report" in rights or ("ticket.customer" in rights and _is_theirs(self.user, ticket))


def _is_theirs(user: User, ticket: Ticket) -> bool:
    if ticket.customer_id == user.id:
        return True
    return user.organization_id is not None and ticket.organization_id == user.organization_id


def covers(held: set[str] | frozenset[str], wanted: str) -> bool:
    """A parent holds its children; `admin.*` is any of them."""
    if wanted.endswith(".*"):
        parent = wanted[:-2]
        return any(one == parent or one.startswith(f"{parent}.") for one in held)
    return wanted in held or wanted.partition(".")[0] in held


def identify(memory: Memory, request: Request) -> Caller:
    settings = memory.books.settings
    user, permissions = _authenticated(memory, request.headers.get("authorization", ""))
    old = memory.is_before(6, 5)
    request.scope["zammad.admin"] = covers(user.permissions(), "admin")
    if settings["maintenance_mode"] and not covers(user.permissions(), "admin"):
        raise forbidden("Maintenance mode enabled!")
    behalf = request.headers.get("from") or request.headers.get("x-on-behalf-of")
    if behalf is None:
        return Caller(user, permissions, old, bool(memory.books.unknowns["lists_heed_token"]))
    if not covers(user.permissions(), "admin.user"):
        raise forbidden("Current user has no permission to use 'From'/'X-On-Behalf-Of'!")
    other = _named(memory, behalf)
    request.scope["zammad.admin"] = covers(other.permissions(), "admin")
    return Caller(other, None, old)


def _authenticated(memory: Memory, header: str) -> tuple[User, frozenset[str]]:
    if not header:
        raise forbidden("Authentication required")
    scheme = SCHEME.match(header)
    if scheme is None:
        raise Refusal(401, "Invalid BasicAuth credentials")
    if not memory.books.settings["api_token_access"]:
        raise forbidden("API token access disabled!")
    token = memory.books.tokens.get(scheme[2])
    bearer = scheme[1].lower() == "bearer"
    if token is None or (bearer and not memory.books.unknowns["bearer_is_token"]):
        raise Refusal(
            401, "The provided token is invalid." if bearer else "Can't find User for Token"
        )
    if token.expires_on is not None and token.expires_on <= memory.now()[:10]:
        raise Refusal(401, "Not authorized (token expired)!")
    user = memory.books.users[token.user_id]
    if not user.active:
        raise Refusal(401, LOGIN_FAILED)
    return user, frozenset(token.permissions)


def _named(memory: Memory, value: str) -> User:
    """By id first, then login or e-mail in any case."""
    wanted = value.strip().lower()
    if wanted.isdecimal() and (user := memory.books.users.get(int(wanted))) is not None:
        return user
    for user in memory.books.users.values():
        if wanted in {user.login.lower(), user.email.lower()}:
            return user
    raise forbidden(f"No such user '{value}'")

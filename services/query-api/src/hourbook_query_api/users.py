"""People who may come in, and what each keeps about themselves."""

import json
from datetime import datetime
from typing import Annotated, Any, Literal

import asyncpg
from fastapi import Path, Response
from pydantic import Field, SecretStr

from hourbook_query_api import sessions
from hourbook_query_api.acts import publish
from hourbook_query_api.connector_models import Body, Zone
from hourbook_query_api.connectors import Open
from hourbook_query_api.desk import Desk
from hourbook_query_api.guard import guarded_router
from hourbook_query_api.invitations import invite
from hourbook_query_api.login import NewPassword, UserName, changed, checked
from hourbook_query_api.passwords import LENGTH_MAX
from hourbook_query_api.people import Who, new_user_id
from hourbook_query_api.problems import Kind, ProblemError, described, invalid
from hourbook_query_api.rights import Role
from hourbook_query_api.shown import Shown

router = guarded_router("/api", "people")

UserId = Annotated[str, Path(pattern=r"^user:[a-z2-9]{1,20}$")]


class SavedView(Body):
    name: str = Field(min_length=1, max_length=60)
    page: Literal["entries", "conflicts", "deliveries", "audit"]
    search: str = Field(max_length=1000)
    """The query of its address."""


class Preferences(Body):
    language: Literal["de", "en", "fr"] | None = None
    """Null: the browser's."""
    theme: Literal["light", "dark", "system"] = "system"
    density: Literal["comfortable", "compact"] = "comfortable"
    time_zone: Zone | None = None
    """Null: each worker's own."""
    single_keys: bool = True
    """Whether `j`, `k`, `x` and the like do something."""
    views: list[SavedView] = Field(default=[], max_length=50)


class Me(Shown):
    user: str
    name: str
    role: Role
    preferences: Preferences


class User(Shown):
    user: str
    name: str
    role: Role
    active: bool
    has_password: bool
    """False: the invitation is not taken yet."""
    made_at: datetime
    last_signed_in_at: datetime | None


class Users(Shown):
    items: list[User]


class Invited(Shown):
    user: User
    invitation: str
    """Told this once: whoever has it sets the password, with POST /api/auth/invitation, within three days."""


class NewUserBody(Body):
    name: UserName
    role: Role


class UserBody(Body):
    role: Role
    active: bool


class PasswordBody(Body):
    old: Annotated[SecretStr, Field(max_length=LENGTH_MAX)]
    new: NewPassword


@router.get("/me")
async def read_me(desk: Open, who: Who) -> Me:
    kept = await desk.pool.fetchval(
        "SELECT preferences FROM vault.users WHERE user_id = $1", who.id
    )
    return Me(user=who.id, name=who.name, role=who.role, preferences=_preferences(kept))


@router.put("/me/preferences")
async def change_preferences(desk: Open, who: Who, body: Preferences) -> Preferences:
    await desk.pool.execute(
        "UPDATE vault.users SET preferences = $2 WHERE user_id = $1",
        who.id,
        body.model_dump_json(),
    )
    return body


@router.put("/me/password", status_code=204)
async def change_password(desk: Open, who: Who, body: PasswordBody) -> Response:
    """All other sessions of this person end."""
    checked(who.name, body.new)
    kept = await desk.pool.fetchval(
        "SELECT password_hash FROM vault.users WHERE user_id = $1", who.id
    )
    if not await desk.passwords.holds(kept, body.old.get_secret_value()):
        raise invalid("body.old", "Send the password that you have now.")
    hashed = await desk.passwords.hashed(body.new.get_secret_value())
    async with desk.pool.acquire() as connection, connection.transaction():
        await connection.execute(
            "UPDATE vault.users SET password_hash = $2 WHERE user_id = $1", who.id, hashed
        )
        await publish(desk, changed(who.id, who.role, by=who.id, what="password"))
    await sessions.end_all(desk.pool, who.id, but=who.session)
    return Response(status_code=204)


_USERS = (
    "SELECT u.*, (SELECT max(at) FROM vault.visits AS v WHERE v.user_id = u.user_id"
    " AND v.what = 'signed_in') AS last_signed_in_at FROM vault.users AS u"
)


@router.get("/users")
async def list_users(desk: Open) -> Users:
    rows = await desk.pool.fetch(f"{_USERS} ORDER BY lower(u.name)")
    return Users(items=[_user(row) for row in rows])


@router.post("/users", status_code=201, responses=described(409))
async def make_user(desk: Open, who: Who, body: NewUserBody, response: Response) -> Invited:
    """Somebody may come in, as soon as they have set a password with the invitation."""
    user = new_user_id()
    async with desk.pool.acquire() as connection, connection.transaction():
        made = await connection.fetchval(
            "INSERT INTO vault.users (user_id, name, role) VALUES ($1, $2, $3)"
            " ON CONFLICT DO NOTHING RETURNING 1",
            user,
            body.name.strip(),
            body.role.value,
        )
        if made is None:
            raise ProblemError(Kind.EXISTS, "Choose another name: somebody has this one.")
        await publish(desk, changed(user, body.role, by=who.id, what="made"))
    invitation = await invite(desk.pool, user)
    response.headers["Location"] = "/api/users"
    response.headers["Cache-Control"] = "no-store"
    return Invited(user=await _user_of(desk, user), invitation=invitation)


@router.put("/users/{user}", responses=described(404, 409))
async def change_user(desk: Open, who: Who, user: UserId, body: UserBody) -> User:
    """Another role, or no more coming in; what they did stays theirs."""
    known = await _user_of(desk, user)
    async with desk.pool.acquire() as connection, connection.transaction():
        await connection.execute("LOCK TABLE vault.users IN SHARE ROW EXCLUSIVE MODE")
        await connection.execute(
            "UPDATE vault.users SET role = $2, active = $3 WHERE user_id = $1",
            user,
            body.role.value,
            body.active,
        )
        left = await connection.fetchval(
            "SELECT 1 FROM vault.users WHERE role = 'admin' AND active"
            " AND password_hash IS NOT NULL LIMIT 1"
        )
        if left is None:
            raise ProblemError(Kind.LAST_ADMIN, "Make somebody else an administrator first.")
        what = "role" if known.role != body.role else "active"
        event = changed(user, body.role, by=who.id, what=what, active=body.active)
        await publish(desk, event)
    if not body.active:
        await sessions.end_all(desk.pool, user)
    return await _user_of(desk, user)


@router.post("/users/{user}/invitation", responses=described(404))
async def invite_again(desk: Open, who: Who, user: UserId, response: Response) -> Invited:
    """Another one-time token, for a password that was forgotten; the old password holds until it is used."""
    known = await _user_of(desk, user)
    event = changed(user, known.role, by=who.id, what="invited", active=known.active)
    await publish(desk, event)
    invitation = await invite(desk.pool, user)
    response.headers["Cache-Control"] = "no-store"
    return Invited(user=known, invitation=invitation)


async def _user_of(desk: Desk, user: str) -> User:
    row = await desk.pool.fetchrow(f"{_USERS} WHERE u.user_id = $1", user)
    if row is None:
        raise ProblemError(Kind.NOT_FOUND, "Look at /api/users: there is nobody of this id.")
    return _user(row)


def _user(row: asyncpg.Record) -> User:
    columns: dict[str, Any] = dict(row)
    has_password = row["password_hash"] is not None
    return User(**{**columns, "user": row["user_id"], "has_password": has_password})


def _preferences(kept: str) -> Preferences:
    """What this version knows of them."""
    known = {
        name: value for name, value in json.loads(kept).items() if name in Preferences.model_fields
    }
    return Preferences(**known)

"""Signing in and out, and the first administrator."""

from typing import Annotated, Literal

from fastapi import APIRouter, Cookie, Request, Response
from pydantic import Field, SecretStr

from hourbook_contracts.house import UserChanged
from hourbook_kit import clock
from hourbook_query_api import sessions
from hourbook_query_api.acts import publish
from hourbook_query_api.connector_models import Body
from hourbook_query_api.connectors import Open
from hourbook_query_api.desk import Desk
from hourbook_query_api.guard import OpenRoute
from hourbook_query_api.invitations import has_administrator
from hourbook_query_api.passwords import LENGTH_MAX, LENGTH_MIN
from hourbook_query_api.people import address_of, networks, new_user_id
from hourbook_query_api.problems import Kind, ProblemError, described, invalid
from hourbook_query_api.rights import Role
from hourbook_query_api.shown import Shown
from hourbook_query_api.tokens import digest_of

COOKIE = "hourbook_refresh"
COOKIE_PATH = "/api/auth"

router = APIRouter(
    prefix="/api/auth",
    tags=["auth"],
    route_class=OpenRoute,
    responses=described(422, 503),
)

UserName = Annotated[str, Field(min_length=1, max_length=100, pattern=r"^[^\x00-\x1f\x7f]+$")]
NewPassword = Annotated[SecretStr, Field(min_length=LENGTH_MIN, max_length=LENGTH_MAX)]
Refresh = Annotated[str | None, Cookie(alias=COOKIE, max_length=200)]


class LoginBody(Body):
    name: UserName
    password: Annotated[SecretStr, Field(max_length=LENGTH_MAX)]


class SetUpBody(Body):
    token: Annotated[SecretStr, Field(max_length=200)]
    """The set-up token that was told at the first start."""
    name: UserName
    password: NewPassword


class InvitationBody(Body):
    token: Annotated[SecretStr, Field(max_length=200)]
    password: NewPassword


class SignedIn(Shown):
    """A token for requests; the cookie that came with it gets the next one."""

    access_token: str
    token_type: Literal["Bearer"] = "Bearer"  # noqa: S105 -- a word of OAuth's
    expires_in: int
    """Seconds."""
    user: str
    name: str
    role: Role


class Door(Shown):
    needs_set_up: bool
    """Nobody can sign in yet: POST /api/auth/setup makes the first administrator."""


@router.get("")
async def read_door(desk: Open) -> Door:
    return Door(needs_set_up=not await has_administrator(desk.pool))


@router.post("/login", responses=described(401, 429))
async def sign_in(desk: Open, request: Request, response: Response, body: LoginBody) -> SignedIn:
    """By name and password; after a few wrong ones only after a while."""
    address = _address(desk, request)
    if wait := await desk.visits.wait_seconds(body.name, address):
        raise ProblemError(
            Kind.TOO_MANY_ATTEMPTS,
            f"Wait {wait} seconds: there were too many wrong passwords.",
            headers={"Retry-After": str(wait)},
        )
    row = await desk.pool.fetchrow(
        "SELECT user_id, name, role, password_hash FROM vault.users"
        " WHERE lower(name) = lower($1) AND active",
        body.name.strip(),
    )
    kept = row["password_hash"] if row else None
    if not await desk.passwords.holds(kept, body.password.get_secret_value()) or row is None:
        user = row["user_id"] if row else None
        await desk.visits.note("refused", user=user, name=body.name, address=address)
        raise ProblemError(
            Kind.WRONG_PASSWORD,
            "Look whether name and password are right; an administrator can help.",
        )
    await desk.visits.note("signed_in", user=row["user_id"], name=body.name, address=address)
    return await _begun(desk, response, row["user_id"], row["name"], Role(row["role"]))


@router.post("/refresh", responses=described(401))
async def refresh(
    desk: Open, request: Request, response: Response, cookie: Refresh = None
) -> SignedIn:
    """Another token for requests, and another cookie; the one that was sent is used up."""
    renewed = (
        await sessions.renew(desk.pool, cookie, desk.settings.session_lifetime) if cookie else None
    )
    if isinstance(renewed, sessions.Reused):
        await desk.visits.note("reused", user=renewed.user, address=_address(desk, request))
        renewed = None
    if renewed is None:
        raise ProblemError(Kind.NOT_SIGNED_IN, "Sign in with POST /api/auth/login.")
    return _answer(desk, response, renewed)


@router.post("/logout", status_code=204)
async def sign_out(desk: Open, request: Request, cookie: Refresh = None) -> Response:
    """The session ends at once, with every token it ever had."""
    user = await sessions.end_by_token(desk.pool, cookie) if cookie else None
    scheme, _, given = request.headers.get("Authorization", "").partition(" ")
    claims = desk.access.read(given.strip()) if scheme.lower() == "bearer" else None
    if claims is not None:
        await sessions.end(desk.pool, claims.session)
        user = claims.user
    if user is not None:
        await desk.visits.note("signed_out", user=user, address=_address(desk, request))
    response = Response(status_code=204)
    response.delete_cookie(COOKIE, path=COOKIE_PATH)
    return response


@router.post("/setup", status_code=201, responses=described(401, 409))
async def set_up(desk: Open, request: Request, response: Response, body: SetUpBody) -> SignedIn:
    """Make the first administrator, once, with the token that was told at the first start."""
    checked(body.name, body.password)
    hashed = await desk.passwords.hashed(body.password.get_secret_value())
    user, name = new_user_id(), body.name.strip()
    async with desk.pool.acquire() as connection, connection.transaction():
        await connection.execute("LOCK TABLE vault.invitations IN EXCLUSIVE MODE")
        if await has_administrator(connection):
            raise ProblemError(Kind.EXISTS, "Sign in: there is an administrator already.")
        known = await connection.fetchval(
            "SELECT 1 FROM vault.invitations"
            " WHERE digest = $1 AND user_id IS NULL AND expires_at > now()",
            digest_of(body.token.get_secret_value().strip()),
        )
        if known is None:
            raise _void("Look for the set-up token in query-api's output; a restart makes another.")
        await connection.execute("DELETE FROM vault.invitations WHERE user_id IS NULL")
        await connection.execute(
            "INSERT INTO vault.users (user_id, name, role, password_hash) VALUES ($1, $2, $3, $4)",
            user,
            name,
            Role.ADMIN.value,
            hashed,
        )
        await publish(desk, changed(user, Role.ADMIN, by=user, what="made"))
    if desk.settings.setup_token_file:
        desk.settings.setup_token_file.unlink(missing_ok=True)
    await desk.visits.note("signed_in", user=user, name=name, address=_address(desk, request))
    return await _begun(desk, response, user, name, Role.ADMIN)


@router.post("/invitation", responses=described(401))
async def take_invitation(
    desk: Open, request: Request, response: Response, body: InvitationBody
) -> SignedIn:
    """Set a password with the one-time token that an administrator gave; all else of this person ends."""
    digest = digest_of(body.token.get_secret_value().strip())
    row = await desk.pool.fetchrow(
        "SELECT u.user_id, u.name, u.role FROM vault.invitations AS i JOIN vault.users AS u"
        " USING (user_id) WHERE i.digest = $1 AND i.expires_at > now() AND u.active",
        digest,
    )
    if row is None:
        raise _void("Ask an administrator for another invitation.")
    checked(row["name"], body.password)
    hashed = await desk.passwords.hashed(body.password.get_secret_value())
    async with desk.pool.acquire() as connection, connection.transaction():
        mine = await connection.fetchval(
            "DELETE FROM vault.invitations WHERE digest = $1 RETURNING 1", digest
        )
        if mine is None:
            raise _void("Ask an administrator for another invitation.")
        await connection.execute(
            "UPDATE vault.users SET password_hash = $2 WHERE user_id = $1", row["user_id"], hashed
        )
        event = changed(row["user_id"], Role(row["role"]), by=row["user_id"], what="password")
        await publish(desk, event)
    await sessions.end_all(desk.pool, row["user_id"])
    await desk.visits.note(
        "signed_in", user=row["user_id"], name=row["name"], address=_address(desk, request)
    )
    return await _begun(desk, response, row["user_id"], row["name"], Role(row["role"]))


def changed(user: str, role: Role, *, by: str, what: str, active: bool = True) -> UserChanged:
    return UserChanged(
        observed_at=clock.now(), by=by, user=user, role=role.value, active=active, what=what
    )


def checked(name: str, password: SecretStr) -> None:
    """What a length cannot say."""
    text = password.get_secret_value()
    if text.strip().lower() == name.strip().lower() or len(set(text)) <= LENGTH_MIN // 3:
        raise invalid("body.password", "Choose a password that is harder to guess.")


def _void(what_to_do: str) -> ProblemError:
    return ProblemError(Kind.TOKEN_VOID, what_to_do)


def _address(desk: Desk, request: Request) -> str | None:
    return address_of(request, networks(desk.settings.trusted_proxies))


async def _begun(desk: Desk, response: Response, user: str, name: str, role: Role) -> SignedIn:
    begun = await sessions.begin(desk.pool, user, name, role, desk.settings.session_lifetime)
    return _answer(desk, response, begun)


def _answer(desk: Desk, response: Response, begun: sessions.Begun) -> SignedIn:
    response.set_cookie(
        COOKIE,
        begun.refresh_token,
        max_age=int(desk.settings.session_lifetime.total_seconds()),
        path=COOKIE_PATH,
        secure=desk.settings.cookie_secure,
        httponly=True,
        samesite="strict",
    )
    response.headers["Cache-Control"] = "no-store"
    return SignedIn(
        access_token=desk.access.made(begun.claims, clock.now()),
        expires_in=int(desk.access.lifetime.total_seconds()),
        user=begun.claims.user,
        name=begun.name,
        role=begun.role,
    )

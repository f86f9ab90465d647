"""Sessions: begun by a sign-in, kept alive by a token that is another one after each use.

A refresh token that comes a second time was stolen, or its answer was lost on the way: within a few
seconds it is taken for the latter (two tabs, a broken connection), later it ends the session.
"""

import secrets
from datetime import timedelta
from typing import NamedTuple

import asyncpg

from hourbook_query_api.rights import Role
from hourbook_query_api.tokens import Claims, digest_of, random_token

REUSE_GRACE = timedelta(seconds=10)


class Begun(NamedTuple):
    claims: Claims
    refresh_token: str
    name: str
    role: Role


async def begin(pool: asyncpg.Pool, user: str, name: str, role: Role, lifetime: timedelta) -> Begun:
    session, token = secrets.token_urlsafe(16), random_token()
    async with pool.acquire() as connection, connection.transaction():
        await connection.execute("DELETE FROM vault.sessions WHERE expires_at < now()")
        await connection.execute(
            "INSERT INTO vault.sessions (session, user_id, expires_at)"
            " VALUES ($1, $2, now() + $3::interval)",
            session,
            user,
            lifetime,
        )
        await _keep(connection, session, token)
    return Begun(Claims(user, session), token, name, role)


class Reused(NamedTuple):
    """A refresh token that was used before: its session has been ended."""

    user: str


async def renew(pool: asyncpg.Pool, token: str, lifetime: timedelta) -> Begun | Reused | None:
    """The same session with another token; None for a token that is not ours or whose session has ended."""
    async with pool.acquire() as connection, connection.transaction():
        row = await connection.fetchrow(
            "SELECT t.session, s.user_id, u.name, u.role, t.used_at IS NOT NULL AS used,"
            " t.used_at < now() - $2::interval AS reused"
            " FROM vault.refresh_tokens AS t JOIN vault.sessions AS s USING (session)"
            " JOIN vault.users AS u USING (user_id)"
            " WHERE t.digest = $1 AND s.ended_at IS NULL AND s.expires_at > now() AND u.active"
            " FOR UPDATE OF t, s",
            digest_of(token),
            REUSE_GRACE,
        )
        if row is None:
            return None
        if row["reused"]:
            await _end(connection, row["session"])
            return Reused(row["user_id"])
        if not row["used"]:
            await connection.execute(
                "UPDATE vault.refresh_tokens SET used_at = now() WHERE digest = $1",
                digest_of(token),
            )
        await connection.execute(
            "UPDATE vault.sessions SET expires_at = now() + $2::interval WHERE session = $1",
            row["session"],
            lifetime,
        )
        new = random_token()
        await _keep(connection, row["session"], new)
    return Begun(Claims(row["user_id"], row["session"]), new, row["name"], Role(row["role"]))


async def end(pool: asyncpg.Pool, session: str) -> None:
    await _end(pool, session)


async def end_by_token(pool: asyncpg.Pool, token: str) -> str | None:
    """Gives whose session it was; None where it was nobody's."""
    user: str | None = await pool.fetchval(
        "UPDATE vault.sessions SET ended_at = coalesce(ended_at, now()) WHERE session ="
        " (SELECT session FROM vault.refresh_tokens WHERE digest = $1) RETURNING user_id",
        digest_of(token),
    )
    return user


async def end_all(pool: asyncpg.Pool, user: str, *, but: str | None = None) -> None:
    """Of one person: with another password or role nothing old goes on."""
    await pool.execute(
        "UPDATE vault.sessions SET ended_at = now()"
        " WHERE user_id = $1 AND ended_at IS NULL AND session IS DISTINCT FROM $2",
        user,
        but,
    )


async def _end(
    to: asyncpg.Pool | asyncpg.Connection | asyncpg.pool.PoolConnectionProxy, session: str
) -> None:
    await to.execute(
        "UPDATE vault.sessions SET ended_at = coalesce(ended_at, now()) WHERE session = $1",
        session,
    )


async def _keep(
    connection: asyncpg.Connection | asyncpg.pool.PoolConnectionProxy, session: str, token: str
) -> None:
    await connection.execute(
        "INSERT INTO vault.refresh_tokens (digest, session) VALUES ($1, $2)",
        digest_of(token),
        session,
    )

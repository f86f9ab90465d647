"""One-time tokens: the first makes the first administrator, every other lets one person set a password."""

import os
from datetime import timedelta
from pathlib import Path

import asyncpg

from hourbook_query_api.tokens import digest_of, random_token

LIFETIME = timedelta(days=3)
SET_UP_LIFETIME = timedelta(days=1)


async def invite(pool: asyncpg.Pool, user: str) -> str:
    """A token for this person; the ones before it are void."""
    token = random_token()
    async with pool.acquire() as connection, connection.transaction():
        await connection.execute(
            "DELETE FROM vault.invitations WHERE user_id = $1 OR expires_at < now()", user
        )
        await connection.execute(
            "INSERT INTO vault.invitations (digest, user_id, expires_at)"
            " VALUES ($1, $2, now() + $3::interval)",
            digest_of(token),
            user,
            LIFETIME,
        )
    return token


async def offer_set_up(pool: asyncpg.Pool, file: Path | None) -> str | None:
    """A sentence for people while nobody can sign in: how to become the first administrator.

    Each start makes a token of its own, because the one before may have been missed; all are void
    with the first that is used, and after a day.
    """
    if await has_administrator(pool):
        return None
    token = random_token()
    await pool.execute(
        "INSERT INTO vault.invitations (digest, expires_at) VALUES ($1, now() + $2::interval)",
        digest_of(token),
        SET_UP_LIFETIME,
    )
    if file is None:
        return (
            f"Nobody can sign in yet. The set-up token is {token} : it makes the first"
            " administrator, once, within a day."
        )
    _write(file, token)
    return (
        f"Nobody can sign in yet. The set-up token stands in {file}: it makes the first"
        " administrator, once, within a day."
    )


async def has_administrator(
    pool: asyncpg.Pool | asyncpg.pool.PoolConnectionProxy,
) -> bool:
    found: bool = await pool.fetchval(
        "SELECT EXISTS (SELECT 1 FROM vault.users WHERE role = 'admin')"
    )
    return found


def _write(path: Path, token: str) -> None:
    """Readable by us alone, from its first byte on."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(token + "\n")

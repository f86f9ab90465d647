"""The operator's token: made at the first start, told once, kept only as a digest."""

import hashlib
import hmac
import os
import secrets
from pathlib import Path

import asyncpg


class OperatorToken:
    """What `Authorization: Bearer` is compared with, in constant time."""

    def __init__(self, digest: bytes) -> None:
        self._digest = digest

    def is_(self, given: str) -> bool:
        return hmac.compare_digest(_digest(given), self._digest)


def _digest(token: str) -> bytes:
    """Plain SHA-256 is enough: the token is 256 random bits."""
    return hashlib.sha256(token.encode()).digest()


async def load(pool: asyncpg.Pool, clear_text: Path | None) -> tuple[OperatorToken, str | None]:
    """The token, and a sentence for people when it was made just now."""
    made = secrets.token_urlsafe(32)
    new = await pool.fetchval(
        "INSERT INTO vault.operator_token (digest) VALUES ($1) ON CONFLICT DO NOTHING"
        " RETURNING digest",
        _digest(made),
    )
    if new is None:
        kept = await pool.fetchval("SELECT digest FROM vault.operator_token")
        return OperatorToken(kept), None
    if clear_text is None:
        return OperatorToken(new), (
            f"The operator's token is {made} : keep it, it is told this once and stored only hashed."
        )
    _write(clear_text, made)
    return OperatorToken(new), f"The operator's token stands in {clear_text} and nowhere else."


def _write(path: Path, token: str) -> None:
    """Readable by us alone, from its first byte on."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(token + "\n")

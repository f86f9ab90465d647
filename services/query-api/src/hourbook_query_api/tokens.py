"""Tokens: short signed ones for requests, random ones that are kept only as digests for all else."""

import hashlib
import secrets
from datetime import datetime, timedelta
from typing import NamedTuple

import jwt
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

_AUDIENCE = "hourbook"
_ALGORITHM = "HS256"


class Claims(NamedTuple):
    """What a request's token says; whether the session still stands is the vault's to say."""

    user: str
    session: str


class AccessTokens:
    """JWTs under keys derived from the vault's: a new vault key signs, the older ones still verify."""

    def __init__(self, vault_keys: str, lifetime: timedelta) -> None:
        self._keys = [_derived(key.strip()) for key in vault_keys.split(",")]
        self.lifetime = lifetime

    def made(self, claims: Claims, now: datetime) -> str:
        said = {
            "aud": _AUDIENCE,
            "sub": claims.user,
            "sid": claims.session,
            "iat": now,
            "exp": now + self.lifetime,
        }
        return jwt.encode(said, self._keys[0], algorithm=_ALGORITHM)

    def read(self, token: str) -> Claims | None:
        """None for one that is not ours, is spoilt or has expired."""
        for key in self._keys:
            try:
                said = jwt.decode(
                    token,
                    key,
                    algorithms=[_ALGORITHM],
                    audience=_AUDIENCE,
                    options={"require": ["exp", "sub", "sid"]},
                )
            except jwt.InvalidTokenError:
                continue
            return Claims(str(said["sub"]), str(said["sid"]))
        return None


def _derived(vault_key: str) -> bytes:
    return HKDF(SHA256(), 32, salt=None, info=b"hourbook access tokens").derive(vault_key.encode())


def random_token() -> str:
    """256 random bits, for a cookie or a one-time use."""
    return secrets.token_urlsafe(32)


def digest_of(token: str) -> bytes:
    """Plain SHA-256 is enough: there are 256 random bits in it."""
    return hashlib.sha256(token.encode()).digest()

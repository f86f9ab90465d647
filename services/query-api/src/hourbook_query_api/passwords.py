"""Passwords: argon2id, a few at a time, and never faster for a name that nobody has."""

import asyncio

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

LENGTH_MIN = 12
LENGTH_MAX = 200
_AT_ONCE = 2
"""Each takes 64 MiB and a core for a tenth of a second: who sends a thousand must not stop the rest."""

_HASHER = PasswordHasher()
"""argon2-cffi's defaults: argon2id, RFC 9106's second recommendation (64 MiB, 3 passes, 4 lanes)."""


class Passwords:
    def __init__(self) -> None:
        self._turns = asyncio.Semaphore(_AT_ONCE)
        self._nobodys: str | None = None

    async def hashed(self, password: str) -> str:
        async with self._turns:
            return await asyncio.to_thread(_HASHER.hash, password)

    async def holds(self, kept: str | None, password: str) -> bool:
        """Whether this is the password of that hash; takes as long where there is none."""
        if kept is None:
            self._nobodys = self._nobodys or await self.hashed("nobody's")
            await self.holds(self._nobodys, password)
            return False
        async with self._turns:
            return await asyncio.to_thread(_verified, kept, password)


def _verified(kept: str, password: str) -> bool:
    try:
        return _HASHER.verify(kept, password)
    except (VerificationError, InvalidHashError):
        return False

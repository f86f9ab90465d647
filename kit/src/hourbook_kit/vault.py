"""The vault: connection secrets and subjects' keys, reached through its functions only.

What is stored is encrypted by us before it is sent (Fernet under the installation's key), so neither
a dump of the database nor its log holds a secret in the clear.
"""

import hashlib
from collections.abc import Iterable

import asyncpg
from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from hourbook_contracts.control import ControlEvent
from hourbook_contracts.privacy import KeysDestroyed
from hourbook_kit.sealing import new_key


class VaultKeyError(Exception):
    """The vault's key does not open what is in the vault: HOURBOOK_VAULT_KEY is another one, or lost."""


class Vault:
    """Keys by subject and secrets by connection; what was read once is remembered, until it is destroyed."""

    def __init__(self, pool: asyncpg.Pool, keys: str) -> None:
        self._pool = pool
        known = [key.strip() for key in keys.split(",")]
        self._fernet = MultiFernet([Fernet(key) for key in known])
        self.fingerprint = hashlib.sha256(b"hourbook " + known[0].encode()).hexdigest()[:12]
        """Names the newest key without telling it."""
        self._known: dict[str, bytes] = {}
        self._destroyed: set[str] = set()

    async def ensure_keys(self, subjects: Iterable[str]) -> dict[str, bytes | None]:
        """The keys of these subjects, made where there never was one; None for a destroyed one."""
        wanted = sorted(set(subjects))
        missing = self._to_ask(wanted)
        if missing:
            proposed = [self._fernet.encrypt(new_key()) for _ in missing]
            rows = await self._pool.fetch(
                "SELECT subject, wrapped FROM vault.ensure_keys($1::text[], $2::bytea[])",
                missing,
                proposed,
            )
            self._remember(rows)
        return {subject: self._known.get(subject) for subject in wanted}

    async def keys_of(self, subjects: Iterable[str]) -> dict[str, bytes | None]:
        """The keys of these subjects that exist; None where there is none or it was destroyed."""
        wanted = sorted(set(subjects))
        missing = self._to_ask(wanted)
        if missing:
            rows = await self._pool.fetch(
                "SELECT subject, wrapped FROM vault.keys_of($1::text[])", missing
            )
            self._remember(rows)
        return {subject: self._known.get(subject) for subject in wanted}

    async def secret_of(self, connection: str, name: str, version: int) -> str | None:
        """A connection's secret in the clear: keep it out of logs, events and errors."""
        wrapped = await self._pool.fetchval(
            "SELECT vault.secret_of($1, $2, $3)", connection, name, version
        )
        return None if wrapped is None else self._open(wrapped).decode()

    def wrap(self, secret: str) -> bytes:
        """As it may be stored."""
        return self._fernet.encrypt(secret.encode())

    def wrapped_anew(self, wrapped: bytes) -> bytes:
        """Under the newest key; raises `VaultKeyError` where none of ours opens it."""
        try:
            return self._fernet.rotate(wrapped)
        except InvalidToken as error:
            raise VaultKeyError(VaultKeyError.__doc__) from error

    async def hear(self, event: ControlEvent, _: int) -> None:
        """Drop keys that were destroyed, and never have them again, whatever the database still says.

        For `ControlTail`: a process that began before the deed hears of it as one that begins after.
        """
        if isinstance(event, KeysDestroyed):
            self._destroyed.update(event.subjects)
            for subject in event.subjects:
                self._known.pop(subject, None)

    def _to_ask(self, wanted: Iterable[str]) -> list[str]:
        return [
            subject
            for subject in wanted
            if subject not in self._known and subject not in self._destroyed
        ]

    def _remember(self, rows: list[asyncpg.Record]) -> None:
        for row in rows:
            if row["wrapped"] is not None and row["subject"] not in self._destroyed:
                self._known[row["subject"]] = self._open(row["wrapped"])

    def _open(self, wrapped: bytes) -> bytes:
        try:
            return self._fernet.decrypt(wrapped)
        except InvalidToken as error:
            raise VaultKeyError(VaultKeyError.__doc__) from error

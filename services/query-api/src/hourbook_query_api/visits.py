"""Visits: who came in, who was refused, and how many refusals are enough for now.

The one place where addresses stand; they are dropped after their retention.
"""

import hashlib
import hmac
from datetime import timedelta
from typing import Literal

import asyncpg

WINDOW = timedelta(minutes=15)
_PER_NAME_AND_ADDRESS = 5
_PER_NAME = 30
_PER_ADDRESS = 60

What = Literal["signed_in", "refused", "signed_out", "reused"]


class Visits:
    def __init__(self, pool: asyncpg.Pool, vault_keys: str) -> None:
        self._pool, self._key = pool, vault_keys.split(",", maxsplit=1)[0].encode()

    async def note(
        self, what: What, *, user: str | None, name: str | None = None, address: str | None
    ) -> None:
        await self._pool.execute(
            "INSERT INTO vault.visits (what, user_id, name_digest, address) VALUES ($1, $2, $3, $4)",
            what,
            user,
            None if name is None else self._digest(name),
            address,
        )

    async def wait_seconds(self, name: str, address: str | None) -> int:
        """How long this name, from there, is not even tried; 0: now.

        Counted are refusals of the last quarter of an hour; a sign-in forgives those of its name and
        address before it.
        """
        seconds: float = await self._pool.fetchval(
            "WITH refused AS (SELECT at, name_digest, address FROM vault.visits"
            "  WHERE what = 'refused' AND at > now() - $3::interval"
            "   AND (name_digest = $1 OR address = $2)),"
            " forgiven AS (SELECT max(at) AS at FROM vault.visits WHERE what = 'signed_in'"
            "   AND name_digest = $1 AND address IS NOT DISTINCT FROM $2"
            "   AND at > now() - $3::interval),"
            " limits AS ("
            "  (SELECT r.at FROM refused AS r LEFT JOIN forgiven AS f ON true"
            "    WHERE name_digest = $1 AND address IS NOT DISTINCT FROM $2"
            "    AND (f.at IS NULL OR r.at > f.at) ORDER BY r.at DESC OFFSET $4 LIMIT 1)"
            "  UNION ALL (SELECT at FROM refused WHERE name_digest = $1"
            "    ORDER BY at DESC OFFSET $5 LIMIT 1)"
            "  UNION ALL (SELECT at FROM refused WHERE address = $2"
            "    ORDER BY at DESC OFFSET $6 LIMIT 1))"
            " SELECT coalesce(ceil(extract(epoch FROM max(at) + $3::interval - now())), 0) FROM limits",
            self._digest(name),
            address,
            WINDOW,
            _PER_NAME_AND_ADDRESS - 1,
            _PER_NAME - 1,
            _PER_ADDRESS - 1,
        )
        return int(seconds)

    async def forget_addresses(self, retention: timedelta) -> None:
        await self._pool.execute(
            "UPDATE vault.visits SET address = NULL"
            " WHERE address IS NOT NULL AND at < now() - $1::interval",
            retention,
        )

    def _digest(self, name: str) -> bytes:
        return hmac.new(self._key, name.strip().lower().encode(), hashlib.sha256).digest()

"""A new vault key: everything is brought under it while the older one still opens what it wrapped.

Put the new key first in HOURBOOK_VAULT_KEY of every service and restart them; GET /api/vault tells when
nothing is left under the older one, which may be dropped then.
"""

import asyncpg
import structlog

from hourbook_kit.vault import Vault, VaultKeyError

log = structlog.get_logger()

BATCH = 500
_TABLES = {"subject_keys": "subject", "secrets": "connection, name, version"}
_ELSEWHERE = (
    "wrapped IS NOT NULL AND (under IS NULL OR (under <> $1 AND under <> 'none of ' || $1))"
)


async def rotate(pool: asyncpg.Pool, vault: Vault) -> int:
    """Wrap anew whatever is not under the newest key; gives how many rows there were."""
    moved = 0
    for table in _TABLES:
        while count := await _some(pool, vault, table):
            moved += count
    if moved:
        log.info("vault_rotated", rows=moved, under=vault.fingerprint)
    return moved


async def _some(pool: asyncpg.Pool, vault: Vault, table: str) -> int:
    """What no key of ours opens is marked, not touched: with its key back it is tried again."""
    key = _TABLES[table]
    async with pool.acquire() as connection, connection.transaction():
        rows = await connection.fetch(
            f"SELECT {key}, wrapped FROM vault.{table} WHERE {_ELSEWHERE} LIMIT {BATCH}"  # noqa: S608 -- our own words
            " FOR UPDATE SKIP LOCKED",
            vault.fingerprint,
        )
        for row in rows:
            *names, wrapped = row.values()
            try:
                new, under = vault.wrapped_anew(wrapped), vault.fingerprint
            except VaultKeyError:
                log.error("vault_key_lost", table=table, subject=str(names[0]))
                new, under = wrapped, f"none of {vault.fingerprint}"
            places = ", ".join(f"${place}" for place in range(3, 3 + len(names)))
            await connection.execute(
                f"UPDATE vault.{table} SET wrapped = $1, under = $2 WHERE ({key}) = ({places})",  # noqa: S608 -- as above
                new,
                under,
                *names,
            )
    return len(rows)


async def left(pool: asyncpg.Pool, vault: Vault) -> tuple[int, int]:
    """How many rows are under an older key, and how many no key of ours opens."""
    older = lost = 0
    for table in _TABLES:
        older += await pool.fetchval(
            f"SELECT count(*) FROM vault.{table} WHERE {_ELSEWHERE}",  # noqa: S608 -- our own words
            vault.fingerprint,
        )
        lost += await pool.fetchval(
            f"SELECT count(*) FROM vault.{table} WHERE under = 'none of ' || $1",  # noqa: S608 -- as above
            vault.fingerprint,
        )
    return older, lost

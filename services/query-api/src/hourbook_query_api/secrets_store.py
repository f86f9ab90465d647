"""Where connection secrets are put before the event that names their version is published."""

import asyncpg
from pydantic import SecretStr

from hourbook_kit.vault import Vault
from hourbook_query_api.connector_models import MASK
from hourbook_query_api.problems import invalid


def given(secret: SecretStr | None) -> str | None:
    """None where it was left out or came back masked: keep the one that is there."""
    if secret is None or secret.get_secret_value() == MASK:
        return None
    text = secret.get_secret_value()
    if not text.strip() or not text.isascii() or not text.isprintable():
        raise invalid("body", "Send a secret of printable ASCII characters, or leave it out.")
    return text.strip()


async def store(
    pool: asyncpg.Pool,
    vault: Vault,
    connection: str,
    secrets: dict[str, str | None],
    old_version: int | None,
) -> int:
    """Put these under a new version, with the old one's where none is given; gives the version.

    Where nothing is new the old version stays. The vault is written before the event, so an event
    never names what is not there; a version that no event came to name is harmless.
    """
    if old_version is not None and not any(secrets.values()):
        return old_version
    async with pool.acquire() as taken, taken.transaction():
        await taken.execute(
            "SELECT pg_advisory_xact_lock(hashtext('secrets of ' || $1))", connection
        )
        version: int = await taken.fetchval(
            "SELECT coalesce(max(version), 0) + 1 FROM vault.secrets WHERE connection = $1",
            connection,
        )
        for name, text in secrets.items():
            if text is not None:
                await taken.execute(
                    "INSERT INTO vault.secrets (connection, name, version, wrapped)"
                    " VALUES ($1, $2, $3, $4)",
                    connection,
                    name,
                    version,
                    vault.wrap(text),
                )
                continue
            await taken.execute(
                "INSERT INTO vault.secrets (connection, name, version, wrapped)"
                " SELECT connection, name, $3, wrapped FROM vault.secrets"
                " WHERE connection = $1 AND name = $2 AND version = $4",
                connection,
                name,
                version,
                old_version or 0,
            )
    return version

"""What an erasure destroys here, in the transaction that writes it down.

Done as often as the control topic is read anew: an older copy of the vault, put back beside the topic
that goes on, loses what was destroyed again.
"""

from collections.abc import Sequence

import asyncpg

from hourbook_contracts.privacy import (
    ErasureAsked,
    ErasureEvent,
    ErasureWithdrawn,
    KeysDestroyed,
    PersonErased,
)
from hourbook_query_api.whose import by_table

Connection = asyncpg.Connection | asyncpg.pool.PoolConnectionProxy

_ASKED = """
INSERT INTO control.erasures (erasure, identities, state, asked_at, asked_by)
VALUES ($1, $2, 'asked', $3, $4) ON CONFLICT DO NOTHING
"""
_ENDED = """
UPDATE control.erasures SET state = $2, ended_at = $3, ended_by = $4
WHERE erasure = $1 AND state = 'asked'
"""


async def forget(connection: Connection, event: ErasureEvent) -> None:
    match event:
        case ErasureAsked(erasure=erasure, identities=identities):
            await connection.execute(_ASKED, erasure, list(identities), event.observed_at, event.by)
        case ErasureWithdrawn(erasure=erasure):
            await connection.execute(_ENDED, erasure, "withdrawn", event.observed_at, event.by)
        case KeysDestroyed(erasure=erasure, subjects=subjects):
            await connection.execute("SELECT vault.destroy_keys($1::text[])", list(subjects))
            await connection.execute(
                "UPDATE control.erasures SET keys = keys + $2 WHERE erasure = $1",
                erasure,
                len(subjects),
            )
        case PersonErased(erasure=erasure, identities=identities):
            await connection.execute(_ENDED, erasure, "erased", event.observed_at, event.by)
            await _forget_people(connection, identities)
        case _:
            pass


async def _forget_people(connection: Connection, identities: Sequence[str]) -> None:
    """Account, sessions and addresses go; ids in what they did stay, and name nobody any more.

    Answers that are kept for repeated requests may hold anybody's text: they are emptied, and a
    repeated request is still not done twice.
    """
    users = list(by_table(identities).users)
    await connection.execute("DELETE FROM vault.users WHERE user_id = ANY ($1)", users)
    await connection.execute(
        "UPDATE vault.visits SET address = NULL, name_digest = NULL WHERE user_id = ANY ($1)", users
    )
    await connection.execute(
        "UPDATE control.idempotency SET status = 204, answer = '', location = NULL"
        " WHERE status IS NOT NULL"
    )

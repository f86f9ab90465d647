"""A request that comes twice is answered once: what was answered is kept for a day under its key."""

import asyncio
import hashlib
import hmac
from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import Request, Response

from hourbook_query_api.desk import Desk
from hourbook_query_api.problems import Kind, ProblemError

KEY_MAX = 200
_SUCCESS = range(200, 300)


async def once(
    desk: Desk,
    key: str,
    request: Request,
    answer: Callable[[Request], Coroutine[Any, Any, Response]],
) -> Response:
    """The first answer to this key; one that failed, or that nobody may keep, may be asked for again."""
    if len(key) > 2 * KEY_MAX or "\0" in key:
        raise ProblemError(
            Kind.INVALID, f"Send an Idempotency-Key of at most {KEY_MAX} characters."
        )
    digest = await _digest(desk, request)
    if known := await _claim(desk, key, digest):
        return known
    try:
        response = await answer(request)
    except BaseException:
        await asyncio.shield(_release(desk, key))
        raise
    if response.status_code not in _SUCCESS or response.headers.get("Cache-Control") == "no-store":
        await _release(desk, key)
        return response
    await desk.pool.execute(
        "UPDATE control.idempotency SET status = $2, answer = $3, location = $4 WHERE key = $1",
        key,
        response.status_code,
        bytes(response.body),
        response.headers.get("Location"),
    )
    return response


async def _digest(desk: Desk, request: Request) -> bytes:
    """Keyed, because a body may hold a secret that could be guessed from a plain hash."""
    place = f"{request.method} {request.url.path}?{request.url.query}\n".encode()
    ours = desk.settings.vault_key.get_secret_value().encode()
    return hmac.new(ours, place + await request.body(), hashlib.sha256).digest()


async def _claim(desk: Desk, key: str, digest: bytes) -> Response | None:
    """The answer that was given already; None when it is ours to give."""
    await desk.pool.execute(
        "DELETE FROM control.idempotency WHERE claimed_at < now() - interval '1 day'"
        " OR (status IS NULL AND claimed_at < now() - interval '1 minute')"
    )
    mine = await desk.pool.fetchval(
        "INSERT INTO control.idempotency (key, request_digest) VALUES ($1, $2)"
        " ON CONFLICT DO NOTHING RETURNING 1",
        key,
        digest,
    )
    if mine:
        return None
    row = await desk.pool.fetchrow("SELECT * FROM control.idempotency WHERE key = $1", key)
    if row is None or (
        row["status"] is None and hmac.compare_digest(row["request_digest"], digest)
    ):
        raise ProblemError(Kind.IN_PROGRESS, "Wait a moment, then repeat it with the same key.")
    if not hmac.compare_digest(row["request_digest"], digest):
        raise ProblemError(Kind.KEY_REUSED, "Send this request with a key of its own.")
    headers = {"Location": row["location"]} if row["location"] else None
    return Response(row["answer"], row["status"], headers, media_type="application/json")


async def _release(desk: Desk, key: str) -> None:
    await desk.pool.execute(
        "DELETE FROM control.idempotency WHERE key = $1 AND status IS NULL", key
    )

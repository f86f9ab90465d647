"""The door: every route but health asks for the operator's token, and answers a repeated write once.

`Idempotency-Key` on POST, PUT and DELETE: the same key with the same request gets the first answer
again; with another request it is refused. Keys are kept for a day.
"""

import asyncio
import hashlib
import hmac
from collections.abc import Callable, Coroutine
from typing import Annotated, Any

from fastapi import Depends, Header, Request, Response
from fastapi.routing import APIRoute
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from hourbook_query_api.acts import NotYetSeenError
from hourbook_query_api.desk import Desk, desk_of
from hourbook_query_api.problems import Kind, ProblemError

_WRITES = {"POST", "PUT", "DELETE"}
_SUCCESS = range(200, 300)

Handler = Callable[[Request], Coroutine[Any, Any, Response]]

_bearer = HTTPBearer(auto_error=False, scheme_name="operator", description="The operator's token.")


async def documented(
    _: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)],
) -> None:
    """Puts the lock into the OpenAPI document; `GuardedRoute` is what holds the door."""


def idempotency_key(
    key: Annotated[
        str | None,
        Header(
            alias="Idempotency-Key",
            max_length=200,
            description="Name this request: repeating it with the same key does nothing twice.",
        ),
    ] = None,
) -> str | None:
    return key


IdempotencyKey = Annotated[str | None, Depends(idempotency_key)]


class GuardedRoute(APIRoute):
    def get_route_handler(self) -> Handler:
        ours = super().get_route_handler()

        async def answer(request: Request) -> Response:
            try:
                return await ours(request)
            except NotYetSeenError as late:
                return late.answer()

        async def guarded(request: Request) -> Response:
            desk = desk_of(request)
            authorise(desk, request.headers.get("Authorization", ""))
            key = request.headers.get("Idempotency-Key")
            if key is None or request.method not in _WRITES:
                return await answer(request)
            return await _once(desk, key, request, answer)

        return guarded


def authorise(desk: Desk, authorization: str) -> None:
    scheme, _, given = authorization.partition(" ")
    if scheme.lower() != "bearer" or not desk.token.is_(given.strip()):
        raise ProblemError(
            Kind.NOT_SIGNED_IN,
            "Send `Authorization: Bearer <token>` with the operator's token that was told at the first start.",
        )


async def _once(desk: Desk, key: str, request: Request, answer: Handler) -> Response:
    if len(key) > 200 or "\0" in key:  # noqa: PLR2004 -- as documented above
        raise ProblemError(Kind.INVALID, "Send an Idempotency-Key of at most 200 characters.")
    digest = await _digest(desk, request)
    if known := await _claim(desk, key, digest):
        return known
    try:
        response = await answer(request)
    except BaseException:
        await asyncio.shield(_release(desk, key))
        raise
    if response.status_code not in _SUCCESS:
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

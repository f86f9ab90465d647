"""The door: who asks and whether they may, a repeated write answered once, a read that is known not sent.

`Idempotency-Key` on POST, PUT and DELETE: the same person's same key with the same request gets the
first answer again; with another request it is refused. Keys are kept for a day. `ETag` on reads:
`If-None-Match` with it is answered 304 while nothing has changed.
"""

import hashlib
from collections.abc import Callable, Coroutine
from http import HTTPStatus
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Header, Request, Response
from fastapi.routing import APIRoute
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from hourbook_query_api import idempotency
from hourbook_query_api.acts import NotYetSeenError
from hourbook_query_api.desk import Desk, desk_of
from hourbook_query_api.people import Person, person_of_session
from hourbook_query_api.problems import Kind, ProblemError, described
from hourbook_query_api.rights import PUBLIC, Role, role_of

Handler = Callable[[Request], Coroutine[Any, Any, Response]]

_bearer = HTTPBearer(
    auto_error=False, scheme_name="bearer", description="What POST /api/auth/login answers with."
)


async def documented(
    _: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)],
) -> None:
    """Puts the lock into the OpenAPI document; `GuardedRoute` is what holds the door."""


def idempotency_key(
    key: Annotated[
        str | None,
        Header(
            alias="Idempotency-Key",
            max_length=idempotency.KEY_MAX,
            description="Name this request: repeating it with the same key does nothing twice.",
        ),
    ] = None,
) -> str | None:
    return key


IdempotencyKey = Annotated[str | None, Depends(idempotency_key)]


class OpenRoute(APIRoute):
    """For whoever comes, signed in or not."""

    def get_route_handler(self) -> Handler:
        ours = super().get_route_handler()

        async def answer(request: Request) -> Response:
            desk_of(request)
            return await _answered(ours, request)

        return answer


class GuardedRoute(APIRoute):
    def get_route_handler(self) -> Handler:
        ours, operation = super().get_route_handler(), self.name

        async def answer(request: Request) -> Response:
            return await _answered(ours, request)

        async def guarded(request: Request) -> Response:
            desk = desk_of(request)
            person = await signed_in(desk, request)
            allow(person, request.method, operation)
            request.state.person = person
            if request.method == "GET":
                return _unless_known(request, await answer(request))
            key = request.headers.get("Idempotency-Key")
            if key is None:
                return await answer(request)
            return await idempotency.once(desk, f"{person.id} {key}", request, answer)

        return guarded


def guarded_router(
    prefix: str, tag: str, *statuses: int, more: dict[int | str, dict[str, Any]] | None = None
) -> APIRouter:
    """Of routes for people who are signed in; these problems and the door's own are documented."""
    return APIRouter(
        prefix=prefix,
        tags=[tag],
        route_class=GuardedRoute,
        dependencies=[Depends(documented)],
        responses=(more or {}) | described(401, 403, 422, 503, *statuses),
    )


async def signed_in(desk: Desk, request: Request) -> Person:
    scheme, _, given = request.headers.get("Authorization", "").partition(" ")
    claims = desk.access.read(given.strip()) if scheme.lower() == "bearer" else None
    person = claims and await person_of_session(desk.pool, claims.user, claims.session)
    if person is None:
        raise ProblemError(
            Kind.NOT_SIGNED_IN,
            "Send `Authorization: Bearer <token>` with a token of POST /api/auth/login or /refresh.",
        )
    return person


def allow(person: Person, method: str, operation: str) -> None:
    allow_role(person, role_of(method, operation))


def allow_role(person: Person, needed: Role) -> None:
    """For what hangs on more than the operation."""
    if not person.role.may(needed):
        raise ProblemError(
            Kind.NOT_ALLOWED,
            f"Ask someone who may: this needs the role {needed}, yours is {person.role}.",
        )


async def _answered(ours: Handler, request: Request) -> Response:
    try:
        return await ours(request)
    except NotYetSeenError as late:
        return late.answer()


def _unless_known(request: Request, response: Response) -> Response:
    """With its ETag; weak, because a proxy may compress what we made."""
    body = getattr(response, "body", None)
    if response.status_code != HTTPStatus.OK or not isinstance(body, bytes):
        return response
    etag = f'W/"{hashlib.sha256(body).hexdigest()[:32]}"'
    headers = {"ETag": etag, "Cache-Control": "private, no-cache"}
    known = {tag.strip() for tag in request.headers.get("If-None-Match", "").split(",")}
    if etag in known or "*" in known:
        return Response(status_code=HTTPStatus.NOT_MODIFIED, headers=headers)
    response.headers.update(headers)
    return response


def is_public(operation: str) -> bool:
    return operation in PUBLIC

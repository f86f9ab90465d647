"""Every problem this API answers with, as RFC 9457 problem+json: a type, a title, and what to do about it."""

from http import HTTPStatus
from typing import Any

from aiokafka.errors import KafkaError
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException

from hourbook_kit import problems
from hourbook_kit.postgres import TRANSIENT
from hourbook_kit.problems import MEDIA_TYPE, Catalogue, ProblemType


class Kind(Catalogue):
    """The catalogue."""

    NOT_SIGNED_IN = ProblemType("not-signed-in", 401, "Nobody is signed in")
    WRONG_PASSWORD = ProblemType("wrong-password", 401, "Name or password is wrong")
    TOKEN_VOID = ProblemType("token-void", 401, "This token is void")
    NOT_ALLOWED = ProblemType("not-allowed", 403, "This role may not do it")
    NOT_FOUND = ProblemType("not-found", 404, "There is nothing here")
    METHOD_NOT_ALLOWED = ProblemType("method-not-allowed", 405, "This cannot be done here")
    EXISTS = ProblemType("exists", 409, "There is one already")
    WRONG_KIND = ProblemType("wrong-kind", 409, "This connection is of another kind")
    SWITCHED_OFF = ProblemType("switched-off", 409, "This is switched off for the connection")
    IN_PROGRESS = ProblemType("in-progress", 409, "The same request is being answered")
    ENDED = ProblemType("ended", 409, "This is over already")
    LAST_ADMIN = ProblemType("last-administrator", 409, "There would be no administrator left")
    MOVED = ProblemType("moved", 409, "The question is another one by now")
    ANSWERED = ProblemType("answered", 409, "Somebody has answered it")
    NOT_OFFERED = ProblemType("choice-not-offered", 409, "This is no answer to this question")
    COUNT_MOVED = ProblemType("count-moved", 409, "There are more or fewer by now")
    TOO_LATE = ProblemType("too-late", 409, "It has been said")
    UNREADABLE = ProblemType("unreadable", 400, "The request cannot be read")
    INVALID = ProblemType("invalid", 422, "The request does not hold what it should")
    KEY_REUSED = ProblemType(
        "idempotency-key-reused", 422, "This Idempotency-Key was another request's"
    )
    TOO_MANY_ATTEMPTS = ProblemType("too-many-attempts", 429, "There were too many attempts")
    TOO_MANY_JOBS = ProblemType("too-many-jobs", 429, "Too many jobs are waiting")
    FAILED = ProblemType("failed", 500, "Something is wrong with Hourbook")
    OTHER_SIDE = ProblemType("other-side", 502, "The other system did not do it")
    TOO_MANY_STREAMS = ProblemType("too-many-streams", 503, "There are too many live streams")
    STARTING = ProblemType("starting", 503, "Hourbook is starting")
    DATABASE_AWAY = ProblemType("database-away", 503, "The database does not answer")
    KAFKA_AWAY = ProblemType("kafka-away", 503, "Kafka does not answer")


class Spot(BaseModel):
    """One place in a request that is wrong."""

    place: str
    """Like `body.base_url` or `query.limit`."""
    sentence: str


class Problem(problems.Problem):
    places: list[Spot] = Field(default=[])


class ProblemError(Exception):
    """Raised where it is found out; answered by `install`."""

    def __init__(
        self,
        kind: Kind,
        detail: str,
        places: list[Spot] | None = None,
        headers: dict[str, str] | None = None,
    ) -> None:
        super().__init__(detail)
        self.kind = kind
        self.headers = headers or {}
        self.problem = Problem(
            type=kind.type,
            title=kind.value.title,
            status=kind.value.status,
            detail=detail,
            places=places or [],
        )


def invalid(place: str, sentence: str) -> ProblemError:
    return ProblemError(Kind.INVALID, sentence, [Spot(place=place, sentence=sentence)])


def answer(error: ProblemError) -> JSONResponse:
    asked = {"WWW-Authenticate": "Bearer"} if error.kind is Kind.NOT_SIGNED_IN else {}
    return JSONResponse(
        error.problem.model_dump(exclude_defaults=True),
        error.kind.value.status,
        headers=asked | error.headers,
        media_type=MEDIA_TYPE,
    )


def described(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """For `responses=` of a route: these statuses are problems."""
    schema = {"schema": {"$ref": "#/components/schemas/Problem"}}
    return {
        status: {"description": HTTPStatus(status).phrase, "content": {MEDIA_TYPE: schema}}
        for status in statuses
    }


async def _told(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, ProblemError)  # noqa: S101 -- registered for it alone
    return answer(error)


async def _http(request: Request, error: Exception) -> JSONResponse:
    """Starlette's own: unknown path, wrong method, a body that is no JSON."""
    assert isinstance(error, HTTPException)  # noqa: S101 -- registered for it alone
    path = request.url.path
    if error.status_code == HTTPStatus.NOT_FOUND:
        found = ProblemError(Kind.NOT_FOUND, f"Look at /api/openapi.json: there is no {path}.")
    elif error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
        found = ProblemError(
            Kind.METHOD_NOT_ALLOWED,
            f"Look at /api/openapi.json for what {path} can do: {request.method} is not among it.",
        )
    else:
        found = ProblemError(Kind.UNREADABLE, f"Send what /api/openapi.json describes for {path}.")
    response = answer(found)
    response.headers.update(error.headers or {})
    return response


async def _invalid(_: Request, error: Exception) -> JSONResponse:
    """Never with the value: it may be a secret."""
    assert isinstance(error, RequestValidationError)  # noqa: S101 -- registered for it alone
    places = [
        Spot(place=".".join(str(step) for step in found["loc"]), sentence=f"{found['msg']}.")
        for found in error.errors()
    ]
    detail = "Correct what `places` names: " + "; ".join(
        f"{spot.place}: {spot.sentence}" for spot in places[:3]
    )
    return answer(ProblemError(Kind.INVALID, detail, places))


async def _database_away(_: Request, __: Exception) -> JSONResponse:
    return answer(
        ProblemError(Kind.DATABASE_AWAY, "Try again in a few seconds; nothing was half done.")
    )


async def _kafka_away(_: Request, __: Exception) -> JSONResponse:
    return answer(
        ProblemError(
            Kind.KAFKA_AWAY,
            "Try again in a few seconds, with the same Idempotency-Key where you sent one.",
        )
    )


async def _failed(_: Request, __: Exception) -> JSONResponse:
    return answer(ProblemError(Kind.FAILED, "Look into the log of query-api and tell us of it."))


def install(app: FastAPI) -> None:
    app.add_exception_handler(ProblemError, _told)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(RequestValidationError, _invalid)
    for away in TRANSIENT:
        app.add_exception_handler(away, _database_away)  # type: ignore[arg-type]  # all are Exceptions
    app.add_exception_handler(KafkaError, _kafka_away)
    app.add_exception_handler(Exception, _failed)

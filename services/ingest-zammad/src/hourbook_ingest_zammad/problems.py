"""Every problem a delivery is answered with, as RFC 9457 problem+json: a type, a title, and what to do about it."""

from typing import NamedTuple

from hourbook_kit.problems import MEDIA_TYPE, Catalogue, Problem, ProblemType

RETRY_AFTER_SECONDS = 5
"""Zammad itself waits 10, 20, 30 and 40 s (zammad-api.md 4.2)."""

RawHeaders = list[tuple[bytes, bytes]]


class Answer(NamedTuple):
    """What is sent back, as ASGI takes it."""

    status: int
    headers: RawHeaders
    body: bytes


class Kind(Catalogue):
    """The catalogue."""

    BROKEN_OFF = ProblemType("broken-off", 400, "Broken off")
    NOT_JSON = ProblemType("not-json", 400, "Not JSON")
    NO_TICKET = ProblemType("no-ticket", 400, "Which ticket?")
    NOT_SIGNED = ProblemType("not-signed", 401, "Not signed by this Zammad")
    NO_SECRET = ProblemType("no-secret", 401, "No secret to verify with")
    NO_CONNECTION = ProblemType("no-connection", 404, "No such connection")
    TOO_LONG = ProblemType("too-long", 413, "Too long")
    NOT_NOW = ProblemType("not-now", 503, "Not now")


class ProblemError(Exception):
    """Raised where it is found out; answered by the door."""

    def __init__(self, kind: Kind, detail: str) -> None:
        super().__init__(detail)
        self.kind, self.detail = kind, detail

    @property
    def answer(self) -> Answer:
        found: ProblemType = self.kind.value
        problem = Problem(
            type=self.kind.type, title=found.title, status=found.status, detail=self.detail
        )
        body = problem.model_dump_json().encode()
        headers = [
            (b"content-type", MEDIA_TYPE.encode()),
            (b"content-length", str(len(body)).encode()),
        ]
        if self.kind is Kind.NOT_NOW:
            headers.append((b"retry-after", str(RETRY_AFTER_SECONDS).encode()))
        return Answer(found.status, headers, body)

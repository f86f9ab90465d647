"""Every problem a delivery is answered with, as RFC 9457 problem+json: a type, a title, and what to do about it."""

import json
from enum import Enum
from typing import NamedTuple

from pydantic import BaseModel

MEDIA_TYPE = "application/problem+json"
RETRY_AFTER_SECONDS = 5
"""Zammad itself waits 10, 20, 30 and 40 s (zammad-api.md 4.2)."""

RawHeaders = list[tuple[bytes, bytes]]


class Answer(NamedTuple):
    """What is sent back, as ASGI takes it."""

    status: int
    headers: RawHeaders
    body: bytes


class _Entry(NamedTuple):
    slug: str
    status: int
    title: str


class Kind(Enum):
    """The catalogue; a `type` is `urn:hourbook:problem:<slug>` and never changes its meaning."""

    BROKEN_OFF = _Entry("broken-off", 400, "Broken off")
    NOT_JSON = _Entry("not-json", 400, "Not JSON")
    NO_TICKET = _Entry("no-ticket", 400, "Which ticket?")
    NOT_SIGNED = _Entry("not-signed", 401, "Not signed by this Zammad")
    NO_SECRET = _Entry("no-secret", 401, "No secret to verify with")
    NO_CONNECTION = _Entry("no-connection", 404, "No such connection")
    TOO_LONG = _Entry("too-long", 413, "Too long")
    NOT_NOW = _Entry("not-now", 503, "Not now")

    @property
    def type(self) -> str:
        return f"urn:hourbook:problem:{self.value.slug}"


class Problem(BaseModel):
    """For the document; `ProblemError.answer` writes it."""

    type: str
    title: str
    status: int
    detail: str
    """What to do, in a sentence."""


class ProblemError(Exception):
    """Raised where it is found out; answered by the door."""

    def __init__(self, kind: Kind, detail: str) -> None:
        super().__init__(detail)
        self.kind, self.detail = kind, detail

    @property
    def answer(self) -> Answer:
        _, status, title = self.kind.value
        problem = {"type": self.kind.type, "title": title, "status": status, "detail": self.detail}
        body = json.dumps(problem, ensure_ascii=False).encode()
        headers = [
            (b"content-type", MEDIA_TYPE.encode()),
            (b"content-length", str(len(body)).encode()),
        ]
        if self.kind is Kind.NOT_NOW:
            headers.append((b"retry-after", str(RETRY_AFTER_SECONDS).encode()))
        return Answer(status, headers, body)

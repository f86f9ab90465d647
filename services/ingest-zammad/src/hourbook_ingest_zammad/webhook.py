"""The webhook: a delivery that is genuine is in the inbox, on all replicas, before it is answered.

Nothing else happens in the request. The body is only a hint that a ticket may have changed (Zammad
renders it when it sends it, zammad-api.md 0.5), so neither it nor its headers are kept.
"""

import asyncio
import hashlib
import json
import random
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from aiokafka.errors import KafkaError
from fastapi import FastAPI, Request, Response
from opentelemetry import trace
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF
from opentelemetry.trace import SpanKind
from starlette.types import Receive, Scope, Send

from hourbook_contracts.inbox import RereadRequested
from hourbook_contracts.installation import Source
from hourbook_ingest_zammad.documenting import ROUTE
from hourbook_ingest_zammad.metrics import DELIVERIES
from hourbook_ingest_zammad.problems import Answer, Kind, ProblemError, RawHeaders
from hourbook_ingest_zammad.settings import Settings
from hourbook_kit import clock
from hourbook_kit.health import Health, Readiness, routes
from hourbook_kit.postgres import TRANSIENT
from hourbook_kit.source import protocol
from hourbook_kit.source.connections import Connections
from hourbook_kit.source.protocol import BadCredentialsError
from hourbook_kit.source.requests import Requests
from hourbook_kit.telemetry import current_traceparent
from hourbook_kit.vault import VaultKeyError

tracer = trace.get_tracer("hourbook")

PATH = "/api/webhook/zammad"
_PATH = re.compile(f"{PATH}(?:/([^/]+))?")
DELIVERY_ID_LIMIT = 100
TICKET_ID_LIMIT = 2**63

ACCEPTED = Answer(202, [(b"content-length", b"0")], b"")


@dataclass
class Door:
    """What the webhook needs; it is there before the rest of the service is, and closed until then."""

    settings: Settings
    health: Health
    connections: Connections | None = None
    requests: Requests | None = None

    def open(self, connections: Connections, requests: Requests) -> None:
        self.connections, self.requests = connections, requests

    async def answer(self, headers: RawHeaders, receive: Receive, name: str | None) -> Answer:
        """Of one delivery for this connection; without a name, for the only one there is."""
        with _trace() as traceparent:
            try:
                await self._take(headers, receive, name, traceparent)
                answer = ACCEPTED
            except ProblemError as problem:
                answer = problem.answer
        DELIVERIES.labels(answer.status).inc()
        return answer

    async def _take(
        self, headers: RawHeaders, receive: Receive, name: str | None, traceparent: str | None
    ) -> None:
        """Put it into the inbox; raises the `ProblemError` that is its answer otherwise."""
        if self.connections is None or self.requests is None:
            raise _unavailable("This service is starting: send it again.")
        source = _source(self.connections, name)
        sent = dict(headers)
        body = await _limited(sent, receive, self.settings.webhook_limit_bytes)
        system = await _client(self.connections, source)
        if not system.verifies(body, _text(sent, b"x-hub-signature")):
            raise ProblemError(
                Kind.NOT_SIGNED,
                f"X-Hub-Signature is not the HMAC-SHA1 of this body under the webhook secret of {source.name}.",
            )
        delivery = _text(sent, b"x-zammad-delivery")
        request = RereadRequested(
            observed_at=clock.now(),
            connection=source.name,
            ticket_id=_ticket_id(body),
            why="webhook",
            delivery=delivery[:DELIVERY_ID_LIMIT] if delivery else None,
            body_sha256=hashlib.sha256(body).hexdigest(),
            body_bytes=len(body),
        )
        await self._put(self.requests, request, traceparent)

    async def _put(
        self, requests: Requests, request: RereadRequested, traceparent: str | None
    ) -> None:
        try:
            async with asyncio.timeout(self.settings.webhook_patience_seconds):
                await requests.put(request, traceparent)
        except (KafkaError, TimeoutError) as error:
            self.health.hinder("kafka", "Kafka does not acknowledge what webhooks bring.")
            raise _unavailable("Kafka cannot be reached: send it again.") from error
        self.health.clear("kafka")


class Application(FastAPI):
    """FastAPI, with a short way in for deliveries: its own costs as much as everything they need."""

    def __init__(self, door: Door) -> None:
        super().__init__(
            title="Hourbook ingest-zammad",
            version="1",
            docs_url=None,
            redoc_url=None,
            openapi_url=None,
            telemetry={"tracing": False, "metrics": False, "logs": False},  # the span is ours
        )
        self._door = door

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["method"] == "POST":
            matched = _PATH.fullmatch(scope["path"])
            if matched is not None:
                status, headers, body = await self._door.answer(
                    scope["headers"], receive, matched[1]
                )
                await send({"type": "http.response.start", "status": status, "headers": headers})
                await send({"type": "http.response.body", "body": body})
                return
        await super().__call__(scope, receive, send)


def application(door: Door) -> FastAPI:
    app = Application(door)

    @app.post(PATH, operation_id="deliver", **ROUTE)
    @app.post(f"{PATH}/{{connection}}", operation_id="deliver_to", **ROUTE)
    async def receive(request: Request) -> Response:
        """The same by the long way: for the document, and for whoever serves us under a prefix."""
        name = request.path_params.get("connection")
        status, headers, body = await door.answer(request.scope["headers"], request.receive, name)
        answer = Response(body, status)
        answer.raw_headers = headers
        return answer

    not_ready: dict[int | str, dict[str, Any]] = {503: {"model": Readiness}}
    app.include_router(routes(door.health), prefix="/health", responses=not_ready)
    return app


@contextmanager
def _trace() -> Iterator[str | None]:
    """A span, and its `traceparent`; where nobody records spans the latter alone, at a tenth of the cost."""
    if getattr(trace.get_tracer_provider(), "sampler", None) is ALWAYS_OFF:
        ids = random.getrandbits(192) | 1 << 64 | 1  # names, not secrets; none is zero
        yield f"00-{ids >> 64:032x}-{ids & 2**64 - 1:016x}-00"
        return
    with tracer.start_as_current_span("webhook", kind=SpanKind.SERVER):
        yield current_traceparent()


def _source(connections: Connections, name: str | None) -> Source:
    names = connections.names if name is None else []
    if len(names) == 1:
        name = names[0]
    source = connections.source(name) if name is not None else None
    if source is None:
        choices = ", ".join(f"{PATH}/{name}" for name in connections.names) or "none yet"
        raise ProblemError(Kind.NO_CONNECTION, f"The connections of this service: {choices}.")
    return source


def _unavailable(detail: str) -> ProblemError:
    return ProblemError(Kind.NOT_NOW, detail)


async def _client(connections: Connections, source: Source) -> protocol.Source:
    """Known from the last delivery, or from the vault."""
    try:
        return await connections.client(source)
    except BadCredentialsError as error:
        raise ProblemError(Kind.NO_SECRET, str(error)) from error
    except VaultKeyError as error:
        raise _unavailable("The vault does not open: ask who runs Hourbook.") from error
    except TRANSIENT as error:
        raise _unavailable("The vault cannot be read: send it again.") from error


def _text(headers: Mapping[bytes, bytes], name: bytes) -> str | None:
    value = headers.get(name)
    return None if value is None else value.decode("latin-1")


async def _limited(headers: Mapping[bytes, bytes], receive: Receive, limit: int) -> bytes:
    """The raw bytes; refused by what the sender says of their length, and again while they come."""
    length = headers.get(b"content-length", b"")
    if length.isdigit() and int(length) > limit:
        raise _too_long(limit)
    chunks: list[bytes] = []
    size, more = 0, True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ProblemError(Kind.BROKEN_OFF, "The whole body is to be sent.")
        chunk = message.get("body", b"")
        size += len(chunk)
        if size > limit:
            raise _too_long(limit)
        chunks.append(chunk)
        more = message.get("more_body", False)
    return b"".join(chunks)


def _too_long(limit: int) -> ProblemError:
    return ProblemError(Kind.TOO_LONG, f"A delivery has at most {limit} bytes.")


def _ticket_id(body: bytes) -> int:
    try:
        content = json.loads(body)
    except (ValueError, RecursionError):
        raise ProblemError(Kind.NOT_JSON, "A delivery is a JSON object.") from None
    match content:
        case {"ticket": {"id": int(ticket_id)}} if (
            not isinstance(ticket_id, bool) and 0 < ticket_id < TICKET_ID_LIMIT
        ):
            return ticket_id
        case _:
            raise ProblemError(
                Kind.NO_TICKET, "ticket.id is to be a whole number: use the default payload."
            )

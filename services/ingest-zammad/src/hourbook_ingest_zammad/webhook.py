"""The webhook: a delivery that is genuine is in the inbox, on all replicas, before it is answered.

Nothing else happens in the request. The body is only a hint that a ticket may have changed (Zammad
renders it when it sends it, zammad-api.md 0.5), so neither it nor its headers are kept.
"""

import asyncio
import hashlib
import json
from dataclasses import dataclass

from aiokafka.errors import KafkaError
from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse
from opentelemetry import trace
from opentelemetry.trace import SpanKind

from hourbook_contracts.inbox import RereadRequested
from hourbook_contracts.installation import Source
from hourbook_ingest_zammad.connections import Connections
from hourbook_ingest_zammad.metrics import DELIVERIES
from hourbook_ingest_zammad.requests import Requests
from hourbook_ingest_zammad.settings import Settings
from hourbook_ingest_zammad.zammad import BadCredentialsError, Zammad
from hourbook_kit import clock
from hourbook_kit.health import Health, routes
from hourbook_kit.postgres import TRANSIENT
from hourbook_kit.vault import VaultKeyError

tracer = trace.get_tracer("hourbook")

RETRY_AFTER_SECONDS = 5
"""Zammad itself waits 10, 20, 30 and 40 s (zammad-api.md 4.2)."""
DELIVERY_ID_LIMIT = 100
TICKET_ID_LIMIT = 2**63


class ProblemError(Exception):
    """An answer of RFC 9457: the status, its title, and a sentence that says what to do."""

    def __init__(self, status: int, title: str, detail: str) -> None:
        super().__init__(detail)
        self.status, self.title, self.detail = status, title, detail

    def response(self) -> JSONResponse:
        headers = {"Retry-After": str(RETRY_AFTER_SECONDS)} if self.status == 503 else None  # noqa: PLR2004 -- the status that means it
        content = {
            "type": "about:blank",
            "title": self.title,
            "status": self.status,
            "detail": self.detail,
        }
        return JSONResponse(
            content, self.status, headers=headers, media_type="application/problem+json"
        )


@dataclass
class Door:
    """What the webhook needs; it is there before the rest of the service is, and closed until then."""

    settings: Settings
    health: Health
    connections: Connections | None = None
    requests: Requests | None = None

    async def receive(self, request: Request, name: str | None) -> None:
        """Put one delivery into the inbox; raises the `ProblemError` that is its answer otherwise."""
        if self.connections is None or self.requests is None:
            raise _unavailable("This service is starting: send it again.")
        source = self._source(self.connections, name)
        body = await _limited(request, self.settings.webhook_limit_bytes)
        signature = request.headers.get("x-hub-signature")
        delivery = request.headers.get("x-zammad-delivery")
        if not (await _client(self.connections, source)).verifies(body, signature):
            raise ProblemError(
                401,
                "Not signed by this Zammad",
                f"X-Hub-Signature is not the HMAC-SHA1 of this body under the webhook secret of {source.name}.",
            )
        await self._put(
            self.requests,
            RereadRequested(
                observed_at=clock.now(),
                connection=source.name,
                ticket_id=_ticket_id(body),
                why="webhook",
                delivery=delivery[:DELIVERY_ID_LIMIT] if delivery else None,
                body_sha256=hashlib.sha256(body).hexdigest(),
                body_bytes=len(body),
            ),
        )

    def _source(self, connections: Connections, name: str | None) -> Source:
        names = connections.names
        if name is None and len(names) == 1:
            name = names[0]
        source = connections.source(name) if name is not None else None
        if source is None:
            choices = ", ".join(f"/api/webhook/zammad/{name}" for name in names) or "none yet"
            raise ProblemError(
                404, "No such connection", f"The connections of this service: {choices}."
            )
        return source

    async def _put(self, requests: Requests, request: RereadRequested) -> None:
        try:
            async with asyncio.timeout(self.settings.webhook_patience_seconds):
                await requests.put(request)
        except (KafkaError, TimeoutError) as error:
            self.health.hinder("kafka", "Kafka does not acknowledge what webhooks bring.")
            raise _unavailable("Kafka cannot be reached: send it again.") from error
        self.health.clear("kafka")


def application(door: Door) -> FastAPI:
    app = FastAPI(
        title="Hourbook ingest-zammad",
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        telemetry={"tracing": False, "metrics": False, "logs": False},  # the span is ours
    )

    @app.post("/api/webhook/zammad")
    @app.post("/api/webhook/zammad/{connection}")
    async def receive(request: Request) -> Response:
        with tracer.start_as_current_span("webhook", kind=SpanKind.SERVER):
            try:
                await door.receive(request, request.path_params.get("connection"))
            except ProblemError as problem:
                answer: Response = problem.response()
            else:
                answer = Response(status_code=202)
        DELIVERIES.labels(answer.status_code).inc()
        return answer

    app.include_router(routes(door.health), prefix="/health")
    return app


def _unavailable(detail: str) -> ProblemError:
    return ProblemError(503, "Not now", detail)


async def _client(connections: Connections, source: Source) -> Zammad:
    """Known from the last delivery, or from the vault."""
    try:
        return await connections.client(source)
    except BadCredentialsError as error:
        raise ProblemError(401, "No secret to verify with", str(error)) from error
    except VaultKeyError as error:
        raise _unavailable("The vault does not open: ask who runs Hourbook.") from error
    except TRANSIENT as error:
        raise _unavailable("The vault cannot be read: send it again.") from error


async def _limited(request: Request, limit: int) -> bytes:
    """The raw bytes; refused by what the sender says of their length, and again while they come."""
    too_long = ProblemError(413, "Too long", f"A delivery has at most {limit} bytes.")
    length = request.headers.get("content-length", "")
    if length.isdecimal() and int(length) > limit:
        raise too_long
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > limit:
            raise too_long
    return bytes(body)


def _ticket_id(body: bytes) -> int:
    try:
        content = json.loads(body)
    except (ValueError, RecursionError):
        raise ProblemError(400, "Not JSON", "A delivery is a JSON object.") from None
    match content:
        case {"ticket": {"id": int(ticket_id)}} if (
            not isinstance(ticket_id, bool) and 0 < ticket_id < TICKET_ID_LIMIT
        ):
            return ticket_id
        case _:
            raise ProblemError(
                400, "Which ticket?", "ticket.id is to be a whole number: use the default payload."
            )

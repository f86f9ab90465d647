"""What Zammad is answered."""

import hashlib
import hmac
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any, cast

import httpx
import pytest
from aiokafka.errors import KafkaConnectionError
from pydantic import SecretStr

from hourbook_contracts.control import SourceConfigured
from hourbook_contracts.inbox import RereadRequested
from hourbook_contracts.installation import Installation, Source
from hourbook_ingest_zammad.problems import Kind
from hourbook_ingest_zammad.settings import Settings
from hourbook_ingest_zammad.webhook import Door, application
from hourbook_ingest_zammad.zammad import CONNECTOR
from hourbook_kit.control import ControlTail
from hourbook_kit.health import Health
from hourbook_kit.source.connections import Connections
from hourbook_kit.source.requests import Requests
from hourbook_kit.vault import Vault

pytestmark = pytest.mark.anyio

BODY = json.dumps({"ticket": {"id": 344, "title": "Gr\u00fc\u00dfe"}, "article": {}}).encode()
SECRET = "hunter2"


class InMemoryRequests:
    """What was written to the inbox; `error` is what Kafka does instead."""

    def __init__(self) -> None:
        self.put_there: list[RereadRequested] = []
        self.error: Exception | None = None

    async def put(self, request: RereadRequested, _traceparent: str | None) -> None:
        if self.error is not None:
            raise self.error
        self.put_there.append(request)


class OpenVault:
    """Holds the same two secrets for every connection."""

    async def secret_of(self, _connection: str, name: str, _version: int) -> str | None:
        return {"token": "t", "webhook_secret": SECRET}[name]


class Webhook:
    """A door with one source, and what stands behind it."""

    def __init__(self) -> None:
        self.control = SimpleNamespace(installation=Installation())
        self.inbox = InMemoryRequests()
        self.health = Health()
        settings = Settings(
            kafka_bootstrap="none",
            database_url=SecretStr("none"),
            vault_key=SecretStr("none"),
            webhook_limit_bytes=10_000,
        )
        connections = Connections(
            cast("ControlTail", self.control),
            cast("Vault", OpenVault()),
            {"zammad": CONNECTOR},
        )
        self.door = Door(settings, self.health, connections, cast("Requests", self.inbox))
        self.http = httpx.AsyncClient(
            transport=httpx.ASGITransport(application(self.door)), base_url="http://ingest"
        )
        self.configure("support")

    def configure(self, name: str) -> None:
        configured = SourceConfigured(
            observed_at=datetime(2026, 3, 2, tzinfo=UTC),
            by="test",
            connection=name,
            base_url="http://zammad.example",
            secret_version=1,
        )
        sources = {**self.control.installation.sources, name: Source(configured)}
        self.control.installation = Installation(sources=sources)

    async def deliver(
        self, body: bytes = BODY, path: str = "", *, secret: str = SECRET, **headers: str
    ) -> httpx.Response:
        signature = "sha1=" + hmac.new(secret.encode(), body, hashlib.sha1).hexdigest()
        sent = {"X-Hub-Signature": signature, "X-Zammad-Delivery": "d-1"} | headers
        return await self.http.post(f"/api/webhook/zammad{path}", content=body, headers=sent)


@pytest.fixture
async def webhook() -> AsyncIterator[Webhook]:
    webhook = Webhook()
    async with webhook.http:
        yield webhook


def assert_problem(answer: httpx.Response, status: int) -> dict[str, Any]:
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    problem: dict[str, Any] = answer.json()
    assert problem["status"] == status
    assert problem["type"] in {kind.type for kind in Kind}
    assert problem["detail"].endswith(".")
    return problem


async def test_a_genuine_delivery_is_in_the_inbox_before_it_is_answered(webhook: Webhook) -> None:
    answer = await webhook.deliver()
    assert answer.status_code == 202
    (request,) = webhook.inbox.put_there
    assert (request.connection, request.ticket_id, request.why) == ("support", 344, "webhook")
    assert (request.delivery, request.body_bytes) == ("d-1", len(BODY))
    assert request.body_sha256 == hashlib.sha256(BODY).hexdigest()


async def test_the_same_delivery_again_is_welcome(webhook: Webhook) -> None:
    assert [(await webhook.deliver()).status_code for _ in range(3)] == [202, 202, 202]


async def test_an_unsigned_delivery_is_refused(webhook: Webhook) -> None:
    answer = await webhook.http.post("/api/webhook/zammad", content=BODY)
    assert_problem(answer, 401)
    assert not webhook.inbox.put_there


@pytest.mark.parametrize("signature", ["sha1=", "sha1=00", "nonsense", "sha1=\u00fc"])
async def test_a_badly_signed_delivery_is_refused(webhook: Webhook, signature: str) -> None:
    headers = {b"x-hub-signature": signature.encode("latin-1")}
    answer = await webhook.http.post("/api/webhook/zammad", content=BODY, headers=headers)
    assert_problem(answer, 401)


async def test_another_secret_is_a_bad_signature(webhook: Webhook) -> None:
    assert_problem(await webhook.deliver(secret="guess"), 401)


async def test_a_long_body_is_refused_by_its_announced_length(webhook: Webhook) -> None:
    assert_problem(await webhook.deliver(b"x" * 10_001), 413)


async def test_a_long_body_is_refused_while_it_comes(webhook: Webhook) -> None:
    async def endless() -> AsyncIterator[bytes]:
        while True:
            yield b"x" * 1000

    answer = await webhook.http.post("/api/webhook/zammad", content=endless())
    assert_problem(answer, 413)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"not json",
        b"\xff\xfe",
        b"[" * 9000,
        b"[]",
        b'{"ticket": {}}',
        b'{"ticket": 344}',
        b'{"ticket": {"id": "344"}}',
        b'{"ticket": {"id": true}}',
        b'{"ticket": {"id": 3.5}}',
        b'{"ticket": {"id": -1}}',
        b'{"ticket": {"id": 99999999999999999999}}',
        b'{"ticket": {"id": ' + b"9" * 5000 + b"}}",
    ],
)
async def test_a_body_that_names_no_ticket_is_refused(webhook: Webhook, body: bytes) -> None:
    assert_problem(await webhook.deliver(body), 400)
    assert not webhook.inbox.put_there


async def test_an_unknown_connection_is_told_the_known_ones(webhook: Webhook) -> None:
    problem = assert_problem(await webhook.deliver(path="/sales"), 404)
    assert "/api/webhook/zammad/support" in problem["detail"]


async def test_without_a_name_there_must_be_only_one_source(webhook: Webhook) -> None:
    webhook.configure("sales")
    assert_problem(await webhook.deliver(), 404)
    assert (await webhook.deliver(path="/sales")).status_code == 202


@pytest.mark.parametrize("error", [KafkaConnectionError(), TimeoutError()])
async def test_without_kafka_zammad_is_asked_to_come_again(
    webhook: Webhook, error: Exception
) -> None:
    webhook.inbox.error = error
    answer = await webhook.deliver()
    assert_problem(answer, 503)
    assert int(answer.headers["retry-after"]) > 0
    assert "kafka" in webhook.health.obstacles
    webhook.inbox.error = None
    assert (await webhook.deliver()).status_code == 202
    assert "kafka" not in webhook.health.obstacles


async def test_while_it_starts_zammad_is_asked_to_come_again(webhook: Webhook) -> None:
    webhook.door.connections = None
    assert_problem(await webhook.deliver(), 503)
    assert (await webhook.http.get("/health/live")).status_code == 200
    assert (await webhook.http.get("/health/ready")).status_code == 503


async def test_a_delivery_under_a_proxys_prefix_is_answered_alike(webhook: Webhook) -> None:
    served = httpx.ASGITransport(application(webhook.door), root_path="/hourbook")
    signature = "sha1=" + hmac.new(SECRET.encode(), BODY, hashlib.sha1).hexdigest()
    async with httpx.AsyncClient(transport=served, base_url="http://proxy/hourbook") as http:
        path = "/api/webhook/zammad/support"
        answer = await http.post(path, content=BODY, headers={"X-Hub-Signature": signature})
        assert (answer.status_code, answer.content) == (202, b"")
        assert_problem(await http.post(path, content=BODY), 401)
    assert len(webhook.inbox.put_there) == 1

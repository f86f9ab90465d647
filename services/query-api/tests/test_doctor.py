"""A connection tried step by step: each failure says what to change and where, and nothing is written."""

import asyncio
import json
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from ipaddress import ip_address
from itertools import count
from pathlib import Path
from typing import Any

import httpx
import pytest
import respx
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from hourbook_contracts.control import TargetConfigured
from hourbook_kit import clock
from hourbook_local.children import free_port
from hourbook_query_api.acts import publish
from hourbook_query_api.testing import House, connected, kimai, zammad
from hourbook_simulators.kimai.app import build
from hourbook_simulators.kimai.memory import Memory
from hourbook_simulators.kimai.permissions import LEAST_PRIVILEGE
from hourbook_simulators.kimai.records import Timesheet
from hourbook_simulators.kimai.seeds import seeded
from hourbook_simulators.serving import server

pytestmark = pytest.mark.anyio

ANNA, BEN, BOT = 3, 4, 2
numbers = count(1)
Json = dict[str, Any]


class Tried:
    """A Kimai twin that is up, connected under a name of its own."""

    def __init__(self, client: httpx.AsyncClient, port: int) -> None:
        self.client, self.port = client, port
        self.memory = seeded("demo")
        self.name = f"doctored-{next(numbers)}"

    async def connect(self, **more: Any) -> None:
        url = f"http://127.0.0.1:{self.port}"
        body = {"base_url": url, "token": "kimai-demo-token"} | more
        await connected(self.client, kimai(self.name, **body))

    async def map(self, kind: str, target_id: int, **more: Any) -> None:
        body = {
            "kind": kind,
            "source": f"of-{self.name}",
            "source_key": f"organization:{target_id}" if kind == "customer" else str(target_id),
            "target": self.name,
            "target_id": target_id,
        }
        (await self.client.post("/api/mappings", json=body | more)).raise_for_status()

    async def map_all(self) -> None:
        await connected(self.client, zammad(f"of-{self.name}"))
        await self.map("worker", ANNA, time_zone="Europe/Berlin")
        await self.map("worker", BEN, time_zone="Europe/Berlin")
        await self.map("customer", 1)
        await self.map("activity", 1)

    def row(self, *, user_id: int = ANNA, exported: bool = False) -> Timesheet:
        begin = datetime(2026, 3, 16, 8, tzinfo=UTC)
        row = Timesheet(
            id=self.memory.next_id("timesheet"),
            user_id=user_id,
            project_id=1,
            activity_id=1,
            begin=begin,
            end=begin + timedelta(minutes=15),
            zone="Europe/Berlin",
            duration_seconds=900,
            exported=exported,
        )
        self.memory.touch(row, begin)
        return row

    def permit(self, *more: str, without: str = "") -> None:
        self.memory.roles["ROLE_HOURBOOK"] = sorted((LEAST_PRIVILEGE | {*more}) - {without})

    async def report(self) -> Json:
        answer = await self.client.post(f"/api/connectors/{self.name}/test")
        answer.raise_for_status()
        found: Json = answer.json()
        return found


@asynccontextmanager
async def serving(memory: Memory, port: int) -> AsyncIterator[None]:
    running = server(build(memory), port)
    running.config.lifespan = "off"
    task = asyncio.create_task(running._serve())
    while not running.started:  # noqa: ASYNC110 -- uvicorn tells no other way
        await asyncio.sleep(0.01)
    yield
    running.should_exit = True
    await task


@pytest.fixture
async def tried(client: httpx.AsyncClient) -> AsyncIterator[Tried]:
    found = Tried(client, free_port())
    async with serving(found.memory, found.port):
        yield found


def steps(report: Json, level: str | None = None) -> dict[str, str]:
    """Sentences by step, of one level or all."""
    return {
        step["step"]: step["sentence"]
        for step in report["steps"]
        if level is None or step["level"] == level
    }


# --------------------------------------------------------------------------------------------- Kimai
async def test_an_account_with_the_least_rights_is_well_and_nothing_was_written(
    tried: Tried,
) -> None:
    await tried.connect()
    await tried.map_all()
    tried.row()
    tried.row(exported=True)
    before = tried.memory.picture()
    report = await tried.report()
    assert report["ok"] is True
    assert report["version"] == "2.66.0"
    assert steps(report, "untried").keys() == {"delete", "lockdown"}
    assert steps(report, "ok").keys() == {
        *("dns", "who", "clock", "version", "configuration", "fit", "overlap", "users"),
        *("customers", "projects", "activities", "create", "timesheets", "workers", "zone"),
        *("mappings", "edit", "exported"),
    }
    assert "begin, end, project, activity, description, user, tags" in steps(report)["create"]
    assert tried.memory.picture() == before


@pytest.mark.parametrize(
    ("right", "step"),
    [
        ("create_own_timesheet", "create"),
        ("create_other_timesheet", "create"),
        ("view_other_timesheet", "timesheets"),
        ("edit_other_timesheet", "edit"),
        ("view_user", "users"),
        ("api_access", "who"),
    ],
)
async def test_each_right_that_is_missing_is_named_with_where_to_grant_it(
    tried: Tried, right: str, step: str
) -> None:
    await tried.connect()
    await tried.map_all()
    tried.row()
    tried.permit(without=right)
    report = await tried.report()
    found = steps(report, "failed") | steps(report, "untried")
    assert right in found[step]
    assert "System → Roles" in found[step]
    assert report["ok"] is (right == "view_other_timesheet")  # nothing else there proves it


async def test_a_token_that_opens_accountings_locks_is_refused(tried: Tried) -> None:
    lockdown = {"period_start": "2026-03-01", "period_end": "2026-03-31 23:59:59"}
    await tried.connect(token="kimai-admin-token", lockdown=lockdown)
    await tried.map_all()
    tried.memory.settings |= {
        "timesheet.rules.lockdown_period_start": "2026-03-01",
        "timesheet.rules.lockdown_period_end": "2026-03-31 23:59:59",
    }
    failed = steps(await tried.report(), "failed")
    assert failed.keys() == {"exported", "lockdown"}
    assert "administrator" in failed["exported"]
    assert "lockdown_override_timesheet" in failed["lockdown"]
    tried.row(exported=True)
    failed = steps(await tried.report(), "failed")
    assert "edit_exported_timesheet" in failed["exported"]


async def test_a_wait_after_unclear_writes_that_was_set_too_short_before_it_was_refused_is_told(
    house: House, tried: Tried
) -> None:
    await tried.connect()
    assert "grace" not in steps(await tried.report())
    hasty = TargetConfigured(
        observed_at=clock.now(),
        by=house.admin,
        connection=tried.name,
        base_url=f"http://127.0.0.1:{tried.port}",
        secret_version=1,
        grace_seconds=3,
    )
    assert await house.desk.projection.until(await publish(house.desk, hasty), seconds=10)
    report = await tried.report()
    assert report["ok"] is False
    assert "at least 16 s" in steps(report, "failed")["grace"]


async def test_a_lockdown_that_holds_is_well_and_one_that_kimai_does_not_have_is_not(
    tried: Tried,
) -> None:
    await tried.connect(lockdown={"period_start": "2026-03-01", "period_end": "2026-03-31"})
    await tried.map_all()
    assert "lockdown" in steps(await tried.report(), "failed")
    tried.memory.settings |= {
        "timesheet.rules.lockdown_period_start": "2026-03-01",
        "timesheet.rules.lockdown_period_end": "2026-03-31",
    }
    assert "lockdown" in steps(await tried.report(), "ok")


async def test_workers_that_kimai_does_not_offer_are_told_one_by_one(tried: Tried) -> None:
    await tried.connect()
    await tried.map_all()
    tried.memory.users[ANNA].enabled = False
    tried.memory.users[BEN].system_account = True
    failed = steps(await tried.report(), "failed")
    assert f"user {ANNA} is disabled" in failed["workers"]
    assert f"user {BEN} is a system account" in failed["workers"]


async def test_a_worker_in_another_zone_and_a_mapping_to_nothing_are_told(tried: Tried) -> None:
    await tried.connect()
    await tried.map_all()
    await tried.map("worker", 5, time_zone="America/New_York")
    await tried.map("customer", 77)
    tried.memory.activities[1].visible = False
    failed = steps(await tried.report(), "failed")
    assert failed.keys() == {"zone", "mappings"}
    assert "User 5 is in Europe/Berlin in Kimai and in America/New_York here" in failed["zone"]
    assert "no project 77" in failed["mappings"]
    assert "activity 1 is hidden" in failed["mappings"]


async def test_a_tracking_mode_we_cannot_use_ends_it_with_the_settings_name(tried: Tried) -> None:
    await tried.connect()
    tried.memory.settings["timesheet.mode"] = "punch"
    report = await tried.report()
    assert "timesheet.mode" in steps(report, "failed")["fit"]
    assert report["steps"][-1]["step"] == "fit"


async def test_a_kimai_that_forbids_overlap_is_well_and_told(tried: Tried) -> None:
    await tried.connect()
    tried.memory.settings["timesheet.rules.allow_overlapping_records"] = False
    assert "packed" in steps(await tried.report(), "ok")["overlap"]


async def test_a_wrong_token_and_a_dead_address_are_told_apart(
    tried: Tried, client: httpx.AsyncClient
) -> None:
    await tried.connect(token="of nobody")
    await connected(client, kimai("dead"))
    assert "make a new one" in steps(await tried.report(), "failed")["who"]
    dead = (await client.post("/api/connectors/dead/test")).json()
    assert "cannot be reached" in steps(dead, "failed")["who"]


@respx.mock
async def test_an_old_kimai_and_a_clock_that_is_wrong_are_told(client: httpx.AsyncClient) -> None:
    base = "http://127.0.0.1:9"
    await connected(client, kimai("old", base_url=base))
    late = format_datetime(clock.now() - timedelta(minutes=10))
    respx.get(f"{base}/api/users/me").respond(json={"id": 1}, headers={"Date": late})
    version = {"version": "2.44.0", "versionId": 24400}
    respx.get(f"{base}/api/version").respond(json=version)
    respx.get(f"{base}/api/config/timesheet").respond(
        json={"trackingMode": "default", "isAllowFutureTimes": True, "isAllowOverlapping": True}
    )
    failed = steps((await client.post("/api/connectors/old/test")).json(), "failed")
    assert "2.45 or newer" in failed["fit"]
    assert "seconds behind ours" in failed["clock"]


@respx.mock
async def test_a_kimai_under_a_path_that_takes_no_token_is_told_why(
    client: httpx.AsyncClient,
) -> None:
    base = "http://127.0.0.1:9/kimai"
    await connected(client, kimai("under-a-path", base_url=base))
    respx.get(f"{base}/api/users/me").respond(401, json={"code": 401, "message": "Unauthorized"})
    report = (await client.post("/api/connectors/under-a-path/test")).json()
    assert "host name of its own" in steps(report, "warning")["path"]


# ------------------------------------------------------------------------------------------- network
async def test_a_name_that_nobody_knows_is_the_first_step(client: httpx.AsyncClient) -> None:
    await connected(client, kimai("nowhere", base_url="https://kimai.invalid"))
    report = (await client.post("/api/connectors/nowhere/test")).json()
    assert "kimai.invalid" in steps(report, "failed")["dns"]
    assert len(report["steps"]) == 1


@pytest.fixture
def certificate(tmp_path: Path) -> ssl.SSLContext:
    """Signed by itself, so that nobody trusts it."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "kimai")])
    now = clock.now()
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=5))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False
        )
        .sign(key, hashes.SHA256())
    )
    file = tmp_path / "kimai.pem"
    file.write_bytes(
        made.public_bytes(serialization.Encoding.PEM)
        + key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    return context


async def test_a_certificate_nobody_trusts_is_told_before_the_token_is_sent(
    client: httpx.AsyncClient,
    certificate: ssl.SSLContext,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    heard: list[bytes] = []

    async def hear(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heard.append(await reader.read(100))
        writer.close()

    listening = await asyncio.start_server(hear, "127.0.0.1", 0, ssl=certificate)
    port = listening.sockets[0].getsockname()[1]
    await connected(client, kimai("untrusted", base_url=f"https://127.0.0.1:{port}"))
    report = (await client.post("/api/connectors/untrusted/test")).json()
    assert "does not hold" in steps(report, "failed")["tls"]
    assert heard == []
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "kimai.pem"))
    report = (await client.post("/api/connectors/untrusted/test")).json()
    assert "ends in 5 days" in steps(report, "warning")["tls"]
    listening.close()
    await connected(client, kimai("closed", base_url=f"https://127.0.0.1:{free_port()}"))
    report = (await client.post("/api/connectors/closed/test")).json()
    assert "does not answer" in steps(report, "failed")["tls"]


# -------------------------------------------------------------------------------------------- Zammad
ZAMMAD = "http://127.0.0.1:9/api/v1"
REFUSING: list[dict[str, Any]] = [
    golden
    for golden in json.loads(
        (Path(__file__).parents[3] / "contracts/tests/golden/zammad_answers.json").read_text()
    )
    if golden["status"] == 401 or golden["status"] >= 500
]
SETTINGS = [
    {"name": "time_accounting", "state_current": {"value": True}},
    {"name": "time_accounting_unit", "state_current": {"value": "quarter"}},
]


def zammads(mock: respx.MockRouter, **webhooks: Any) -> None:
    mock.get("/users/me").respond(json={"id": 3})
    mock.get("/time_accountings").respond(json=[])
    mock.get("/tickets").respond(json=[])
    mock.get("/settings").respond(json=SETTINGS)
    mock.get("/version").respond(403, json={"error": "Token authorization failed."})
    mock.post("/tickets/search").respond(json=[])
    mock.get("/webhooks").respond(**(webhooks or {"status_code": 403}))


async def report_of(client: httpx.AsyncClient, name: str) -> Json:
    found: Json = (await client.post(f"/api/connectors/{name}/test")).json()
    return found


async def test_a_zammad_without_rights_is_told_what_it_lacks(client: httpx.AsyncClient) -> None:
    await connected(client, zammad("tried", base_url="http://127.0.0.1:9"))
    with respx.mock(base_url=ZAMMAD) as twin:
        zammads(twin)
        twin.get("/time_accountings").respond(403, json={"error": "Token authorization failed."})
        report = await report_of(client, "tried")
        me = twin.calls[0].request
        assert me.headers["Authorization"] == "Token token=token-of-zammad-7c1d"
    assert (report["unit"], report["seconds_per_unit"]) == ("quarter", 900)
    failed = steps(report, "failed")
    assert failed.keys() == {"time_accountings", "unit"}
    assert "`admin.time_accounting`" in failed["time_accountings"]


async def test_a_unit_that_was_switched_in_zammad_and_a_version_too_old_are_told(
    client: httpx.AsyncClient,
) -> None:
    await connected(client, zammad("switched-unit", base_url="http://127.0.0.1:9"))
    body = {"unit": "minute", "seconds_per_unit": 60}
    (await client.post("/api/connectors/switched-unit/unit", json=body)).raise_for_status()
    with respx.mock(base_url=ZAMMAD) as twin:
        zammads(twin)
        twin.get("/time_accountings").respond(404, json={"error": "This page doesn't exist."})
        failed = steps(await report_of(client, "switched-unit"), "failed")
    assert "is a quarter, and here a minute was confirmed" in failed["unit"]
    assert "6.2 or newer" in failed["time_accountings"]


@pytest.mark.parametrize(
    ("version", "level"),
    [("6.1.0", "failed"), ("6.2.0-1709189301.4a2dd7d0.focal", "ok"), ("7.2.0", "ok")],
)
async def test_a_version_that_is_told_is_shown_and_one_before_62_refused(
    client: httpx.AsyncClient, version: str, level: str
) -> None:
    name = f"versioned-{next(numbers)}"
    await connected(client, zammad(name, base_url="http://127.0.0.1:9"))
    with respx.mock(base_url=ZAMMAD) as twin:
        zammads(twin)
        twin.get("/version").respond(json={"version": version})
        report = await report_of(client, name)
    assert report["version"] == version
    assert version in steps(report, level)["version"]


@pytest.mark.parametrize(
    ("answer", "level", "says"),
    [
        ({"json": []}, "ok", "from 6.5 on"),
        ({"json": {"tickets": [], "tickets_count": 0, "assets": {}}}, "ok", "before 6.5"),
        ({"json": {"hits": []}}, "warning", "newer than this one"),
        ({"status_code": 422, "json": {"error": "Invalid selector"}}, "warning", "webhook only"),
    ],
)
async def test_how_tickets_are_searched_is_probed(
    client: httpx.AsyncClient, answer: dict[str, Any], level: str, says: str
) -> None:
    name = f"searched-{next(numbers)}"
    await connected(client, zammad(name, base_url="http://127.0.0.1:9"))
    with respx.mock(base_url=ZAMMAD) as twin:
        zammads(twin)
        twin.post("/tickets/search").respond(**answer)
        report = await report_of(client, name)
    assert says in steps(report, level)["search"]


async def test_where_the_settings_are_not_shown_signshow_tells_the_unit(
    client: httpx.AsyncClient,
) -> None:
    await connected(client, zammad("signshown", base_url="http://127.0.0.1:9"))
    config = {"time_accounting_unit": "custom", "time_accounting_unit_custom": "Pomodoro"}
    with respx.mock(base_url=ZAMMAD) as twin:
        zammads(twin)
        twin.get("/settings").respond(403, json={"error": "Not authorized"})
        twin.get("/signshow").respond(json={"config": config})
        report = await report_of(client, "signshown")
        assert (report["unit"], report["seconds_per_unit"]) == ("custom", None)
        assert "“Pomodoro”" in steps(report, "failed")["unit"]
        twin.get("/signshow").respond(json={"error": "no valid session", "config": {}})
        report = await report_of(client, "signshown")
    assert "confirm the unit by hand" in steps(report, "warning")["settings"]


@pytest.mark.parametrize("golden", REFUSING, ids=lambda golden: golden["case"])
async def test_who_is_not_let_in_is_told_why(
    client: httpx.AsyncClient, golden: dict[str, Any]
) -> None:
    name = f"refused-{next(numbers)}"
    await connected(client, zammad(name, base_url="http://127.0.0.1:9"))
    with respx.mock(base_url=ZAMMAD, assert_all_called=False) as twin:
        zammads(twin)
        twin.get("/users/me").respond(
            golden["status"], content=golden["body"], content_type=golden["content_type"]
        )
        report = await report_of(client, name)
    assert golden["says"] in steps(report, "failed")["who"]


@pytest.mark.parametrize(
    ("token", "level"), [("secret-of-webhook-5f2a", "ok"), ("another", "failed"), (None, "failed")]
)
async def test_a_webhook_that_signs_with_another_secret_is_told(
    client: httpx.AsyncClient, token: str | None, level: str
) -> None:
    name = f"signed-{next(numbers)}"
    await connected(client, zammad(name, base_url="http://127.0.0.1:9"))
    endpoint = f"https://hours.example/api/webhook/zammad/{name}"
    webhooks = [
        {"endpoint": endpoint, "signature_token": token, "active": True},
        {"endpoint": "https://chat.example", "signature_token": "secret-of-webhook-5f2a"},
    ]
    with respx.mock(base_url=ZAMMAD) as twin:
        zammads(twin, json=webhooks)
        report = await report_of(client, name)
    assert "webhook" in steps(report, level)
    assert "secret-of-webhook-5f2a" not in str(report)


async def test_without_a_look_at_webhooks_the_last_signed_delivery_tells(
    house: House, client: httpx.AsyncClient
) -> None:
    await connected(client, zammad("delivering", base_url="http://127.0.0.1:9"))
    with respx.mock(base_url=ZAMMAD) as twin:
        zammads(twin)
        assert (
            "signature token" in steps(await report_of(client, "delivering"), "untried")["webhook"]
        )
        await house.owner.execute(
            "INSERT INTO ingest.deliveries VALUES ('delivering', 'd', 1, now(), now(), 1, 1)"
        )
        assert "our signature" in steps(await report_of(client, "delivering"), "ok")["webhook"]

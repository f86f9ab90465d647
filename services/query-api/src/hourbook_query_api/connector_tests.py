"""Trying a connection: what it answers, and in sentences what is missing."""

import asyncpg

from hourbook_contracts.ids import number_of
from hourbook_query_api import doctor_kimai, doctor_zammad
from hourbook_query_api.connector_models import KimaiConnector, SourceConnector, ZammadConnector
from hourbook_query_api.connectors import Name, Open, connector_of
from hourbook_query_api.desk import Desk
from hourbook_query_api.doctor import Doctor, TestReport, TestStep, calling
from hourbook_query_api.doctor_kimai import Worker
from hourbook_query_api.guard import guarded_router

router = guarded_router("/api/connectors/{name}", "connectors", 404)

_READ_BY_INGEST = TestReport(
    ok=True,
    steps=[
        TestStep(
            step="reading",
            ok=True,
            level="untried",
            sentence="Only ingest can try it: /api/sync/status tells what stands in its way.",
            milliseconds=0,
        )
    ],
)
_NO_TOKEN = TestReport(
    ok=False,
    steps=[
        TestStep(
            step="token",
            ok=False,
            level="failed",
            sentence="The vault holds no token of this connection: store one with PUT.",
            milliseconds=0,
        )
    ],
)


@router.post("/test")
async def try_connection(desk: Open, name: Name) -> TestReport:
    """With the stored secret; changes nothing on either side."""
    found = await connector_of(desk, name)
    if isinstance(found, SourceConnector):
        return _READ_BY_INGEST
    token = await desk.vault.secret_of(found.name, "token", found.secret_version)
    if token is None:
        return _NO_TOKEN
    if isinstance(found, ZammadConnector):
        return await _try_zammad(desk, found, token)
    return await _try_kimai(desk, found, token)


async def _try_zammad(desk: Desk, found: ZammadConnector, token: str) -> TestReport:
    known = doctor_zammad.Known(
        connector=found,
        webhook_secret=await desk.vault.secret_of(
            found.name, "webhook_secret", found.secret_version
        ),
        last_delivery_at=await desk.pool.fetchval(
            "SELECT max(last_at) FROM ingest.deliveries WHERE connection = $1", found.name
        ),
    )
    headers = {"Authorization": f"Token token={token}"}
    seconds = desk.settings.peer_timeout_seconds
    async with calling(f"{found.base_url}/api/v1", headers, timeout_seconds=seconds) as client:
        doctor = Doctor(client, "Zammad", doctor_zammad.explained)
        return await doctor_zammad.examine(doctor, known)


async def _try_kimai(desk: Desk, found: KimaiConnector, token: str) -> TestReport:
    known = await _known_of_kimai(desk.pool, found)
    headers = {"Authorization": f"Bearer {token}"}
    seconds = desk.settings.peer_timeout_seconds
    async with calling(f"{found.base_url}/api", headers, timeout_seconds=seconds) as client:
        return await doctor_kimai.examine(Doctor(client, "Kimai"), known)


async def _known_of_kimai(pool: asyncpg.Pool, found: KimaiConnector) -> doctor_kimai.Known:
    """What is mapped to it, and what push has learned of it and written there."""
    rows = await pool.fetch(
        "SELECT kind, target_id, max(time_zone) AS time_zone FROM control.mappings"
        " WHERE target = $1 GROUP BY kind, target_id ORDER BY kind, target_id",
        found.name,
    )
    sheets = await pool.fetch(
        "SELECT sheet FROM push.timesheets WHERE target = $1 AND book IS NOT NULL AND value IS NOT NULL"
        " ORDER BY no DESC LIMIT 1",
        found.name,
    )
    return doctor_kimai.Known(
        connector=found,
        workers=[Worker(row["target_id"], row["time_zone"]) for row in rows if _is(row, "worker")],
        project_ids=[row["target_id"] for row in rows if _is(row, "customer")],
        activity_ids=[row["target_id"] for row in rows if _is(row, "activity")],
        locked_until=await pool.fetchval(
            "SELECT locked_until FROM push.observed WHERE target = $1", found.name
        ),
        our_timesheets=[number_of(row["sheet"]) for row in sheets],
    )


def _is(row: asyncpg.Record, kind: str) -> bool:
    return bool(row["kind"] == kind)

"""Status says how far everybody is; an act that is not seen in time says where to look."""

import httpx
import pytest

from hourbook_query_api.projection import Projection
from hourbook_query_api.testing import House, connected, kimai, zammad

pytestmark = pytest.mark.anyio


async def test_health_says_ready_and_why_not(client: httpx.AsyncClient) -> None:
    assert (await client.get("/api/health/live")).json() == {"alive": True}
    ready = await client.get("/api/health/ready")
    assert ready.json() == {"ready": True, "obstacles": []}
    assert "python_info" in (await client.get("/api/health/metrics")).text


async def test_status_tells_each_side_and_each_reader(
    house: House, client: httpx.AsyncClient
) -> None:
    await connected(client, zammad("status-desk"), kimai("status-hours"))
    await house.owner.execute(
        "INSERT INTO push.obstacles (target, name, sentence)"
        " VALUES ('status-hours', 'down', 'Kimai does not answer.')"
    )
    status = (await client.get("/api/sync/status")).json()
    source = next(found for found in status["sources"] if found["name"] == "status-desk")
    target = next(found for found in status["targets"] if found["name"] == "status-hours")
    assert source["unit_confirmed"] is False
    assert "Confirm what a unit is worth" in source["obstacles"][0]
    assert target["obstacles"][0]["sentence"] == "Kimai does not answer."
    lags = {(lag["topic"], lag["reader"]): lag for lag in status["lags"]}
    control = lags["hourbook.control.v1", "query-api"]
    assert control["lag"] == 0
    assert control["end"] == house.desk.projection.next_offset
    assert lags["hourbook.ledger.v1", "reconciler"]["lag"] >= 0


async def test_a_person_may_ask_to_look_now(client: httpx.AsyncClient) -> None:
    await connected(client, zammad("ask-desk"))
    body = {"connections": ["ask-desk"], "what": "sweep"}
    asked = await client.post("/api/sync/manual", json=body)
    assert asked.status_code == 202
    assert asked.json()["asked"][0]["connection"] == "ask-desk"
    wrong = await client.post("/api/sync/manual", json={"connections": ["nobody"]})
    assert wrong.status_code == 404


async def test_an_act_that_is_not_seen_in_time_says_where_to_look(
    house: House, client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def never(_: Projection, offset: int, *, seconds: float) -> bool:
        return offset < 0 or seconds < 0

    with monkeypatch.context() as patched:
        patched.setattr(Projection, "until", never)
        answer = await client.post("/api/connectors", json=kimai("unseen"))
    assert answer.status_code == 202
    assert answer.headers["location"] == "/api/connectors/unseen"
    assert await house.desk.projection.until(answer.json()["offset"], seconds=10)
    assert (await client.get(answer.json()["look_at"])).status_code == 200


async def test_rows_of_another_log_are_made_anew(house: House, client: httpx.AsyncClient) -> None:
    await connected(client, kimai("kept"))
    end = house.desk.projection.next_offset
    again = Projection(house.desk.pool)
    await again.begin(house.desk.cluster_id, end)
    assert again.next_offset == end
    before = await house.owner.fetch("SELECT * FROM control.connections ORDER BY name")
    events = await house.owner.fetch("SELECT * FROM control.events ORDER BY offset_")
    async with house.owner.acquire() as connection:
        kept = await connection.fetchrow("SELECT * FROM control.checkpoint")
        transaction = connection.transaction()
        await transaction.start()
        other = Projection(connection)  # type: ignore[arg-type]  # see _One
        other._pool = _One(connection)  # type: ignore[assignment]
        await other.begin("another-cluster", end)
        assert other.next_offset == 0
        assert await connection.fetchval("SELECT count(*) FROM control.connections") == 0
        await transaction.rollback()
    assert kept is not None
    assert kept["next_offset"] == end
    assert len(before) >= 1
    assert len(events) == end


class _One:
    """A pool of one connection, already taken."""

    def __init__(self, connection: object) -> None:
        self._connection = connection

    def acquire(self) -> "_One":
        return self

    async def __aenter__(self) -> object:
        return self._connection

    async def __aexit__(self, *_: object) -> None:
        return None

"""Status says how far everybody is; an act that is not seen in time says where to look."""

import asyncio
from collections.abc import Awaitable, Callable

import httpx
import pytest
from aiokafka.errors import KafkaConnectionError

from hourbook_contracts.house import ListExported
from hourbook_contracts.installation import Installation
from hourbook_kit.health import Health
from hourbook_query_api import figures
from hourbook_query_api.app import create_app
from hourbook_query_api.desk import Desk
from hourbook_query_api.projection import Projection
from hourbook_query_api.settings import Settings
from hourbook_query_api.sync import Lag
from hourbook_query_api.testing import NOON, House, connected, kimai, zammad

pytestmark = pytest.mark.anyio


async def test_health_says_ready_and_why_not(client: httpx.AsyncClient) -> None:
    assert (await client.get("/api/health/live")).json() == {"alive": True}
    ready = await client.get("/api/health/ready")
    assert ready.json() == {"ready": True, "obstacles": []}
    assert "python_info" in (await client.get("/api/health/metrics")).text


async def lags_at_rest(house: House, client: httpx.AsyncClient) -> dict[tuple[str, str], Lag]:
    """The lags once the desk has read all of control: its own clock may write there meanwhile."""
    async with asyncio.timeout(10):
        while True:
            read = house.desk.projection.next_offset
            told = (await client.get("/api/sync/status")).json()["lags"]
            lags = {(lag.topic, lag.reader): lag for lag in map(Lag.model_validate, told)}
            control = lags["hourbook.control.v1", "query-api"]
            if control.lag == 0 and control.end == read:
                return lags
            await asyncio.sleep(0.05)


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
    readers = {reader for _, reader in await lags_at_rest(house, client)}
    assert readers >= {"query-api", "reconciler", "push-kimai"}


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


async def test_a_process_that_is_ahead_writes_nothing_into_rows_that_are_made_anew(
    house: House,
) -> None:
    """As while a newer version starts beside an older one: what lies between would be missing for good."""
    async with house.owner.acquire() as connection:
        transaction = connection.transaction()
        await transaction.start()
        behind, ahead = Projection(_One(connection)), Projection(_One(connection))  # type: ignore[arg-type]  # see _One
        end = house.desk.projection.next_offset
        ahead.next_offset = end
        await behind.begin("another-cluster", end)
        event = ListExported(observed_at=NOON, by="user:a", of="entries")
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.3):
                await ahead.learn(event, end, Installation())
        assert await connection.fetchval("SELECT next_offset FROM control.checkpoint") == 0
        behind.next_offset = end
        await connection.execute(
            "UPDATE control.checkpoint SET next_offset = $1", end
        )  # written by now
        await behind.learn(event, end, Installation())
        await ahead.learn(event, end, Installation())
        assert await connection.fetchval("SELECT count(*) FROM control.events") == 1
        await transaction.rollback()


class Gone:
    """A database or a broker that is away, whatever is asked of it."""

    def __init__(self, error: Exception) -> None:
        self._error = error

    def __getattr__(self, name: str) -> Callable[..., Awaitable[None]]:
        async def fails(*_: object, **__: object) -> None:
            raise self._error

        return fails


async def test_an_absent_database_or_broker_is_a_problem_that_passes(
    house: House, client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    await connected(client, kimai("waits"))
    with monkeypatch.context() as patched:
        patched.setattr(house.desk, "pool", Gone(ConnectionRefusedError()))
        answer = await client.get("/api/entries")
    assert answer.status_code == 503
    assert answer.json()["type"] == "urn:hourbook:problem:database-away"
    with monkeypatch.context() as patched:
        patched.setattr(house.desk, "producer", Gone(KafkaConnectionError()))
        answer = await client.put("/api/connectors/waits/writing", json={"on": True})
    assert answer.status_code == 503
    assert answer.json()["type"] == "urn:hourbook:problem:kafka-away"
    assert (await client.put("/api/connectors/waits/writing", json={"on": True})).is_success


async def test_before_it_is_open_the_api_says_that_it_starts(settings: Settings) -> None:
    health = Health()
    app = create_app(Desk(settings, health))
    health.hinder("kafka", "Kafka does not answer.")
    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport, base_url="http://api") as client:
        early = await client.get("/api/entries")
        ready = await client.get("/api/health/ready")
    assert early.json()["type"] == "urn:hourbook:problem:starting"
    assert ready.status_code == 503
    assert ready.json()["obstacles"][0]["sentence"] == "Kafka does not answer."


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


async def test_days_are_asked_to_be_read_again_and_their_progress_is_shown(
    house: House, client: httpx.AsyncClient
) -> None:
    await connected(client, zammad("again-desk"), kimai("again-hours"))
    path = "/api/sync/backfills"
    body = {"connection": "again-desk", "first_on": "2026-01-01", "last_on": "2026-01-31"}
    assert (await client.post(path, json=body)).status_code == 409  # no unit is confirmed
    unit = {"unit": "minute", "seconds_per_unit": 60}
    (await client.post("/api/connectors/again-desk/unit", json=unit)).raise_for_status()
    asked = await client.post(path, json=body)
    assert asked.status_code == 202
    backfill = asked.json()["id"]
    for wrong, status in (
        ({"connection": "again-hours"}, 409),
        ({"connection": "nobody"}, 404),
        ({"last_on": "2025-12-31"}, 422),
        ({"first_on": "2999-01-01", "last_on": "2999-01-02"}, 422),
    ):
        assert (await client.post(path, json=body | wrong)).status_code == status
    await house.owner.execute(
        "INSERT INTO ingest.backfills (connection, id, first_on, last_on, requested_at, listed_at,"
        " tickets) VALUES ('again-desk', $1, '2026-01-01', '2026-01-31', now(), now(), 3)",
        backfill,
    )
    await house.owner.execute(
        "INSERT INTO ingest.backfill_tickets (connection, backfill, ticket_id, read_at, failed)"
        " VALUES ('again-desk', $1, 1, now(), false), ('again-desk', $1, 2, now(), true),"
        " ('again-desk', $1, 3, NULL, false)",
        backfill,
    )
    await house.owner.execute(
        "INSERT INTO ingest.sources (connection, polled_at, unit_said, unit_seen_at, switched_on)"
        " VALUES ('again-desk', now(), 'custom Pomodoro', now(), false)"
    )
    await house.owner.execute(
        "INSERT INTO ingest.obstacles (connection, name, sentence)"
        " VALUES ('again-desk', 'watching', 'A list changed under our hands: it proves nothing.')"
    )
    status = (await client.get("/api/sync/status")).json()
    (source,) = [one for one in status["sources"] if one["name"] == "again-desk"]
    (shown,) = source["backfills"]
    assert (shown["id"], shown["state"]) == (backfill, "reading")
    assert (shown["tickets"], shown["tickets_read"], shown["tickets_failed"]) == (3, 2, 1)
    assert source["unit_in_zammad"] == "custom Pomodoro"
    assert "A list changed under our hands: it proves nothing." in source["obstacles"]
    assert any("switch it on" in one for one in source["obstacles"])


async def test_the_status_is_told_in_figures_too(house: House, client: httpx.AsyncClient) -> None:
    await connected(client, zammad("figures-desk"), kimai("figures-hours"))
    await house.owner.execute(
        "INSERT INTO push.obstacles (target, name, sentence)"
        " VALUES ('figures-hours', 'down', 'Kimai does not answer.')"
    )
    house.desk.health.hinder("something", "It is away.")
    await figures.look(house.desk)
    told = (await client.get("/api/health/metrics")).text
    house.desk.health.clear("something")
    for line in (
        'hourbook_writing{connection="figures-hours"} 0.0',
        'hourbook_target_obstacle{connection="figures-hours",name="down"} 1.0',
        'hourbook_suddenly_empty{connection="figures-desk"} 0.0',
        'hourbook_lag_messages{reader="query-api",topic="hourbook.control.v1"} 0.0',
        'hourbook_obstacle{name="something"} 1.0',
    ):
        assert line in told.splitlines()
    assert (
        'hourbook_obstacle{name="something"}' not in (await client.get("/api/health/metrics")).text
    )

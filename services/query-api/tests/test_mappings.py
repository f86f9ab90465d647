"""Mappings: one for each key, checked in sentences."""

from typing import Any

import httpx
import pytest

from hourbook_query_api.testing import House, connected, kimai, zammad

pytestmark = pytest.mark.anyio


def worker(source: str = "map-desk", **more: Any) -> dict[str, Any]:
    return {
        "kind": "worker",
        "source": source,
        "source_key": "3",
        "target": "map-hours",
        "target_id": 7,
        "time_zone": "Europe/Berlin",
    } | more


@pytest.fixture
async def both(client: httpx.AsyncClient) -> None:
    if (await client.get("/api/connectors/map-desk")).status_code == 404:
        await connected(client, zammad("map-desk"), kimai("map-hours"))


@pytest.mark.usefixtures("both")
async def test_a_mapping_is_made_changed_and_removed(client: httpx.AsyncClient) -> None:
    made = await client.post("/api/mappings", json=worker())
    assert made.status_code == 201
    place = made.headers["location"]
    assert (await client.get(place)).json() == made.json()
    assert (await client.post("/api/mappings", json=worker(target_id=8))).status_code == 409
    changed = await client.put(place, json=worker(target_id=8))
    assert (changed.json()["target_id"], changed.json()["mapping"]) == (8, made.json()["mapping"])
    other = await client.put(place, json=worker(source_key="4"))
    assert other.status_code == 422
    assert (await client.delete(place)).status_code == 204
    assert (await client.get(place)).status_code == 404
    assert (await client.put(place, json=worker())).status_code == 404


@pytest.mark.usefixtures("both")
async def test_mappings_are_listed_page_by_page(client: httpx.AsyncClient) -> None:
    for key in ("1", "2", "none"):
        body = worker(kind="activity", source_key=key, time_zone=None)
        assert (await client.post("/api/mappings", json=body)).status_code == 201
    params = {"kind": "activity", "source": "map-desk", "limit": "2"}
    first = (await client.get("/api/mappings", params=params)).json()
    second = (await client.get("/api/mappings", params=params | {"cursor": first["next"]})).json()
    keys = [mapping["source_key"] for mapping in first["items"] + second["items"]]
    assert keys == ["1", "2", "none"]
    assert second["next"] is None


@pytest.mark.parametrize(
    ("more", "place"),
    [
        ({"source_key": "three"}, "body.source_key"),
        ({"source_key": "3\n"}, "body.source_key"),
        ({"kind": "customer", "source_key": "organization:", "time_zone": None}, "body.source_key"),
        ({"kind": "customer", "source_key": "default"}, "body.time_zone"),
        ({"source": "nobody"}, "body.source"),
        ({"source": "map-hours"}, "body.source"),
        ({"target": "map-desk"}, "body.target"),
        ({"time_zone": "Mars/Olympus"}, "body.time_zone"),
        ({"target_id": 0}, "body.target_id"),
    ],
)
@pytest.mark.usefixtures("both")
async def test_a_mapping_that_cannot_be_is_refused_with_its_place(
    client: httpx.AsyncClient, more: dict[str, Any], place: str
) -> None:
    answer = await client.post("/api/mappings", json=worker(**more))
    assert answer.status_code == 422
    assert [spot["place"] for spot in answer.json()["places"]] == [place]


async def test_a_worker_has_the_zone_that_kimai_knows_unless_another_is_sent(
    house: House, client: httpx.AsyncClient
) -> None:
    await connected(client, zammad("zone-desk"), kimai("zone-hours"))
    await house.owner.executemany(
        "INSERT INTO push.directory (target, kind, id, name, visible, time_zone)"
        " VALUES ('zone-hours', 'user', $1, 'somebody', true, $2)",
        [(7, "America/New_York"), (8, "Mars/Olympus")],
    )
    for agent, user, sent, zone in (
        ("31", 7, {}, "America/New_York"),
        ("32", 7, {"time_zone": "Europe/Berlin"}, "Europe/Berlin"),
        ("33", 8, {}, None),
        ("34", 2**53, {}, None),
    ):
        body = {
            "kind": "worker",
            "source": "zone-desk",
            "source_key": agent,
            "target": "zone-hours",
            "target_id": user,
        }
        made = await client.post("/api/mappings", json=body | sent)
        assert made.json()["time_zone"] == zone

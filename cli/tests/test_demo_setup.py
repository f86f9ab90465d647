"""The demo connects what is there, maps it by name, and finds all of it the second time."""

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from hourbook_cli.demo_setup import Twins, prepare
from hourbook_cli.settings import DemoSettings
from hourbook_simulators.kimai import app as kimai
from hourbook_simulators.kimai.seeds import seeded
from hourbook_simulators.zammad import app as zammad
from hourbook_simulators.zammad.memory import Memory
from hourbook_simulators.zammad.seeds import plant

pytestmark = pytest.mark.anyio


class FakeApi:
    """An API of connections and mappings that remembers what it was told, and how often."""

    def __init__(self) -> None:
        self.connectors: dict[str, dict[str, Any]] = {}
        self.mappings: dict[tuple[str, str], dict[str, Any]] = {}
        self.calls: list[str] = []

    async def find(self, path: str) -> Any | None:
        return self.connectors.get(path.rsplit("/", 1)[1])

    async def get(self, path: str) -> Any:
        return self.connectors[path.rsplit("/", 1)[1]]

    async def post(self, path: str, body: Any = None) -> Any:
        self.calls.append(path)
        if path == "/api/connectors":
            self.connectors[body["name"]] = {**body, "units": [], "writing": False}
        elif path.endswith("/unit"):
            self.connectors[path.split("/")[3]]["units"].append(body)

    async def put(self, path: str, body: Any) -> Any:
        self.calls.append(path)
        self.connectors[path.split("/")[3]]["writing"] = body["on"]

    async def post_new(self, path: str, body: Any) -> bool:
        key = (body["kind"], body["source_key"])
        new = path == "/api/mappings" and key not in self.mappings
        self.mappings.setdefault(key, body)
        return new


@pytest.fixture
async def twins() -> AsyncIterator[Twins]:
    of_zammad = zammad.build(Memory(plant("demo")))
    of_kimai = kimai.build(seeded("demo"))
    async with (
        httpx.AsyncClient(
            transport=httpx.ASGITransport(of_zammad),
            base_url="http://zammad",
            headers={"Authorization": "Token token=zammad-demo-token"},
        ) as first,
        httpx.AsyncClient(
            transport=httpx.ASGITransport(of_kimai),
            base_url="http://kimai",
            headers={"Authorization": "Bearer kimai-demo-token"},
        ) as second,
    ):
        yield Twins(first, second)


async def test_everything_is_connected_mapped_and_switched_on(twins: Twins) -> None:
    api = FakeApi()
    prepared = await prepare(api, twins, DemoSettings())  # type: ignore[arg-type]  # the fake above
    assert api.connectors["desk"]["units"] == [{"unit": "minute", "seconds_per_unit": 60}]
    assert api.connectors["hours"]["writing"] is True
    assert len(prepared.agents) == 5
    assert prepared.mappings_made == len(api.mappings)
    customers = [body for (kind, _), body in api.mappings.items() if kind == "customer"]
    assert len({body["target_id"] for body in customers if body["source_key"] != "default"}) == 4
    assert {("activity", "none"), ("customer", "default")} <= api.mappings.keys()
    emma = [body for body in api.mappings.values() if body.get("time_zone") == "America/New_York"]
    assert [body["kind"] for body in emma] == ["worker"]


async def test_the_second_start_finds_all_of_it(twins: Twins) -> None:
    api = FakeApi()
    await prepare(api, twins, DemoSettings())  # type: ignore[arg-type]  # the fake above
    calls, mappings = list(api.calls), dict(api.mappings)
    again = await prepare(api, twins, DemoSettings())  # type: ignore[arg-type]  # the fake above
    assert again.mappings_made == 0
    assert (api.calls, api.mappings) == (calls, mappings)

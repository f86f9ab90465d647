"""The schedule as a person sets it, and as one process carries it out."""

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime
from typing import Any

import httpx
import pytest

from hourbook_query_api.testing import House, connected, kimai, zammad

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(120)]

EVERY_MINUTE = {"on": True, "cron": "* * * * *", "time_zone": "UTC", "what": "sweep"}


@pytest.fixture
async def timed(house: House, client: httpx.AsyncClient) -> AsyncIterator[httpx.AsyncClient]:
    """With connections, and with no schedule left behind, neither by it nor by others before."""
    await client.put("/api/schedule", json=EVERY_MINUTE | {"on": False})
    await all_ended(house)
    await house.owner.execute("DELETE FROM control.runs")
    if (await client.get("/api/connectors/timed-desk")).status_code != 200:
        await connected(client, zammad("timed-desk"), kimai("timed-hours"))
    yield client
    await client.put("/api/schedule", json=EVERY_MINUTE | {"on": False})
    await all_ended(house)


async def all_ended(house: House) -> None:
    """No run goes on whose end would be told while another test expects a log at rest."""
    async with asyncio.timeout(60):
        while await house.owner.fetchval("SELECT 1 FROM control.runs WHERE outcome = 'running'"):
            await looked_at(house)
            await asyncio.sleep(0.1)


async def runs(client: httpx.AsyncClient, **filters: str) -> list[dict[str, Any]]:
    answer = await client.get("/api/sync/history", params={"by": "schedule"} | filters)
    return list(answer.json()["items"])


async def some(client: httpx.AsyncClient, **filters: str) -> list[dict[str, Any]]:
    async with asyncio.timeout(60):
        while not (found := await runs(client, **filters)):  # noqa: ASYNC110 -- another task's rows
            await asyncio.sleep(0.1)
    return found


async def set_back(house: House, minutes: int) -> None:
    """As if nobody had been there since then."""
    await house.owner.execute(
        "UPDATE control.schedule SET changed_at = now() - make_interval(mins => $1)", minutes
    )
    await house.owner.execute(
        "UPDATE control.scheduler SET handled_until = now() - make_interval(mins => $1)", minutes
    )


async def looked_at(house: House) -> None:
    """Both sides of everything are swept by now."""
    await house.owner.execute(
        "INSERT INTO ingest.sources (connection, swept_at, polled_at)"
        " SELECT name, now(), now() FROM control.connections WHERE kind <> 'kimai'"
        " ON CONFLICT (connection) DO UPDATE SET swept_at = now(), polled_at = now()"
    )
    await house.owner.execute(
        "INSERT INTO push.observed (target, swept_at, polled_at)"
        " SELECT name, now(), now() FROM control.connections WHERE kind = 'kimai'"
        " ON CONFLICT (target) DO UPDATE SET swept_at = now(), polled_at = now()"
    )


async def test_a_schedule_tells_its_next_five_runs_in_its_own_zone(
    timed: httpx.AsyncClient,
) -> None:
    body = {"on": True, "cron": "30 9 * * 1", "time_zone": "Europe/Berlin"}
    told = (await timed.put("/api/schedule", json=body)).json()
    coming = [datetime.fromisoformat(one) for one in told["next_runs"]]
    assert len(coming) == 5
    assert {(one.isoweekday(), one.hour, one.minute) for one in coming} == {(1, 9, 30)}
    assert all(one.utcoffset() is not None for one in coming)
    assert (await timed.get("/api/schedule")).json() == told
    off = (await timed.put("/api/schedule", json=body | {"on": False})).json()
    assert off["next_runs"] == []


@pytest.mark.parametrize("cron", ["61 9 * * 1", "* * * * * *", "0 0 30 2 *", "often enough"])
async def test_a_schedule_that_is_none_is_not_kept(timed: httpx.AsyncClient, cron: str) -> None:
    before = (await timed.get("/api/schedule")).json()
    answer = await timed.put("/api/schedule", json=EVERY_MINUTE | {"cron": cron})
    assert answer.status_code == 422
    assert (await timed.get("/api/schedule")).json() == before


async def test_what_is_due_is_begun_what_was_missed_is_told_and_the_end_is_known(
    house: House, timed: httpx.AsyncClient
) -> None:
    await timed.put("/api/schedule", json=EVERY_MINUTE)
    await set_back(house, 4)
    begun = await some(timed, outcome="running")
    async with asyncio.timeout(60):  # a run is told connection by connection
        while not {"timed-desk", "timed-hours"} <= set(begun[0]["connections"]):
            await asyncio.sleep(0.1)
            begun = await some(timed, outcome="running")
    assert (begun[0]["by"], begun[0]["what"]) == ("schedule", "sweep")
    missed = await some(timed, outcome="missed")
    assert (missed[0]["why"], missed[0]["missed"] >= 2) == ("down", True)
    await looked_at(house)
    done = await some(timed, outcome="done")
    assert done[-1]["seconds"] >= 0
    assert done[-1]["waited_for"] == []


@pytest.mark.timeout(300)
@pytest.mark.parametrize("overlap", ["skip", "queue"])
async def test_a_run_that_is_due_while_another_goes_on_is_skipped_or_waits(
    house: House, timed: httpx.AsyncClient, overlap: str
) -> None:
    await timed.put("/api/schedule", json=EVERY_MINUTE | {"overlap": overlap})
    await set_back(house, 1)
    first = (await some(timed, outcome="running"))[0]["run"]
    await set_back(house, 1)
    if overlap == "skip":
        assert (await some(timed, outcome="missed"))[0]["why"] == "overlap"
        return
    async with asyncio.timeout(60):
        while not await house.owner.fetchval("SELECT queued_due_at FROM control.scheduler"):  # noqa: ASYNC110 -- as above
            await asyncio.sleep(0.1)
    await looked_at(house)
    async with asyncio.timeout(130):  # a run is named by its minute: the next one may have to come
        while (await some(timed))[0]["run"] == first:  # noqa: ASYNC110 -- as above
            await asyncio.sleep(0.1)

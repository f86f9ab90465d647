"""The dry run says what switching writing on would write, and what it would ask."""

from datetime import date
from typing import Any

import httpx
import pytest

from hourbook_query_api.testing import House, Shelf, connected, kimai, zammad

pytestmark = pytest.mark.anyio

MONDAY, TUESDAY = date(2026, 11, 23), date(2026, 11, 24)


async def mapped(client: httpx.AsyncClient, kind: str, key: str, target_id: int) -> None:
    body = {"kind": kind, "source": "pre", "source_key": key}
    body |= {"target": "pre-hours", "target_id": str(target_id)}
    answer = await client.post("/api/mappings", json=body)
    assert answer.status_code in {201, 409}, answer.text


@pytest.fixture
async def ready(house: House, client: httpx.AsyncClient, shelf: Shelf) -> httpx.AsyncClient:
    """Agent 3 is user 7; organization 5's hours go to project 50, others' nowhere; no activity is 70."""
    if (await client.get("/api/connectors/pre")).status_code != 200:
        await connected(client, zammad("pre"), kimai("pre-hours", write_cap=2))
    await mapped(client, "worker", "3", 7)
    await mapped(client, "customer", "organization:5", 50)
    await mapped(client, "activity", "none", 70)
    for ticket, organization in ((1, 5), (2, 6)):
        await house.owner.execute(
            "INSERT INTO book.tickets (book, number, organization_id, tags) VALUES ($1, $2, $3, '{}')",
            f"zammad:pre:{ticket}",
            str(ticket),
            organization,
        )
    waits: dict[str, Any] = {"state": "held_back"}
    await shelf.entry("pre", 1, 1, day=MONDAY, **waits)
    await shelf.entry("pre", 1, 2, day=TUESDAY, duration_seconds=1800, net_seconds=600, **waits)
    await shelf.entry("pre", 1, 3, day=TUESDAY, **waits)
    await shelf.entry("pre", 2, 4, day=TUESDAY, state="asks", reason="unmapped_customer")
    await shelf.entry("pre", 1, 5, day=TUESDAY, agent_id=4, state="asks", reason="unmapped_worker")
    await shelf.entry("pre", 1, 6, day=TUESDAY, sheet="kimai:pre-hours:1")
    await shelf.entry("pre", 1, 7, day=TUESDAY, retracted=True, **waits)
    await shelf.entry("pre", 1, 8, day=TUESDAY, net_seconds=0, duration_seconds=-60, **waits)
    await shelf.entry("pre", 1, 9, day=TUESDAY, state="asks", reason="closed_period")
    await house.owner.execute(
        "INSERT INTO push.directory (target, kind, id, name, visible)"
        " VALUES ('pre-hours', 'user', 7, 'Anna', true), ('pre-hours', 'project', 50, 'Site', true)"
        " ON CONFLICT DO NOTHING"
    )
    return client


async def test_it_says_what_would_be_written_and_what_asked(ready: httpx.AsyncClient) -> None:
    found = (await ready.get("/api/connectors/pre-hours/preview")).json()
    assert found == {
        "start_on": None,
        "creates": 3,
        "seconds": 900 + 600 + 900,
        "asks": {"unmapped_customer": 1, "unmapped_worker": 1},
        "beyond_cap": True,
        "lines": [
            {
                "user_id": 7,
                "user_name": "Anna",
                "project_id": 50,
                "project_name": "Site",
                "activity_id": 70,
                "activity_name": None,
                "entries": 3,
                "seconds": 2400,
                "first_on": "2026-11-23",
                "last_on": "2026-11-24",
            }
        ],
    }


async def test_what_is_older_than_the_first_day_is_left_out(ready: httpx.AsyncClient) -> None:
    found = (
        await ready.get("/api/connectors/pre-hours/preview", params={"start_on": "2026-11-24"})
    ).json()
    assert (found["creates"], found["seconds"], found["beyond_cap"]) == (2, 1500, False)


async def test_another_kimai_would_hold_none_of_it(ready: httpx.AsyncClient) -> None:
    if (await ready.get("/api/connectors/pre-other")).status_code != 200:
        await connected(ready, kimai("pre-other"))
    found = (await ready.get("/api/connectors/pre-other/preview")).json()
    assert (found["creates"], found["lines"]) == (0, [])


async def test_nothing_is_said_by_looking(house: House, ready: httpx.AsyncClient) -> None:
    before = house.desk.projection.next_offset
    await ready.get("/api/connectors/pre-hours/preview")
    assert house.desk.projection.next_offset == before
    assert (
        await house.owner.fetchval("SELECT count(*) FROM push.effects WHERE target = 'pre-hours'")
        == 0
    )


async def test_only_a_kimai_can_be_written_to(ready: httpx.AsyncClient) -> None:
    assert (await ready.get("/api/connectors/pre/preview")).status_code == 409
    assert (await ready.get("/api/connectors/nobody/preview")).status_code == 404

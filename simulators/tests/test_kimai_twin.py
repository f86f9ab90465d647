"""What makes it a twin: it remembers, it can be broken, and a person can look at it."""

import asyncio
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest

from hourbook_local.children import free_port
from hourbook_simulators.kimai.in_process import ADMIN, ANNA, BOT, booked, client, ids, work
from hourbook_simulators.kimai.memory import Memory
from hourbook_simulators.kimai.seeds import seeded

pytestmark = pytest.mark.anyio


@asynccontextmanager
async def running(state: Path) -> AsyncIterator[httpx.AsyncClient]:
    """A process of its own, stopped by SIGTERM."""
    port = free_port()
    command = ["-m", "hourbook_simulators.kimai", "--port", str(port), "--state", str(state)]
    process = await asyncio.create_subprocess_exec(sys.executable, *command)
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", headers=BOT) as kimai:
        await until_up(kimai)
        yield kimai
    process.send_signal(signal.SIGTERM)
    async with asyncio.timeout(20):
        await process.wait()


async def until_up(kimai: httpx.AsyncClient) -> None:
    async with asyncio.timeout(20):
        while True:
            try:
                await kimai.get("/api/ping")
            except httpx.ConnectError:
                await asyncio.sleep(0.05)
            else:
                return


async def test_its_memory_survives_a_restart_and_a_reset_after_a_commit_is_in_it(
    tmp_path: Path,
) -> None:
    state = tmp_path / "kimai.json"
    async with running(state) as kimai:
        held = await booked(kimai)
        fault = {"kind": "reset_after", "method": "POST", "path": "/api/timesheets"}
        await kimai.post("/_twin/faults", json=fault)
        with pytest.raises((httpx.RemoteProtocolError, httpx.ReadError)):
            await kimai.post("/api/timesheets", json=work(description="[zammad-4711-23]"))
        listed = (await kimai.get("/api/timesheets?user=all")).json()
        assert len(listed) == 2
        await kimai.delete(f"/api/timesheets/{held['id']}")
    async with running(state) as kimai:
        again = (await kimai.get("/api/timesheets?user=all")).json()
        assert again == [row for row in listed if row["id"] != held["id"]]
        assert (await booked(kimai))["id"] == 3
        assert await ids(kimai, "user=all&term=zammad-4711-23") == [2]


async def test_a_picture_of_a_memory_is_the_same_memory() -> None:
    memory = seeded("demo")
    async with client(memory) as kimai:
        held = await booked(kimai)
        await kimai.post(
            "/_twin/projects", json={"name": "P", "customer_id": 1, "end": "2027-01-31"}
        )
        await kimai.post("/_twin/tokens", json={"token": "t", "user_id": ANNA})
        state = (await kimai.get("/_twin/state")).json()
    again = Memory.from_picture(memory.picture())
    async with client(again) as kimai:
        assert (await kimai.get("/_twin/state")).json() == state
        assert (await kimai.get(f"/api/timesheets/{held['id']}")).json() == held


async def test_a_slow_commit_arrives_after_the_caller_gave_up() -> None:
    async with client() as kimai:
        fault = {"kind": "slow_commit", "method": "POST", "seconds": 0.2}
        await kimai.post("/_twin/faults", json=fault)
        waiting = asyncio.create_task(kimai.post("/api/timesheets", json=work()))
        await asyncio.sleep(0.05)
        waiting.cancel()
        assert await ids(kimai, "user=all") == []
        await asyncio.sleep(0.3)
        assert await ids(kimai, "user=all") == [1]


async def test_a_reset_forgets_everything_but_the_seed() -> None:
    async with client() as kimai:
        await booked(kimai)
        state = (await kimai.post("/_twin/reset", json={"seed": "bench"})).json()
        assert state["timesheets"] == []
        assert len(state["users"]) > 50
        assert (await kimai.post("/_twin/reset", json={"seed": "nope"})).status_code == 422
        assert (await booked(kimai))["id"] == 1


async def test_the_demo_holds_five_workers_four_customers_and_a_bot() -> None:
    async with client() as kimai:
        workers = (await kimai.get("/api/users")).json()
        assert [user["username"] for user in workers if "." in user["username"]] == [
            *("anna.berg", "ben.koch", "clara.vogt", "david.lang", "emma.roth")
        ]
        assert len((await kimai.get("/api/customers")).json()) == 4
        activities = (await kimai.get("/api/activities?globals=true")).json()
        assert [row["name"] for row in activities] == [
            *("Consulting", "Development", "Support", "Travel")
        ]


async def test_settings_are_told_as_kimai_tells_them() -> None:
    async with client() as kimai:
        wish = {"timesheet.rules.allow_overlapping_records": False}
        await kimai.put("/_twin/settings", json=wish)
        told = (await kimai.get("/api/config/timesheet")).json()
        assert told == {
            "trackingMode": "default",
            "defaultBeginTime": "now",
            "activeEntriesHardLimit": 1,
            "isAllowFutureTimes": True,
            "isAllowOverlapping": False,
        }


async def test_a_person_sees_what_arrived_and_spoils_it() -> None:
    async with client(headers={}) as page:
        await page.post(
            "/api/timesheets", json=work(description="<b>[zammad-4711-22]"), headers=BOT
        )
        shown = (await page.get("/")).text
        assert "&lt;b&gt;[zammad-4711-22]" in shown
        form = {"minutes": "30", "description": "by hand"}
        await page.post("/timesheets/1/edit", data=form)
        await page.post("/timesheets/1/duplicate")
        await page.post("/timesheets/1/export")
        held = (await page.get("/_twin/state")).json()["timesheets"]
        assert [(row["duration"], row["description"], row["exported"]) for row in held] == [
            (1800, "by hand", True),
            (1800, "by hand", False),
        ]
        await page.post("/timesheets/1/delete")
        wish = {"user": "7", "project": "1", "activity": "1", "minutes": "10", "description": ""}
        await page.post("/add", data=wish | {"begin": "2026-03-16T09:00"})
        listed = (await page.get("/api/timesheets?user=all", headers=ADMIN)).json()
        assert {row["id"]: row["begin"] for row in listed} == {
            2: "2026-03-16T09:00:00+0100",
            3: "2026-03-16T09:00:00-0400",
        }


async def test_what_kimai_refuses_a_person_is_told_on_the_page() -> None:
    async with client() as kimai:
        await booked(kimai)
        await kimai.put("/_twin/settings", json={"timesheet.rules.allow_overlapping_records": "0"})
        answer = await kimai.post("/timesheets/1/duplicate", follow_redirects=True)
        assert "You already have an entry for this time." in answer.text

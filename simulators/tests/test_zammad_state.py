"""The twin keeps what it knows, starts from a seed, and can be told and shown things by hand."""

import asyncio
import signal
import sys
from pathlib import Path
from typing import Any

import httpx
import pytest

from hourbook_local.children import free_port
from hourbook_simulators.zammad.in_process import opened
from hourbook_simulators.zammad.memory import Memory
from hourbook_simulators.zammad.seeds import DEMO_TOKEN, plant

pytestmark = pytest.mark.anyio
FRESH = 8


async def test_state_survives_a_restart(tmp_path: Path) -> None:
    kept = tmp_path / "zammad.state"
    async with opened(state=kept) as twin:
        await twin.book(FRESH, "12.35", type_id=2)
        await twin.ask("PUT", f"/tickets/{FRESH}", {"article": {"body": "x", "time_unit": 5}})
        await twin.control("PUT", "/settings", {"time_accounting_unit": "hour"})
        before = await twin.control("GET", "/state")
    async with opened(memory=Memory.from_picture(kept.read_bytes())) as twin:
        assert await twin.control("GET", "/state") == before
        assert twin.memory.books.settings["time_accounting_unit"] == "hour"
        await twin.book(FRESH, 1)
        assert (await twin.get(f"/tickets/{FRESH}"))["time_unit"] == "18.35"


async def test_state_is_kept_soon_after_a_change(tmp_path: Path) -> None:
    kept = tmp_path / "zammad.state"
    async with opened(state=kept) as twin:
        await twin.book(FRESH, 5)
        async with asyncio.timeout(20):
            while not kept.exists():  # noqa: ASYNC110 -- a file tells nobody
                await asyncio.sleep(0.01)
        assert len(Memory.from_picture(kept.read_bytes()).books.accountings) == 16


async def test_the_bench_has_a_known_size_and_days() -> None:
    books = plant("bench")
    assert (len(books.tickets), len(books.accountings)) == (100, 300)
    entries = books.accountings.values()
    assert len({one.created_by_id for one in entries}) == 5
    assert len({one.created_at[:10] for one in entries}) == 20
    assert all(
        len([one for one in entries if one.ticket_id == ticket]) == 3 for ticket in books.tickets
    )


async def test_the_empty_one_has_people_and_no_tickets() -> None:
    books = plant("empty")
    assert (books.tickets, len(books.organizations), len(books.types)) == ({}, 4, 5)


async def test_a_test_books_for_anybody_at_any_time() -> None:
    async with opened("empty") as twin:
        ticket = await twin.control("POST", "/tickets", {"title": "x", "organization_id": 3})
        wish: dict[str, Any] = {
            "ticket_id": ticket["id"],
            "agent_id": 4,
            "time_unit": 15,
            "type_id": 1,
        }
        wish["created_at"] = "2026-03-01T09:00:00+01:00"
        entry = await twin.control("POST", "/book", wish)
        assert entry["created_at"] == entry["updated_at"] == "2026-03-01T08:00:00.000Z"
        assert entry["created_by_id"] == 4
        after = await twin.get(f"/tickets/{ticket['id']}")
        assert (after["time_unit"], after["organization_id"]) == ("15.0", 3)
        assert after["updated_at"] > ticket["updated_at"]


async def test_its_clock_can_be_moved() -> None:
    async with opened() as twin:
        before = await twin.book(FRESH, 1)
        await twin.control("POST", "/clock", {"offset_seconds": 86400})
        assert (await twin.book(FRESH, 1))["created_at"][:10] > before["created_at"][:10]


async def test_calls_are_counted_and_broken_on_request() -> None:
    async with opened() as twin:
        await twin.control("POST", "/faults", {"kind": "status", "status": 503})
        assert (await twin.ask("GET", "/tickets/1")).status_code == 503
        assert (await twin.ask("GET", "/tickets/1")).status_code == 200
        calls = await twin.control("GET", "/calls")
        assert calls["total"] == 2


async def test_a_person_books_edits_and_deletes_on_the_page() -> None:
    async with opened() as twin:
        form = {"ticket_id": str(FRESH), "agent_id": "3", "time_unit": "12,5", "type_id": "1"}
        done = await twin.http.post("/entries", data=form, follow_redirects=True)
        assert done.status_code == 200
        entry = twin.memory.books.accountings[16]
        assert (str(entry.time_unit), entry.created_by_id, entry.type_id) == ("12.50", 3, 1)
        await twin.http.post("/entries/16", data={"time_unit": "20", "type_id": ""})
        assert (str(entry.time_unit), entry.type_id) == ("20.00", None)
        gone = await twin.http.post("/entries/16/delete", follow_redirects=True)
        assert gone.status_code == 200
        assert 16 not in twin.memory.books.accountings


async def test_the_page_shows_titles_as_text_and_says_what_was_refused() -> None:
    async with opened() as twin:
        await twin.http.post("/tickets", data={"title": "<script>", "customer_id": "8"})
        page = (await twin.http.get("/")).text
        assert "&lt;script&gt;" in page
        assert "<script>" not in page
        form = {"ticket_id": "1", "agent_id": "3", "time_unit": "10000"}
        refused = await twin.http.post("/entries", data=form, follow_redirects=True)
        assert "numeric field overflow" in refused.text


async def started(port: int, state: Path) -> asyncio.subprocess.Process:
    command = ("-m", "hourbook_simulators.zammad", "--port", str(port), "--state", str(state))
    process = await asyncio.create_subprocess_exec(sys.executable, *command)
    async with httpx.AsyncClient() as http, asyncio.timeout(50):
        while True:
            try:
                await http.get(f"http://127.0.0.1:{port}/")
            except httpx.TransportError:
                await asyncio.sleep(0.05)
            else:
                return process


@pytest.mark.slow
async def test_the_program_keeps_what_it_was_told_when_it_is_stopped(tmp_path: Path) -> None:
    port, kept = free_port(), tmp_path / "zammad.state"
    path = f"http://127.0.0.1:{port}/api/v1/tickets/{FRESH}/time_accountings"
    process = await started(port, kept)
    async with httpx.AsyncClient(headers={"Authorization": f"Bearer {DEMO_TOKEN}"}) as http:
        made = await http.post(path, json={"time_unit": 5})
    process.send_signal(signal.SIGTERM)
    await process.wait()
    assert made.json()["id"] in Memory.from_picture(kept.read_bytes()).books.accountings

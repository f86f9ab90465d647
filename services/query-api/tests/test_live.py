"""What moves is told as ids, for a while, to who is signed in; what was missed is asked for again."""

import asyncio
import json
from typing import Any

import httpx
import pytest

from hourbook_query_api import live
from hourbook_query_api.changes import Moved
from hourbook_query_api.testing import PASSWORD, House, Shelf, connected, kimai, recorded, zammad

pytestmark = pytest.mark.anyio


def told(text: str) -> list[tuple[str, dict[str, Any]]]:
    """Each event with its data."""
    found = []
    for block in text.strip().split("\n\n"):
        fields = dict(
            line.split(": ", 1) for line in block.splitlines() if not line.startswith(":")
        )
        if fields:
            assert set(fields) <= {"event", "data", "retry"}, "no id: nothing is resumed"
            found.append((fields["event"], json.loads(fields["data"])))
    return found


async def until_somebody_listens(house: House, before: int = 0) -> None:
    async with asyncio.timeout(20):
        while len(house.desk.changes) <= before:  # noqa: ASYNC110 -- asked as often as it may change
            await asyncio.sleep(0.01)


@pytest.fixture
def patient(house: House, monkeypatch: pytest.MonkeyPatch) -> House:
    """Whose streams last until somebody ends them."""
    lasting = house.settings.model_copy(update={"live_seconds_max": 50})
    monkeypatch.setattr(house.desk, "settings", lasting)
    monkeypatch.setattr(live, "CHECK_SECONDS", 0.1)
    return house


async def test_a_stream_tells_ids_and_nothing_else_and_ends_by_itself(
    house: House, client: httpx.AsyncClient
) -> None:
    stream = asyncio.create_task(client.get("/api/live"))
    await until_somebody_listens(house)
    began = asyncio.get_running_loop().time()
    await connected(client, zammad("live-desk"))
    answer = await stream
    lasted = asyncio.get_running_loop().time() - began
    assert answer.headers["content-type"].startswith("text/event-stream")
    events = told(answer.text)
    assert events[0] == ("hello", {})
    assert events[-1] == ("bye", {})
    moved = [data for event, data in events if event == "moved"]
    assert {"kind": "connectors", "ids": ["live-desk"], "many": False} in moved
    assert all(set(data) == {"kind", "ids", "many"} for data in moved)
    assert house.settings.live_seconds_max == 1
    assert lasted < 30, "capped by the server, not by whoever listens"
    assert len(house.desk.changes) == 0


async def test_what_was_missed_is_not_told_again_whatever_id_comes_with_the_question(
    client: httpx.AsyncClient,
) -> None:
    """The pages ask for all they show after `hello`."""
    await connected(client, kimai("live-missed"))
    answer = await client.get("/api/live", headers={"Last-Event-ID": "0"})
    assert ("hello", {}) in told(answer.text)
    assert "live-missed" not in answer.text


async def test_rows_of_the_reconciler_are_told_by_their_ids(house: House, shelf: Shelf) -> None:
    """Where it stands tells that something moved; the history tells what."""
    row = await shelf.entry("desk", 17, 1)
    before = await house.owner.fetch("SELECT * FROM book.checkpoint")
    found: list[Moved] = []
    try:
        with house.desk.changes.listening() as listener:
            async with asyncio.timeout(20):
                while not any(one.kind == "tickets" for one in found):
                    await shelf.message(recorded(row))  # the first look only learns where it stands
                    await house.owner.execute(
                        "INSERT INTO book.checkpoint (partition, next_offset, policy_version, revision)"
                        " VALUES (0, $1, 0, 0)"
                        " ON CONFLICT (partition) DO UPDATE SET next_offset = $1",
                        shelf.next_offset,
                    )
                    try:
                        async with asyncio.timeout(0.2):
                            found += await listener.take()
                    except TimeoutError:
                        continue
    finally:
        await house.owner.execute("DELETE FROM book.checkpoint")
        await house.owner.executemany(
            "INSERT INTO book.checkpoint (partition, next_offset, policy_version, revision)"
            " VALUES ($1, $2, $3, $4)",
            [
                (row["partition"], row["next_offset"], row["policy_version"], row["revision"])
                for row in before
            ],
        )
    assert {one.kind: one.ids for one in found} == {
        "entries": [row["entry"]],
        "tickets": [row["book"]],
    }


async def test_a_stream_ends_with_its_session(patient: House) -> None:
    async with patient.stranger() as leaving:
        signed_in = await leaving.post(
            "/api/auth/login", json={"name": "ada", "password": PASSWORD}
        )
        headers = {"Authorization": f"Bearer {signed_in.json()['access_token']}"}
        before = len(patient.desk.changes)
        stream = asyncio.create_task(leaving.get("/api/live", headers=headers))
        await until_somebody_listens(patient, before)
        assert (await leaving.post("/api/auth/logout")).status_code == 204
        async with asyncio.timeout(20):
            answer = await stream
    assert told(answer.text)[-1] == ("bye", {})


async def test_strangers_and_too_many_are_told_why_not(
    house: House, client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with house.stranger() as stranger:
        assert (await stranger.get("/api/live")).status_code == 401
    monkeypatch.setattr(live, "STREAMS_MAX", 0)
    full = await client.get("/api/live")
    assert full.json()["type"] == "urn:hourbook:problem:too-many-streams"
    assert full.headers["content-type"] == "application/problem+json"


async def test_who_listens_slowly_is_told_that_there_was_much_and_keeps_it_small(
    house: House,
) -> None:
    with house.desk.changes.listening() as listener:
        for number in range(1000):
            house.desk.changes.tell("entries", [f"zammad:desk:{number}"])
        (moved,) = [one for one in await listener.take() if one.kind == "entries"]
    assert (moved.ids, moved.many) == ([], True)

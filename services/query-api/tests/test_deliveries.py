"""Deliveries: what webhooks brought, what was asked of Kimai and how far it is, and reading a ticket again."""

from datetime import timedelta
from typing import Any

import httpx
import pytest
from aiokafka import TopicPartition

from hourbook_contracts.codec import decode
from hourbook_contracts.inbox import RereadRequested
from hourbook_contracts.ledger import PushRefused
from hourbook_contracts.topics import INBOX
from hourbook_kit import kafka
from hourbook_query_api.testing import NOON, House, Shelf, connected, kimai, sealed, written, zammad

pytestmark = pytest.mark.anyio


async def came(house: House, connection: str, *deliveries: tuple[str, int, int]) -> None:
    """Each its name, its ticket, and how often; a minute between them."""
    await house.owner.executemany(
        "INSERT INTO ingest.deliveries"
        " (connection, delivery, ticket_id, first_at, last_at, times, last_offset, body_sha256, body_bytes)"
        " VALUES ($1, $2, $3, $4, $5, $6, 0, 'ab12', 41)",
        [
            (
                connection,
                name,
                ticket,
                NOON - timedelta(minutes=n),
                NOON + timedelta(minutes=n),
                times,
            )
            for n, (name, ticket, times) in enumerate(deliveries)
        ],
    )


async def listed(client: httpx.AsyncClient, path: str, **params: Any) -> dict[str, Any]:
    answer = await client.get(f"/api/deliveries/{path}", params=params)
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


async def test_what_webhooks_brought_comes_latest_first_and_is_narrowed(
    house: House, client: httpx.AsyncClient
) -> None:
    await came(house, "in-desk", ("a", 17, 1), ("b", 18, 4), ("c", 17, 2))
    await came(house, "in-back", ("a", 17, 1))
    found = await listed(client, "in", connection="in-desk")
    assert [one["delivery"] for one in found["items"]] == ["c", "b", "a"]
    assert found["total"] == {"count": 3, "capped": False}
    assert found["items"][1] == {
        "connection": "in-desk",
        "delivery": "b",
        "book": "zammad:in-desk:18",
        "ticket_id": 18,
        "first_at": "2026-11-23T11:59:00Z",
        "last_at": "2026-11-23T12:01:00Z",
        "times": 4,
        "body_sha256": "ab12",
        "body_bytes": 41,
    }
    often = await listed(client, "in", connection="in-desk", sort="-times")
    assert [one["times"] for one in often["items"]] == [4, 2, 1]
    of_ticket = await listed(client, "in", book="zammad:in-desk:17")
    assert [one["delivery"] for one in of_ticket["items"]] == ["c", "a"]
    assert (await client.get("/api/deliveries/in?sort=body")).status_code == 422


async def test_pages_of_deliveries_show_each_once(house: House, client: httpx.AsyncClient) -> None:
    await came(house, "paged-in", *((f"d{n}", n, 1) for n in range(1, 6)))
    for sort in ("times", "-times", "first_at", "-last_at"):
        seen: list[str] = []
        cursor: dict[str, str] = {}
        while True:
            page = await listed(client, "in", connection="paged-in", limit=2, sort=sort, **cursor)
            seen += [one["delivery"] for one in page["items"]]
            if page["next"] is None:
                break
            cursor = {"cursor": page["next"]}
        assert sorted(seen) == ["d1", "d2", "d3", "d4", "d5"], sort


async def asked_of_kimai(house: House, row: dict[str, Any], **columns: Any) -> None:
    effect = {
        "posting": row["posting"],
        "gen": 1,
        "book": row["book"],
        "target": "out-hours",
        "user_id": 7,
        "day": NOON.date(),
        "op": "create",
        "request": "{}",
        "state": "queued",
    } | columns
    names, places = ", ".join(effect), ", ".join(f"${n}" for n in range(1, len(effect) + 1))
    await house.owner.execute(
        f"INSERT INTO push.effects ({names}) VALUES ({places})",  # noqa: S608 -- our own columns
        *effect.values(),
    )


@pytest.fixture
async def out(house: House, client: httpx.AsyncClient, shelf: Shelf) -> httpx.AsyncClient:
    """Four requests, one in each state; what is done was written."""
    await house.owner.execute("DELETE FROM push.effects")
    if (await client.get("/api/connectors/out-hours")).status_code != 200:
        await connected(client, kimai("out-hours"))
    rows = [await shelf.entry("desk", 17 + n, n) for n in range(4)]
    await asked_of_kimai(house, rows[0], not_before=NOON)
    await asked_of_kimai(house, rows[1], state="sent", claimed_at=NOON, attempt=1)
    await asked_of_kimai(house, rows[2], state="uncertain", claimed_at=NOON, attempt=1, op="update")
    await asked_of_kimai(house, rows[3], state="done", claimed_at=NOON, done_at=NOON, attempt=2)
    note = await sealed(house, "note", rows[3]["book"], "description")
    await shelf.message(written(rows[3], "kimai:out-hours:31", note))
    return client


async def test_what_was_asked_of_kimai_tells_how_far_it_is(out: httpx.AsyncClient) -> None:
    items = (await listed(out, "out", target="out-hours"))["items"]
    assert [one["state"] for one in items] == ["done", "uncertain", "sent", "queued"]
    done, uncertain, sent, queued = items
    assert (done["outcome"], done["sheet"], done["attempts"]) == (
        "written",
        "kimai:out-hours:31",
        2,
    )
    assert done["next_try_at"] is None
    assert queued["next_try_at"] == "2026-11-23T12:00:00Z"
    assert queued["last_tried_at"] is None
    grace = (await out.get("/api/connectors/out-hours")).json()["grace_seconds"]
    looked_for = (NOON + timedelta(seconds=grace)).isoformat().replace("+00:00", "Z")
    assert sent["next_try_at"] == uncertain["next_try_at"] == looked_for
    assert (uncertain["op"], uncertain["outcome"]) == ("update", None)


@pytest.mark.parametrize(
    ("params", "states"),
    [
        ({"state": ["queued", "uncertain"]}, ["uncertain", "queued"]),
        ({"book": "zammad:desk:18", "sort": "seq"}, ["sent"]),
        ({"outcome": "written"}, ["done"]),
        ({"outcome": "refused"}, []),
        ({"target": "other"}, []),
        ({"sort": "seq", "limit": 2}, ["queued", "sent"]),
    ],
)
async def test_what_was_asked_of_kimai_is_narrowed(
    out: httpx.AsyncClient, params: dict[str, Any], states: list[str]
) -> None:
    assert [one["state"] for one in (await listed(out, "out", **params))["items"]] == states


async def test_a_refusal_says_why(house: House, client: httpx.AsyncClient, shelf: Shelf) -> None:
    row = await shelf.entry("desk", 30, 1)
    await asked_of_kimai(house, row, state="done", done_at=NOON, target="refusing")
    refused = PushRefused(
        observed_at=NOON,
        book=row["book"],
        connection="refusing",
        posting=row["posting"],
        gen=1,
        no=2,
        why="closed_period",
        detail="October is closed.",
    )
    await shelf.message(refused)
    found = await listed(client, "out", outcome="refused")
    (one,) = found["items"]
    assert (one["outcome"], one["why"], one["detail"]) == (
        "refused",
        "closed_period",
        "October is closed.",
    )
    assert found["total"]["count"] == 1


async def test_another_generations_answer_is_not_this_ones(
    house: House, client: httpx.AsyncClient, shelf: Shelf
) -> None:
    row = await shelf.entry("desk", 31, 1)
    await asked_of_kimai(house, row, gen=2, target="second")
    note = await sealed(house, "note", row["book"], "description")
    await shelf.message(written(row, "kimai:second:1", note))
    (one,) = (await listed(client, "out", target="second"))["items"]
    assert (one["gen"], one["outcome"], one["sheet"]) == (2, None, None)


async def test_a_ticket_is_read_again_because_a_person_says_so(
    house: House, client: httpx.AsyncClient
) -> None:
    await connected(client, zammad("reread"), kimai("reread-hours"))
    headers = {"Idempotency-Key": "read it"}
    path = "/api/tickets/zammad:reread:17/read-again"
    answer = await client.post(path, headers=headers)
    assert answer.status_code == 202
    said = answer.json()
    assert said["look_at"] == "/api/tickets/zammad:reread:17"
    assert (await client.post(path, headers=headers)).json() == said, "once, not twice"
    reader = kafka.consumer(house.settings)
    await reader.start()
    try:
        place = TopicPartition(INBOX.name, said["partition"])
        reader.assign([place])
        assert (await reader.end_offsets([place]))[place] == said["offset"] + 1
        reader.seek(place, said["offset"])
        record = await reader.getone()
    finally:
        await reader.stop()
    message = decode(record.headers, record.value)
    assert isinstance(message, RereadRequested)
    assert (message.connection, message.ticket_id, message.why) == ("reread", 17, "person")
    assert house.admin.encode() not in record.value
    for nowhere in ("zammad:nobody:1", "kimai:reread-hours:1", "csv:reread:1", "zammad:reread:0"):
        assert (await client.post(f"/api/tickets/{nowhere}/read-again")).status_code == 404

"""Lists as CSV: the rows of the list with its filters, safe to open in a spreadsheet, and never taken unseen."""

import csv
import io
from datetime import timedelta
from typing import Any

import httpx
import pytest

from hourbook_query_api.paging import COUNT_CAP
from hourbook_query_api.testing import NOON, House, Shelf, connected, kimai, sealed, zammad

pytestmark = pytest.mark.anyio


async def exported(client: httpx.AsyncClient, path: str, **filters: Any) -> list[dict[str, str]]:
    answer = await client.get(f"/api/{path}.csv", params=filters)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"].startswith("text/csv")
    assert answer.headers["cache-control"] == "no-store"
    assert f'filename="hourbook-{path}-' in answer.headers["content-disposition"]
    return list(csv.DictReader(io.StringIO(answer.text, newline="")))


async def listed(client: httpx.AsyncClient, path: str, **filters: Any) -> list[dict[str, Any]]:
    answer = await client.get(f"/api/{path}", params={"limit": 200} | filters)
    assert answer.status_code == 200, answer.text
    return list(answer.json()["items"])


@pytest.mark.parametrize(
    "filters",
    [
        {},
        {"sort": "duration_seconds"},
        {"connection": "desk"},
        {"ticket": "00018"},
        {"state": ["asks", "held_back"]},
        {"agent": 4},
        {"from_day": NOON.date().isoformat(), "text": "zammad:desk"},
        {"to_day": "2026-11-22"},
    ],
)
async def test_entries_are_taken_out_as_they_are_listed(
    client: httpx.AsyncClient, shelf: Shelf, filters: dict[str, Any]
) -> None:
    await shelf.entry("desk", 17, 1, duration_seconds=600)
    await shelf.entry("desk", 17, 2, state="asks", reason="unmapped_worker", agent_id=4)
    await shelf.entry("back", 18, 3, state="held_back", target="hours", user_id=7)
    rows = await exported(client, "entries", **filters)
    items = await listed(client, "entries", **filters)
    assert [row["entry"] for row in rows] == [item["entry"] for item in items]
    for row, item in zip(rows, items, strict=True):
        for column in ("ticket_number", "raw_units", "state", "day", "reason", "user_id"):
            assert row[column] == ("" if item[column] is None else str(item[column]))
        assert row["created_at"].replace("+00:00", "Z") == item["created_at"]


@pytest.mark.parametrize(
    ("units", "cell"), [("-7.5", "-7.5"), ("-7", "-7"), ("15.0", "15.0"), ("-7-5", "'-7-5")]
)
async def test_a_number_stays_one_also_below_zero(
    client: httpx.AsyncClient, shelf: Shelf, units: str, cell: str
) -> None:
    """A correction is negative: as text no spreadsheet would add it up."""
    await shelf.entry("desk", 17, 1, raw_units=units)
    assert [row["raw_units"] for row in await exported(client, "entries")] == [cell]


@pytest.mark.parametrize(
    "title",
    [
        *("=1+1", "+1+1", "-1+1", "@SUM(A1)", "\t=1+1", "\r=1+1", "\n=1+1"),
        *("  =1+1", "\u00a0=1+1", " \n -1+1", "\uff1d1+1", "\uff201"),
    ],
)
async def test_what_a_spreadsheet_would_calculate_is_marked_as_text(
    house: House, client: httpx.AsyncClient, shelf: Shelf, title: str
) -> None:
    row = await shelf.entry("desk", 17, 1)
    await shelf.ticket(row["book"], "00017", await sealed(house, title, row["book"], "title"))
    assert [row["ticket_title"] for row in await exported(client, "entries")] == [f"'{title}"]


@pytest.mark.parametrize("title", ["Printer = on fire", "e-mail", "1-2", "  plain", "", '"=1", 2'])
async def test_other_text_is_as_it_is(
    house: House, client: httpx.AsyncClient, shelf: Shelf, title: str
) -> None:
    row = await shelf.entry("desk", 17, 1)
    await shelf.ticket(row["book"], "00017", await sealed(house, title, row["book"], "title"))
    assert [row["ticket_title"] for row in await exported(client, "entries")] == [title]


async def test_all_rows_are_taken_out_however_many(client: httpx.AsyncClient, shelf: Shelf) -> None:
    await shelf.many(COUNT_CAP + 1)
    rows = await exported(client, "entries", sort="day")
    assert len({row["entry"] for row in rows}) == len(rows) == COUNT_CAP + 1


@pytest.mark.parametrize(
    "filters",
    [
        {},
        {"open": "false"},
        {"reason": ["unmapped_worker", "overlap"]},
        {"connection": "back", "sort": "-opened_at"},
        {"agent": 4},
        {"text": "00018"},
        {"answered": "true"},
    ],
)
async def test_conflicts_are_taken_out_as_they_are_listed(
    client: httpx.AsyncClient, shelf: Shelf, filters: dict[str, Any]
) -> None:
    worker = await shelf.entry("desk", 17, 1, state="asks", reason="unmapped_worker", agent_id=4)
    period = await shelf.entry("back", 18, 2, state="asks", reason="closed_period")
    await shelf.conflict(worker["posting"], "unmapped_worker")
    await shelf.conflict(period["posting"], "closed_period", opened_at=NOON - timedelta(days=1))
    await shelf.conflict("zammad:back:18/3", "overlap", open=False)
    await shelf.ticket(period["book"], "00018", None)
    rows = await exported(client, "conflicts", **filters)
    items = await listed(client, "conflicts", **filters)
    assert [row["subject"] for row in rows] == [item["subject"] for item in items]
    assert [row["reason"] for row in rows] == [item["reason"] for item in items]
    assert [row["open"] for row in rows] == [str(item["open"]) for item in items]


async def test_the_audit_is_taken_out_as_it_is_listed(
    house: House, client: httpx.AsyncClient
) -> None:
    await connected(client, zammad("csv-desk"), kimai("csv-hours"))
    for filters in (
        {"subject": "connection/csv-desk"},
        {"by": house.admin, "type": "hourbook.connection_configured.v1", "sort": "at"},
        {"people": "false"},
        {"until": "2026-01-01T00:00:00Z"},
    ):
        items = await listed(client, "audit", **filters)
        rows = (await exported(client, "audit", **filters))[: len(items)]
        assert [row["act"] for row in rows] == [item["act"] for item in items]
        assert [row["by_name"] for row in rows] == [item["by_name"] or "" for item in items]
    assert len(await exported(client, "audit", subject="connection/csv-desk")) == 1


async def test_who_takes_a_list_out_is_told_before_the_first_row(
    house: House, client: httpx.AsyncClient, shelf: Shelf
) -> None:
    """Of the filters their names: a text somebody looked for may be about a person."""
    await shelf.entry("desk", 17, 1, agent_id=41)
    await exported(client, "entries", agent=41, text="zammad:desk:1", sort="day")
    async with house.somebody("viewer") as viewer:
        me = (await viewer.get("/api/me")).json()
        assert await exported(viewer, "conflicts", text="nobody") == []
    end = await house.desk.ends.end_offsets(house.desk.ends.assignment())
    control = next(offset for at, offset in end.items() if "control" in at.topic)
    assert await house.desk.projection.until(control - 1, seconds=10)
    acts = await listed(client, "audit", type="hourbook.list_exported.v1")
    assert [(act["by_name"], act["message"]["of"]) for act in acts[:2]] == [
        (me["name"], "conflicts"),
        ("Ada", "entries"),
    ]
    assert acts[1]["message"]["filters"] == ["agent", "text"]
    assert "zammad:desk:1" not in str(acts[1])
    looks = await listed(client, "privacy/accesses", identity="zammad:desk:user:41")
    assert ("export", house.admin) in {(look["what"], look["looked_by"]) for look in looks}


async def test_filters_that_are_none_are_refused_like_those_of_the_list(
    client: httpx.AsyncClient,
) -> None:
    for path, place in (("entries", "state"), ("conflicts", "sort"), ("audit", "since")):
        answer = await client.get(f"/api/{path}.csv", params={place: "nonsense"})
        assert answer.status_code == 422
        assert answer.json()["places"][0]["place"].startswith(f"query.{place}")

"""The audit tells who did what and when, from the logs; where from stands in one table, for a while."""

from datetime import datetime, timedelta
from typing import Any

import httpx
import pytest
from aiokafka import TopicPartition

from hourbook_contracts.ids import BookId, SubjectId
from hourbook_contracts.ledger import ConflictResolved
from hourbook_contracts.topics import TOPICS
from hourbook_kit import clock, kafka
from hourbook_query_api.testing import (
    NOON,
    PASSWORD,
    House,
    Shelf,
    connected,
    kimai,
    sealed,
    zammad,
)

pytestmark = pytest.mark.anyio

ADDRESS = "198.51.100.23"


async def acts(client: httpx.AsyncClient, **filters: Any) -> list[dict[str, Any]]:
    answer = await client.get("/api/audit", params={"limit": 200} | filters)
    assert answer.status_code == 200, answer.text
    return list(answer.json()["items"])


async def test_every_act_says_who_and_when(house: House, client: httpx.AsyncClient) -> None:
    before = clock.now()
    await connected(client, zammad("audit-desk"), kimai("audit-hours"))
    (made,) = await acts(client, subject="connection/audit-desk")
    assert (made["by"], made["by_name"]) == (house.admin, "Ada")
    assert before <= datetime.fromisoformat(made["at"]) <= clock.now()
    assert made["act"].startswith("control/")
    async with house.somebody("operator") as operator:
        me = (await operator.get("/api/me")).json()
        body = {"connections": ["audit-desk"], "what": "sweep"}
        answer = await operator.post("/api/sync/manual", json=body)
    offset = answer.json()["asked"][0]["offset"]
    assert await house.desk.projection.until(offset, seconds=10)
    (asked,) = await acts(client, by=me["user"], type="hourbook.sync_requested.v1")
    assert (asked["by_name"], asked["subject"]) == (me["name"], "connection/audit-desk")


async def test_answers_on_the_ledger_are_acts_and_their_comments_are_opened(
    house: House, client: httpx.AsyncClient, shelf: Shelf
) -> None:
    comment = await sealed(house, "Anna says so.", house.admin, "comment")
    await shelf.message(
        ConflictResolved(
            observed_at=NOON,
            book=BookId("zammad:desk:1"),
            connection="desk",
            posting=SubjectId("zammad:desk:1/9"),
            gen=1,
            choice="kimai",
            want=None,
            held=None,
            by=house.admin,
            comment=comment,
        )
    )
    (said,) = await acts(client, subject="zammad:desk:1/9")
    assert (said["act"], said["type"]) == ("ledger/0/0", "hourbook.conflict_resolved.v1")
    assert (said["by"], said["by_name"], said["at"]) == (house.admin, "Ada", "2026-11-23T12:00:00Z")
    assert said["message"]["comment"] == "Anna says so."


async def test_what_nobody_did_is_told_apart(house: House, client: httpx.AsyncClient) -> None:
    await house.owner.execute(
        "INSERT INTO control.events (offset_, type, subject, observed_at, said_by, message)"
        " VALUES (1000000, 'hourbook.run_ended.v1', 'run/nobody', now(), 'schedule', '{}')"
    )
    people = await acts(client, people=True)
    nobody = await acts(client, people=False)
    await house.owner.execute("DELETE FROM control.events WHERE offset_ = 1000000")
    assert house.admin in {one["by"] for one in people}
    assert "schedule" not in {one["by"] for one in people}
    assert ("run/nobody", None) in {(one["subject"], one["by_name"]) for one in nobody}
    assert house.admin not in {one["by"] for one in nobody}


async def test_acts_are_narrowed_by_time_and_paged(client: httpx.AsyncClient) -> None:
    await connected(client, *(kimai(f"audit-{n}") for n in range(3)))
    first, second, third = [
        (await acts(client, subject=f"connection/audit-{n}"))[0] for n in range(3)
    ]
    kind = first["type"]
    between = await acts(client, type=kind, since=second["at"], until=third["at"])
    assert [one["subject"] for one in between] == ["connection/audit-1"]
    seen: list[str] = []
    params: dict[str, Any] = {"type": kind, "since": first["at"], "limit": 1, "sort": "at"}
    while True:
        page = (await client.get("/api/audit", params=params)).json()
        seen += [one["act"] for one in page["items"]]
        if page["next"] is None:
            break
        params["cursor"] = page["next"]
    assert seen[:3] == [first["act"], second["act"], third["act"]]
    assert len(seen) == len(set(seen)) == page["total"]["count"]


async def everywhere_but(house: House, table: str) -> list[str]:
    """Every row of every other table, and every value of every topic."""
    tables = await house.owner.fetch(
        "SELECT format('%I.%I', schemaname, tablename) AS name FROM pg_tables"
        " WHERE schemaname NOT IN ('pg_catalog', 'information_schema')"
    )
    told = []
    for row in tables:
        if row["name"] != table:
            rows = await house.owner.fetch(f"SELECT t::text AS row FROM {row['name']} AS t")  # noqa: S608 -- names from the line above
            told += [one["row"] for one in rows]
    reader = kafka.consumer(house.settings)
    await reader.start()
    try:
        places = [
            TopicPartition(topic.name, partition)
            for topic in TOPICS
            for partition in range(topic.partitions)
        ]
        reader.assign(places)
        ends = await reader.end_offsets(places)
        await reader.seek_to_beginning(*places)
        while any([await reader.position(place) < ends[place] for place in places]):
            for records in (await reader.getmany(timeout_ms=500)).values():
                told += [f"{record.value!r} {record.headers}" for record in records]
    finally:
        await reader.stop()
    return told


async def test_an_address_stands_among_the_visits_and_nowhere_else_and_is_forgotten(
    house: House,
    client: httpx.AsyncClient,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    proxied = house.settings.model_copy(update={"trusted_proxies": "127.0.0.0/8"})
    monkeypatch.setattr(house.desk, "settings", proxied)
    headers = {"X-Forwarded-For": ADDRESS}
    async with house.stranger() as visitor:
        body = {"name": "ada", "password": PASSWORD}
        signed_in = await visitor.post("/api/auth/login", json=body, headers=headers)
        headers["Authorization"] = f"Bearer {signed_in.json()['access_token']}"
        made = await visitor.post("/api/connectors", json=kimai("addressed"), headers=headers)
        assert made.status_code == 201
        await visitor.post("/api/auth/login", json=body | {"password": "wrong"}, headers=headers)
    visits = (await client.get("/api/visits")).json()["items"]
    assert [(one["what"], one["address"]) for one in visits[:2]] == [
        ("refused", ADDRESS),
        ("signed_in", ADDRESS),
    ]
    told = await everywhere_but(house, "vault.visits")
    assert any("addressed" in one for one in told)
    assert ADDRESS not in "".join([*told, *capsys.readouterr()])
    await house.desk.visits.forget_addresses(timedelta(0))
    assert ADDRESS not in (await client.get("/api/visits")).text
    assert {one["what"] for one in (await client.get("/api/visits")).json()["items"][:2]} == {
        "refused",
        "signed_in",
    }

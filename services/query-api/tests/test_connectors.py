"""Connections: their secrets go in and never come out, and what people decide becomes an event."""

import json
from datetime import timedelta
from typing import Any

import httpx
import pytest

from hourbook_contracts.control import (
    UNIT_CHANGED,
    AlarmRaised,
    TargetAlarmRaised,
    TargetLearned,
)
from hourbook_contracts.topics import CONTROL
from hourbook_kit import clock, kafka
from hourbook_query_api.acts import publish
from hourbook_query_api.testing import NOON, House, connected, kimai, zammad

pytestmark = pytest.mark.anyio


async def control_log(house: House) -> list[bytes]:
    """Every value that stands on the control topic."""
    end = house.desk.projection.next_offset
    reader = kafka.consumer(house.settings, CONTROL.name)
    await reader.start()
    try:
        return [(await reader.getone()).value for _ in range(end)]
    finally:
        await reader.stop()


async def last_event(house: House, connection: str) -> dict[str, Any]:
    text = await house.owner.fetchval(
        "SELECT message FROM control.events WHERE subject = $1 ORDER BY offset_ DESC LIMIT 1",
        f"connection/{connection}",
    )
    found: dict[str, Any] = json.loads(text)
    return found


async def test_a_new_connection_is_shown_without_its_secrets(
    house: House, client: httpx.AsyncClient
) -> None:
    made = await client.post("/api/connectors", json=zammad("front", sweep_seconds=60))
    assert made.status_code == 201
    assert made.headers["location"] == "/api/connectors/front"
    shown = made.json()
    assert shown["base_url"] == "http://127.0.0.1:1"
    assert shown["secrets"] == {"token": "********", "webhook_secret": "********"}
    assert shown["units"] == []
    assert (await client.get("/api/connectors/front")).json() == shown
    listed = (await client.get("/api/connectors")).json()["items"]
    assert shown in listed
    assert await house.desk.vault.secret_of("front", "token", 1) == "token-of-zammad-7c1d"


async def test_secrets_stand_in_no_answer_event_log_or_table(
    house: House,
    client: httpx.AsyncClient,
    capsys: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    secrets = ["token-of-zammad-7c1d", "secret-of-webhook-5f2a", "token-of-kimai-91be"]
    headers = {"Idempotency-Key": "with secrets"}
    answers = [await client.post("/api/connectors", json=zammad("quiet"), headers=headers)]
    answers.append(await client.post("/api/connectors", json=kimai("quiet-hours")))
    answers.append(await client.put("/api/connectors/quiet", json=zammad("quiet")))
    answers.append(
        await client.post("/api/connectors", json=zammad("quiet", token=["x", *secrets]))
    )
    answers.append(await client.post("/api/connectors/quiet/test"))
    answers.append(await client.post("/api/connectors/quiet-hours/test"))
    answers.append(await client.get("/api/connectors"))
    told = [answer.text for answer in answers]
    told += [value.decode() for value in await control_log(house)]
    told += [*capsys.readouterr(), caplog.text]
    for table in ("control.events", "control.connections", "control.idempotency", "vault.secrets"):
        rows = await house.owner.fetch(f"SELECT row_to_json(t)::text AS row FROM {table} AS t")  # noqa: S608 -- names from the line above
        told += [row["row"] for row in rows]
    answered = await house.owner.fetch(
        "SELECT answer FROM control.idempotency WHERE answer IS NOT NULL"
    )
    told += [row["answer"].decode() for row in answered]
    assert "quiet-hours" in "".join(told)
    for secret in [*secrets, client.headers["Authorization"].removeprefix("Bearer ")]:
        assert secret not in "".join(told)


@pytest.mark.parametrize("masked", [{"token": "********"}, {}])
async def test_a_secret_left_out_or_masked_stays(
    house: House, client: httpx.AsyncClient, masked: dict[str, str]
) -> None:
    name = f"keeps-{len(masked)}"
    await connected(client, zammad(name))
    body = {
        "kind": "zammad",
        "base_url": "https://zammad.example",
        "webhook_secret": "another-5f2a",
    }
    changed = (await client.put(f"/api/connectors/{name}", json=body | masked)).json()
    assert changed["secret_version"] == 2
    assert changed["base_url"] == "https://zammad.example"
    assert await house.desk.vault.secret_of(name, "token", 2) == "token-of-zammad-7c1d"
    assert await house.desk.vault.secret_of(name, "webhook_secret", 2) == "another-5f2a"
    del body["webhook_secret"]
    again = (await client.put(f"/api/connectors/{name}", json=body | masked)).json()
    assert again["secret_version"] == 2


@pytest.mark.parametrize(
    ("more", "place"),
    [
        ({"base_url": "ftp://zammad"}, "body.zammad.base_url"),
        ({"base_url": "https://zammad.example/api/v1/"}, "body.zammad.base_url"),
        ({"base_url": "https://me:secret@zammad.example"}, "body.zammad.base_url"),
        ({"name": "Desk"}, "body.zammad.name"),
        ({"time_zone": "Berlin"}, "body.zammad.time_zone"),
        ({"poll": 3}, "body.zammad.poll"),
        ({"token": None}, "body.token"),
        ({"token": " "}, "body"),
        ({"kind": "jira"}, "body"),
    ],
)
async def test_what_cannot_be_connected_is_said_with_its_place(
    client: httpx.AsyncClient, more: dict[str, Any], place: str
) -> None:
    answer = await client.post("/api/connectors", json=zammad("wrong") | more)
    assert answer.status_code == 422
    assert [spot["place"] for spot in answer.json()["places"]] == [place]
    assert (await client.get("/api/connectors/wrong")).status_code == 404


async def test_a_removed_connection_is_gone_and_may_come_again(client: httpx.AsyncClient) -> None:
    await connected(client, kimai("short"))
    assert (await client.post("/api/connectors", json=kimai("short"))).status_code == 409
    assert (await client.delete("/api/connectors/short")).status_code == 204
    assert (await client.get("/api/connectors/short")).status_code == 404
    assert (await client.delete("/api/connectors/short")).status_code == 404
    await connected(client, kimai("short"))
    assert (await client.get("/api/connectors/short")).json()["secret_version"] == 2


async def test_a_unit_is_confirmed_for_a_zammad_only(
    house: House, client: httpx.AsyncClient
) -> None:
    await connected(client, zammad("units"), kimai("no-units"))
    body = {
        "unit": "quarter",
        "seconds_per_unit": 900,
        "effective_from": "2026-01-01T00:00:00+01:00",
    }
    confirmed = await client.post("/api/connectors/units/unit", json=body)
    assert confirmed.json()["units"] == [
        {
            "unit": "quarter",
            "seconds_per_unit": 900,
            "effective_from": "2025-12-31T23:00:00Z",
            "confirmed_by": house.admin,
        }
    ]
    assert (await last_event(house, "units"))["seconds_per_unit"] == 900
    wrong = await client.post("/api/connectors/no-units/unit", json=body)
    assert (wrong.status_code, wrong.json()["title"]) == (409, "This connection is of another kind")
    naive = await client.post(
        "/api/connectors/units/unit", json=body | {"effective_from": "2026-01-01T00:00:00"}
    )
    assert naive.status_code == 422


async def test_writing_is_off_until_it_is_switched_on(client: httpx.AsyncClient) -> None:
    await connected(client, kimai("switched"))
    assert (await client.get("/api/connectors/switched")).json()["writing"] is False
    on = await client.put(
        "/api/connectors/switched/writing", json={"on": True, "start_on": "2026-10-26"}
    )
    assert (on.json()["writing"], on.json()["start_on"]) == (True, "2026-10-26")
    off = await client.put("/api/connectors/switched/writing", json={"on": False})
    assert off.json()["writing"] is False
    assert (await client.post("/api/connectors/switched/release")).status_code == 200


async def test_days_are_closed_once_and_reopened(client: httpx.AsyncClient) -> None:
    await connected(client, kimai("closing"))
    path = "/api/connectors/closing/closed-periods"
    october = {"first_on": "2026-10-01", "last_on": "2026-10-31"}
    assert (await client.post(path, json=october)).json()["closed_periods"] == [october]
    assert (await client.post(path, json=october)).status_code == 409
    backwards = {"first_on": "2026-10-31", "last_on": "2026-10-01"}
    assert (await client.post(path, json=backwards)).status_code == 422
    assert (await client.delete(path, params=october)).json()["closed_periods"] == []
    assert (await client.delete(path, params=october)).status_code == 404


async def test_a_lockdown_is_entered_in_kimais_words_and_refused_in_others(
    client: httpx.AsyncClient,
) -> None:
    lockdown = {
        "period_start": "first day of last month",
        "period_end": "last day of last month 23:59:59",
        "time_zone": "Europe/Berlin",
        "grace": "+10 days",
    }
    await connected(client, kimai("locking", lockdown=lockdown))
    shown = (await client.get("/api/connectors/locking")).json()
    assert shown["lockdown"] == lockdown
    wrong = kimai("locking-too", lockdown=lockdown | {"period_end": "last tuesday,today"})
    answer = await client.post("/api/connectors", json=wrong)
    assert answer.status_code == 422
    assert "first day of last month" in answer.text
    body = {"kind": "kimai", "base_url": "http://127.0.0.1:1"}
    assert (await client.put("/api/connectors/locking", json=body)).json()["lockdown"] is None


async def test_an_unclear_write_waits_longer_than_a_request_may_be_under_way(
    client: httpx.AsyncClient,
) -> None:
    hasty = kimai("hasty", send_window_seconds=2, timeout_seconds=5, grace_seconds=7.9)
    answer = await client.post("/api/connectors", json=hasty)
    assert answer.status_code == 422
    (spot,) = answer.json()["places"]
    assert spot["place"].endswith("grace_seconds")
    assert "at least 8:" in spot["sentence"]
    unreadable = await client.post("/api/connectors", json=hasty | {"send_window_seconds": "soon"})
    assert [spot["place"].rsplit(".")[-1] for spot in unreadable.json()["places"]] == [
        "send_window_seconds"
    ]
    assert (await client.get("/api/connectors/hasty")).status_code == 404
    await connected(client, hasty | {"grace_seconds": 8})
    slower = {"kind": "kimai", "base_url": "http://127.0.0.1:1", "timeout_seconds": 55}
    # what is left out is as usual: 60, and that is less than 5 + 55 + 1
    assert (await client.put("/api/connectors/hasty", json=slower)).status_code == 422
    assert (await client.get("/api/connectors/hasty")).json()["timeout_seconds"] == 5


async def test_what_was_learned_of_a_kimai_and_its_alarm_are_shown_and_answered(
    house: House, client: httpx.AsyncClient
) -> None:
    await connected(client, kimai("taught"))
    shown = (await client.get("/api/connectors/taught")).json()
    assert (shown["learned"], shown["alarms"]) == (None, [])
    common: dict[str, Any] = {"observed_at": NOON, "by": "push-kimai", "connection": "taught"}
    learned = TargetLearned(**common, allows_overlap=False, step_seconds=900)
    alarm = TargetAlarmRaised(**common, alarm="suddenly_empty", missing=30, known=30)
    for event in (learned, alarm):
        offset = await publish(house.desk, event)
        assert await house.desk.projection.until(offset, seconds=10)
    shown = (await client.get("/api/connectors/taught")).json()
    assert shown["learned"] == {"allows_overlap": False, "step_seconds": 900}
    assert [alarm["missing"] for alarm in shown["alarms"]] == [30]
    body = {"alarm": "suddenly_empty", "choice": "believe"}
    answered = await client.post("/api/connectors/taught/alarm", json=body)
    assert answered.json()["alarms"] == []
    assert (await last_event(house, "taught"))["choice"] == "believe"


async def test_an_alarm_that_is_not_raised_cannot_be_answered(client: httpx.AsyncClient) -> None:
    await connected(client, zammad("calm"))
    body = {"alarm": "suddenly_empty", "choice": "believe"}
    assert (await client.post("/api/connectors/calm/alarm", json=body)).status_code == 404


@pytest.mark.parametrize(
    ("unit", "seconds", "status"),
    [
        ("hour", 3600, 200),
        ("quarter", 900, 200),
        ("custom", 1500, 200),
        ("hour", 60, 422),
        ("minute", 3600, 422),
    ],
)
async def test_a_unit_is_worth_what_its_name_says_and_a_custom_one_anything(
    client: httpx.AsyncClient, unit: str, seconds: int, status: int
) -> None:
    name = f"worth-{unit}-{seconds}"
    await connected(client, zammad(name))
    body = {"unit": unit, "seconds_per_unit": seconds}
    answer = await client.post(f"/api/connectors/{name}/unit", json=body)
    assert answer.status_code == status
    if status == 422:
        assert "`custom`" in answer.json()["detail"]


async def test_another_unit_in_zammad_is_answered_by_confirming_one(
    house: House, client: httpx.AsyncClient
) -> None:
    await connected(client, zammad("renamed"))
    path = "/api/connectors/renamed"
    await client.post(f"{path}/unit", json={"unit": "minute", "seconds_per_unit": 60})
    since = clock.now().replace(microsecond=0) + timedelta(minutes=1)
    held_from = since.isoformat().replace("+00:00", "Z")
    raised = AlarmRaised(
        observed_at=since,
        by="ingest-zammad",
        connection="renamed",
        alarm=UNIT_CHANGED,
        since=since,
        detail="Zammad says one unit is a hour, and a minute is confirmed.",
    )
    assert await house.desk.projection.until(await publish(house.desk, raised), seconds=10)
    (alarm,) = (await client.get(path)).json()["alarms"]
    assert (alarm["alarm"], alarm["held_from"]) == ("unit_changed", held_from)
    status = (await client.get("/api/sync/status")).json()
    (source,) = [one for one in status["sources"] if one["name"] == "renamed"]
    assert any("Confirm what a unit is worth by now" in one for one in source["obstacles"])
    wait = {"alarm": "unit_changed", "choice": "wait"}
    assert (await client.post(f"{path}/alarm", json=wait)).status_code == 422
    body = {"unit": "hour", "seconds_per_unit": 3600, "effective_from": held_from}
    confirmed = (await client.post(f"{path}/unit", json=body)).json()
    assert confirmed["alarms"] == []
    assert [unit["unit"] for unit in confirmed["units"]] == ["minute", "hour"]


async def test_another_source_is_read_by_the_connector_of_its_name(
    house: House, client: httpx.AsyncClient
) -> None:
    folder = {
        "name": "folder",
        "kind": "source",
        "connector": "csv",
        "base_url": "file:///srv/hours/",
    }
    made = await client.post("/api/connectors", json=folder)
    assert made.status_code == 201, made.text
    shown = made.json()
    assert (shown["kind"], shown["connector"], shown["secrets"]) == ("source", "csv", {})
    said = await last_event(house, "folder")
    assert (said["kind"], said["base_url"]) == ("csv", "file:///srv/hours")
    unit = {"unit": "hour", "seconds_per_unit": 3600}
    confirmed = await client.post("/api/connectors/folder/unit", json=unit)
    assert confirmed.json()["units"][0]["unit"] == "hour"
    status = (await client.get("/api/sync/status")).json()
    assert ("source", "folder") in {(one["kind"], one["name"]) for one in status["sources"]}
    tried = (await client.post("/api/connectors/folder/test")).json()["steps"]
    assert [step["level"] for step in tried] == ["untried"]


async def test_a_source_of_another_kind_is_another_connection(client: httpx.AsyncClient) -> None:
    as_zammad = {"name": "odd", "kind": "source", "connector": "zammad", "base_url": "http://z"}
    assert (await client.post("/api/connectors", json=as_zammad)).status_code == 422
    folder = {"kind": "source", "connector": "csv", "base_url": "file:///srv/hours"}
    await client.post("/api/connectors", json=folder | {"name": "papers"})
    other = await client.put("/api/connectors/papers", json=folder | {"connector": "sheets"})
    assert other.status_code == 409
    assert "is a csv" in other.json()["detail"]

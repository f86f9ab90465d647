"""Connections: their secrets go in and never come out, and what people decide becomes an event."""

import json
from typing import Any

import httpx
import pytest
import respx

from hourbook_contracts.topics import CONTROL
from hourbook_kit import kafka
from hourbook_query_api.testing import House, connected, kimai, zammad

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
            "confirmed_by": "operator",
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


async def test_an_alarm_that_is_not_raised_cannot_be_answered(client: httpx.AsyncClient) -> None:
    await connected(client, zammad("calm"))
    body = {"alarm": "suddenly_empty", "choice": "believe"}
    assert (await client.post("/api/connectors/calm/alarm", json=body)).status_code == 404


async def test_a_zammad_without_rights_is_told_what_it_lacks(client: httpx.AsyncClient) -> None:
    await connected(client, zammad("tried", base_url="http://zammad.test"))
    settings = [
        {"name": "time_accounting", "state_current": {"value": True}},
        {"name": "time_accounting_unit", "state_current": {"value": "quarter"}},
    ]
    with respx.mock(base_url="http://zammad.test/api/v1") as twin:
        me = twin.get("/users/me").respond(json={"id": 3})
        twin.get("/time_accountings").respond(403, json={"error": "Token authorization failed."})
        twin.get("/tickets").respond(json=[])
        twin.get("/settings").respond(json=settings)
        report = (await client.post("/api/connectors/tried/test")).json()
        assert me.calls.last.request.headers["Authorization"] == "Token token=token-of-zammad-7c1d"
    assert report["ok"] is False
    assert (report["unit"], report["seconds_per_unit"]) == ("quarter", 900)
    wrong = {step["step"]: step["sentence"] for step in report["steps"] if not step["ok"]}
    assert wrong.keys() == {"time_accountings", "unit"}
    assert "`admin.time_accounting`" in wrong["time_accountings"]


async def test_a_kimai_that_answers_all_is_well(client: httpx.AsyncClient) -> None:
    await connected(client, kimai("tried-too", base_url="http://kimai.test"))
    with respx.mock(base_url="http://kimai.test/api") as twin:
        twin.get("/version").respond(json={"version": "2.66.0", "versionId": 26600})
        twin.get("/users/me").respond(json={"id": 1})
        twin.get("/config/timesheet").respond(json={})
        for path in ("/users", "/projects", "/activities", "/timesheets"):
            twin.get(path).respond(json=[])
        report = (await client.post("/api/connectors/tried-too/test")).json()
    assert report["ok"] is True
    assert report["version"] == "2.66.0"


async def test_a_wrong_token_and_a_dead_address_are_told_apart(client: httpx.AsyncClient) -> None:
    await connected(client, kimai("wrong-token", base_url="http://kimai.test"), kimai("dead"))
    with respx.mock(base_url="http://kimai.test/api") as twin:
        twin.get("/version").respond(401)
        refused = (await client.post("/api/connectors/wrong-token/test")).json()
    assert "make a new one" in refused["steps"][0]["sentence"]
    dead = (await client.post("/api/connectors/dead/test")).json()
    assert "cannot be reached" in dead["steps"][0]["sentence"]

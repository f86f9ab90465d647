"""Kimai's names for people who map, and new projects where an administrator switched that on."""

from typing import Any

import httpx
import pytest
import respx

from hourbook_query_api.testing import House, connected, kimai, zammad

pytestmark = pytest.mark.anyio
KIMAI = "http://127.0.0.1:9/api"


def wish(source: str, **more: Any) -> dict[str, Any]:
    return {
        "source": source,
        "source_key": "organization:7",
        "customer_name": "Nordwind Logistik GmbH",
        "project_name": "Helpdesk",
        "currency": "CHF",
    } | more


async def test_names_are_told_as_push_keeps_them_page_by_page(
    house: House, client: httpx.AsyncClient
) -> None:
    await connected(client, kimai("named"), zammad("not-named"))
    await house.owner.executemany(
        "INSERT INTO push.directory (target, kind, id, name, parent_id, visible) VALUES ($1, $2, $3, $4, $5, true)",
        [
            ("named", "project", 1, "Helpdesk", 4),
            ("named", "project", 2, "Move", 4),
            ("named", "user", 1, "Anna", None),
            ("another", "project", 3, "Else", 5),
        ],
    )
    path = "/api/connectors/named/directory"
    first = (await client.get(path, params={"kind": "project", "limit": 1})).json()
    assert [(row["id"], row["name"], row["parent_id"]) for row in first["items"]] == [
        (1, "Helpdesk", 4)
    ]
    more = {"kind": "project", "limit": 1, "cursor": first["next"]}
    second = (await client.get(path, params=more)).json()
    assert ([row["id"] for row in second["items"]], second["next"]) == ([2], None)
    wrong = await client.get("/api/connectors/not-named/directory", params={"kind": "user"})
    assert wrong.json()["places"][0]["place"] == "query.kind"


async def test_nothing_is_created_in_kimai_until_that_is_switched_on(
    client: httpx.AsyncClient,
) -> None:
    await connected(client, kimai("modest", base_url="http://127.0.0.1:9"), zammad("modest-desk"))
    with respx.mock(base_url=KIMAI) as twin:
        answer = await client.post("/api/connectors/modest/projects", json=wish("modest-desk"))
        assert not twin.calls
    assert answer.status_code == 409
    assert "creates" in answer.json()["detail"]


async def test_a_customer_and_a_project_are_made_once_and_mapped_by_their_ids(
    client: httpx.AsyncClient,
) -> None:
    body = kimai("making", base_url="http://127.0.0.1:9", creates=True)
    await connected(client, body, zammad("making-desk"))
    same_name = {"id": 1, "name": "Nordwind Logistik GmbH", "number": "0002"}
    with respx.mock(base_url=KIMAI) as twin:
        twin.get("/customers").respond(json=[same_name])
        made = twin.post("/customers").respond(json={"id": 41})
        twin.get("/projects").respond(json=[{"id": 5, "customer": 41, "number": "0001"}])
        project = twin.post("/projects").respond(500)
        failed = await client.post("/api/connectors/making/projects", json=wish("making-desk"))
        assert failed.status_code == 502
        customer = {"id": 41, **httpx.Response(200, content=made.calls[0].request.content).json()}
        assert customer["currency"] == "CHF"
        assert "country" not in customer
        twin.get("/customers").respond(json=[same_name, customer])
        project.respond(json={"id": 77})
        answer = await client.post("/api/connectors/making/projects", json=wish("making-desk"))
        assert len(made.calls) == 1  # what the first attempt left was found by its number
        sent = httpx.Response(200, content=project.calls[-1].request.content).json()
        assert (sent["customer"], len(sent["number"])) == (41, 10)
    assert answer.status_code == 201
    assert (answer.json()["target_id"], answer.json()["source_key"]) == (77, "organization:7")
    again = await client.post("/api/connectors/making/projects", json=wish("making-desk"))
    assert again.status_code == 409


async def test_a_role_that_may_not_create_is_told_what_it_lacks(client: httpx.AsyncClient) -> None:
    body = kimai("lacking", base_url="http://127.0.0.1:9", creates=True)
    await connected(client, body, zammad("lacking-desk"))
    with respx.mock(base_url=KIMAI) as twin:
        twin.get("/customers").respond(json=[])
        twin.post("/customers").respond(403)
        answer = await client.post("/api/connectors/lacking/projects", json=wish("lacking-desk"))
    assert answer.status_code == 502
    assert "create_customer" in answer.json()["detail"]


async def test_a_key_that_is_no_customers_is_refused_before_kimai_is_asked(
    client: httpx.AsyncClient,
) -> None:
    body = kimai("strict", base_url="http://127.0.0.1:9", creates=True)
    await connected(client, body, zammad("strict-desk"))
    with respx.mock(base_url=KIMAI) as twin:
        for wrong in ({"source_key": "agent:3"}, {"source": "nobody"}):
            answer = await client.post(
                "/api/connectors/strict/projects", json=wish("strict-desk") | wrong
            )
            assert answer.status_code == 422
        assert not twin.calls

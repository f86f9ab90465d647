"""Who may come in, and that a repeated request is answered once."""

import stat
from pathlib import Path

import httpx
import pytest

from hourbook_query_api.app import document
from hourbook_query_api.testing import House, connected, kimai
from hourbook_query_api.tokens import load

pytestmark = pytest.mark.anyio

TEXT = "application/problem+json"


async def test_only_health_answers_without_the_token(house: House) -> None:
    stranger = httpx.AsyncClient(
        transport=httpx.ASGITransport(app=house.app), base_url="http://api"
    )
    async with stranger:
        for path, operations in document(house.app)["paths"].items():
            for method in operations:
                place = path.replace("{entry}", "zammad:desk:1").replace("{book}", "zammad:desk:1")
                for token in (None, "Bearer wrong", "Basic b3BlcmF0b3I6eA=="):
                    headers = {"Authorization": token} if token else {}
                    answer = await stranger.request(method, place, headers=headers)
                    if path.startswith("/api/health"):
                        assert answer.status_code == 200
                        continue
                    assert answer.status_code == 401, (method, path)
                    assert answer.headers["content-type"] == TEXT
                    assert "Bearer <token>" in answer.json()["detail"]


async def test_the_token_is_told_once_and_kept_only_hashed(house: House) -> None:
    file = house.settings.operator_token_file
    assert file is not None
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    token = file.read_text().strip()
    assert house.told == [f"The operator's token stands in {file} and nowhere else."]
    kept = await house.owner.fetchval("SELECT digest FROM vault.operator_token")
    assert token.encode() not in kept
    again, sentence = await load(house.desk.pool, Path("/nowhere"))
    assert sentence is None
    assert again.is_(token)
    assert not again.is_(token[:-1])


async def test_without_a_file_the_token_is_said_in_one_sentence(house: House) -> None:
    async with house.owner.acquire() as connection:
        transaction = connection.transaction()
        await transaction.start()
        await connection.execute("DELETE FROM vault.operator_token")
        made, sentence = await load(connection, None)  # type: ignore[arg-type]  # asks as a pool does
        await transaction.rollback()
    assert sentence is not None
    assert made.is_(sentence.split()[4])


async def test_every_wrong_turn_is_a_problem_that_says_what_to_do(
    client: httpx.AsyncClient,
) -> None:
    nowhere = await client.get("/api/nowhere")
    assert (nowhere.status_code, nowhere.headers["content-type"]) == (404, TEXT)
    patched = await client.patch("/api/entries")
    assert patched.status_code == 405
    assert patched.json()["type"] == "urn:hourbook:problem:method-not-allowed"
    broken = await client.post("/api/mappings", content=b"{")
    assert broken.status_code == 422
    limit = (await client.get("/api/entries?limit=201")).json()
    assert limit["places"][0]["place"] == "query.limit"


async def test_a_repeated_request_is_answered_once(house: House, client: httpx.AsyncClient) -> None:
    body = kimai("repeated")
    headers = {"Idempotency-Key": "one"}
    first = await client.post("/api/connectors", json=body, headers=headers)
    end = house.desk.projection.next_offset
    second = await client.post("/api/connectors", json=body, headers=headers)
    assert first.status_code == second.status_code == 201
    assert first.content == second.content
    assert first.headers["location"] == second.headers["location"]
    assert house.desk.projection.next_offset == end
    other = await client.post("/api/connectors", json=body | {"name": "other"}, headers=headers)
    assert other.status_code == 422
    assert other.json()["type"] == "urn:hourbook:problem:idempotency-key-reused"
    without = await client.post("/api/connectors", json=body)
    assert without.status_code == 409


async def test_a_failed_request_may_be_repeated_with_its_key(client: httpx.AsyncClient) -> None:
    headers = {"Idempotency-Key": "late"}
    early = await client.put("/api/connectors/later", json=kimai("later"), headers=headers)
    assert early.status_code == 422  # the name stands in the path
    body = {key: value for key, value in kimai("later").items() if key != "name"}
    missing = await client.put("/api/connectors/later", json=body, headers=headers)
    assert missing.status_code == 404
    await connected(client, kimai("later"))
    assert (await client.put("/api/connectors/later", json=body, headers=headers)).is_success


async def test_a_request_under_way_is_not_begun_again(
    house: House, client: httpx.AsyncClient
) -> None:
    await connected(client, kimai("under-way"))
    headers = {"Idempotency-Key": "slow"}
    body = {"connections": ["under-way"]}
    first = await client.post("/api/sync/manual", json=body, headers=headers)
    assert first.status_code == 202
    await house.owner.execute("UPDATE control.idempotency SET status = NULL WHERE key = 'slow'")
    again = await client.post("/api/sync/manual", json=body, headers=headers)
    assert again.json()["type"] == "urn:hourbook:problem:in-progress"
    await house.owner.execute(
        "UPDATE control.idempotency SET claimed_at = now() - interval '2 minutes' WHERE key = 'slow'"
    )
    given_up = await client.post("/api/sync/manual", json=body, headers=headers)
    assert given_up.json()["asked"][0]["offset"] == first.json()["asked"][0]["offset"] + 1

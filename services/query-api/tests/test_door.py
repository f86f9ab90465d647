"""Wrong turns are problems, a repeated write is answered once, a read that is known is not sent again."""

import asyncio

import httpx
import pytest

from hourbook_query_api.testing import House, connected, kimai

pytestmark = pytest.mark.anyio

TEXT = "application/problem+json"


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
    await house.owner.execute(
        "UPDATE control.idempotency SET status = NULL WHERE key LIKE '% slow'"
    )
    again = await client.post("/api/sync/manual", json=body, headers=headers)
    assert again.json()["type"] == "urn:hourbook:problem:in-progress"
    await house.owner.execute(
        "UPDATE control.idempotency SET claimed_at = now() - interval '2 minutes' WHERE key LIKE '% slow'"
    )
    given_up = await client.post("/api/sync/manual", json=body, headers=headers)
    assert given_up.json()["asked"][0]["offset"] == first.json()["asked"][0]["offset"] + 1


async def test_what_has_not_changed_is_not_sent_again(client: httpx.AsyncClient) -> None:
    first = await client.get("/api/mappings")
    headers = {"If-None-Match": first.headers["etag"]}
    again = await client.get("/api/mappings", headers=headers)
    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["etag"] == first.headers["etag"]
    other = await client.get("/api/mappings?limit=1&kind=worker&source=nobody", headers=headers)
    assert other.status_code == (200 if first.json()["items"] else 304)


async def test_a_key_is_its_persons_own(house: House, client: httpx.AsyncClient) -> None:
    headers = {"Idempotency-Key": "mine"}
    await connected(client, kimai("shared-key"))
    body = {"connections": ["shared-key"]}
    mine = await client.post("/api/sync/manual", json=body, headers=headers)
    async with house.somebody("operator") as other:
        theirs = await other.post("/api/sync/manual", json=body, headers=headers)
        assert theirs.status_code == 202
        assert theirs.json()["asked"][0]["offset"] > mine.json()["asked"][0]["offset"]
        assert (
            await other.post("/api/sync/manual", json=body, headers=headers)
        ).json() == theirs.json()
    assert (await client.post("/api/sync/manual", json=body, headers=headers)).json() == mine.json()


async def test_of_requests_at_once_with_one_key_one_is_carried_out(
    house: House, client: httpx.AsyncClient
) -> None:
    await connected(client, kimai("at-once"))
    end = house.desk.projection.next_offset
    headers = {"Idempotency-Key": "at once"}
    body = {"connections": ["at-once"]}
    answers = await asyncio.gather(
        *(client.post("/api/sync/manual", json=body, headers=headers) for _ in range(5))
    )
    done = [answer.json()["asked"] for answer in answers if answer.status_code == 202]
    assert done
    assert all(one == done[0] for one in done)
    waiting = {answer.json()["type"] for answer in answers if answer.status_code != 202}
    assert waiting <= {"urn:hourbook:problem:in-progress"}
    assert await house.desk.projection.until(done[0][0]["offset"], seconds=10)
    assert house.desk.projection.next_offset == end + 1


@pytest.mark.parametrize("key", ["k" * 201, "k" * 401])
async def test_a_key_that_is_too_long_is_refused(client: httpx.AsyncClient, key: str) -> None:
    body = kimai("long-key")
    answer = await client.post("/api/connectors", json=body, headers={"Idempotency-Key": key})
    assert answer.status_code == 422
    assert (await client.get("/api/connectors/long-key")).status_code == 404

"""Who may come in: the first administrator, sessions that can be ended, and a patience that has an end."""

import stat
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from hourbook_query_api.invitations import offer_set_up
from hourbook_query_api.login import COOKIE
from hourbook_query_api.testing import PASSWORD, House
from hourbook_query_api.tokens import AccessTokens, Claims

pytestmark = pytest.mark.anyio


async def sign_in(client: httpx.AsyncClient, name: str, password: str = PASSWORD) -> httpx.Response:
    return await client.post("/api/auth/login", json={"name": name, "password": password})


async def test_the_set_up_token_makes_one_administrator_and_is_void_then(house: House) -> None:
    file = house.settings.setup_token_file
    assert file is not None
    assert not file.exists()
    assert len(house.told) == 1
    assert str(file) in house.told[0]
    async with house.stranger() as stranger:
        assert (await stranger.get("/api/auth")).json() == {"needs_set_up": False}
        body = {"token": "anything", "name": "Eve", "password": PASSWORD}
        assert (await stranger.post("/api/auth/setup", json=body)).status_code == 409
    kept = await house.owner.fetch("SELECT * FROM vault.users")
    assert PASSWORD not in str(kept)
    assert [row["password_hash"][:9] for row in kept if row["user_id"] == house.admin] == [
        "$argon2id"
    ]


async def test_while_nobody_can_sign_in_each_start_tells_a_token(house: House) -> None:
    async with house.owner.acquire() as connection:
        transaction = connection.transaction()
        await transaction.start()
        await connection.execute("DELETE FROM vault.users")
        sentence = await offer_set_up(connection, None)  # type: ignore[arg-type]  # asks as a pool does
        file = house.settings.setup_token_file
        assert file is not None
        written = await offer_set_up(connection, file)  # type: ignore[arg-type]  # as above
        digests = await connection.fetch("SELECT digest FROM vault.invitations")
        await transaction.rollback()
    assert sentence is not None
    assert written is not None
    token = file.read_text().strip()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert token not in written
    assert len(digests) >= 2
    assert token.encode() not in b"".join(row["digest"] for row in digests)
    file.unlink()


async def test_a_session_is_renewed_by_a_cookie_that_changes_each_time(house: House) -> None:
    async with house.stranger() as client:
        first = await sign_in(client, "ada")
        assert first.status_code == 200
        assert first.json()["name"] == "Ada"
        assert "HttpOnly" in first.headers["set-cookie"]
        assert "Secure" in first.headers["set-cookie"]
        assert "SameSite=strict" in first.headers["set-cookie"]
        before = client.cookies[COOKIE]
        renewed = await client.post("/api/auth/refresh")
        assert renewed.status_code == 200
        assert client.cookies[COOKIE] != before
        headers = {"Authorization": f"Bearer {renewed.json()['access_token']}"}
        assert (await client.get("/api/me", headers=headers)).json()["role"] == "admin"


async def test_a_cookie_that_comes_again_much_later_ends_the_session(house: House) -> None:
    async with house.stranger() as client:
        await sign_in(client, "ada")
        stolen = client.cookies[COOKIE]
        renewed = await client.post("/api/auth/refresh")
        headers = {"Authorization": f"Bearer {renewed.json()['access_token']}"}
        thief = house.stranger()
        cookies = {"Cookie": f"{COOKIE}={stolen}"}
        twice = await thief.post("/api/auth/refresh", headers=cookies)
        assert twice.status_code == 200, "within seconds it is a second tab"
        await house.owner.execute(
            "UPDATE vault.refresh_tokens SET used_at = used_at - interval '1 minute'"
        )
        assert (await thief.post("/api/auth/refresh", headers=cookies)).status_code == 401
        assert (await client.get("/api/me", headers=headers)).status_code == 401
        assert (await client.post("/api/auth/refresh")).status_code == 401
        await thief.aclose()


async def test_signing_out_ends_every_token_of_the_session_at_once(house: House) -> None:
    async with house.stranger() as client:
        token = (await sign_in(client, "ada")).json()["access_token"]
        kept = client.cookies[COOKIE]
        headers = {"Authorization": f"Bearer {token}"}
        assert (await client.get("/api/me", headers=headers)).status_code == 200
        out = await client.post("/api/auth/logout")
        assert (out.status_code, COOKIE in client.cookies) == (204, False)
        assert (await client.get("/api/me", headers=headers)).status_code == 401
        again = await client.post("/api/auth/refresh", headers={"Cookie": f"{COOKIE}={kept}"})
        assert again.status_code == 401


async def test_a_wrong_password_is_told_like_a_wrong_name_and_soon_not_tried(house: House) -> None:
    async with house.somebody("viewer") as known:
        name = (await known.get("/api/me")).json()["name"]
    async with house.stranger() as client:
        unknown = (await sign_in(client, f"no-{name}")).json()
        wrong = [await sign_in(client, name, "wrong") for _ in range(5)]
        assert {answer.status_code for answer in wrong} == {401}
        assert wrong[0].json() == unknown
        tired = await sign_in(client, name)
        assert tired.status_code == 429
        assert 0 < int(tired.headers["retry-after"]) <= 900
        assert (await sign_in(client, "ada")).status_code == 200, "others may"
        await house.owner.execute("UPDATE vault.visits SET at = at - interval '16 minutes'")
        assert (await sign_in(client, name)).status_code == 200


async def test_addresses_are_those_a_trusted_proxy_tells_and_are_forgotten(house: House) -> None:
    headers = {"X-Forwarded-For": "198.51.100.7"}
    async with house.stranger() as client:
        body = {"name": "ada", "password": PASSWORD}
        await client.post("/api/auth/login", json=body, headers=headers)
    last = "SELECT address FROM vault.visits ORDER BY at DESC LIMIT 1"
    assert await house.owner.fetchval(last) == "127.0.0.1", "nobody said that it may be believed"
    await house.desk.visits.forget_addresses(timedelta(days=30))
    assert await house.owner.fetchval(last) == "127.0.0.1"
    await house.desk.visits.forget_addresses(timedelta(0))
    assert await house.owner.fetchval("SELECT count(address) FROM vault.visits") == 0


def test_a_new_vault_key_signs_and_the_old_one_still_verifies() -> None:
    now, lifetime = datetime.now(UTC), timedelta(minutes=5)  # noqa: TID251 -- pyjwt asks it too
    old, both, new = (AccessTokens(keys, lifetime) for keys in ("old", "new,old", "new"))
    claims = Claims("user:ada", "session")
    assert both.read(old.made(claims, now)) == claims
    assert new.read(both.made(claims, now)) == claims
    assert new.read(old.made(claims, now)) is None
    assert new.read(new.made(claims, now - timedelta(minutes=6))) is None
    assert new.read("nonsense") is None

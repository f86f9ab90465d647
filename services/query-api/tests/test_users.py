"""Administrators invite; everybody keeps their own password and preferences."""

import httpx
import pytest

from hourbook_query_api.testing import PASSWORD, House

pytestmark = pytest.mark.anyio


async def test_who_is_invited_sets_a_password_once(house: House, client: httpx.AsyncClient) -> None:
    invited = await client.post("/api/users", json={"name": "Grace", "role": "operator"})
    assert invited.status_code == 201
    assert invited.json()["user"]["has_password"] is False
    assert (
        await client.post("/api/users", json={"name": "grace", "role": "viewer"})
    ).status_code == 409
    body = {"token": invited.json()["invitation"], "password": PASSWORD}
    async with house.stranger() as grace:
        weak = await grace.post("/api/auth/invitation", json=body | {"password": "aaaaaaaaaaaa"})
        assert weak.status_code == 422
        taken = await grace.post("/api/auth/invitation", json=body)
        assert (taken.status_code, taken.json()["role"]) == (200, "operator")
        assert (await grace.post("/api/auth/invitation", json=body)).status_code == 401
    event = await house.owner.fetchval(
        "SELECT string_agg(message::text, '') FROM control.events WHERE subject = $1",
        f"user/{invited.json()['user']['user']}",
    )
    assert "Grace" not in event
    assert "made" in event


async def test_who_may_no_longer_come_in_is_out_at_once(
    house: House, client: httpx.AsyncClient
) -> None:
    async with house.somebody("operator") as leaving:
        user = (await leaving.get("/api/me")).json()["user"]
        place = f"/api/users/{user}"
        demoted = await client.put(place, json={"role": "viewer", "active": True})
        assert demoted.json()["role"] == "viewer"
        assert (await leaving.get("/api/me")).json()["role"] == "viewer"
        await client.put(place, json={"role": "viewer", "active": False})
        assert (await leaving.get("/api/me")).status_code == 401
    assert (
        await client.put("/api/users/user:nobody", json={"role": "viewer", "active": True})
    ).status_code == 404


async def test_the_last_administrator_stays(house: House, client: httpx.AsyncClient) -> None:
    await house.owner.execute(
        "UPDATE vault.users SET active = false WHERE role = 'admin' AND user_id <> $1", house.admin
    )
    answer = await client.put(f"/api/users/{house.admin}", json={"role": "viewer", "active": True})
    assert answer.json()["type"] == "urn:hourbook:problem:last-administrator"
    assert (await client.get("/api/me")).json()["role"] == "admin"


async def test_a_new_password_ends_the_other_sessions_only(house: House) -> None:
    async with house.somebody("viewer") as here, house.stranger() as there:
        name = (await here.get("/api/me")).json()["name"]
        login = await there.post("/api/auth/login", json={"name": name, "password": PASSWORD})
        there.headers["Authorization"] = f"Bearer {login.json()['access_token']}"
        new = "another horse, another battery"
        wrong = await here.put("/api/me/password", json={"old": "not mine", "new": new})
        assert wrong.status_code == 422
        changed = await here.put("/api/me/password", json={"old": PASSWORD, "new": new})
        assert changed.status_code == 204
        assert (await here.get("/api/me")).status_code == 200
        assert (await there.get("/api/me")).status_code == 401


async def test_preferences_are_kept_for_each_person(house: House) -> None:
    async with house.somebody("viewer") as one, house.somebody("viewer") as other:
        view = {"name": "Locked", "page": "conflicts", "search": "?reason=locked_in_kimai"}
        wanted = {"language": "fr", "theme": "dark", "views": [view]}
        kept = (await one.put("/api/me/preferences", json=wanted)).json()
        assert (await one.get("/api/me")).json()["preferences"] == kept
        assert (kept["language"], kept["single_keys"], kept["views"]) == ("fr", True, [view])
        assert (await other.get("/api/me")).json()["preferences"]["language"] is None
        wrong = await one.put("/api/me/preferences", json={"time_zone": "Mars"})
        assert wrong.status_code == 422

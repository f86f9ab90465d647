"""A new vault key: what is in the vault is readable before, meanwhile and after, and never shown."""

from collections.abc import AsyncIterator

import httpx
import pytest
from cryptography.fernet import Fernet

from hourbook_kit.vault import Vault, VaultKeyError
from hourbook_query_api.rotation import BATCH, rotate
from hourbook_query_api.testing import House, connected, kimai, zammad

pytestmark = pytest.mark.anyio


@pytest.fixture
async def keys(house: House, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[tuple[str, str]]:
    """The older and a newer one; the house gets its own back."""
    older, newer = house.settings.vault_key.get_secret_value(), Fernet.generate_key().decode()
    both = Vault(house.desk.pool, f"{newer},{older}")
    with monkeypatch.context() as patched:
        patched.setattr(house.desk, "vault", both)
        yield older, newer
    await rotate(house.desk.pool, Vault(house.desk.pool, f"{older},{newer}"))


async def state(client: httpx.AsyncClient) -> tuple[int, int]:
    found = (await client.get("/api/vault")).json()
    return found["under_older_keys"], found["lost"]


async def test_secrets_and_keys_are_readable_before_and_after_and_then_by_the_new_key_alone(
    house: House, client: httpx.AsyncClient, keys: tuple[str, str]
) -> None:
    older, newer = keys
    old, new = (Vault(house.desk.pool, key) for key in (older, newer))
    wrapped = old.wrap("token-of-zammad-7c1d")
    await house.owner.execute(
        "INSERT INTO vault.secrets (connection, name, version, wrapped) VALUES ('turning', 'token', 1, $1)",
        wrapped,
    )
    subject_key = (await old.ensure_keys(["user:turning"]))["user:turning"]
    assert await house.desk.vault.secret_of("turning", "token", 1) == "token-of-zammad-7c1d"
    assert (await house.desk.vault.keys_of(["user:turning"]))["user:turning"] == subject_key
    with pytest.raises(VaultKeyError):
        await new.secret_of("turning", "token", 1)
    under_older, lost = await state(client)
    assert (under_older >= 2, lost) == (True, 0)
    assert await rotate(house.desk.pool, house.desk.vault) == under_older
    assert await state(client) == (0, 0)
    assert await new.secret_of("turning", "token", 1) == "token-of-zammad-7c1d"
    assert (await new.keys_of(["user:turning"]))["user:turning"] == subject_key
    with pytest.raises(VaultKeyError):
        await old.secret_of("turning", "token", 1)
    assert await rotate(house.desk.pool, house.desk.vault) == 0, "twice is once"
    told = await client.get("/api/vault")
    assert (await client.get("/api/vault")).json()["fingerprint"] == new.fingerprint
    assert newer not in told.text


async def test_a_masked_field_keeps_its_secret_across_a_rotation(
    house: House, client: httpx.AsyncClient, keys: tuple[str, str]
) -> None:
    await connected(client, zammad("turned"))
    await rotate(house.desk.pool, house.desk.vault)
    body = {"kind": "zammad", "base_url": "http://127.0.0.1:1", "token": "********"}
    changed = await client.put(
        "/api/connectors/turned", json=body | {"webhook_secret": "another-5f2a"}
    )
    shown = changed.json()
    assert shown["secrets"] == {"token": "********", "webhook_secret": "********"}
    assert "7c1d" not in changed.text
    newest = Vault(house.desk.pool, keys[1])
    version = shown["secret_version"]
    assert await newest.secret_of("turned", "token", version) == "token-of-zammad-7c1d"
    assert await newest.secret_of("turned", "webhook_secret", version) == "another-5f2a"
    again = await client.put("/api/connectors/turned", json=body)
    assert again.json()["secret_version"] == version, "nothing was new"


async def test_what_no_key_opens_is_told_and_left_as_it_is(
    house: House, client: httpx.AsyncClient, keys: tuple[str, str]
) -> None:
    await connected(client, kimai("locked-out"))
    strange = Vault(house.desk.pool, Fernet.generate_key().decode()).wrap("nobody's")
    await house.owner.execute(
        "INSERT INTO vault.secrets (connection, name, version, wrapped) VALUES ('lost', 'token', 1, $1)",
        strange,
    )
    try:
        await rotate(house.desk.pool, house.desk.vault)
        assert await state(client) == (0, 1)
        kept = "SELECT wrapped FROM vault.secrets WHERE connection = 'lost'"
        assert await house.owner.fetchval(kept) == strange
        assert (
            await Vault(house.desk.pool, keys[1]).secret_of("locked-out", "token", 1)
            == "token-of-kimai-91be"
        )
    finally:
        await house.owner.execute("DELETE FROM vault.secrets WHERE connection = 'lost'")


async def test_more_than_a_batch_is_brought_under_the_new_key(
    house: House, client: httpx.AsyncClient, keys: tuple[str, str]
) -> None:
    old = Vault(house.desk.pool, keys[0])
    await old.ensure_keys(f"zammad:many:{n}" for n in range(BATCH + 10))
    assert await rotate(house.desk.pool, house.desk.vault) > BATCH
    assert await state(client) == (0, 0)

"""A destroyed key is gone for every process, for ever, and comes back by no way."""

from typing import cast

import asyncpg
import pytest

from hourbook_contracts.privacy import ErasureAsked, Identity, KeysDestroyed, PersonErased
from hourbook_kit.control import ControlTail
from hourbook_kit.vault import Vault
from hourbook_query_api.acts import act
from hourbook_query_api.projection import Projection
from hourbook_query_api.testing import NOON, House

pytestmark = pytest.mark.anyio


def destroyed(*subjects: str, erasure: str = "e1") -> KeysDestroyed:
    return KeysDestroyed(observed_at=NOON, by="test", erasure=erasure, subjects=subjects)


def vault_of(house: House) -> Vault:
    """As another process has it."""
    return Vault(house.desk.pool, house.settings.vault_key.get_secret_value())


async def test_whoever_knew_the_key_drops_it_when_he_hears_of_it(house: House) -> None:
    book, other = "zammad:desk:901", "zammad:desk:902"
    vault = vault_of(house)
    before = await vault.ensure_keys([book, other])
    await vault.hear(destroyed(book), 0)
    assert await vault.ensure_keys([book, other]) == {book: None, other: before[other]}
    assert await vault.keys_of([book]) == {book: None}


async def test_an_answer_of_the_vault_that_comes_after_the_deed_is_not_kept(house: House) -> None:
    book = "zammad:desk:903"
    await vault_of(house).ensure_keys([book])
    vault = vault_of(house)

    class SlowPool:
        """Answers with what stood there before it was destroyed."""

        async def fetch(self, query: str, *values: object) -> list[asyncpg.Record]:
            rows = await house.desk.pool.fetch(query, *values)
            await vault.hear(destroyed(book), 0)
            return list(rows)

    vault._pool = cast("asyncpg.Pool", SlowPool())
    assert await vault.keys_of([book]) == {book: None}


async def test_a_key_that_was_destroyed_is_never_made_again(house: House) -> None:
    never_made, made = "zammad:desk:904", "zammad:desk:905"
    await vault_of(house).ensure_keys([made])
    await act(house.desk, destroyed(never_made, made), "/")
    fresh = vault_of(house)
    assert await fresh.ensure_keys([never_made, made]) == {never_made: None, made: None}


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE vault.subject_keys SET wrapped = 'x', destroyed_at = NULL WHERE subject = $1",
        "DELETE FROM vault.subject_keys WHERE subject = $1",
    ],
)
async def test_not_even_its_keeper_brings_it_back(house: House, statement: str) -> None:
    await act(house.desk, destroyed("zammad:desk:906"), "/")
    with pytest.raises(asyncpg.RaiseError):
        await house.desk.pool.execute(statement, "zammad:desk:906")


@pytest.mark.usefixtures("house")
async def test_nobody_else_may_destroy(owner_dsn: str) -> None:
    for role in ("hourbook_ingest", "hourbook_push", "hourbook_reconciler"):
        place = owner_dsn.rsplit("@", 1)[1]
        connection = await asyncpg.connect(f"postgresql://{role}:{role}@{place}")
        try:
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await connection.execute("SELECT vault.destroy_keys('{zammad:desk:907}')")
        finally:
            await connection.close()


async def test_an_older_vault_beside_the_topic_that_went_on_loses_the_key_again(
    house: House,
) -> None:
    book = "zammad:desk:908"
    older = await house.owner.fetchrow("SELECT vault.ensure_keys($1, $2)", [book], [b"wrapped"])
    assert older
    await act(house.desk, destroyed(book), "/")
    async with house.owner.acquire() as connection:
        await connection.execute("SET session_replication_role = replica")  # as a restore would
        await connection.execute(
            "UPDATE vault.subject_keys SET wrapped = 'wrapped', destroyed_at = NULL"
            " WHERE subject = $1",
            book,
        )
        await connection.execute("SET session_replication_role = DEFAULT")
    await house.owner.execute("UPDATE control.checkpoint SET version = 0")
    projection = Projection(house.desk.pool)
    await projection.begin(house.desk.cluster_id, house.desk.projection.next_offset)
    tail = ControlTail(
        house.settings, lambda event, at: projection.learn(event, at, tail.installation)
    )
    await tail.start()
    await tail.stop()
    row = await house.owner.fetchrow("SELECT * FROM vault.subject_keys WHERE subject = $1", book)
    assert row is not None
    assert (row["wrapped"], row["destroyed_at"] is None) == (None, False)


async def test_an_erasure_is_shown_as_the_topic_tells_it(house: House) -> None:
    identities: tuple[Identity, ...] = ("zammad:desk:user:26",)
    await act(
        house.desk,
        ErasureAsked(observed_at=NOON, by="user:a", erasure="e9", identities=identities),
        "/",
    )
    await act(house.desk, destroyed("zammad:desk:909", erasure="e9"), "/")
    await act(
        house.desk,
        PersonErased(
            observed_at=NOON, by="user:b", asked_by="user:a", erasure="e9", identities=identities
        ),
        "/",
    )
    row = await house.owner.fetchrow("SELECT * FROM control.erasures WHERE erasure = 'e9'")
    assert row is not None
    assert (row["state"], row["asked_by"], row["ended_by"], row["keys"]) == (
        "erased",
        "user:a",
        "user:b",
        1,
    )

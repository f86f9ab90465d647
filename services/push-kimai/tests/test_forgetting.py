"""Push forgets people as soon as it hears that they were erased, and learns their names no more."""

import pytest

from hourbook_contracts.control import SyncRequested
from hourbook_contracts.ledger import DescriptionParts
from hourbook_contracts.privacy import KeysDestroyed, PersonErased, kimai_named, user_of
from hourbook_contracts.testing import NOON
from hourbook_kit.sealing import seal
from hourbook_kit.vault import Vault

from .conftest import ANNA, VAULT_KEY, Hours

pytestmark = [pytest.mark.anyio, pytest.mark.xdist_group("push")]


def erased(erasure: str, identity: str) -> PersonErased:
    return PersonErased(
        observed_at=NOON, by="test", asked_by="test", erasure=erasure, identities=(identity,)
    )


async def test_the_name_of_who_was_erased_leaves_the_directory_and_stays_away(
    hours: Hours,
) -> None:
    async def anna() -> str | None:
        name: str | None = await hours.owner.fetchval(
            "SELECT name FROM push.directory WHERE (target, kind, id) = ($1, 'user', $2)",
            hours.name,
            ANNA,
        )
        return name

    async def is_known() -> bool:
        return await anna() not in (None, f"#{ANNA}")

    async def is_forgotten() -> bool:
        return await anna() == f"#{ANNA}"

    await hours.configure()
    await hours.until(is_known)
    await hours.tell(erased(f"e-{hours.name}", kimai_named(hours.name, "user", ANNA)))
    await hours.until(is_forgotten)
    listed = hours.board.calls["GET /api/users"]
    await hours.tell(
        SyncRequested(observed_at=NOON, by="test", connection=hours.name, what="sweep")
    )
    await hours.until(lambda: hours.board.calls["GET /api/users"] > listed)
    others = "SELECT count(*) FROM push.directory WHERE target = $1 AND name NOT LIKE '#%'"
    await hours.until(is_forgotten)
    assert await hours.owner.fetchval(others, hours.name) > 0


async def test_a_title_whose_key_was_destroyed_is_not_written_to_kimai(hours: Hours) -> None:
    key = (await Vault(hours.owner, VAULT_KEY).ensure_keys([hours.book]))[hours.book]
    assert key is not None
    title = seal("Mrs Meier's leg", key=key, subject=hours.book, field="title")
    parts = DescriptionParts(template=1, ticket_number=hours.ticket, title=title)
    await hours.configure()
    first = hours.request("create", hours.work(), entry=1)
    await hours.say(first.model_copy(update={"text": parts}))
    await hours.answer(entry=1)
    assert [row.description.split(" [")[0] for row in hours.rows if row.description] == [
        f"#{hours.ticket} Mrs Meier's leg"
    ]
    erasure, meier = f"e-{hours.name}", user_of("desk", 9000 + hours.number)
    await hours.tell(
        KeysDestroyed(observed_at=NOON, by="test", erasure=erasure, subjects=(hours.book,))
    )
    await hours.tell(erased(erasure, meier))
    await hours.until(lambda: bool(hours.control and meier in hours.control.installation.erased))
    again = hours.request("create", hours.work(30, made=NOON.replace(hour=9)), entry=2)
    await hours.say(again.model_copy(update={"text": parts}))
    await hours.answer(entry=2)
    assert hours.rows[-1].description is not None
    assert hours.rows[-1].description.startswith(f"#{hours.ticket} [")

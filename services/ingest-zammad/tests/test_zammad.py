"""How a Zammad is read, and what its answers mean."""

import hashlib
import hmac
import json
from pathlib import Path
from typing import Any

import httpx
import pytest

from hourbook_ingest_zammad.testing import FakeZammad
from hourbook_ingest_zammad.zammad import Zammad
from hourbook_kit.source.protocol import (
    BadCredentialsError,
    GoneError,
    IncompletePullError,
    MissingPermissionError,
    RefusedError,
    RetriableError,
    SourceError,
    UnfitError,
)

pytestmark = pytest.mark.anyio


async def ids(zammad: Zammad) -> list[int]:
    return [accounting.id async for page in zammad.everything() for accounting in page.bookings]


async def test_a_ticket_is_read_with_all_its_time() -> None:
    fake = FakeZammad()
    for _ in range(1234):
        fake.book(1, "15.0")
    fake.book(2, "1.0")
    read = await fake.client().read_ticket(1)
    assert read.ticket is not None
    assert read.ticket.attributes.number == "66001"
    assert len(read.bookings) == 1234
    assert fake.calls == {"ticket": 1, "of_ticket": 2, "states": 1}


async def test_a_deleted_ticket_is_no_error() -> None:
    read = await FakeZammad().client().read_ticket(1)
    assert (read.ticket, read.bookings) == (None, ())


async def test_everything_is_proven_page_by_page() -> None:
    fake = FakeZammad()
    for _ in range(2500):
        fake.book(1, "1.0")
    assert await ids(fake.client()) == list(range(1, 2501))
    assert fake.calls["all"] == 3


async def test_a_row_hidden_by_a_deletion_between_two_pages_is_no_proof() -> None:
    fake = FakeZammad()
    for _ in range(1500):
        fake.book(1, "1.0")

    def shift(_: str) -> None:
        if fake.calls["all"] == 2:
            for accounting_id in range(1, 400):
                fake.accountings.pop(accounting_id, None)
            for _i in range(399):
                fake.book(1, "1.0")

    fake.during = shift
    with pytest.raises(IncompletePullError):
        await ids(fake.client())


async def test_a_ticket_whose_list_shifts_once_is_read_again() -> None:
    fake = FakeZammad()
    for _ in range(1100):
        fake.book(1, "1.0")

    def shift(name: str) -> None:
        if name == "of_ticket" and fake.calls["of_ticket"] == 2:
            fake.delete(1)

    fake.during = shift
    assert len((await fake.client().read_ticket(1)).bookings) == 1099


GOLDEN: list[dict[str, Any]] = json.loads(
    (Path(__file__).parents[3] / "contracts/tests/golden/zammad_answers.json").read_text()
)
ERRORS: dict[str, type[SourceError]] = {
    "credentials": BadCredentialsError,
    "permission": MissingPermissionError,
    "away": RetriableError,
    "gone": GoneError,
    "refused": RefusedError,
}


@pytest.mark.parametrize("golden", GOLDEN, ids=lambda golden: golden["case"])
async def test_each_answer_is_the_error_it_means_with_its_sentence(golden: dict[str, Any]) -> None:
    answer = httpx.Response(
        golden["status"],
        content=golden["body"].encode(),
        headers={"content-type": golden["content_type"]},
    )
    fake = FakeZammad(failing={"settings": answer, "signshow": answer})
    with pytest.raises(ERRORS[golden["meaning"]]) as raised:
        await fake.client().said_unit()
    assert golden["says"] in str(raised.value)


async def test_a_proxys_404_page_is_no_proof_that_anything_is_gone() -> None:
    fake = FakeZammad(failing={"one": httpx.Response(404, html="<h1>Not found</h1>")})
    with pytest.raises(RetriableError):
        await fake.client().is_gone(1)


async def test_only_zammads_own_404_is_gone() -> None:
    fake = FakeZammad()
    accounting_id = fake.book(1, "1.0")
    assert not await fake.client().is_gone(accounting_id)
    fake.delete(accounting_id)
    assert await fake.client().is_gone(accounting_id)


async def test_a_zammad_without_a_list_of_all_time_is_too_old() -> None:
    fake = FakeZammad(failing={"all": httpx.Response(404, json={"error": "No route matches"})})
    for ask in (fake.client().control(), ids(fake.client())):
        with pytest.raises(UnfitError) as refused:
            await ask
        assert "update it to 6.2" in str(refused.value)


async def test_a_delivery_is_verified_over_its_raw_bytes() -> None:
    zammad = FakeZammad().client(secret="s3")
    body = b'{"ticket": {"title": "\xc3\xbc"}}'
    signature = "sha1=" + hmac.new(b"s3", body, hashlib.sha1).hexdigest()
    assert zammad.verifies(body, signature)
    assert not zammad.verifies(body + b" ", signature)
    assert not zammad.verifies(body, None)
    assert not zammad.verifies(body, "sha1=\udcff")
    assert not FakeZammad().client(secret=None).verifies(body, signature)

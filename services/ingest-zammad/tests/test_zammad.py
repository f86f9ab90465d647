"""How a Zammad is read, and what its answers mean."""

import hashlib
import hmac

import httpx
import pytest

from hourbook_ingest_zammad.testing import FakeZammad
from hourbook_ingest_zammad.zammad import (
    BadCredentialsError,
    GoneError,
    IncompletePullError,
    MissingPermissionError,
    RetriableError,
    Zammad,
)

pytestmark = pytest.mark.anyio


async def ids(zammad: Zammad) -> list[int]:
    return [accounting.id async for page in zammad.everything() for accounting in page.accountings]


async def test_a_ticket_is_read_with_all_its_time() -> None:
    fake = FakeZammad()
    for _ in range(1234):
        fake.book(1, "15.0")
    fake.book(2, "1.0")
    read = await fake.client().read_ticket(1)
    assert read.ticket is not None
    assert read.ticket.number == "66001"
    assert len(read.accountings) == 1234
    assert fake.calls == {"ticket": 1, "of_ticket": 2}


async def test_a_deleted_ticket_is_no_error() -> None:
    read = await FakeZammad().client().read_ticket(1)
    assert (read.ticket, read.accountings) == (None, ())


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
    assert len((await fake.client().read_ticket(1)).accountings) == 1099


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (httpx.Response(401, json={}), BadCredentialsError),
        (httpx.Response(403, json={}), MissingPermissionError),
        (httpx.Response(500, json={}), RetriableError),
        (httpx.Response(502, html="<h1>Bad gateway</h1>"), RetriableError),
        (httpx.Response(200, html="<h1>Back soon</h1>"), RetriableError),
        (httpx.Response(301, headers={"location": "/"}), RetriableError),
        (
            httpx.Response(200, content=b"[", headers={"content-type": "application/json"}),
            RetriableError,
        ),
    ],
)
async def test_each_answer_is_what_it_means(answer: httpx.Response, error: type[Exception]) -> None:
    fake = FakeZammad(failing={"everything": answer})
    with pytest.raises(error):
        await fake.client().read_ticket(1)


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


async def test_a_zammad_without_us_is_none() -> None:
    fake = FakeZammad(failing={"me": httpx.Response(404, json={})})
    with pytest.raises(RetriableError) as broken:
        await fake.client().control()
    assert isinstance(broken.value.__cause__, GoneError)


async def test_a_delivery_is_verified_over_its_raw_bytes() -> None:
    zammad = FakeZammad().client(secret="s3")
    body = b'{"ticket": {"title": "\xc3\xbc"}}'
    signature = "sha1=" + hmac.new(b"s3", body, hashlib.sha1).hexdigest()
    assert zammad.verifies(body, signature)
    assert not zammad.verifies(body + b" ", signature)
    assert not zammad.verifies(body, None)
    assert not zammad.verifies(body, "sha1=\udcff")
    assert not FakeZammad().client(secret=None).verifies(body, signature)

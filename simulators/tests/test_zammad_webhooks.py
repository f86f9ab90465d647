"""Zammad tells of tickets that changed: signed, repeated, and rendered when it is sent (zammad-api.md 4)."""

import asyncio
import hmac
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from types import SimpleNamespace
from typing import Any

import httpx
import pytest

from hourbook_simulators.zammad.in_process import Twin, opened
from hourbook_simulators.zammad.memory import Memory
from hourbook_simulators.zammad.seeds import plant

pytestmark = pytest.mark.anyio
FRESH = 8
HOOK = "http://hourbook.test/webhook"


class Listener:
    """Hourbook's end of the line; answers what it is told to, and 202 from then on."""

    def __init__(self, *answers: int) -> None:
        self.heard: list[httpx.Request] = []
        self._answers = list(answers)

    async def answer(self, request: httpx.Request) -> httpx.Response:
        self.heard.append(request)
        status = self._answers.pop(0) if self._answers else 202
        if status == 0:
            raise httpx.ConnectError("nobody listens", request=request)
        return httpx.Response(status, headers={"location": HOOK})

    def body(self, index: int = -1) -> Any:
        return json.loads(self.heard[index].content)


@asynccontextmanager
async def told(listener: Listener, **hook: Any) -> AsyncIterator[Twin]:
    async with opened(webhook_transport=httpx.MockTransport(listener.answer)) as twin:
        await twin.control("PUT", "/webhook", {"url": HOOK, "retry_scale": 0.0, **hook})
        yield twin


async def until(holds: Callable[[], bool]) -> None:
    """Soon, or the test's own timeout ends it."""
    async with asyncio.timeout(20):
        while not holds():  # noqa: ASYNC110 -- nothing in the twin tells when a job is over
            await asyncio.sleep(0.005)


def settled(twin: Twin) -> bool:
    return all(one.outcome != "waiting" for one in twin.memory.books.deliveries)


async def test_row_62_a_delivery_is_signed_over_the_bytes_it_sends() -> None:
    listener = Listener()
    async with told(listener, secret="s3cret") as twin:
        await twin.book(6, 15)  # its title holds < > &
        await until(lambda: settled(twin))
    request = listener.heard[0]
    assert b"\\u003cguests\\u003e \\u0026 partners" in request.content
    digest = hmac.digest(b"s3cret", request.content, "sha1").hex()
    assert request.headers["X-Hub-Signature"] == f"sha1={digest}"
    assert request.headers["X-Zammad-Trigger"] == "Tell Hourbook"
    assert request.headers["User-Agent"] == "Zammad User Agent"
    assert request.headers["Content-Type"] == "application/json; charset=utf-8"
    assert request.headers["X-Zammad-Delivery"] == twin.memory.books.deliveries[0].id


async def test_who_is_told_can_be_said_on_the_page_and_the_secret_stays_where_none_is_given() -> (
    None
):
    listener = Listener()
    async with opened(webhook_transport=httpx.MockTransport(listener.answer)) as twin:
        for secret in ("s3cret", ""):
            await twin.http.post("/webhook", data={"url": HOOK, "secret": secret})
        hook = twin.memory.books.webhook
        assert (hook.url, hook.secret) == (HOOK, "s3cret")
        page = (await twin.http.get("/")).text
        assert HOOK in page
        assert "s3cret" not in page


async def test_row_63_without_a_secret_nothing_is_signed() -> None:
    listener = Listener()
    async with told(listener) as twin:
        await twin.book(FRESH, 15)
        await until(lambda: settled(twin))
    assert "X-Hub-Signature" not in listener.heard[0].headers


async def test_row_70_a_payload_has_the_ticket_and_no_entry() -> None:
    listener = Listener()
    async with told(listener) as twin:
        entry = await twin.book(FRESH, 15)
        await until(lambda: settled(twin))
    body = listener.body()
    assert body["article"] == {}
    assert body["ticket"]["time_unit"] == "15.0"
    assert body["ticket"]["ticket_time_accounting_ids"] == [entry["id"]]
    assert body["ticket"]["organization"]["name"] == "Dockside Logistics"
    assert body["ticket"]["state"] == "new"
    assert "preferences" not in body["ticket"]["customer"]


async def test_row_69_an_article_brings_its_time_as_a_number() -> None:
    listener = Listener()
    async with told(listener) as twin:
        for article in ({"body": "x", "time_unit": "3.33"}, {"body": "y"}):
            await twin.ask("PUT", f"/tickets/{FRESH}", {"article": article})
            await until(lambda: settled(twin))
    assert [listener.body(one)["article"]["accounted_time"] for one in (0, 1)] == [3.33, 0.0]
    assert len(listener.heard) == 2


async def test_what_does_not_move_a_ticket_is_not_told() -> None:
    listener = Listener()
    async with told(listener) as twin:
        await twin.ask("PUT", "/time_accountings/1", {"type": "Travel"})
        await twin.book(FRESH, 0)
        await twin.ask("DELETE", "/tickets/2")
        assert twin.memory.books.deliveries == []


async def test_a_selective_trigger_sees_only_articles_with_time() -> None:
    listener = Listener()
    async with told(listener, mode="selective") as twin:
        await twin.book(FRESH, 5)
        await twin.ask("PUT", f"/tickets/{FRESH}", {"article": {"body": "x"}})
        await twin.ask("DELETE", "/time_accountings/1")
        assert twin.memory.books.deliveries == []
        await twin.ask("PUT", f"/tickets/{FRESH}", {"article": {"body": "x", "time_unit": 5}})
        await until(lambda: settled(twin))
    assert len(listener.heard) == 1


@pytest.mark.parametrize("seen", [True, False])
async def test_a_trigger_on_the_total_sees_time_without_an_article_or_is_never_run(
    *, seen: bool
) -> None:
    """Nobody has seen which (zammad-api.md 12.2)."""
    listener = Listener()
    async with told(listener, mode="time_unit") as twin:
        await twin.control("PUT", "/unknowns", {"time_unit_trigger": seen})
        await twin.book(FRESH, 15)
        await twin.ask("PUT", f"/tickets/{FRESH}", {"title": "Another one"})
        await until(lambda: settled(twin))
        assert len(listener.heard) == int(seen)


async def test_a_merge_is_told_of_both_tickets() -> None:
    listener = Listener()
    async with told(listener) as twin:
        await twin.ask("PUT", "/ticket_merge/1/67002")
        await until(lambda: settled(twin))
    assert {listener.body(one)["ticket"]["id"] for one in (0, 1)} == {1, 2}


async def test_a_retry_keeps_its_id_and_tells_what_holds_by_then() -> None:
    listener = Listener(500)
    async with told(listener, retry_scale=0.1) as twin:
        await twin.book(FRESH, 15)
        await until(lambda: len(listener.heard) == 1)
        twin.memory.books.tickets[FRESH].title = "What holds by then"
        await until(lambda: settled(twin))
    assert len({one.headers["X-Zammad-Delivery"] for one in listener.heard}) == 1
    assert [listener.body(one)["ticket"]["title"] for one in (0, 1)] == [
        "Could you call me back?",
        "What holds by then",
    ]
    assert [one.status for one in twin.memory.books.deliveries[0].attempts] == [500, 202]


async def test_rows_66_67_after_five_attempts_it_is_dropped_for_good() -> None:
    listener = Listener(500, 404, 301, 0, 503)
    async with told(listener) as twin:
        await twin.book(FRESH, 15)
        await until(lambda: settled(twin))
        assert (await twin.control("GET", "/deliveries"))[0]["outcome"] == "failed"
    assert len(listener.heard) == 5
    attempts = twin.memory.books.deliveries[0].attempts
    assert [one.status for one in attempts] == [500, 404, 301, None, 503]


async def test_row_73_the_waits_grow_by_ten_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    waits: list[float] = []
    sleep = asyncio.sleep

    async def quickly(seconds: float) -> None:
        waits.append(seconds)
        await sleep(0)

    listener = Listener(500, 500, 500, 500, 500)
    async with told(listener, retry_scale=1.0) as twin:
        with monkeypatch.context() as patched:
            its_own = SimpleNamespace(**vars(asyncio) | {"sleep": quickly})  # nobody else's waits
            patched.setattr("hourbook_simulators.zammad.webhooks.asyncio", its_own)
            await twin.book(FRESH, 15)
            async with asyncio.timeout(20):
                while not settled(twin):
                    await sleep(0.005)
    assert [one for one in waits if one >= 10] == [10, 20, 30, 40]


async def test_row_68_a_delivery_about_a_deleted_ticket_is_dropped_in_silence() -> None:
    listener = Listener(500)
    async with told(listener, retry_scale=0.01) as twin:
        await twin.book(FRESH, 15)
        await until(lambda: len(listener.heard) == 1)
        await twin.ask("DELETE", f"/tickets/{FRESH}")
        await until(lambda: settled(twin))
        assert twin.memory.books.deliveries[0].outcome == "discarded"
    assert len(listener.heard) == 1


async def test_a_listener_that_hangs_does_not_keep_the_api_waiting() -> None:
    hanging = asyncio.Event()

    async def hang(request: httpx.Request) -> httpx.Response:
        await hanging.wait()
        return httpx.Response(202, request=request)

    async with opened(webhook_transport=httpx.MockTransport(hang)) as twin:
        await twin.control("PUT", "/webhook", {"url": HOOK})
        for _ in range(20):
            await twin.book(FRESH, 1)
        assert not settled(twin)
        hanging.set()
        await until(lambda: settled(twin))


async def test_what_waited_when_the_twin_stopped_is_sent_after_its_start() -> None:
    async with told(Listener(500), retry_scale=1000.0) as twin:
        await twin.book(FRESH, 15)
        await until(lambda: len(twin.memory.books.deliveries[0].attempts) == 1)
        picture = twin.memory.picture()
    listener, again = Listener(), Memory.from_picture(picture)
    async with opened(memory=again, webhook_transport=httpx.MockTransport(listener.answer)) as twin:
        await until(lambda: settled(twin))
    assert listener.heard[0].headers["X-Zammad-Delivery"] == again.books.deliveries[0].id


async def test_a_reset_forgets_what_was_to_be_told() -> None:
    listener = Listener(500)
    async with told(listener, retry_scale=1000.0) as twin:
        await twin.book(FRESH, 15)
        await until(lambda: len(listener.heard) == 1)
        await twin.control("POST", "/reset", {"seed": "empty"})
        assert await twin.control("GET", "/deliveries") == []
    assert twin.memory.books.settings == plant("empty").settings


async def test_row_65_what_is_said_with_a_200_does_not_matter() -> None:
    async def thank(_request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, text="<thanks>")

    async with opened(webhook_transport=httpx.MockTransport(thank)) as twin:
        await twin.control("PUT", "/webhook", {"url": HOOK, "retry_scale": 0.0})
        await twin.book(6, 15)
        await until(lambda: settled(twin))
        (delivery,) = twin.memory.books.deliveries
    assert (delivery.outcome, len(delivery.attempts)) == ("delivered", 1)

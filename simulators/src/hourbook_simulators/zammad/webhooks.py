"""Tells a listener that a ticket changed, as Zammad's background job does (zammad-api.md 4).

The body is what holds when it is sent, not when the ticket changed, and again on every attempt; the
delivery id stays. Nothing is said about order. What waits when the twin stops is sent after its start.
"""

import asyncio
import hmac
from collections import deque
from uuid import UUID, uuid5

import httpx

from hourbook_simulators.zammad import shapes
from hourbook_simulators.zammad.memory import Change, Memory
from hourbook_simulators.zammad.records import Attempt, Delivery
from hourbook_simulators.zammad.refusals import written

WAITS_SECONDS = (10, 20, 30, 40)
TIMEOUT = httpx.Timeout(30, connect=4)
KEPT_DELIVERIES = 200
WORKERS = 8
NAMESPACE = UUID("5f7d3a52-6a8c-5d0e-9b7f-2f3f0f4b8a11")


class Courier:
    """One trigger's deliveries; a request that changes a ticket only leaves a note here."""

    def __init__(self, memory: Memory, transport: httpx.AsyncBaseTransport | None = None) -> None:
        self._memory = memory
        self._transport = transport
        self._client: httpx.AsyncClient | None = None
        self._jobs: set[asyncio.Task[None]] = set()
        self._places = asyncio.Semaphore(WORKERS)

    def resume(self) -> None:
        for delivery in self._memory.books.deliveries:
            if delivery.outcome == "waiting":
                self._start(delivery)

    def ticket_changed(self, change: Change) -> None:
        memory = self._memory
        hook = memory.books.webhook
        if not hook.url:
            return
        if hook.mode == "selective" and change.article_id not in memory.entry_of_article:
            return  # article.time_accounting is set: an article without time and no article alike
        seen = change.time_unit and memory.books.unknowns["time_unit_trigger"]
        if hook.mode == "time_unit" and not seen:
            return
        now = memory.now()
        name = f"{now}/{memory.next_id('delivery')}/{change.ticket_id}"
        delivery = Delivery(str(uuid5(NAMESPACE, name)), change.ticket_id, change.article_id, now)
        deliveries = memory.books.deliveries
        deliveries.append(delivery)
        del deliveries[:-KEPT_DELIVERIES]
        self._start(delivery)

    def forget(self) -> None:
        """Whatever was under way."""
        for job in self._jobs:
            job.cancel()

    async def close(self) -> None:
        self.forget()
        await asyncio.gather(*self._jobs, return_exceptions=True)
        if self._client is not None:
            await self._client.aclose()

    def _start(self, delivery: Delivery) -> None:
        job = asyncio.get_running_loop().create_task(self._deliver(delivery))
        self._jobs.add(job)
        job.add_done_callback(self._jobs.discard)

    async def _deliver(self, delivery: Delivery) -> None:
        waits = deque(WAITS_SECONDS[len(delivery.attempts) :])
        while delivery.outcome == "waiting":
            async with self._places:
                body = self._body(delivery)
                if body is None:
                    delivery.outcome = "discarded"
                    break
                delivery.attempts.append(await self._attempt(delivery, body))
            status = delivery.attempts[-1].status
            if status is not None and httpx.codes.is_success(status):
                delivery.outcome = "delivered"
            elif not waits:
                delivery.outcome = "failed"
            else:
                self._memory.written()
                await asyncio.sleep(waits.popleft() * self._memory.books.webhook.retry_scale)
        self._memory.written()

    def _body(self, delivery: Delivery) -> bytes | None:
        """None when the ticket or the article has gone, or nobody is to be told any more."""
        books = self._memory.books
        ticket = books.tickets.get(delivery.ticket_id)
        article = books.articles.get(delivery.article_id or 0)
        if ticket is None or not books.webhook.url or (delivery.article_id and article is None):
            return None
        return written(shapes.webhook(self._memory, ticket, article))

    def _headers(self, delivery: Delivery, body: bytes) -> dict[str, str | bytes]:
        hook = self._memory.books.webhook
        headers: dict[str, str | bytes] = {
            "Accept-Encoding": "gzip;q=1.0,deflate;q=0.6,identity;q=0.3",
            "Accept": "*/*",
            "User-Agent": "Zammad User Agent",
            "X-Zammad-Trigger": hook.trigger.encode(),  # raw UTF-8, as Zammad sends it
            "X-Zammad-Delivery": delivery.id,
            "Content-Type": "application/json; charset=utf-8",
            "Connection": "close",
        }
        if hook.secret:
            digest = hmac.digest(hook.secret.encode(), body, "sha1").hex()
            headers["X-Hub-Signature"] = f"sha1={digest}"
        return headers

    async def _attempt(self, delivery: Delivery, body: bytes) -> Attempt:
        """Redirects are not followed, and count as a failure like any answer that is no 2xx."""
        if self._client is None:
            self._client = httpx.AsyncClient(
                timeout=TIMEOUT, transport=self._transport, trust_env=False
            )
        headers = [
            (name.encode(), value if isinstance(value, bytes) else value.encode())
            for name, value in self._headers(delivery, body).items()
        ]
        at = self._memory.now()
        try:
            answer = await self._client.post(
                self._memory.books.webhook.url, content=body, headers=headers
            )
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            return Attempt(at, None, type(error).__name__)
        return Attempt(at, answer.status_code)

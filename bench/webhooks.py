"""The webhook against a bare handler that writes as many bytes with acks=all."""

import asyncio
import hashlib
import hmac
import json
import os
import sys
from pathlib import Path
from statistics import median

import httpx
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from bench import load
from bench.figures import Figure, more_is_better
from bench.world import World, eventually, world
from hourbook_contracts.topics import INBOX
from hourbook_local.children import free_port

REQUESTS, ROUNDS = 3000, 3
PATH = "/api/webhook/zammad/desk"
BARE_TOPIC = "bench.inbox"
SECRET = "bench-only"  # noqa: S105 -- of a connection that lives as long as the bench


async def measure(folder: Path) -> list[Figure]:
    """In turn, after a warm-up; the median round of each."""
    async with world(folder) as here:
        await _with_our_secret(here)
        await _bare_topic(here.stack.bootstrap)
        port = free_port()
        bare = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "bench.bare_handler", here.stack.bootstrap, BARE_TOPIC),
            str(port),
            env=os.environ,
        )
        try:
            await eventually(lambda: _answers(port), what="the bare handler")
            ours = int(here.stack.url("ingest-zammad").rsplit(":", 1)[1])
            rates: dict[int, list[float]] = {ours: [], port: []}
            for turn in range(ROUNDS + 1):
                for at, found in rates.items():
                    rate, statuses = await load.requests_per_second(at, _requests(turn))
                    assert set(statuses) == {202}, statuses  # noqa: S101 -- else nothing was measured
                    found.append(rate)
        finally:
            bare.terminate()
            await bare.wait()
        limit, value = median(rates[port][1:]), median(rates[ours][1:])
        return [more_is_better("webhook_throughput", value, "requests/s", limit)]


async def _with_our_secret(here: World) -> None:
    body = {"kind": "zammad", "base_url": here.stack.url("zammad"), "webhook_secret": SECRET}
    await here.api.put("/api/connectors/desk", {**body, "poll_seconds": 3600})
    await asyncio.sleep(2)


async def _bare_topic(bootstrap: str) -> None:
    client = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await client.start()
    try:
        await client.create_topics([NewTopic(BARE_TOPIC, INBOX.partitions, 1)])
    finally:
        await client.close()


async def _answers(port: int) -> bool:
    async with httpx.AsyncClient(trust_env=False) as client:
        answer = await client.post(f"http://127.0.0.1:{port}{PATH}", content=b"{}")
        return answer.status_code == 202  # noqa: PLR2004 -- accepted


def _requests(turn: int) -> list[bytes]:
    """Signed, each a delivery of its own, about tickets that do not exist."""
    found = []
    for number in range(REQUESTS):
        body = json.dumps({"ticket": {"id": 10**6 + number % 50}, "article": {}}).encode()
        signature = hmac.new(SECRET.encode(), body, hashlib.sha1).hexdigest()
        delivery = f"{turn}-{number}"
        found.append(
            load.post(PATH, body, X_Hub_Signature=f"sha1={signature}", X_Zammad_Delivery=delivery)
        )
    return found

"""The limit of a webhook: a bare FastAPI + aiokafka handler that writes the same bytes with acks=all.

`python -m bench.bare_handler <bootstrap> <topic> <port>`
"""

import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import count

import uvicorn
from aiokafka import AIOKafkaProducer
from fastapi import FastAPI, Request, Response

from hourbook_contracts.codec import encode
from hourbook_contracts.inbox import RereadRequested
from hourbook_kit import clock

TICKETS = 50
"""As many keys as the load names, so that the records spread over the partitions alike."""
RECORD = encode(
    RereadRequested(
        observed_at=clock.now(),
        connection="desk",
        ticket_id=10**6,
        why="webhook",
        delivery="0-1000",
        body_sha256="0" * 64,
        body_bytes=44,
    ),
    traceparent=f"00-{1:032x}-{1:016x}-00",
)


def build(bootstrap: str, topic: str) -> FastAPI:
    producer: AIOKafkaProducer | None = None
    numbers = count()

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        nonlocal producer
        producer = AIOKafkaProducer(
            bootstrap_servers=bootstrap, acks="all", enable_idempotence=True, linger_ms=0
        )
        async with producer:
            yield

    app = FastAPI(lifespan=lifespan)

    @app.post("/api/webhook/zammad/{connection}")
    async def webhook(connection: str, request: Request) -> Response:
        await request.body()
        assert producer is not None  # noqa: S101 -- made in the lifespan
        await producer.send_and_wait(
            topic,
            value=RECORD.value,
            key=f"{connection}:{10**6 + next(numbers) % TICKETS}".encode(),
            headers=RECORD.headers,
        )
        return Response(status_code=202)

    return app


if __name__ == "__main__":
    uvicorn.run(
        build(sys.argv[1], sys.argv[2]),
        host="127.0.0.1",
        port=int(sys.argv[3]),
        log_level="warning",
        access_log=False,
    )

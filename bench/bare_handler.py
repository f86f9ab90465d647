"""The limit of a webhook: a bare FastAPI + aiokafka handler that writes the same bytes with acks=all.

`python -m bench.bare_handler <bootstrap> <topic> <port>`
"""

import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import uvicorn
from aiokafka import AIOKafkaProducer
from fastapi import FastAPI, Request, Response

BYTES = 230
"""About what a `RereadRequested` is."""


def build(bootstrap: str, topic: str) -> FastAPI:
    producer: AIOKafkaProducer | None = None

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
        await producer.send_and_wait(topic, value=b"x" * BYTES, key=connection.encode())
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

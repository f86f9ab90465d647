"""Faults are what they say they are, over a real socket."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import pytest
from fastapi import FastAPI

from hourbook_simulators.faults import Faulty, Switchboard, control
from hourbook_simulators.serving import server

pytestmark = pytest.mark.anyio


def counting_app() -> FastAPI:
    app = FastAPI()
    board = Switchboard()
    app.include_router(control(board))
    app.add_middleware(Faulty, switchboard=board)
    app.state.done = 0

    @app.post("/api/things/{thing}")
    async def do(thing: int) -> int:
        app.state.done += 1
        return thing

    return app


@asynccontextmanager
async def served(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    running = server(app, port)
    task = asyncio.create_task(running.serve())
    while not running.started:  # noqa: ASYNC110 -- uvicorn has a flag, no event
        await asyncio.sleep(0.01)
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=5) as client:
        yield client
    running.should_exit = True
    await task


async def test_a_reset_before_leaves_nothing_done_and_happens_as_often_as_asked() -> None:
    app = counting_app()
    async with served(app) as client:
        fault = {"kind": "reset_before", "method": "POST", "path": "/api/things/\\d+"}
        await client.post("/_twin/faults", json=fault)
        with pytest.raises((httpx.RemoteProtocolError, httpx.ReadError)):
            await client.post("/api/things/7")
        assert app.state.done == 0
        assert (await client.post("/api/things/7")).json() == 7


async def test_a_reset_after_leaves_it_done() -> None:
    app = counting_app()
    async with served(app) as client:
        await client.post("/_twin/faults", json={"kind": "reset_after"})
        with pytest.raises((httpx.RemoteProtocolError, httpx.ReadError)):
            await client.post("/api/things/7")
        assert app.state.done == 1


async def test_a_slow_commit_outlives_the_caller_who_gave_up() -> None:
    app = counting_app()
    async with served(app) as client:
        await client.post("/_twin/faults", json={"kind": "slow_commit", "seconds": 0.4})
        with pytest.raises(httpx.ReadTimeout):
            await client.post("/api/things/7", timeout=0.1)
        assert app.state.done == 0
        await asyncio.sleep(0.5)
        assert app.state.done == 1


async def test_a_slow_commit_does_not_answer_the_patient_either() -> None:
    app = counting_app()
    async with served(app) as client:
        await client.post("/_twin/faults", json={"kind": "slow_commit", "seconds": 0.1})
        with pytest.raises((httpx.RemoteProtocolError, httpx.ReadError)):
            await client.post("/api/things/7")
        assert app.state.done == 1


async def test_a_proxy_answers_html_for_a_server_that_is_away_until_it_is_back() -> None:
    app = counting_app()
    async with served(app) as client:
        await client.post("/_twin/faults", json={"kind": "html_502", "times": None})
        answers = [await client.post("/api/things/7") for _ in range(2)]
        assert [answer.status_code for answer in answers] == [502, 502]
        assert answers[0].headers["content-type"].startswith("text/html")
        await client.delete("/_twin/faults")
        assert (await client.post("/api/things/7")).status_code == 200


async def test_calls_are_counted_by_route_and_the_twins_own_are_not() -> None:
    async with served(counting_app()) as client:
        await client.post("/_twin/faults", json={"kind": "status", "status": 503})
        assert (await client.post("/api/things/7")).json()["message"] == "Service Unavailable"
        await client.post("/api/things/8")
        calls = (await client.get("/_twin/calls")).json()
        assert calls == {"total": 2, "by_route": {"POST /api/things/{id}": 2}}


async def test_latency_is_paid_by_every_call() -> None:
    async with served(counting_app()) as client:
        await client.post("/_twin/latency", json={"seconds": 0.1})
        answer = await client.post("/api/things/7")
        assert answer.elapsed.total_seconds() >= 0.1

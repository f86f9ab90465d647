"""Health: alive while the process answers, ready while nothing stands in the way, and what does."""

import asyncio
import signal
from dataclasses import dataclass, field
from datetime import datetime

import uvicorn
from fastapi import APIRouter, FastAPI, Response
from prometheus_client import CONTENT_TYPE_LATEST, Gauge, generate_latest
from pydantic import BaseModel

from hourbook_kit import clock

OBSTACLE = Gauge("hourbook_obstacle", "1 while it stands in the way, by name", ["name"])


class Obstacle(BaseModel):
    """What stands in the way, since when, in a sentence for people."""

    name: str
    since: datetime
    sentence: str


class Readiness(BaseModel):
    ready: bool
    obstacles: list[Obstacle]


@dataclass
class Health:
    """What a service says of itself; its loops set and clear obstacles by name."""

    obstacles: dict[str, Obstacle] = field(default_factory=dict)
    started: bool = False

    def hinder(self, name: str, sentence: str) -> None:
        """Note an obstacle; one that stands already keeps its beginning."""
        old = self.obstacles.get(name)
        since = old.since if old else clock.now()
        self.obstacles[name] = Obstacle(name=name, since=since, sentence=sentence)

    def clear(self, name: str) -> None:
        self.obstacles.pop(name, None)

    def readiness(self) -> Readiness:
        return Readiness(ready=self.started, obstacles=list(self.obstacles.values()))


def routes(health: Health) -> APIRouter:
    """`/live`, `/ready` with reasons (503 until started), `/metrics`."""
    router = APIRouter()

    @router.get("/live")
    async def live() -> dict[str, bool]:
        return {"alive": True}

    @router.get("/ready")
    async def ready(response: Response) -> Readiness:
        found = health.readiness()
        if not found.ready:
            response.status_code = 503
        return found

    @router.get("/metrics", include_in_schema=False)
    async def metrics() -> Response:
        OBSTACLE.clear()
        for name in health.obstacles:
            OBSTACLE.labels(name).set(1)
        return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)

    return router


def health_app(health: Health) -> FastAPI:
    """For a service that has no HTTP of its own; everything under `/health`."""
    app = FastAPI(
        title="Hourbook health",
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        telemetry={"tracing": False, "metrics": False, "logs": False},  # probes tell no story
    )
    app.include_router(routes(health), prefix="/health")
    return app


async def serve(app: FastAPI, host: str, port: int) -> None:
    """Serve until SIGTERM or SIGINT; logs through ours, no access log."""
    for number in (signal.SIGTERM, signal.SIGINT):  # uvicorn stops at it, then raises it again
        asyncio.get_running_loop().add_signal_handler(number, lambda: None)
    config = uvicorn.Config(
        app,
        host=host,
        port=port,
        log_config=None,
        access_log=False,
        proxy_headers=False,  # whose X-Forwarded-For is believed is the service's to know
        timeout_graceful_shutdown=3,
    )
    await uvicorn.Server(config).serve()


async def serve_until_stopped(
    app: FastAPI, host: str, port: int, *work: asyncio.Task[None]
) -> None:
    """Serve until a signal comes; then cancel the service's loops and wait for them."""
    await serve(app, host, port)
    for task in work:
        task.cancel()
    await asyncio.gather(*work, return_exceptions=True)

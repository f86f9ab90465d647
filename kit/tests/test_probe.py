"""The health check inside an image."""

from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread

import pytest

from hourbook_kit.probe import answers_well


class Service(BaseHTTPRequestHandler):
    """Ready, but nowhere else."""

    def do_GET(self) -> None:
        self.send_response(200 if self.path == "/health/ready" else 503)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def address() -> Iterator[str]:
    server = HTTPServer(("127.0.0.1", 0), Service)
    thread = Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_service_that_answers_well_is_healthy_and_any_other_is_not(address: str) -> None:
    assert answers_well(f"{address}/health/ready")
    assert not answers_well(f"{address}/elsewhere")


def test_where_nobody_listens_nobody_is_healthy() -> None:
    assert not answers_well("http://127.0.0.1:1/health/ready")

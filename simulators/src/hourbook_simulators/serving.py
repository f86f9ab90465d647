"""Runs a twin under uvicorn, with connections that a fault can reset.

The protocol class lends each request its own transport, for ASGI has no word for hanging up.
"""

import asyncio
import socket
import struct
from typing import Any

import uvicorn
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

EXTENSION = "hourbook.transport"
LINGER_ZERO = struct.pack("ii", 1, 0)  # closing then sends RST instead of FIN


class ResettableProtocol(H11Protocol):
    """Plain HTTP/1.1, and the scope knows its transport."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        app = self.app

        async def with_transport(scope: Scope, receive: Receive, send: Send) -> None:
            scope.setdefault("extensions", {})[EXTENSION] = self.transport
            await app(scope, receive, send)

        self.app = with_transport


async def reset(scope: Scope, receive: Receive) -> None:
    """Drop the caller's connection without an answer."""
    transport: asyncio.Transport | None = scope.get("extensions", {}).get(EXTENSION)
    if transport is None:
        raise ConnectionResetError("the twin was told to drop this connection")
    sock = transport.get_extra_info("socket")
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, LINGER_ZERO)
    transport.abort()
    while (await receive())["type"] != "http.disconnect":
        pass  # else uvicorn would find that nothing was answered, and answer 500


def server(app: ASGIApp, port: int, host: str = "127.0.0.1") -> uvicorn.Server:
    """`.run()` serves until SIGTERM or SIGINT, then stops within a second or so."""
    config = uvicorn.Config(
        app,
        host=host,
        port=port,
        http=ResettableProtocol,
        ws="none",
        access_log=False,
        log_level="warning",
        proxy_headers=False,
        timeout_graceful_shutdown=1,
    )
    return uvicorn.Server(config)

"""A load on a server of this machine: a few connections that never wait for anything but answers."""

import asyncio
import time
from collections import Counter
from collections.abc import Sequence


async def requests_per_second(
    port: int, requests: Sequence[bytes], *, connections: int = 16
) -> tuple[float, Counter[int]]:
    """Send all of them over kept connections; gives the rate and how often each status came."""
    waiting = iter(requests)
    statuses: Counter[int] = Counter()

    async def one_after_the_other() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        try:
            for request in waiting:
                writer.write(request)
                head = await reader.readuntil(b"\r\n\r\n")
                statuses[int(head[9:12])] += 1
                await reader.readexactly(_length(head))
        finally:
            writer.close()

    began = time.monotonic()
    await asyncio.gather(*(one_after_the_other() for _ in range(connections)))
    return len(requests) / (time.monotonic() - began), statuses


def _length(head: bytes) -> int:
    for line in head.lower().split(b"\r\n"):
        if line.startswith(b"content-length:"):
            return int(line.split(b":")[1])
    return 0


def post(path: str, body: bytes, **headers: str) -> bytes:
    """The bytes of a POST."""
    lines = [
        f"POST {path} HTTP/1.1",
        "Host: 127.0.0.1",
        "Content-Type: application/json; charset=utf-8",
        f"Content-Length: {len(body)}",
        *(f"{name.replace('_', '-')}: {value}" for name, value in headers.items()),
    ]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body

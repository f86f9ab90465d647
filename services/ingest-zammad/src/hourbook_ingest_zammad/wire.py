"""HTTP GET over kept connections, without httpx's client and pool around it.

For each request the pool looks at every connection it has, for each of them at every other, and the
client builds URLs and cookies anew: with 32 connections that is more than all else a ticket costs.
Here each connection is a pool of its own, and the one that was free last is taken first.
"""

import asyncio
import sys
from collections.abc import Mapping
from functools import cached_property
from ssl import SSLContext
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

import httpx

sys.modules.setdefault("sniffio", None)  # type: ignore[arg-type]  # how Python is told that there is none
"""httpcore asks for it five times a request, and a search that finds nothing costs 0.6 ms each time."""

TIMEOUT = httpx.Timeout(15, connect=4)
CONNECTIONS = 40
_ONE = httpx.Limits(max_connections=1, max_keepalive_connections=1)
_LOCAL = ("127.0.0.1", "localhost")


class Wire:
    """One server, its address and the headers it is always sent; follows no redirects, keeps no cookies."""

    def __init__(
        self,
        base_url: str,
        headers: Mapping[str, str],
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self._base_url, self._transport = base_url, transport
        self._headers = {"Accept-Encoding": "gzip, deflate", "Connection": "keep-alive"} | dict(
            headers
        )
        self._extensions = {"timeout": TIMEOUT.as_dict()}
        self._room = asyncio.Semaphore(CONNECTIONS)
        self._free: list[httpx.AsyncBaseTransport] = []

    async def get(self, path: str, params: Mapping[str, str | int]) -> httpx.Response:
        """The whole answer, whatever its status; raises `httpx.HTTPError` where there is none."""
        request = httpx.Request(
            "GET",
            httpx.URL(self._base_url + path, params=params or None),
            headers=self._headers,
            extensions=self._extensions,
        )
        async with self._room:
            connection = self._free.pop() if self._free else self._opened()
            try:
                answer = await connection.handle_async_request(request)
                try:
                    await answer.aread()
                finally:
                    await answer.aclose()
            finally:
                self._free.append(connection)
        return answer

    async def close(self) -> None:
        """When nobody asks any longer."""
        for connection in self._free:
            await connection.aclose()

    def _opened(self) -> httpx.AsyncBaseTransport:
        return self._transport or httpx.AsyncHTTPTransport(
            verify=self._trust, proxy=self._proxy, limits=_ONE
        )

    @cached_property
    def _trust(self) -> SSLContext:
        """Read once: the certificates take 40 ms."""
        return httpx.create_ssl_context(verify=self._base_url.startswith("https:"))

    @cached_property
    def _proxy(self) -> str | None:
        """As the environment says; never for this machine."""
        address = urlsplit(self._base_url)
        host = address.hostname or ""
        if host in _LOCAL or proxy_bypass(host):
            return None
        proxies = getproxies()
        return proxies.get(address.scheme) or proxies.get("all")

"""Questions to one Zammad, whatever it answers."""

from collections.abc import Mapping

import httpx

from hourbook_kit.http import Transport

TIMEOUT = httpx.Timeout(15, connect=4)


class Wire:
    """One server, its address and the headers it is always sent.

    Without httpx's client around it: its cookies and redirects nobody here wants.
    """

    def __init__(
        self,
        base_url: str,
        headers: Mapping[str, str],
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self._base_url, self._headers = base_url, headers
        self._extensions = {"timeout": TIMEOUT.as_dict()}
        self._transport = transport or Transport(base_url)

    async def ask(
        self, method: str, path: str, params: Mapping[str, str | int], body: object = None
    ) -> httpx.Response:
        """The whole answer, whatever its status; raises `httpx.HTTPError` where there is none."""
        request = httpx.Request(
            method,
            httpx.URL(self._base_url + path, params=params or None),
            headers=self._headers,
            json=body,
            extensions=self._extensions,
        )
        answer = await self._transport.handle_async_request(request)
        await answer.aread()
        return answer

    async def close(self) -> None:
        """When nobody asks any longer."""
        await self._transport.aclose()

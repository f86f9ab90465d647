"""One Zammad's API: a question gives its JSON, or an error whose sentence says what to do."""

from typing import Any

import httpx

from hourbook_contracts.zammad.answers import Meaning, outcome
from hourbook_ingest_zammad.metrics import CALLS
from hourbook_ingest_zammad.paging import PAGE_ROWS
from hourbook_ingest_zammad.wire import Wire
from hourbook_kit.source.protocol import (
    BadCredentialsError,
    GoneError,
    MissingPermissionError,
    RefusedError,
    RetriableError,
)

UNFIT = "Zammad is older than 6.2 here and has no list of all time accountings: update it to 6.2 or newer."


_ERRORS = {
    Meaning.GONE: GoneError,
    Meaning.CREDENTIALS: BadCredentialsError,
    Meaning.PERMISSION: MissingPermissionError,
    Meaning.AWAY: RetriableError,
    Meaning.REFUSED: RefusedError,
}


class Calls:
    def __init__(self, wire: Wire) -> None:
        self._wire = wire
        self.page_rows = PAGE_ROWS
        """What a page of it holds at most, as far as was seen."""

    async def get(self, path: str, **params: str | int) -> Any:
        return await self._ask("GET", path, params, None)

    async def post(self, path: str, body: object) -> Any:
        """A question that does not fit into an address; it changes nothing."""
        return await self._ask("POST", path, {}, body)

    async def _ask(self, method: str, path: str, params: dict[str, str | int], body: object) -> Any:
        try:
            answer = await self._wire.ask(method, path, params, body)
        except httpx.HTTPError as error:
            CALLS.labels("none").inc()
            raise RetriableError(
                f"Zammad gives no answer ({type(error).__name__}): look at its address and the network."
            ) from error
        CALLS.labels(answer.status_code).inc()
        kind = answer.headers.get("content-type", "")
        found = outcome(answer.status_code, kind, answer.content)
        if found.meaning is not Meaning.TOLD:
            raise _ERRORS[found.meaning](found.sentence)
        return answer.json()

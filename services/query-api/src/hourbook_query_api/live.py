"""What moves, as it moves: server-sent events of ids; whoever wants more asks for it.

Read it with `fetch` (it asks for `Authorization`). A stream ends by itself after a while, with `bye`.
Events have no id, and `Last-Event-ID` changes nothing: what moved while nobody listened is not told again,
so ask for what is on the screen after each `hello`, as our own pages do.
"""

import asyncio
from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import Depends
from fastapi.sse import EventSourceResponse, ServerSentEvent

from hourbook_query_api.changes import Kind
from hourbook_query_api.connectors import Open
from hourbook_query_api.desk import Desk
from hourbook_query_api.guard import guarded_router
from hourbook_query_api.people import Who, person_of_session
from hourbook_query_api.problems import Kind as Trouble
from hourbook_query_api.problems import ProblemError
from hourbook_query_api.shown import Shown

router = guarded_router("/api", "live")

STREAMS_MAX = 200
CHECK_SECONDS = 10
"""Whether the session still stands."""


class Moved(Shown):
    """`event: moved`. There are `hello` at the beginning and `bye` at the end, too, without data."""

    kind: Kind
    ids: list[str]
    """Of entries, conflicts (`conflict`), tickets (`book`), resolutions, connectors, mappings, runs, users, jobs."""
    many: bool
    """More than are told, or not known which: ask for all that is shown of this kind."""


async def seat(desk: Open) -> None:
    if len(desk.changes) >= STREAMS_MAX:
        raise ProblemError(
            Trouble.TOO_MANY_STREAMS, "Poll every few seconds; there are too many live streams."
        )


@router.get("/live", response_class=EventSourceResponse)
async def stream_changes(
    desk: Open, who: Who, _: Annotated[None, Depends(seat)]
) -> AsyncIterator[Moved]:
    with desk.changes.listening() as listener:
        yield ServerSentEvent(event="hello", data={}, retry=2000)  # type: ignore[misc]  # FastAPI takes both
        clock = asyncio.get_running_loop()
        until = clock.time() + desk.settings.live_seconds_max
        while (left := until - clock.time()) > 0 and await _stands(desk, who):
            try:
                async with asyncio.timeout(min(left, CHECK_SECONDS)):
                    moved = await listener.take()
            except TimeoutError:
                continue
            for one in moved:
                shown = Moved(kind=one.kind, ids=one.ids, many=one.many)
                yield ServerSentEvent(event="moved", data=shown)  # type: ignore[misc]  # as above
        yield ServerSentEvent(event="bye", data={})  # type: ignore[misc]  # as above


async def _stands(desk: Desk, who: Who) -> bool:
    return await person_of_session(desk.pool, who.id, who.session) is not None

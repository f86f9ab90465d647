"""Watching tickets: another customer, another title or a merge changes no booking at all.

Where a source does not let us search, only a webhook tells of these; that is said, and the rest goes on.
"""

import time
from collections.abc import Collection
from contextlib import aclosing
from datetime import datetime

from hourbook_contracts.installation import Source
from hourbook_kit.source import protocol
from hourbook_kit.source.obstacles import Obstacles
from hourbook_kit.source.protocol import (
    BadCredentialsError,
    SourceError,
    TicketSeen,
    UnreadableError,
)
from hourbook_kit.source.requests import Requests
from hourbook_kit.source.store import Store

OBSTACLE = "tickets"
ASK_AGAIN_SECONDS = 600


class TicketWatch:
    """Of one source; asks for those we know and have not read since they changed."""

    def __init__(self, store: Store, requests: Requests, obstacles: Obstacles) -> None:
        self._store, self._requests, self._obstacles = store, requests, obstacles
        self._asked: dict[int, tuple[datetime, float]] = {}

    async def begin(self, source: Source, system: protocol.Source) -> datetime | None:
        """From when on tickets are looked through: what is read after this needs no looking."""
        try:
            return await system.newest_ticket()
        except (SourceError, UnreadableError) as error:
            await self._hindered(source, error)
            return None

    async def poll(
        self, source: Source, system: protocol.Source, since: datetime, just_asked: Collection[int]
    ) -> datetime | None:
        """When the last one changed; None where nothing could be found out."""
        newest = since
        try:
            async with aclosing(system.tickets_changed(since)) as pages:
                async for page in pages:
                    await self._ask(source, page, just_asked)
                    newest = max([newest, *(seen.updated_at for seen in page)])
        except (SourceError, UnreadableError) as error:
            await self._hindered(source, error)
            return None
        await self._obstacles.clear(source.name, OBSTACLE)
        return newest

    async def _hindered(self, source: Source, error: Exception) -> None:
        if isinstance(error, BadCredentialsError):
            raise error
        await self._obstacles.hinder(
            source.name,
            OBSTACLE,
            f"Tickets cannot be searched: another customer and merges are seen by webhook only. {error}",
        )

    async def _ask(
        self, source: Source, page: list[TicketSeen], just_asked: Collection[int]
    ) -> None:
        known = await self._store.known_tickets(source.name, [seen.id for seen in page])
        at = time.monotonic()
        fresh = [
            seen
            for seen in page
            if seen.id in known
            and seen.id not in just_asked
            and ((read := known[seen.id]) is None or read < seen.updated_at)
            and not self._was_asked(seen, at)
        ]
        await self._requests.ask(source.name, [seen.id for seen in fresh], "poll")
        for seen in fresh:
            self._asked[seen.id] = (seen.updated_at, at)

    def _was_asked(self, seen: TicketSeen, at: float) -> bool:
        changed_at, asked_at = self._asked.get(seen.id, (None, 0.0))
        return changed_at == seen.updated_at and at - asked_at < ASK_AGAIN_SECONDS

"""What the author of a connector gives to the suite: a system of the kind that can be told what happens in it.

A connector's file has `SOURCES` or `TARGETS`: by a name, what opens a fresh twin with the connector
connected to it. The twin is told, the connector is asked; neither knows of the other.
"""

from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager
from datetime import datetime, timedelta
from typing import Literal, Protocol

from hourbook_contracts.ledger import Place
from hourbook_kit.source.protocol import Source
from hourbook_kit.target.protocol import Target

Failure = Literal["silent", "broken", "nonsense"]
"""It cannot be reached; it fails on its side; something else answers in its place."""
FAILURES: tuple[Failure, ...] = ("silent", "broken", "nonsense")


class SourceTwin(Protocol):
    """A source with at least one ticket, on which nobody has booked yet."""

    @property
    def source(self) -> Source:
        """The connector, connected to this; with pages as small as it allows."""

    @property
    def tickets(self) -> tuple[int, int]:
        """Two tickets, by whatever name people find them."""

    async def book(self, ticket_id: int, units: str) -> int:
        """Somebody books time; gives the booking's id."""

    async def edit(self, booking_id: int, units: str) -> None: ...

    async def delete(self, booking_id: int) -> None: ...

    async def delete_ticket(self, ticket_id: int) -> None:
        """With all its time."""

    async def spoil(self, booking_id: int) -> None:
        """It stands there, and cannot be read."""

    async def mend(self, booking_id: int) -> None:
        """What was spoiled is again as it was."""

    async def fail(self, how: Failure) -> None:
        """From now on."""

    async def heal(self) -> None: ...

    async def set_clock(self, ahead: timedelta) -> None:
        """The source's own clock is off by this much, also backwards."""


OpensSource = Callable[[], AbstractAsyncContextManager[SourceTwin]]
Sources = Mapping[str, OpensSource]


LostAnswer = Literal["lost", "late"]
"""It is done and the connection breaks; it is done and an error is answered all the same."""
LOST_ANSWERS: tuple[LostAnswer, ...] = ("lost", "late")


class TargetTwin(Protocol):
    """A target in which nobody has written a timesheet yet."""

    @property
    def target(self) -> Target:
        """The connector, connected to this."""

    @property
    def places(self) -> tuple[Place, Place]:
        """Of two workers, where hours of each may stand."""

    async def rows(self) -> list[int]:
        """The ids of all timesheets there are, by whatever way but the connector."""

    async def write(self, place: Place, began_at: datetime, seconds: int, text: str) -> int:
        """A person writes one by hand; gives its id."""

    async def edit(self, timesheet_id: int, text: str) -> None:
        """A person writes other words into it."""

    async def delete(self, timesheet_id: int) -> None: ...

    async def fail(self, how: Failure | LostAnswer) -> None:
        """From now on."""

    async def heal(self) -> None: ...

    async def set_clock(self, ahead: timedelta) -> None:
        """The target's own clock is off by this much, also backwards."""


OpensTarget = Callable[[], AbstractAsyncContextManager[TargetTwin]]
Targets = Mapping[str, OpensTarget]

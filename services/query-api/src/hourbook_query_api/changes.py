"""What moved, told to whoever listens: kinds and ids, never contents."""

import asyncio
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from typing import Literal, NamedTuple

from hourbook_contracts.control import (
    ConnectionEvent,
    ControlEvent,
    MappingRemoved,
    MappingSet,
    SyncRequested,
)
from hourbook_contracts.house import RunEnded, RunMissed, ScheduleSet, UserChanged

Kind = Literal[
    "entries",
    "conflicts",
    "tickets",
    "resolutions",
    "connectors",
    "mappings",
    "schedule",
    "runs",
    "users",
    "jobs",
]
IDS_MAX = 200


class Moved(NamedTuple):
    kind: Kind
    ids: list[str]
    many: bool
    """More than are told, or not known which."""


class Listener:
    """Gathers what moves until somebody takes it; however slow they are, it stays small."""

    def __init__(self) -> None:
        self._ids: dict[Kind, set[str]] = {}
        self._many: set[Kind] = set()
        self._moved = asyncio.Event()

    def hear(self, kind: Kind, ids: Collection[str], *, many: bool) -> None:
        known = self._ids.setdefault(kind, set())
        known.update(ids)
        if many or len(known) > IDS_MAX:
            self._many.add(kind)
            known.clear()
        self._moved.set()

    async def take(self) -> list[Moved]:
        """As soon as there is something."""
        await self._moved.wait()
        self._moved.clear()
        ids, many = self._ids, self._many
        self._ids, self._many = {}, set()
        return [
            Moved(kind, [] if kind in many else sorted(found), kind in many)
            for kind, found in ids.items()
        ]


class Changes:
    def __init__(self) -> None:
        self._listeners: set[Listener] = set()
        self.wanted = asyncio.Event()
        """Set while anybody listens."""

    def __len__(self) -> int:
        return len(self._listeners)

    @contextmanager
    def listening(self) -> Iterator[Listener]:
        listener = Listener()
        self._listeners.add(listener)
        self.wanted.set()
        try:
            yield listener
        finally:
            self._listeners.discard(listener)
            if not self._listeners:
                self.wanted.clear()

    def tell(self, kind: Kind, ids: Collection[str], *, many: bool = False) -> None:
        if ids or many:
            for listener in self._listeners:
                listener.hear(kind, ids, many=many)

    def tell_event(self, event: ControlEvent) -> None:
        """What a control event moved in our own rows."""
        match event:
            case SyncRequested():
                self.tell("runs", [event.run or event.connection])
            case ConnectionEvent():
                self.tell("connectors", [event.connection])
            case MappingSet() | MappingRemoved():
                self.tell("mappings", [event.mapping])
            case ScheduleSet():
                self.tell("schedule", ["schedule"])
            case RunEnded():
                self.tell("runs", [event.run])
            case RunMissed():
                self.tell("runs", [], many=True)
            case UserChanged():
                self.tell("users", [event.user])
            case _:
                pass

"""The folder's connector at a folder in which people write, for `pytest --connector`."""

import hashlib
import shutil
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from hourbook_kit import clock
from hourbook_kit.conformance.twins import Failure, Sources
from hourbook_source_csv.folder import SUMS, Folder

HEADER = "id,ticket,agent,units,made_at,organization,title"


class Office:
    """Writes one file a ticket, and the list of digests after each change."""

    def __init__(self, path: Path) -> None:
        self.path, self.source = path, Folder(path.as_uri())
        self.tickets = (1, 2)
        self.lines: dict[int, tuple[int, str]] = {}
        self.spoiled: dict[int, str] = {}
        self.ahead = timedelta()
        self._last = 0
        self.write()

    def write(self) -> None:
        for ticket in self.tickets:
            rows = [line for at, line in self.lines.values() if at == ticket]
            (self.path / f"ticket-{ticket}.csv").write_text("\n".join([HEADER, *rows]) + "\n")
        self.seal()

    def seal(self) -> None:
        sums = [
            f"{hashlib.sha256(file.read_bytes()).hexdigest()}  {file.name}\n"
            for file in sorted(self.path.glob("*.csv"))
        ]
        fresh = self.path / f"{SUMS}.new"
        fresh.write_text("".join(sums))
        fresh.replace(self.path / SUMS)

    def line(self, booking_id: int, ticket_id: int, units: str, made_at: datetime) -> str:
        return f"{booking_id},{ticket_id},3,{units},{made_at.isoformat()},4,Printer"

    async def book(self, ticket_id: int, units: str) -> int:
        self._last += 1
        made_at = clock.now().astimezone(UTC) + self.ahead
        self.lines[self._last] = ticket_id, self.line(self._last, ticket_id, units, made_at)
        self.write()
        return self._last

    async def edit(self, booking_id: int, units: str) -> None:
        ticket, line = self.lines[booking_id]
        fields = line.split(",")
        fields[3] = units
        self.lines[booking_id] = ticket, ",".join(fields)
        self.write()

    async def delete(self, booking_id: int) -> None:
        del self.lines[booking_id]
        self.write()

    async def delete_ticket(self, ticket_id: int) -> None:
        self.lines = {one: line for one, line in self.lines.items() if line[0] != ticket_id}
        self.write()

    async def spoil(self, booking_id: int) -> None:
        self.spoiled[booking_id] = self.lines[booking_id][1].split(",")[3]
        await self.edit(booking_id, "much")

    async def mend(self, booking_id: int) -> None:
        await self.edit(booking_id, self.spoiled.pop(booking_id))

    async def fail(self, how: Failure) -> None:
        if how == "silent":  # it is not mounted
            self.path.rename(self.path.with_suffix(".away"))
        elif how == "broken":  # somebody is just writing
            file = next(self.path.glob("*.csv"))
            file.write_bytes(file.read_bytes()[:-7])
        else:  # somebody took the list for something else
            (self.path / SUMS).write_text("Welcome!\n")

    async def heal(self) -> None:
        if not self.path.exists():
            self.path.with_suffix(".away").rename(self.path)
        self.write()

    async def set_clock(self, ahead: timedelta) -> None:
        self.ahead = ahead


@asynccontextmanager
async def folder() -> AsyncIterator[Office]:
    root = Path(tempfile.mkdtemp(prefix="hourbook-csv-"))
    (root / "hours").mkdir()
    try:
        yield Office(root / "hours")
    finally:
        shutil.rmtree(root)


SOURCES: Sources = {"csv": folder}

"""Time booked in the CSV files of a folder, as a source: what `SHA256SUMS` lists, whole or not at all.

The folder says by itself when it is finished: `SHA256SUMS` holds the digest of every CSV file in it, as
`sha256sum` writes it. A file that is half written has another digest, a list that is half written leaves
a file out, a folder that is not mounted has no list: none of these is ever read as truth.
"""

import asyncio
import hashlib
import os
import re
from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import unquote, urlsplit

from hourbook_contracts.zammad.units import SaidUnit
from hourbook_kit import clock
from hourbook_kit.source.protocol import (
    BadCredentialsError,
    BadRecord,
    Connector,
    Page,
    RetriableError,
    TicketRead,
    TicketSeen,
    UnfitError,
)
from hourbook_source_csv.lines import Content, File, Line, content

SUMS = "SHA256SUMS"
SUFFIX = ".csv"
PAGE_ROWS = 1000
FILE_LIMIT_BYTES = 64 * 1024 * 1024
SETTLED_AFTER = timedelta(seconds=2)
"""A file that is this old at its reading cannot change without another change time."""
UNFINISHED = (
    "The folder has no {0} that lists its files: when they are whole, write it as"
    " `sha256sum *.csv > {0}.new && mv {0}.new {0}`."
)
_SUM = re.compile(r"([0-9a-f]{64}) [ *]([^/\0]+)")

Signature = frozenset[tuple[str, int, int, int]]
"""Of each file its name, inode, length and change time: the same signature, the same folder."""


@dataclass(frozen=True, slots=True)
class Reading:
    """The folder as it was at one moment, proven."""

    content: Content
    tickets: Mapping[int, tuple[Line, ...]]
    signature: Signature
    settled: bool


class Folder:
    """One folder, as a source of bookings."""

    def __init__(self, base_url: str) -> None:
        address = urlsplit(base_url)
        self._path = Path(unquote(address.path)) if address.scheme == "file" else None
        self._last: Reading | None = None
        self._looking = asyncio.Lock()

    async def close(self) -> None:
        """Nothing is kept open."""

    # ------------------------------------------------------------------------- what the loops ask
    @property
    def walks(self) -> str | None:
        """Reading all of it is how a folder is read: nothing to say to anybody."""
        return None

    def verifies(self, body: bytes, signature: str | None) -> bool:
        """A folder sends no deliveries."""
        del body, signature
        return False

    async def read_ticket(self, ticket_id: int) -> TicketRead:
        shown = await self._shown()
        lines = shown.tickets.get(ticket_id, ())
        return TicketRead(
            lines[-1].ticket._replace(updated_at=_changed_at(lines)) if lines else None,
            tuple(line.booking for line in lines),
            kept=shown.content.kept,
            doubtful=shown.content.doubtful,
        )

    async def latest(self, since: datetime | None) -> AsyncGenerator[Page, None]:
        """All of them: a line does not tell when it was changed."""
        del since
        async for page in self.everything():
            yield page

    async def everything(self) -> AsyncGenerator[Page, None]:
        shown = (await self._shown()).content
        bookings = [line.booking for line in shown.lines.values()]
        yield Page(bookings[:PAGE_ROWS], set(), shown.kept)
        for begins in range(PAGE_ROWS, len(bookings), PAGE_ROWS):
            yield Page(bookings[begins : begins + PAGE_ROWS], set())

    async def tickets_changed(self, since: datetime) -> AsyncGenerator[list[TicketSeen], None]:
        """Those of the files that changed since then."""
        shown = await self._shown()
        seen = [TicketSeen(ticket, _changed_at(lines)) for ticket, lines in shown.tickets.items()]
        yield [one for one in seen if one.updated_at >= since]

    async def newest_ticket(self) -> datetime | None:
        shown = await self._shown()
        return max((_changed_at(lines) for lines in shown.tickets.values()), default=None)

    async def is_gone(self, booking_id: int) -> bool:
        shown = (await self._shown()).content
        return booking_id not in shown.lines and booking_id not in shown.kept and not shown.doubtful

    async def control(self) -> None:
        await self._shown()

    async def said_unit(self) -> SaidUnit | None:
        return None

    async def bad_records(self) -> tuple[BadRecord, ...]:
        return (await self._shown()).content.bad

    # ----------------------------------------------------------------------------------- plumbing
    async def _shown(self) -> Reading:
        """As it is now; read anew unless it is surely the same."""
        if self._path is None:
            raise BadCredentialsError("the address of a folder begins with file:///")
        async with self._looking:
            self._last = await asyncio.to_thread(_read, self._path, self._last, clock.now())
            return self._last


def _read(folder: Path, last: Reading | None, at: datetime) -> Reading:
    try:
        signature, newest = _signature(folder)
        if last is not None and last.settled and last.signature == signature:
            return last
        found = content(_files(folder))
        if _signature(folder)[0] != signature:
            raise RetriableError("the folder was changed while it was read")
    except OSError as error:
        raise RetriableError(f"the folder cannot be read ({type(error).__name__})") from error
    tickets: dict[int, list[Line]] = {}
    for _, line in sorted(found.lines.items()):
        tickets.setdefault(line.booking.ticket_id, []).append(line)
    settled = at - newest > SETTLED_AFTER
    return Reading(found, {t: tuple(lines) for t, lines in tickets.items()}, signature, settled)


def _signature(folder: Path) -> tuple[Signature, datetime]:
    """Also the youngest change time."""
    found = [
        (entry.name, stat.st_ino, stat.st_size, stat.st_ctime_ns)
        for entry in os.scandir(folder)
        if entry.name == SUMS or entry.name.endswith(SUFFIX)
        for stat in [entry.stat()]
    ]
    newest = max((changed for *_, changed in found), default=0)
    return frozenset(found), _moment(newest)


def _files(folder: Path) -> list[File]:
    """What the list lists, each with the digest it says; the folder holds no other."""
    listed = _listed(folder)
    there = {entry.name for entry in os.scandir(folder) if entry.name.endswith(SUFFIX)}
    odd = sorted(there ^ listed.keys())
    if odd:
        raise RetriableError(
            f"{odd[0]} is not both in the folder and in {SUMS}: it is being written"
        )
    return [_file(folder / name, digest) for name, digest in sorted(listed.items())]


def _listed(folder: Path) -> dict[str, str]:
    try:
        rows = (folder / SUMS).read_text(encoding="utf-8", errors="replace").splitlines()
    except FileNotFoundError:
        rows = []
    found = [_SUM.fullmatch(row) for row in rows]
    listed = {match[2]: match[1] for match in found if match and match[2].endswith(SUFFIX)}
    if not listed or not all(found):
        raise UnfitError(UNFINISHED.format(SUMS))
    return listed


def _file(path: Path, digest: str) -> File:
    with path.open("rb") as opened:
        stat = os.fstat(opened.fileno())
        if stat.st_size > FILE_LIMIT_BYTES:
            raise UnfitError(f"{path.name} is longer than {FILE_LIMIT_BYTES} bytes: split it")
        octets = opened.read(FILE_LIMIT_BYTES + 1)
    if hashlib.sha256(octets).hexdigest() != digest:
        raise RetriableError(f"{path.name} is not what {SUMS} says: it is being written")
    return File(path.name, octets, _moment(stat.st_ctime_ns))


def _moment(nanoseconds: int) -> datetime:
    return datetime.fromtimestamp(nanoseconds // 1000 / 1_000_000, UTC)


def _changed_at(lines: tuple[Line, ...]) -> datetime:
    return max(line.ticket.updated_at for line in lines if line.ticket.updated_at is not None)


def _connect(base_url: str, secrets: Mapping[str, str]) -> Folder:
    del secrets
    return Folder(base_url)


CONNECTOR = Connector(_connect)

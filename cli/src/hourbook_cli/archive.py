"""The file of a backup: gzipped lines of JSON with a checksum of each part, written so that it can go on.

A head, the records of each log as Kafka holds them, the vault's rows (encrypted, as they are), and an
end with the count and the SHA-256 of each part (a partition, a table). It is a row of gzip members,
each whole lines: of a backup that was stopped the whole members are kept, and the next one goes on
behind them. Any gunzip reads it.
"""

import gzip
import hashlib
import json
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, BinaryIO

FORMAT = 2
"""Of 1, which had no checksums, is read as well."""
MEMBER_LINES = 20_000
_CHUNK = 1 << 20

Json = dict[str, Any]


class BackupError(Exception):
    """A backup that is not whole, or a place it must not be restored to."""


@dataclass(frozen=True, slots=True)
class Told:
    """What a backup holds: records by topic, rows by the vault's table."""

    made_at: str
    cluster_id: str
    records: dict[str, int]
    rows: dict[str, int]


@dataclass(slots=True)
class Sums:
    """How many lines each part has, and a running SHA-256 over them."""

    counts: dict[str, int] = field(default_factory=dict)
    _digests: dict[str, Any] = field(default_factory=dict)

    def add(self, line: Json) -> None:
        part = part_of(line)
        self.counts[part] = self.counts.get(part, 0) + 1
        self._digests.setdefault(part, hashlib.sha256()).update(text_of(line))

    def hexdigest(self, part: str) -> str:
        digest: str = self._digests[part].hexdigest()
        return digest

    def all(self) -> dict[str, str]:
        return {part: self.hexdigest(part) for part in sorted(self._digests)}

    def records(self) -> dict[str, int]:
        """By topic."""
        found: dict[str, int] = {}
        for part, count in self.counts.items():
            topic, slash, _ = part.rpartition("/")
            if slash:
                found[topic] = found.get(topic, 0) + count
        return found

    def rows(self) -> dict[str, int]:
        """By table."""
        return {part: count for part, count in self.counts.items() if "/" not in part}


def part_of(line: Json) -> str:
    """`topic/partition` of a record, the table of a row."""
    return f"{line['topic']}/{line['partition']}" if "topic" in line else str(line["table"])


def text_of(line: Json) -> bytes:
    return json.dumps(line, separators=(",", ":"), ensure_ascii=False).encode() + b"\n"


class Writer:
    """Writes a backup, or goes on with one that was stopped."""

    def __init__(self, to: BinaryIO, sums: Sums | None = None) -> None:
        self._to = to
        self._lines: list[bytes] = []
        self.sums = sums or Sums()

    def head(self, made_at: str, cluster_id: str) -> None:
        head = {"hourbook_backup": FORMAT, "made_at": made_at, "cluster_id": cluster_id}
        self._lines.append(text_of(head))
        self.flush()

    def add(self, line: Json) -> None:
        self.sums.add(line)
        self._lines.append(text_of(line))
        if len(self._lines) >= MEMBER_LINES:
            self.flush()

    def end(self) -> None:
        sums = self.sums
        counts = {"records": sums.records(), "rows": sums.rows(), "sha256": sums.all()}
        self._lines.append(text_of({"end": counts}))
        self.flush()

    def flush(self) -> None:
        """End a member: what is written by now is kept if we are stopped."""
        if self._lines:
            self._to.write(gzip.compress(b"".join(self._lines), mtime=0))
            self._to.flush()
            self._lines.clear()


def resume(half: BinaryIO, cluster_id: str) -> tuple[Json, Sums] | None:
    """The head and sums of what is whole in a backup that was stopped, which is cut there; None: begin anew.

    Of the vault nothing is kept: it is read after the logs, so that no record stands before its key.
    """
    head: Json | None = None
    sums, end = Sums(), 0
    for text, behind in _members(half):
        lines = [json.loads(line) for line in text.splitlines()]
        if head is None:
            head = lines.pop(0)
            if (head.get("hourbook_backup"), head.get("cluster_id")) != (FORMAT, cluster_id):
                return None
        if any("topic" not in line for line in lines):
            break
        for line in lines:
            sums.add(line)
        end = behind
    half.seek(end)
    half.truncate()
    return (head, sums) if head is not None else None


def _members(source: BinaryIO) -> Iterator[tuple[bytes, int]]:
    """The content of each whole gzip member, and where in the file it ends."""
    end, rest = 0, b""
    while True:
        member = zlib.decompressobj(wbits=31)
        text = bytearray()
        while not member.eof:
            chunk, rest = rest or source.read(_CHUNK), b""
            if not chunk:
                return
            try:
                text += member.decompress(chunk)
            except zlib.error:
                return
            end += len(chunk) - len(member.unused_data)
        rest = member.unused_data
        yield bytes(text), end


class Reader:
    """Reads a backup to its end; `told` is there then."""

    told: Told

    def lines(self, source: BinaryIO) -> Iterator[Json]:
        """The records and rows, in their order; raises `BackupError` where it is not whole."""
        try:
            yield from self._lines(gzip.GzipFile(fileobj=source, mode="rb"))
        except (EOFError, OSError, ValueError, KeyError, zlib.error) as error:
            raise BackupError(
                f"This is no whole backup of ours ({type(error).__name__}): it was cut off or changed."
            ) from error

    def _lines(self, unpacked: Iterable[bytes]) -> Iterator[Json]:
        numbered = iter(unpacked)
        head = json.loads(next(numbered, b"{}"))
        if head.get("hourbook_backup") not in (1, FORMAT):
            raise BackupError(f"This is no backup of ours, or of another format than {FORMAT}.")
        sums = Sums()
        for text in numbered:
            line = json.loads(text)
            if "end" in line:
                _compare(sums, line["end"])
                self.told = Told(head["made_at"], head["cluster_id"], sums.records(), sums.rows())
                return
            expected = sums.counts.get(part_of(line), 0)
            if "topic" in line and line["offset"] != expected:
                raise BackupError(f"{part_of(line)} lacks offset {expected}.")
            sums.add(line)
            yield line
        raise BackupError("This backup has no end: it was cut off.")


def _compare(sums: Sums, end: Json) -> None:
    if (end["records"], end["rows"]) != (sums.records(), sums.rows()):
        raise BackupError("This backup holds other numbers of records than it says.")
    found = sums.all()
    changed = [part for part, digest in end.get("sha256", {}).items() if found.get(part) != digest]
    if changed:
        raise BackupError(f"This backup was changed: {', '.join(changed)}.")

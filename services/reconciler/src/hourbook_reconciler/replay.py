"""The ledger read into the past: up to a moment or an offset, and nothing but the ledger.

A moment cuts each partition before its first record that Kafka was given later, so that what is folded
is what stood on the ledger then. One partition after the other; what is done of them can be kept, and
a replay that was stopped goes on behind it.
"""

import hashlib
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterable, Iterator, Mapping
from contextlib import aclosing
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any, Generic, Protocol, TypeVar

from aiokafka import AIOKafkaConsumer, TopicPartition
from pydantic import TypeAdapter

from hourbook_contracts.audit import EntryMoved, Standing
from hourbook_contracts.codec import UndecodableError, decode
from hourbook_contracts.control import ControlEvent, MappingSet
from hourbook_contracts.installation import Installation, Policy, learn
from hourbook_contracts.topics import CONTROL, LEDGER
from hourbook_kit import kafka
from hourbook_kit.settings import KafkaSettings
from hourbook_reconciler.partition import record_of
from hourbook_reconciler.standing import Past, Rules, Selection
from hourbook_reconciler.what_if import moved

FETCH = 5000
STANDINGS = TypeAdapter(list[Standing])
MOVES = TypeAdapter(list[EntryMoved])
T = TypeVar("T")

Progress = Callable[[int, int], None]
"""Told how many records of how many are read."""


class NoSuchPlaceError(ValueError):
    """A place that is not on this ledger; says where it ends."""


@dataclass(frozen=True, slots=True)
class Cut:
    """Where to stop: after a moment, after the record at `partition/offset`, or (neither) at the end."""

    moment: datetime | None = None
    partition: int | None = None
    offset: int | None = None

    @classmethod
    def parse(cls, text: str) -> "Cut":
        """`2026-03-30T12:00:00+02:00` or `7/1234`; raises ValueError with a sentence."""
        partition, slash, offset = text.partition("/")
        if slash and partition.isdecimal() and offset.isdecimal():
            return cls(partition=int(partition), offset=int(offset))
        try:
            moment = datetime.fromisoformat(text)
        except ValueError:
            raise ValueError(
                f"{text} is neither a moment (2026-03-30T12:00:00+02:00) nor a place on the ledger"
                " (partition/offset)"
            ) from None
        if moment.tzinfo is None:
            raise ValueError(f"{text} lacks its offset from UTC: write {text}Z or {text}+02:00")
        return cls(moment=moment)


class Keeper(Protocol):
    """Holds what is done of a replay, so that the next run need not do it again."""

    def get(self, name: str) -> bytes | None: ...
    def put(self, name: str, done: bytes) -> None: ...


class Folder:
    """Keeps parts as files."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    def get(self, name: str) -> bytes | None:
        file = self._folder / f"{name}.json"
        return file.read_bytes() if file.exists() else None

    def put(self, name: str, done: bytes) -> None:
        half = self._folder / f"{name}.half"
        half.write_bytes(done)
        half.replace(self._folder / f"{name}.json")


@dataclass(frozen=True, slots=True)
class Question(Generic[T]):
    """What is asked of each partition's past, and how the answers are kept."""

    name: str
    answer: Callable[[Past], Iterable[T]]
    answers: TypeAdapter[list[T]]


STANDING = Question("standing", Past.standings, STANDINGS)


async def as_of(
    settings: KafkaSettings,
    cut: Cut,
    selection: Selection,
    progress: Progress,
    keeper: Keeper | None = None,
) -> list[Standing]:
    """How the selected entries stood, in the order of partitions, books and entries.

    Raises `NoSuchPlaceError` for a place that the ledger does not have.
    """
    return await ask(settings, STANDING, cut, selection, progress, keeper)


async def what_if(
    settings: KafkaSettings,
    policy: Policy,
    selection: Selection,
    progress: Progress,
    keeper: Keeper | None = None,
) -> list[EntryMoved]:
    """Of the selected entries those of which this policy would have booked something else."""
    digest = hashlib.sha256(repr(policy).encode()).hexdigest()[:12]

    def moves(past: Past) -> Iterator[EntryMoved]:
        for name in sorted(past.books):
            found = moved(past.books[name], policy)
            yield from (one for one in found if selection.takes(one.before.customer))

    question = Question(f"what-if-{digest}", moves, MOVES)
    return await ask(settings, question, Cut(), selection, progress, keeper)


async def ask(
    settings: KafkaSettings,
    question: Question[T],
    cut: Cut,
    selection: Selection,
    progress: Progress,
    keeper: Keeper | None = None,
) -> list[T]:
    """The answers of all partitions that hold what is selected, in their order."""
    answers = parts(settings, question, cut, selection, progress, keeper)
    async with aclosing(answers) as told:
        return [one async for part in told for one in part]


async def parts(
    settings: KafkaSettings,
    question: Question[T],
    cut: Cut,
    selection: Selection,
    progress: Progress,
    keeper: Keeper | None = None,
) -> AsyncGenerator[list[T], None]:
    """The same, partition by partition: of the whole ledger, where not all answers are to be held at once."""
    async with kafka.reading(settings, max_partition_fetch_bytes=8 * 1024 * 1024) as reader:
        ends = await ends_of(reader, cut)
        if selection.book is not None:
            only = kafka.partition_of(selection.book, LEDGER)
            ends = {only: ends[only]}
        rules = Rules()
        async for event, offset in _control_events(reader):
            if isinstance(event, MappingSet):
                rules.learn(event, offset)
        replay = _Replay(reader, question, selection, rules, keeper)
        async with aclosing(replay.run(ends, progress)) as answers:
            async for part in answers:
                yield part


async def installation(settings: KafkaSettings, until: datetime | None = None) -> Installation:
    """What people had set by that moment; all of it, where none is named."""
    known = Installation()
    async with kafka.reading(settings) as reader:
        async for event, offset in _control_events(reader, until):
            known = learn(known, event, offset)
    return known


async def ends_of(reader: AIOKafkaConsumer, cut: Cut) -> dict[int, int]:
    """By partition, the offset to stop before."""
    ends = await _now(reader)
    if cut.partition is None or cut.offset is None:
        return ends if cut.moment is None else await _before(reader, ends, cut.moment)
    if cut.offset >= ends.get(cut.partition, 0):
        last = ends.get(cut.partition, 0) - 1
        raise NoSuchPlaceError(
            f"The ledger has no {cut.partition}/{cut.offset}: "
            + (
                f"its partition {cut.partition} ends at {last}."
                if last >= 0
                else "nothing is there."
            )
        )
    at = TopicPartition(LEDGER.name, cut.partition)
    reader.assign([at])
    reader.seek(at, cut.offset)
    record = await reader.getone(at)
    moment = datetime.fromtimestamp(record.timestamp / 1000, UTC)
    return await _before(reader, ends, moment) | {cut.partition: cut.offset + 1}


async def _now(reader: AIOKafkaConsumer) -> dict[int, int]:
    places = [TopicPartition(LEDGER.name, partition) for partition in range(LEDGER.partitions)]
    return {at.partition: end for at, end in (await reader.end_offsets(places)).items()}


async def _before(
    reader: AIOKafkaConsumer, ends: Mapping[int, int], moment: datetime
) -> dict[int, int]:
    """The first record of each partition that Kafka was given after this moment; its end, where none was."""
    after = max(0, int(moment.timestamp() * 1000) + 1)
    times = {TopicPartition(LEDGER.name, partition): after for partition in ends}
    found = await reader.offsets_for_times(times)
    return {
        at.partition: place.offset if place else ends[at.partition] for at, place in found.items()
    }


async def _control_events(
    reader: AIOKafkaConsumer, until: datetime | None = None
) -> AsyncIterator[tuple[ControlEvent, int]]:
    """Control events with their offsets; what nobody can read is none, as for every service."""
    at = TopicPartition(CONTROL.name, 0)
    end = (await reader.end_offsets([at]))[at]
    async for found in _records(reader, at, end):
        if until is not None and found.timestamp > until.timestamp() * 1000:
            return
        try:
            event = decode(found.headers, found.value)
        except UndecodableError:
            continue
        if isinstance(event, ControlEvent):
            yield event, found.offset


async def _records(reader: AIOKafkaConsumer, at: TopicPartition, end: int) -> AsyncIterator[Any]:
    """From the beginning up to an offset; of a log whose beginning is gone: `NoSuchPlaceError`."""
    reader.assign([at])
    reader.seek(at, 0)
    expected = 0
    while expected < end:
        batch = await reader.getmany(at, timeout_ms=1000, max_records=FETCH)
        for found in batch.get(at, ()):
            if found.offset >= end:
                return
            if found.offset != expected:
                raise NoSuchPlaceError(f"{at.topic}/{at.partition} lacks offset {expected}.")
            expected += 1
            yield found


def _told(progress: Progress, before: int, total: int, here: int) -> None:
    progress(before + here, total)


@dataclass(frozen=True, slots=True)
class _Replay(Generic[T]):
    """One question, partition by partition."""

    reader: AIOKafkaConsumer
    question: Question[T]
    selection: Selection
    rules: Rules
    keeper: Keeper | None

    async def run(
        self, ends: Mapping[int, int], progress: Progress
    ) -> AsyncGenerator[list[T], None]:
        done, total = 0, sum(ends.values())
        for partition, end in sorted(ends.items()):
            name = self._name(partition, end)
            kept = self.keeper.get(name) if self.keeper else None
            if kept is not None:
                answers = self.question.answers.validate_json(kept)
            else:
                past = await self._past(partition, end, partial(_told, progress, done, total))
                answers = list(self.question.answer(past))
                if self.keeper:
                    self.keeper.put(name, self.question.answers.dump_json(answers))
            done += end
            progress(done, total)
            yield answers

    async def _past(self, partition: int, end: int, told: Callable[[int], None]) -> Past:
        past = Past(self.selection, self.rules)
        async for found in _records(self.reader, TopicPartition(LEDGER.name, partition), end):
            past.put(record_of(found))
            if found.offset % FETCH == 0:
                told(found.offset)
        return past

    def _name(self, partition: int, end: int) -> str:
        """Of a part that is kept: what was asked and how far, so that no other question finds it."""
        asked = hashlib.sha256(f"{self.question.name}{self.selection!r}".encode()).hexdigest()
        return f"{partition:02}-{end}-{asked[:12]}"

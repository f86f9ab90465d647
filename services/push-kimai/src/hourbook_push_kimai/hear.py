"""Reads the whole ledger: which requests count, what was answered, which timesheets are ours.

What is learned, and how far we have read, is stored in one transaction (protocol.md 4 and 5).
"""

import asyncio
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import asyncpg
import structlog
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from hourbook_contracts.codec import UndecodableError, decode, header
from hourbook_contracts.ids import SheetId, connection_of
from hourbook_contracts.ledger import (
    Answer,
    Decision,
    EntryRecorded,
    EntryRetracted,
    PushRefused,
    TicketObserved,
    TimesheetObserved,
    TimesheetRequested,
    TimesheetVanished,
    TimesheetWritten,
    Work,
    accepts,
)
from hourbook_contracts.marker import create_code
from hourbook_contracts.message import Message
from hourbook_contracts.topics import LEDGER
from hourbook_kit.control import ControlTail
from hourbook_kit.kafka import Place, cluster_id, consumer, known_log
from hourbook_kit.postgres import TRANSIENT
from hourbook_kit.settings import KafkaSettings
from hourbook_push_kimai import effects
from hourbook_push_kimai.effects import CREATES, NewEffect
from hourbook_push_kimai.readings import Connection

log = structlog.get_logger()

FETCH_WAIT_MS = 50
"""aiokafka has one fetch in flight a broker: a record for a partition that is not in it waits for it."""
BATCH = 2000
POLICY_PATIENCE_SECONDS = 10.0
PATIENCE_SECONDS = 0.2
"""So long what begins no work waits to be stored together with what comes after it."""
NOT_OURS = frozenset(kind.TYPE for kind in (EntryRecorded, EntryRetracted, TicketObserved))
"""Facts about Zammad: not even decoded."""


Said = dict[str, bytes]
"""Answers of this process that were not read back yet, by `ce_id`."""


class GapError(Exception):
    """The ledger skipped an offset: something was written to it in transactions, or was deleted."""


@dataclass
class Unreadable:
    partition: int
    offset: int
    book: str
    error: str


@dataclass
class Heard:
    """What one batch says, gathered before the database is asked."""

    decisions: list[tuple[Decision, bool, str | None]] = field(default_factory=list)
    """With whether it stands in a part that is being rebuilt, and its `traceparent`."""
    answers: list[Answer] = field(default_factory=list)
    readings: list[TimesheetObserved | TimesheetVanished] = field(default_factory=list)
    unreadable: list[Unreadable] = field(default_factory=list)

    @property
    def is_nothing(self) -> bool:
        return not (self.decisions or self.answers or self.readings or self.unreadable)

    def add(self, record: Any, *, rebuilding: bool, said: Said) -> None:
        """`said`: what we said ourselves, and stored when we did, is no news."""
        if header(record.headers, "ce_type") in NOT_OURS:
            return
        ce_id = header(record.headers, "ce_id") or ""
        if ce_id in said and said.pop(ce_id) == record.value:
            return
        try:
            message: Message = decode(record.headers, record.value)
        except UndecodableError as error:
            book = (record.key or b"").decode(errors="replace")
            self.unreadable.append(Unreadable(record.partition, record.offset, book, str(error)))
            return
        match message:
            case Decision():
                trace = header(record.headers, "traceparent")
                self.decisions.append((message, rebuilding, trace))
            case Answer():
                self.answers.append(message)
            case TimesheetObserved() | TimesheetVanished():
                self.readings.append(message)
            case _:
                pass

    @property
    def policy(self) -> int:
        """The newest policy that a decision was made with."""
        return max((decision.policy for decision, _, _ in self.decisions), default=0)


@dataclass
class Hearing:
    """The reader of the ledger; `caught_up` when it has read what was there at its start."""

    settings: KafkaSettings
    pool: asyncpg.Pool
    control: ControlTail
    marker_key: bytes
    heard: Callable[[], None]
    """Told after a commit that made something claimable."""
    said: Said
    caught_up: asyncio.Event = field(default_factory=asyncio.Event)
    _ends: dict[int, int] = field(default_factory=dict)
    _next: dict[int, int] = field(default_factory=dict)
    _rebuilt_to: dict[int, int] = field(default_factory=dict)

    async def run(self) -> None:
        """Read for ever; Kafka and PostgreSQL may come and go."""
        while True:
            reader = consumer(
                self.settings, fetch_max_wait_ms=FETCH_WAIT_MS, max_poll_records=BATCH
            )
            try:
                await reader.start()
                await self._take_place(reader)
                await self._read(reader)
            except (KafkaError, *TRANSIENT) as error:
                log.warning("ledger_waits", error=type(error).__name__)
                await asyncio.sleep(0.5)
            finally:
                await reader.stop()

    async def _take_place(self, reader: AIOKafkaConsumer) -> None:
        """Go to where we stood, once this is known to be the log in which we stood there."""
        cluster = await cluster_id(self.settings)
        at = [TopicPartition(LEDGER.name, partition) for partition in range(LEDGER.partitions)]
        reader.assign(at)
        self._ends = {place.partition: end for place, end in (await reader.end_offsets(at)).items()}
        rows = await self._checkpoint(cluster)
        places = [Place(row["partition"], row["next_offset"], row["last_ce_id"]) for row in rows]
        clusters = {row["cluster_id"] for row in rows}
        await known_log(self.settings, reader, LEDGER.name, places, clusters)
        self._next = {place.partition: place.next_offset for place in places}
        self._rebuilt_to = {row["partition"]: row["rebuilt_to"] for row in rows}
        self._note_progress()

    async def _checkpoint(self, cluster: str) -> list[asyncpg.Record]:
        """Our place in each partition; where there is none, all that is there is rebuilt."""
        partitions = sorted(self._ends)
        await self.pool.execute(
            "INSERT INTO push.checkpoint (partition, cluster_id, rebuilt_to)"
            " SELECT partition, $1, rebuilt_to FROM unnest($2::int[], $3::bigint[]) AS t (partition, rebuilt_to)"
            " ON CONFLICT DO NOTHING",
            cluster,
            partitions,
            [self._ends[partition] for partition in partitions],
        )
        rows = await self.pool.fetch(
            "SELECT partition, cluster_id, next_offset, last_ce_id, rebuilt_to FROM push.checkpoint ORDER BY partition"
        )
        return list(rows)

    def _note_progress(self) -> None:
        if all(self._next.get(partition, 0) >= end for partition, end in self._ends.items()):
            self.caught_up.set()

    async def _read(self, reader: AIOKafkaConsumer) -> None:
        """Store what comes: a request at once, other things a few times a second, unless there is a backlog."""
        while True:
            records = await _some(reader, 1.0)
            try:
                await self._wait_for_more(reader, records)
            except KafkaError:  # perhaps of a partition that fails each time: the others go on
                await self._hear(records)
                raise
            if records:
                await self._hear(records)

    async def _wait_for_more(self, reader: AIOKafkaConsumer, records: list[Any]) -> None:
        due = time.monotonic() + PATIENCE_SECONDS
        while records and not self._is_urgent(records) and len(records) < BATCH:
            if (left := due - time.monotonic()) <= 0:
                break
            records += await _some(reader, left)

    def _is_urgent(self, records: Sequence[Any]) -> bool:
        """Whether it has a request, or may be what we wait for before the first write."""
        return not self.caught_up.is_set() or any(
            header(record.headers, "ce_type") == TimesheetRequested.TYPE for record in records
        )

    async def _hear(self, records: Sequence[Any]) -> None:
        """Store a batch, as often as it takes."""
        while True:
            try:
                stored = await self._store(records)
            except TRANSIENT as error:
                log.warning("ledger_waits", error=type(error).__name__)
                await asyncio.sleep(0.3)
            else:
                if stored:
                    break
        self._note_progress()

    def _gather(self, records: Sequence[Any]) -> tuple[Heard, dict[int, Any]]:
        """What a batch says beyond our place, and the last record of each partition."""
        heard, after = Heard(), dict[int, Any]()
        for record in records:
            expected = self._next[record.partition]
            if record.partition in after:
                expected = after[record.partition].offset + 1
            if record.offset < expected:
                continue
            if record.offset > expected:
                raise GapError(f"{record.partition}: {expected} expected, {record.offset} read")
            rebuilding = record.offset < self._rebuilt_to[record.partition]
            heard.add(record, rebuilding=rebuilding, said=self.said)
            after[record.partition] = record
        return heard, after

    async def _store(self, records: Sequence[Any]) -> bool:
        """False: our place had moved under us (a commit whose answer was lost); look at the batch again."""
        heard, after = self._gather(records)
        if not after:
            return True
        if heard.is_nothing:
            return await self._pass_by(after)
        if heard.policy:
            await self.control.until(heard.policy - 1, seconds=POLICY_PATIENCE_SECONDS)
        async with self.pool.acquire() as connection, connection.transaction():
            places = await _lock(connection, sorted(after))
            if any(self._next[partition] != place for partition, place in places.items()):
                self._next |= places
                return False
            claimable = await self._learn(connection, heard)
            await _advance(connection, after, [self._next[partition] for partition in after])
        self._next |= {partition: record.offset + 1 for partition, record in after.items()}
        if claimable:
            self.heard()
        for row in heard.unreadable:
            log.error(
                "ledger_record_unreadable",
                partition=row.partition,
                offset=row.offset,
                book=row.book,
                error=row.error,
            )
        return True

    async def _pass_by(self, after: dict[int, Any]) -> bool:
        """Nothing in it is for us: only our place moves."""
        expected = [self._next[partition] for partition in after]
        moved = await _advance(self.pool, after, expected)
        if moved < len(after):
            self._next |= await _places(self.pool, list(after))
            return False
        self._next |= {partition: record.offset + 1 for partition, record in after.items()}
        return True

    async def _learn(self, connection: Connection, heard: Heard) -> bool:
        """Whether anything may be claimable now that was not before."""
        counted = await _count(connection, heard)
        new = [
            effect
            for decision, rebuilding, trace in counted
            if isinstance(decision, TimesheetRequested)
            and (effect := self._effect(decision, trace, rebuilding=rebuilding)) is not None
        ]
        await effects.insert(connection, new)
        ended = False
        if heard.answers:
            ended = await effects.answered(connection, [(a.posting, a.gen) for a in heard.answers])
        await _tie(connection, [a for a in heard.answers if isinstance(a, TimesheetWritten)])
        await _know(connection, heard)
        if heard.unreadable:
            await _park(connection, heard.unreadable)
        return bool(new) or ended

    def _effect(
        self, request: TimesheetRequested, trace: str | None, *, rebuilding: bool
    ) -> NewEffect | None:
        work = request.want if request.want is not None else request.expected
        if work is None or work.place is None:
            log.error("request_without_place", posting=request.posting, gen=request.gen)
            return None
        code = None
        if request.op in CREATES:
            code = create_code(self.marker_key, request.posting, request.gen)
        return NewEffect(
            request=request,
            target=work.place.target,
            user_id=work.place.user_id,
            day=self._day(work),
            code=code,
            traceparent=trace,
            rebuilt=rebuilding,
        )

    def _day(self, work: Work) -> date:
        assert work.place is not None  # noqa: S101 -- its caller looked
        policy = self.control.installation.policy
        zone = policy.zone_of(work.place.target, work.place.user_id)
        return work.began_at.astimezone(zone).date()


async def _some(reader: AIOKafkaConsumer, seconds: float) -> list[Any]:
    """What comes first within so many seconds."""
    batches = await reader.getmany(timeout_ms=int(1000 * seconds) + 1)
    return [record for batch in batches.values() for record in batch]


async def _places(connection: Connection, partitions: list[int]) -> dict[int, int]:
    rows = await connection.fetch(
        "SELECT partition, next_offset FROM push.checkpoint WHERE partition = ANY ($1::int[])",
        partitions,
    )
    return {row["partition"]: row["next_offset"] for row in rows}


async def _lock(connection: Connection, partitions: list[int]) -> dict[int, int]:
    rows = await connection.fetch(
        "SELECT partition, next_offset FROM push.checkpoint"
        " WHERE partition = ANY ($1::int[]) ORDER BY partition FOR UPDATE",
        partitions,
    )
    return {row["partition"]: row["next_offset"] for row in rows}


async def _advance(connection: Connection, after: dict[int, Any], expected: list[int]) -> int:
    """Move from the expected places; gives in how many partitions that was where we stood."""
    moved = await connection.fetch(
        "UPDATE push.checkpoint SET next_offset = read.next_offset, last_ce_id = read.ce_id"
        " FROM unnest($1::int[], $2::bigint[], $3::text[], $4::bigint[])"
        " AS read (partition, next_offset, ce_id, expected)"
        " WHERE checkpoint.partition = read.partition AND checkpoint.next_offset = read.expected RETURNING 1",
        list(after),
        [record.offset + 1 for record in after.values()],
        [header(record.headers, "ce_id") for record in after.values()],
        expected,
    )
    return len(moved)


async def _count(connection: Connection, heard: Heard) -> list[tuple[Decision, bool, str | None]]:
    """The decisions that count, of all types; moves the heads of their postings."""
    if not heard.decisions:
        return []
    rows = await connection.fetch(
        "SELECT posting, gen, policy FROM push.heads WHERE posting = ANY ($1::text[])",
        sorted({decision.posting for decision, _, _ in heard.decisions}),
    )
    heads = {row["posting"]: (row["gen"], row["policy"]) for row in rows}
    counted = []
    for decision, rebuilding, trace in heard.decisions:
        if accepts(*heads.get(decision.posting, (0, 0)), decision):
            heads[decision.posting] = (decision.gen, decision.policy)
            counted.append((decision, rebuilding, trace))
    moved = sorted({decision.posting for decision, _, _ in counted})
    await connection.execute(
        "INSERT INTO push.heads (posting, gen, policy)"
        " SELECT * FROM unnest($1::text[], $2::int[], $3::bigint[])"
        " ON CONFLICT (posting) DO UPDATE SET gen = excluded.gen, policy = excluded.policy",
        moved,
        [heads[posting][0] for posting in moved],
        [heads[posting][1] for posting in moved],
    )
    return counted


async def _tie(connection: Connection, written: Sequence[TimesheetWritten]) -> None:
    """Timesheets that creates and adoptions were answered with; the first tie of one stays."""
    stored = [answer for answer in written if answer.stored is not None]
    if not stored:
        return
    await connection.execute(
        "INSERT INTO push.tied (sheet, posting, book, create_code)"
        " SELECT said.sheet, said.posting, said.book, effects.create_code"
        " FROM unnest($1::text[], $2::int[], $3::text[], $4::text[]) AS said (posting, gen, book, sheet)"
        " JOIN push.effects USING (posting, gen) WHERE effects.op = ANY ($5::text[])"
        " ON CONFLICT DO NOTHING",
        [answer.posting for answer in stored],
        [answer.gen for answer in stored],
        [answer.book for answer in stored],
        [answer.sheet for answer in stored],
        list(CREATES),
    )


async def _know(connection: Connection, heard: Heard) -> None:
    """Ids that must be seen in Kimai come from the ledger: a lost cache forgets none of them."""
    told: dict[str, tuple[str, int, bool]] = {}
    for sheet, book, no, lives in _told(heard):
        if no >= told.get(sheet, ("", 0, False))[1]:
            told[sheet] = (book, no, lives)
    if not told:
        return
    await connection.execute(
        "INSERT INTO push.timesheets AS known (sheet, target, no, book, value)"
        " SELECT sheet, target, CASE WHEN lives THEN 0 ELSE no END, book, CASE WHEN lives THEN '{}'::jsonb END"
        " FROM unnest($1::text[], $2::text[], $3::bigint[], $4::text[], $5::bool[])"
        " AS told (sheet, target, no, book, lives)"
        " ON CONFLICT (sheet) DO UPDATE SET no = excluded.no, value = excluded.value, book = excluded.book"
        " WHERE excluded.no > known.no",
        list(told),
        [connection_of(sheet) for sheet in told],
        [no for _, no, _ in told.values()],
        [book for book, _, _ in told.values()],
        [lives for _, _, lives in told.values()],
    )


def _told(heard: Heard) -> Iterator[tuple[SheetId, str, int, bool]]:
    """(sheet, book, number, whether it lives) of each reading that went on the ledger."""
    for message in [*heard.answers, *heard.readings]:
        match message:
            case TimesheetWritten(sheet=sheet, stored=stored):
                yield sheet, message.book, message.no, stored is not None
            case PushRefused(sheet=str() as sheet, why="gone"):
                yield sheet, message.book, message.no, False
            case TimesheetObserved(sheet=sheet):
                yield sheet, message.book, message.no, True
            case TimesheetVanished(sheet=sheet):
                yield sheet, message.book, message.no, False
            case _:
                pass


async def _park(connection: Connection, unreadable: Sequence[Unreadable]) -> None:
    await connection.execute(
        "INSERT INTO push.unreadable (partition, at_offset, book, error)"
        " SELECT * FROM unnest($1::int[], $2::bigint[], $3::text[], $4::text[]) ON CONFLICT DO NOTHING",
        [row.partition for row in unreadable],
        [row.offset for row in unreadable],
        [row.book for row in unreadable],
        [row.error for row in unreadable],
    )

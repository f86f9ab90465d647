"""A batch counts once, whole, or not at all."""

import asyncio
import json

import asyncpg
import pytest

from hourbook_contracts.codec import encode
from hourbook_contracts.ids import BookId, posting_of
from hourbook_contracts.installation import Policy
from hourbook_contracts.testing import (
    BOOK,
    ENTRY,
    NOON,
    POSTING,
    SHEET,
    conflict,
    observed,
    policy,
    recorded,
    requested,
    settled,
    written,
)
from hourbook_reconciler.record import GapError, Record
from hourbook_reconciler.store import Applied, OutdatedPolicyError, apply
from hourbook_reconciler.testing import Ledger

OTHER = BookId("zammad:desk:345")
TABLES = ("books", "tickets", "entries", "conflicts")
POLICY = policy()


async def told(
    connection: asyncpg.Connection, records: list[Record], by: Policy = POLICY
) -> Applied:
    return await apply(connection, records, by, "cluster")


async def shown(connection: asyncpg.Connection) -> dict[str, list[str]]:
    """Every row of what people see, as text."""
    found = {}
    for table in TABLES:
        rows = await connection.fetch(f"SELECT t::text AS text FROM book.{table} t ORDER BY 1")  # noqa: S608 -- ours
        found[table] = [row["text"] for row in rows]
    return found


async def outbox(connection: asyncpg.Connection) -> list[tuple[str, int]]:
    """What was proposed: type and generation."""
    rows = await connection.fetch("SELECT headers, value FROM book.outbox ORDER BY id")
    return [
        (dict(json.loads(row["headers"]))["ce_type"].split(".")[1], json.loads(row["value"])["gen"])
        for row in rows
    ]


async def waits_for_a_lock(connection: asyncpg.Connection) -> None:
    """Until somebody does."""
    waiting = "SELECT count(*) FROM pg_locks WHERE NOT granted"
    while not await connection.fetchval(waiting):  # noqa: ASYNC110 -- PostgreSQL tells nobody
        await asyncio.sleep(0.01)


@pytest.mark.anyio
async def test_a_fact_becomes_rows_and_a_request(connection: asyncpg.Connection) -> None:
    assert await told(connection, Ledger().tell(recorded())) == Applied(1, 1)
    row = await connection.fetchrow("SELECT * FROM book.entries")
    assert row is not None
    assert (row["entry"], row["state"], row["changed_at"]) == (ENTRY, "held_back", NOON)
    assert await outbox(connection) == [("timesheet_requested", 1)]
    place = await connection.fetchrow("SELECT * FROM book.checkpoint")
    assert place is not None
    assert (place["next_offset"], place["policy_version"], place["revision"]) == (1, 1, 1)
    assert place["cluster_id"] == "cluster"


@pytest.mark.anyio
async def test_a_proposal_counts_only_when_it_is_read_back(connection: asyncpg.Connection) -> None:
    ledger = Ledger()
    await told(connection, ledger.tell(recorded()))
    assert await connection.fetchval("SELECT proposed FROM book.books") == f'{{"{POSTING}": 1}}'
    await told(connection, ledger.tell(requested()))
    assert await connection.fetchval("SELECT state FROM book.entries") == "requested"
    assert await connection.fetchval("SELECT proposed FROM book.books") == "{}"
    assert await outbox(connection) == [("timesheet_requested", 1)]


@pytest.mark.anyio
async def test_one_proposal_of_a_generation_is_in_flight(connection: asyncpg.Connection) -> None:
    ledger = Ledger()
    await told(connection, ledger.tell(recorded(15)))
    await told(connection, ledger.tell(recorded(30, no=2)))
    assert await outbox(connection) == [("timesheet_requested", 1)]
    await told(connection, ledger.tell(requested(15), written(15)))
    assert await outbox(connection) == [("timesheet_requested", 1), ("timesheet_requested", 2)]


@pytest.mark.anyio
async def test_a_decision_that_lost_frees_its_posting_for_the_next(
    connection: asyncpg.Connection,
) -> None:
    ledger = Ledger()
    await told(connection, ledger.tell(recorded(15)))
    await told(connection, ledger.tell(conflict("overlap", want=None)))
    assert await outbox(connection) == [("timesheet_requested", 1), ("timesheet_requested", 2)]


@pytest.mark.anyio
async def test_a_batch_counts_once(connection: asyncpg.Connection) -> None:
    ledger = Ledger()
    batch = ledger.tell(recorded())
    await told(connection, batch)
    before = await shown(connection)
    assert await told(connection, batch) == Applied(0, 0)
    again = [*batch, *ledger.tell(recorded(30, no=2))]
    assert (await told(connection, again)).messages == 1
    assert await shown(connection) != before


@pytest.mark.anyio
async def test_a_batch_after_a_gap_fails_as_a_whole(connection: asyncpg.Connection) -> None:
    ledger = Ledger()
    first, _, third = ledger.tell(recorded(), recorded(30, no=2), recorded(45, no=3))
    with pytest.raises(GapError):
        await told(connection, [first, third])
    assert await connection.fetchval("SELECT count(*) FROM book.checkpoint") == 0
    assert await outbox(connection) == []


@pytest.mark.anyio
async def test_a_worker_killed_before_its_commit_has_done_nothing(
    dsn: str, connection: asyncpg.Connection
) -> None:
    batch = Ledger().tell(recorded())
    dying, holder = await asyncpg.connect(dsn), await asyncpg.connect(dsn)
    async with asyncio.timeout(5), holder.transaction():
        await holder.execute("LOCK TABLE book.history")
        under_way = asyncio.create_task(told(dying, batch))
        await waits_for_a_lock(connection)
        dying.terminate()
        with pytest.raises((asyncpg.PostgresError, asyncpg.InterfaceError, OSError)):
            await under_way
    await holder.close()
    assert await told(connection, batch) == Applied(1, 1)
    assert await outbox(connection) == [("timesheet_requested", 1)]


@pytest.mark.anyio
async def test_two_workers_with_one_batch_count_it_once(
    dsn: str, connection: asyncpg.Connection
) -> None:
    batch = Ledger().tell(recorded())
    zombie = await asyncpg.connect(dsn)
    done = await asyncio.gather(told(connection, batch), told(zombie, batch))
    await zombie.close()
    assert sorted(done) == [Applied(0, 0), Applied(1, 1)]


@pytest.mark.anyio
async def test_the_whole_ledger_told_again_changes_no_row_and_asks_for_nothing(
    connection: asyncpg.Connection,
) -> None:
    ledger = Ledger()
    history = [
        recorded(15),
        requested(15),
        written(15),
        observed(20, no=2),
        conflict("changed_in_kimai", gen=2),
    ]
    await told(connection, ledger.tell(*history))
    await connection.execute("DELETE FROM book.outbox")
    before = await shown(connection)
    assert await told(connection, ledger.tell(*history)) == Applied(5, 0)
    assert await shown(connection) == before
    assert await outbox(connection) == []
    assert await connection.fetchval("SELECT count(*) FROM book.history") == 10


@pytest.mark.anyio
async def test_poison_is_kept_and_halts_its_book_while_others_go_on(
    connection: asyncpg.Connection,
) -> None:
    ledger = Ledger()
    headers = encode(recorded()).headers
    batch = [
        *ledger.tell(recorded()),
        ledger.append(BOOK.encode(), b"not json", headers),
        *ledger.tell(recorded(30, no=2)),
        *ledger.tell(recorded().model_copy(update={"book": OTHER})),
    ]
    done = await told(connection, batch)
    assert (done.messages, done.quarantined) == (4, 2)
    kept = await connection.fetch("SELECT * FROM book.quarantine ORDER BY offset_")
    assert [(row["offset_"], row["kind"]) for row in kept] == [(1, "poison"), (2, "parked")]
    assert kept[0]["value"] == b"not json"
    assert "json_invalid" in kept[0]["error"]
    assert kept[0]["type"] == "hourbook.entry_recorded.v1"
    rows = await connection.fetch("SELECT book, halted FROM book.books")
    halted = {row["book"]: row["halted"] for row in rows}
    assert halted == {BOOK: "unreadable_message", OTHER: None}
    assert await connection.fetchval("SELECT next_offset FROM book.checkpoint") == 4
    await told(connection, ledger.tell(recorded(45, no=3)))
    assert await connection.fetchval("SELECT count(*) FROM book.quarantine") == 3
    assert len(await outbox(connection)) == 1  # of the other book


@pytest.mark.anyio
async def test_a_newer_type_is_parked_and_its_book_waits_for_us(
    connection: asyncpg.Connection,
) -> None:
    ledger = Ledger()
    ledger.append(BOOK.encode(), b"{}", [("ce_type", b"hourbook.hour_blessed.v1")])
    await told(connection, [*ledger.records, *ledger.tell(recorded())])
    kinds = await connection.fetch("SELECT kind FROM book.quarantine")
    assert [row["kind"] for row in kinds] == ["parked", "parked"]
    assert await connection.fetchval("SELECT halted FROM book.books") == "newer_than_this_version"


@pytest.mark.anyio
async def test_a_record_without_a_key_is_kept_and_halts_nobody(
    connection: asyncpg.Connection,
) -> None:
    ledger = Ledger()
    ledger.append(None, None, [("odd\0", b"\xff\0")])
    await told(connection, [*ledger.records, *ledger.tell(recorded())])
    assert await connection.fetchval("SELECT count(*) FROM book.quarantine WHERE book IS NULL") == 1
    assert len(await outbox(connection)) == 1


@pytest.mark.anyio
async def test_an_older_policy_cannot_commit_after_a_newer_one(
    connection: asyncpg.Connection,
) -> None:
    ledger = Ledger()
    await told(connection, ledger.tell(recorded()), policy(version=2))
    with pytest.raises(OutdatedPolicyError) as caught:
        await told(connection, ledger.tell(recorded(30, no=2)), policy(version=1))
    assert caught.value.version == 2
    assert await connection.fetchval("SELECT next_offset FROM book.checkpoint") == 1


@pytest.mark.anyio
async def test_a_proposal_carries_the_trace_of_what_caused_it(
    connection: asyncpg.Connection,
) -> None:
    trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
    ledger = Ledger()
    ledger.append(*encode(recorded(), traceparent=trace))
    await told(connection, ledger.records)
    headers = json.loads(await connection.fetchval("SELECT headers FROM book.outbox"))
    assert dict(headers)["traceparent"] == trace
    assert await connection.fetchval("SELECT traceparent FROM book.history") == trace


@pytest.mark.anyio
async def test_a_question_is_a_row_that_closes(connection: asyncpg.Connection) -> None:
    ledger = Ledger()
    await told(connection, ledger.tell(recorded(), conflict("overlap")))
    assert await connection.fetchval("SELECT subject FROM book.conflicts WHERE open") == POSTING
    await told(connection, ledger.tell(settled(gen=2)))
    assert await connection.fetchval("SELECT resolution FROM book.conflicts") == "withdrawn"


@pytest.mark.anyio
async def test_an_orphan_has_a_book_and_no_ticket(connection: asyncpg.Connection) -> None:
    orphan = BookId(f"{SHEET}")
    ledger = Ledger()
    said = observed(marker="abcdefghijklmnop.1").model_copy(update={"book": orphan})
    await told(connection, ledger.tell(said))
    assert await outbox(connection) == [("conflict_opened", 1)]
    assert await connection.fetchval("SELECT count(*) FROM book.tickets") == 0


@pytest.mark.anyio
async def test_books_of_several_partitions_share_a_batch(connection: asyncpg.Connection) -> None:
    ledger = Ledger(partitions=3)
    books = [BookId(f"zammad:desk:{n}") for n in range(30)]
    for book in books:
        ledger.tell(
            recorded().model_copy(update={"book": book, "entry": f"zammad:desk:{book[12:]}"})
        )
    assert await told(connection, ledger.records) == Applied(30, 30)
    assert await connection.fetchval("SELECT sum(next_offset) FROM book.checkpoint") == 30
    wanted = {posting_of(book, f"zammad:desk:{book[12:]}") for book in books}
    assert {
        row["posting"] for row in await connection.fetch("SELECT posting FROM book.entries")
    } == wanted

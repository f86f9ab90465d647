"""All books are looked at again when what we decide by has moved, and once."""

import asyncpg
import pytest

from hourbook_contracts.codec import UnknownTypeError, encode
from hourbook_contracts.ids import BookId, entry_of
from hourbook_contracts.installation import Policy
from hourbook_contracts.message import Message
from hourbook_contracts.testing import BOOK, policy, recorded
from hourbook_reconciler import assess, record
from hourbook_reconciler.assess import Assessed, assess_chunk
from hourbook_reconciler.store import OutdatedPolicyError, apply
from hourbook_reconciler.testing import Ledger

SILENT = policy(writing=False)
SPEAKING = policy(version=2)


@pytest.fixture
async def three_books(connection: asyncpg.Connection) -> asyncpg.Connection:
    """An hour in each, and nobody has switched writing on."""
    ledger = Ledger()
    for number in (1, 2, 3):
        book, entry = BookId(f"zammad:desk:{number}"), entry_of("desk", number)
        ledger.tell(recorded(entry=entry).model_copy(update={"book": book}))
    await apply(connection, ledger.records, SILENT, "cluster")
    assert await proposed(connection) == 0
    return connection


async def proposed(connection: asyncpg.Connection) -> int:
    return int(await connection.fetchval("SELECT count(*) FROM book.outbox"))


async def all_of(connection: asyncpg.Connection, by: Policy) -> list[Assessed]:
    done = [await assess_chunk(connection, by)]
    while not done[-1].finished:
        done.append(await assess_chunk(connection, by))
    return done


@pytest.mark.anyio
async def test_a_new_policy_speaks_of_every_book(three_books: asyncpg.Connection) -> None:
    assert await all_of(three_books, SPEAKING) == [Assessed(finished=True, proposals=3, books=3)]
    assert await proposed(three_books) == 3


@pytest.mark.anyio
async def test_what_was_assessed_is_not_assessed_again(three_books: asyncpg.Connection) -> None:
    await all_of(three_books, SPEAKING)
    assert await assess_chunk(three_books, SPEAKING) == Assessed(finished=True)
    later = policy(version=3)
    assert await all_of(three_books, later) == [Assessed(finished=True, proposals=0, books=3)]


@pytest.mark.anyio
async def test_an_assessment_goes_on_where_it_was_killed(
    three_books: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(assess, "CHUNK", 2)
    assert await assess_chunk(three_books, SPEAKING) == Assessed(
        finished=False, proposals=2, books=2
    )
    assert await all_of(three_books, SPEAKING) == [Assessed(finished=True, proposals=1, books=1)]


@pytest.mark.anyio
async def test_from_the_first_chunk_on_an_older_policy_commits_nowhere(
    three_books: asyncpg.Connection,
) -> None:
    await assess_chunk(three_books, SPEAKING)
    with pytest.raises(OutdatedPolicyError):
        await assess_chunk(three_books, SILENT)
    elsewhere = [record._replace(partition=17) for record in Ledger().tell(recorded())]
    with pytest.raises(OutdatedPolicyError):
        await apply(three_books, elsewhere, SILENT, "cluster")


@pytest.mark.anyio
async def test_a_halted_book_is_not_spoken_of(connection: asyncpg.Connection) -> None:
    ledger = Ledger()
    ledger.tell(recorded())
    ledger.append(BOOK.encode(), b"not json", encode(recorded()).headers)
    await apply(connection, [*ledger.records, *ledger.tell(recorded(30, no=2))], SILENT, "cluster")
    kept = await connection.fetch("SELECT * FROM book.quarantine ORDER BY offset_")
    assert await all_of(connection, SPEAKING) == [Assessed(finished=True, proposals=0, books=1)]
    assert await connection.fetch("SELECT * FROM book.quarantine ORDER BY offset_") == kept
    assert await connection.fetchval("SELECT halted FROM book.books") == "unreadable_message"


@pytest.mark.anyio
async def test_what_an_older_version_parked_is_folded_as_soon_as_it_can_be_read(
    connection: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    ledger = Ledger()
    ledger.tell(recorded(), recorded(30, no=2))
    with monkeypatch.context() as older:
        older.setattr(record, "decode", _knows_nothing)
        done = await apply(connection, ledger.records, SPEAKING, "cluster")
    assert (done.quarantined, done.halted) == (2, (BOOK,))
    assert await all_of(connection, SPEAKING) == [Assessed(finished=True, proposals=1, books=1)]
    assert await connection.fetchval("SELECT halted FROM book.books") is None
    assert await connection.fetchval("SELECT count(*) FROM book.quarantine") == 0
    assert await connection.fetchval("SELECT duration_seconds FROM book.entries") == 1800
    assert await connection.fetchval("SELECT count(*) FROM book.history") == 2


def _knows_nothing(*_: object) -> Message:
    raise UnknownTypeError("type is newer than this version")


@pytest.mark.anyio
async def test_an_assessment_moves_no_offset(three_books: asyncpg.Connection) -> None:
    await all_of(three_books, SPEAKING)
    place = await three_books.fetchrow("SELECT * FROM book.checkpoint WHERE partition = 0")
    assert place is not None
    assert (place["next_offset"], place["cluster_id"]) == (3, "cluster")
    assert place["policy_version"] == SPEAKING.version
    assert place["revision"] > 1
    assert BOOK not in {
        row["book"] for row in await three_books.fetch("SELECT book FROM book.books")
    }

"""All books are looked at again when what we decide by has moved, and once."""

import asyncpg
import pytest

from hourbook_contracts.ids import BookId, entry_of
from hourbook_contracts.installation import Policy
from hourbook_contracts.testing import BOOK, policy, recorded
from hourbook_reconciler import assess
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
async def test_a_halted_book_is_not_spoken_of(three_books: asyncpg.Connection) -> None:
    await three_books.execute("UPDATE book.books SET halted = 'unreadable_message'")
    assert await all_of(three_books, SPEAKING) == [Assessed(finished=True, proposals=0, books=3)]


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

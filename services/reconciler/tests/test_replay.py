"""The ledger is read into the past from Kafka alone: by moment, by offset, and on from where it stopped."""

import asyncio
from pathlib import Path

import asyncpg
import pytest

from hourbook_contracts.audit import Standing
from hourbook_contracts.codec import encode
from hourbook_contracts.testing import MAPPINGS, mapping, policy
from hourbook_contracts.topics import CONTROL, LEDGER
from hourbook_kit import clock, kafka
from hourbook_reconciler.replay import (
    Cut,
    Folder,
    NoSuchPlaceError,
    Progress,
    as_of,
    installation,
    what_if,
)
from hourbook_reconciler.settings import Settings
from hourbook_reconciler.standing import Selection
from hourbook_reconciler.testing import lived, send, story

pytestmark = pytest.mark.anyio


def quiet(_done: int, _of: int) -> None:
    return None


def parts(folder: Path) -> set[str]:
    return {file.name for file in folder.iterdir()}


async def stood(
    settings: Settings, text: str | None = None, *, book: str | None = None, told: Progress = quiet
) -> list[Standing]:
    cut = Cut.parse(text) if text else Cut()
    return await as_of(settings, cut, Selection(book=book), told)


async def test_at_the_end_it_is_the_live_read_model(
    settings: Settings, connection: asyncpg.Connection
) -> None:
    await send(settings, *map(encode, story(7100)), *map(encode, story(7200)))
    await lived(settings, connection)
    rows = await connection.fetch(
        "SELECT entry, state, reason, net_seconds, day, sheet FROM book.entries ORDER BY entry"
    )
    told = await stood(settings)
    assert [tuple(row) for row in rows] == sorted(
        (s.entry, s.state, s.reason, s.net_seconds, s.day, s.sheet) for s in told
    )


async def test_a_moment_is_what_stood_on_the_ledger_then(settings: Settings) -> None:
    book = "zammad:desk:7300"
    messages = story(7300)
    await send(settings, *map(encode, messages[:3]))
    await asyncio.sleep(0.01)
    moment = clock.now().isoformat()
    await asyncio.sleep(0.01)
    await send(settings, *map(encode, messages[3:]))
    (then,) = await stood(settings, moment, book=book)
    assert (then.state, then.answered) == ("settled", None)
    first, second = await stood(settings, book=book)
    assert (first.answered is not None, second.state) == (True, "retracted")
    assert await stood(settings, "2000-01-01T00:00:00Z", book=book) == []


async def test_an_offset_is_the_state_behind_that_record(settings: Settings) -> None:
    book = "zammad:desk:7400"
    await send(settings, *map(encode, story(7400)))
    partition = kafka.partition_of(book, LEDGER)
    (last, _) = await stood(settings, book=book)
    assert last.decided is not None
    assert last.decided.place is not None
    assert last.decided.place.startswith(f"{partition}/")
    asked = last.decided.place
    (then,) = await stood(settings, asked, book=book)
    assert (then.state, then.reason) == ("asks", "changed_in_kimai")
    with pytest.raises(NoSuchPlaceError, match="ends at"):
        await stood(settings, f"{partition}/99999999")
    with pytest.raises(NoSuchPlaceError, match="nothing is there"):
        await stood(settings, "99/0")


async def test_a_replay_that_was_stopped_goes_on_behind_what_is_kept(
    settings: Settings, tmp_path: Path
) -> None:
    await send(settings, *map(encode, story(7500)), *map(encode, story(7600)))
    whole = await stood(settings)

    class StoppedError(Exception):
        """By a person."""

    def stop(done: int, of: int) -> None:
        if done > of / 2:
            raise StoppedError

    with pytest.raises(StoppedError):
        await as_of(settings, Cut(), Selection(), stop, Folder(tmp_path))
    kept = parts(tmp_path)
    assert kept
    assert await as_of(settings, Cut(), Selection(), quiet, Folder(tmp_path)) == whole
    assert kept < parts(tmp_path)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [("yesterday", "neither a moment"), ("2026-03-30T12:00:00", "lacks its offset")],
)
def test_a_place_that_is_none_is_said_in_a_sentence(text: str, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        Cut.parse(text)


async def test_another_policy_is_tried_on_the_ledger_and_writes_nothing(
    settings: Settings, tmp_path: Path
) -> None:
    await send(settings, *map(encode, story(7700)[:3]))
    elsewhere = policy(MAPPINGS[0], mapping("customer", "organization:2", 8), MAPPINGS[2])
    selection = Selection(book="zammad:desk:7700")
    (move,) = await what_if(settings, elsewhere, selection, quiet, Folder(tmp_path))
    assert (move.before.project_id, move.after.project_id) == (7, 8)
    assert await what_if(settings, elsewhere, selection, quiet, Folder(tmp_path)) == [move]
    assert await what_if(settings, policy(), selection, quiet, Folder(tmp_path)) == []
    other = Selection("zammad:desk:7700", "organization:3")
    assert await what_if(settings, elsewhere, other, quiet) == []


async def test_what_people_had_set_by_a_moment(settings: Settings) -> None:
    producer = kafka.producer(settings)
    await producer.start()
    try:
        await kafka.send(producer, CONTROL.name, encode(mapping("customer", "organization:90", 1)))
        await asyncio.sleep(0.01)
        moment = clock.now()
        await asyncio.sleep(0.01)
        await kafka.send(producer, CONTROL.name, encode(mapping("customer", "organization:90", 2)))
    finally:
        await producer.stop()
    key = ("customer", "desk", "organization:90")
    assert (await installation(settings, moment)).policy.mappings[key].target_id == 1
    assert (await installation(settings)).policy.mappings[key].target_id == 2

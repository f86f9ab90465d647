"""One hour travels the whole way: through real processes, a real broker and a real database."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from bench.world import Json, World, eventually, world
from hourbook_contracts.codec import encode
from hourbook_contracts.ledger import EntryRetracted
from hourbook_contracts.testing import recorded
from hourbook_contracts.topics import LEDGER

pytestmark = [pytest.mark.anyio, pytest.mark.slow, pytest.mark.timeout(180)]


@pytest.fixture(scope="module")
async def here(folder: Path) -> AsyncIterator[World]:
    async with world(folder / "story") as up:
        yield up


async def test_what_an_agent_books_edits_and_deletes_shows_in_kimai_once(here: World) -> None:
    ticket = await here.new_ticket("Printer on fire")
    booked = await here.book(ticket, 15)

    async def holds(seconds: int) -> bool:
        row = await here.sheet_of(booked)
        return row is not None and row["duration"] == seconds

    await eventually(lambda: holds(900), what="15 minutes in Kimai")
    row = await here.sheet_of(booked)
    assert row is not None
    assert "Printer on fire" in row["description"]
    await here.edit(booked, 30)
    await eventually(lambda: holds(1800), what="30 minutes in Kimai")
    again = await here.sheet_of(booked)
    assert again is not None
    assert again["id"] == row["id"]
    await here.delete(booked)

    async def gone() -> bool:
        return all(each["id"] != row["id"] for each in await here.timesheets())

    await eventually(gone, what="the deletion in Kimai")


async def test_a_correction_lowers_what_it_corrects(here: World) -> None:
    ticket = await here.new_ticket("Corrected")
    booked = await here.book(ticket, 30)
    await here.book(ticket, -10)

    async def lowered() -> bool:
        row = await here.sheet_of(booked)
        return row is not None and row["duration"] == 1200

    await eventually(lowered, what="20 minutes in Kimai")


async def test_an_edit_in_kimai_is_asked_about_and_never_overwritten(here: World) -> None:
    booked = await here.book(await here.new_ticket("Edited by hand"), 15)

    async def written() -> bool:
        return await here.sheet_of(booked) is not None

    await eventually(written, what="15 minutes in Kimai")
    row = await here.sheet_of(booked)
    assert row is not None
    begin = row["begin"][:14] + "00:00+00:00"
    end = row["begin"][:14] + "45:00+00:00"
    edit = await here.kimai.patch(f"/api/timesheets/{row['id']}", json={"begin": begin, "end": end})
    edit.raise_for_status()

    async def asked() -> bool:
        return (await here.of_entry(booked)).get("reason") == "changed_in_kimai"

    await eventually(asked, what="the question")
    await here.edit(booked, 20)

    async def asked_about_both() -> bool:
        return (await here.of_entry(booked)).get("reason") == "changed_on_both_sides"

    await eventually(asked_about_both, what="the question about both sides")
    held = await here.sheet_of(booked)
    assert held is not None
    assert held["duration"] == 2700


async def test_while_kimai_is_down_requests_wait_and_the_status_says_since_when(
    here: World,
) -> None:
    await here.fault("kimai", kind="status", status=503, path="/api/.*", times=None)
    booked = await here.book(await here.new_ticket("Kimai sleeps"), 15)

    async def told() -> bool:
        entry = await here.of_entry(booked)
        return bool(await obstacles(here)) and entry.get("state") == "requested"

    await eventually(told, what="the obstacle in the status")
    assert all(obstacle["since"] for obstacle in await obstacles(here))
    await here.heal()

    async def written() -> bool:
        return await here.sheet_of(booked) is not None

    await eventually(written, seconds=60, what="what waited, in Kimai")


async def test_an_answer_that_never_arrives_leaves_exactly_one_timesheet(here: World) -> None:
    await here.fault("kimai", kind="reset_after", method="POST", path="/api/timesheets", times=1)
    booked = await here.book(await here.new_ticket("Lost answer"), 15)

    async def settled() -> bool:
        return (await here.of_entry(booked)).get("state") == "settled"

    await eventually(settled, what="the answer after the grace")
    row = await here.sheet_of(booked)
    assert row is not None
    same = [each for each in await here.timesheets() if "Lost answer" in each["description"]]
    assert [each["id"] for each in same] == [row["id"]]


async def test_poison_halts_its_book_and_no_other(here: World) -> None:
    record = encode(recorded(15).model_copy(update={"book": "zammad:desk:666"}))
    async with AIOKafkaProducer(bootstrap_servers=here.stack.bootstrap) as producer:
        await producer.send_and_wait(
            LEDGER.name, key=b"zammad:desk:666", value=b"poison", headers=record.headers
        )

    async def quarantined() -> bool:
        status = await here.api.get("/api/sync/status")
        return any(book["book"] == "zammad:desk:666" for book in status["halted_books"])

    await eventually(quarantined, what="the halted book in the status")
    poison, *waiting = await here.rows(
        "SELECT * FROM book.quarantine WHERE book = 'zammad:desk:666' ORDER BY offset_"
    )
    assert bytes(poison["value"]) == b"poison"
    # where ingest has looked for that ticket by now, it says that its entry is gone
    gone = (EntryRetracted.TYPE, "parked")
    assert [(row["type"], row["kind"]) for row in waiting] in ([], [gone])
    booked = await here.book(await here.new_ticket("Unharmed"), 15)

    async def written() -> bool:
        return await here.sheet_of(booked) is not None

    await eventually(written, what="another book's hour in Kimai")


async def test_the_story_of_a_minute_can_be_told(here: World) -> None:
    booked = await here.book(await here.new_ticket("Told"), 15)

    async def settled() -> bool:
        return (await here.of_entry(booked)).get("state") == "settled"

    await eventually(settled, what="15 minutes in Kimai")
    code, said = await here.command("story", f"zammad:desk:{booked}")
    assert code == 0, said
    assert "15" in said
    assert "Kimai's timesheet" in said


async def test_a_rebuild_from_the_ledger_alone_gives_the_same_read_model(here: World) -> None:
    await eventually(here.is_quiet, seconds=30, what="quiet")
    before = await here.read_model()
    code, said = await here.command("rebuild")
    assert code == 0, said
    assert await here.read_model() == before


async def test_the_whole_ledger_applied_twice_writes_nothing(here: World) -> None:
    await eventually(here.is_quiet, seconds=30, what="quiet")
    before, writes = await here.read_model(), await here.writes()
    await say_everything_again(here.stack.bootstrap)
    await eventually(here.is_quiet, seconds=60, what="quiet")
    await asyncio.sleep(1)
    assert await here.writes() == writes
    assert await here.read_model() == before


async def obstacles(here: World) -> list[Json]:
    """What stands in the way of writing, as the status says it."""
    status = await here.api.get("/api/sync/status")
    return [obstacle for target in status["targets"] for obstacle in target["obstacles"]]


async def say_everything_again(bootstrap: str) -> None:
    """Append each partition of the ledger to itself."""
    consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap, auto_offset_reset="earliest")
    async with (
        consumer,
        AIOKafkaProducer(bootstrap_servers=bootstrap, enable_idempotence=True) as producer,
    ):
        partitions = [TopicPartition(LEDGER.name, n) for n in range(LEDGER.partitions)]
        consumer.assign(partitions)
        ends = await consumer.end_offsets(partitions)
        await consumer.seek_to_beginning(*partitions)
        while any([await consumer.position(at) < ends[at] for at in partitions]):
            for at, records in (await consumer.getmany(timeout_ms=500)).items():
                for record in records:
                    if record.offset < ends[at]:
                        await producer.send(
                            LEDGER.name,
                            key=record.key,
                            value=record.value,
                            headers=list(record.headers),
                            partition=at.partition,
                        )
        await producer.flush()

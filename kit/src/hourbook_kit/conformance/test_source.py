"""What every source's connector promises to the loops around it."""

from datetime import datetime, timedelta

import pytest

from hourbook_kit.conformance.twins import FAILURES, Failure, SourceTwin
from hourbook_kit.source.protocol import (
    Booking,
    IncompletePullError,
    Source,
    SourceError,
    UnreadableError,
)

pytestmark = pytest.mark.anyio

MANY = 130
FAILED = (SourceError, UnreadableError)


async def everything(source: Source) -> dict[int, Booking]:
    """All that one list shows, each once."""
    found: dict[int, Booking] = {}
    async for page in source.everything():
        for booking in page.bookings:
            assert booking.id not in found
            found[booking.id] = booking
    return found


async def changed(source: Source, since: datetime | None) -> dict[int, Booking]:
    return {one.id: one async for page in source.latest(since) for one in page.bookings}


async def of_ticket(source: Source, ticket_id: int) -> dict[int, Booking]:
    return {one.id: one for one in (await source.read_ticket(ticket_id)).bookings}


# ------------------------------------------------------------------------------- what is booked
async def test_a_ticket_is_read_with_all_that_was_booked_on_it(source_twin: SourceTwin) -> None:
    first, second = source_twin.tickets
    booked = {await source_twin.book(first, units): units for units in ("15", "7.5", "-7.5")}
    await source_twin.book(second, "60")
    read = await source_twin.source.read_ticket(first)
    assert read.ticket is not None
    assert read.ticket.id == first
    assert read.ticket.attributes.number
    assert {one.id: float(one.raw_units) for one in read.bookings} == {
        booking: float(units) for booking, units in booked.items()
    }
    assert all(one.ticket_id == first for one in read.bookings)
    assert all(one.created_at.tzinfo and one.updated_at.tzinfo for one in read.bookings)


async def test_asked_twice_it_says_the_same(source_twin: SourceTwin) -> None:
    ticket = source_twin.tickets[0]
    await source_twin.book(ticket, "15")
    source = source_twin.source
    assert await source.read_ticket(ticket) == await source.read_ticket(ticket)
    assert await everything(source) == await everything(source)


async def test_every_list_and_every_ticket_tell_of_the_same_bookings(
    source_twin: SourceTwin,
) -> None:
    for ticket in source_twin.tickets:
        await source_twin.book(ticket, "15")
    source = source_twin.source
    listed = await everything(source)
    assert await changed(source, None) == listed
    assert listed == {**await of_ticket(source, source_twin.tickets[0])} | await of_ticket(
        source, source_twin.tickets[1]
    )


# ------------------------------------------------------------------------------------ idempotence
async def test_an_edit_keeps_the_bookings_id_and_the_moment_it_was_made(
    source_twin: SourceTwin,
) -> None:
    ticket = source_twin.tickets[0]
    booking = await source_twin.book(ticket, "15")
    before = (await of_ticket(source_twin.source, ticket))[booking]
    await source_twin.edit(booking, "30")
    after = (await of_ticket(source_twin.source, ticket))[booking]
    assert float(after.raw_units) == 30
    assert (after.id, after.created_at, after.agent_id) == (
        before.id,
        before.created_at,
        before.agent_id,
    )


async def test_no_id_is_used_twice(source_twin: SourceTwin) -> None:
    ticket = source_twin.tickets[0]
    first = await source_twin.book(ticket, "15")
    await source_twin.delete(first)
    assert await source_twin.book(ticket, "15") != first


# -------------------------------------------------------------------------------------- paging
async def test_a_list_of_many_pages_is_all_there_is(source_twin: SourceTwin) -> None:
    booked = {await source_twin.book(source_twin.tickets[0], "1") for _ in range(MANY)}
    assert (await everything(source_twin.source)).keys() == booked
    assert (await changed(source_twin.source, None)).keys() == booked
    assert (await of_ticket(source_twin.source, source_twin.tickets[0])).keys() == booked


async def test_a_deletion_while_a_list_is_read_hides_no_other_booking(
    source_twin: SourceTwin,
) -> None:
    booked = [await source_twin.book(source_twin.tickets[0], "1") for _ in range(MANY)]
    found: set[int] = set()
    doomed = iter(booked)
    try:
        async for page in source_twin.source.everything():
            found |= {one.id for one in page.bookings}
            await source_twin.delete(next(doomed))
    except IncompletePullError:
        return  # it says so, and proves nothing
    living = (await everything(source_twin.source)).keys()
    assert living <= found


# ----------------------------------------------------------------------------------- deletions
async def test_what_is_deleted_is_gone_and_only_that(source_twin: SourceTwin) -> None:
    ticket = source_twin.tickets[0]
    kept, deleted = [await source_twin.book(ticket, "15") for _ in range(2)]
    source = source_twin.source
    assert not await source.is_gone(deleted)
    await source_twin.delete(deleted)
    assert await source.is_gone(deleted)
    assert not await source.is_gone(kept)
    assert (await of_ticket(source, ticket)).keys() == {kept}
    assert (await everything(source)).keys() == {kept}


async def test_a_ticket_that_is_deleted_holds_nothing(source_twin: SourceTwin) -> None:
    ticket = source_twin.tickets[0]
    booking = await source_twin.book(ticket, "15")
    await source_twin.delete_ticket(ticket)
    read = await source_twin.source.read_ticket(ticket)
    assert (read.ticket, read.bookings) == (None, ())
    assert await source_twin.source.is_gone(booking)


@pytest.mark.parametrize("how", FAILURES)
async def test_silence_is_never_absence(source_twin: SourceTwin, how: Failure) -> None:
    ticket = source_twin.tickets[0]
    booking = await source_twin.book(ticket, "15")
    source = source_twin.source
    await source_twin.fail(how)
    with pytest.raises(FAILED):
        await source.read_ticket(ticket)
    with pytest.raises(FAILED):
        await everything(source)
    with pytest.raises(FAILED):
        await changed(source, None)
    with pytest.raises(FAILED):
        await source.is_gone(booking)
    with pytest.raises(FAILED):
        await source.control()
    await source_twin.heal()
    await source.control()
    assert (await of_ticket(source, ticket)).keys() == {booking}


# ------------------------------------------------------------------------- what cannot be read
async def test_what_cannot_be_read_is_neither_gone_nor_in_the_way_of_others(
    source_twin: SourceTwin,
) -> None:
    first, second = source_twin.tickets
    spoiled, other = await source_twin.book(first, "15"), await source_twin.book(second, "30")
    source = source_twin.source
    await source_twin.spoil(spoiled)
    pages = [page async for page in source.everything()]
    assert {one.id for page in pages for one in page.bookings} == {other}
    assert any(first in page.unreadable or spoiled in page.kept for page in pages)
    try:
        read = await source.read_ticket(first)
    except UnreadableError:
        pass
    else:
        assert spoiled in read.kept
        assert await source.bad_records()
    assert not await source.is_gone(spoiled)
    assert (await of_ticket(source, second)).keys() == {other}
    await source_twin.mend(spoiled)
    assert (await of_ticket(source, first)).keys() == {spoiled}
    assert await source.bad_records() == ()


# -------------------------------------------------------------------------------------- clocks
@pytest.mark.parametrize("ahead", [timedelta(), timedelta(hours=-3), timedelta(hours=3)])
async def test_what_changed_is_found_by_the_sources_own_clock(
    source_twin: SourceTwin, ahead: timedelta
) -> None:
    ticket = source_twin.tickets[0]
    await source_twin.set_clock(ahead)
    old = await source_twin.book(ticket, "15")
    cursor = max(one.updated_at for one in (await changed(source_twin.source, None)).values())
    new = await source_twin.book(ticket, "30")
    await source_twin.edit(old, "20")
    found = await changed(source_twin.source, cursor)
    assert found.keys() >= {old, new}
    assert float(found[old].raw_units) == 20


# ------------------------------------------------------------------------------------ deliveries
async def test_nobody_elses_delivery_is_taken_for_genuine(source_twin: SourceTwin) -> None:
    assert not source_twin.source.verifies(b'{"ticket": {"id": 1}}', None)
    assert not source_twin.source.verifies(b'{"ticket": {"id": 1}}', "sha1=" + "0" * 40)

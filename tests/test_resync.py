"""Both sides read anew, previewed and applied: exactly what was shown, or nothing."""

import json
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from bench.world import World, eventually, world
from hourbook_cli.resync import resync
from hourbook_cli.sides import Range, ResyncError, ResyncSettings
from hourbook_contracts.ledger import ConflictOpened, Settled, TimesheetRequested
from hourbook_contracts.resync import Plan

pytestmark = [pytest.mark.anyio, pytest.mark.slow, pytest.mark.timeout(300)]

DECISIONS = (TimesheetRequested.TYPE, ConflictOpened.TYPE, Settled.TYPE)


@pytest.fixture(scope="module")
async def here(folder: Path) -> AsyncIterator[World]:
    async with world(folder / "resync") as up:
        yield up


async def asked(here: World, *tickets: str, only: str | None = None) -> Plan:
    told = here.stack.environment("reconciler")
    settings = ResyncSettings.model_validate(
        {
            "kafka_bootstrap": here.stack.bootstrap,
            "admin_database_url": here.stack.admin_dsn,
            "vault_key": told["HOURBOOK_VAULT_KEY"],
        }
    )
    return await resync(settings, Range(tickets=tickets), lambda _done, _of: None, only=only)


async def deaf(here: World) -> None:
    """Neither side is heard of by itself any more."""
    await here.zammad.put("/_twin/webhook", json={"url": "http://127.0.0.1:1/", "secret": "x"})
    await here.poll_every(3600)
    await eventually(here.is_quiet, seconds=60, what="quiet")


async def outcome(here: World, since: int, books: list[str]) -> list[tuple[str, dict[str, Any]]]:
    """What was decided about these books after so many messages of theirs, but for its moment."""
    rows = await here.rows(
        "SELECT type, message FROM book.history WHERE book = ANY($1) AND type = ANY($2)"
        " ORDER BY book, offset_",
        books,
        DECISIONS,
    )
    return [(row["type"], lasting(json.loads(row["message"]))) for row in rows][since:]


def lasting(message: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in message.items() if name != "observed_at"}


async def test_a_plan_is_shown_bound_and_applied_as_it_was_shown(here: World) -> None:
    ticket = await here.new_ticket()
    edited = await here.book(ticket, 30)
    other = await here.book(ticket, 15)

    async def both_are_written() -> bool:
        entries = [await here.of_entry(one) for one in (edited, other)]
        return [entry.get("state") for entry in entries] == ["settled", "settled"]

    await eventually(both_are_written, seconds=60, what="both in Kimai")
    await deaf(here)
    book = (await here.of_entry(edited))["book"]

    assert (await asked(here, book)).facts == ()
    await here.edit(edited, 45)
    await here.book(ticket, 10)
    row = await here.sheet_of(other)
    assert row is not None
    end = datetime.fromisoformat(row["end"]) + timedelta(minutes=5)
    changed = await here.kimai.patch(f"/api/timesheets/{row['id']}", json={"end": end.isoformat()})
    changed.raise_for_status()

    before = await outcome(here, 0, [book])
    shown = await asked(here, book)
    kinds = sorted(one.type.split(".")[1] for one in shown.facts)
    assert kinds == ["entry_recorded", "entry_recorded", "timesheet_observed"]
    ops = sorted(one.message.get("op") or one.message["reason"] for one in shown.decisions)
    assert ops == ["changed_in_kimai", "create", "update"]
    assert (await asked(here, book)).hash == shown.hash  # looking changes nothing
    assert await outcome(here, 0, [book]) == before
    assert (await here.of_entry(edited))["duration_seconds"] == 30 * 60

    await here.book(ticket, 5)  # the world moves
    with pytest.raises(ResyncError, match="The world has moved"):
        await asked(here, book, only=shown.hash)
    assert await outcome(here, 0, [book]) == before

    again = await asked(here, book)
    applied = await asked(here, book, only=again.hash)
    assert applied.hash == again.hash

    async def all_is_decided() -> bool:
        return len(await outcome(here, len(before), [book])) >= len(again.decisions)

    await eventually(all_is_decided, seconds=60, what="what the plan decides")
    done = (await outcome(here, len(before), [book]))[: len(again.decisions)]
    assert done == [(one.type, lasting(one.message)) for one in again.decisions]

    async def kimai_holds_it() -> bool:
        row = await here.sheet_of(edited)
        return row is not None and row["duration"] == 45 * 60

    await eventually(kimai_holds_it, seconds=60, what="45 minutes in Kimai")
    assert (await here.of_entry(other))["reason"] == "changed_in_kimai"
    await eventually(here.is_quiet, seconds=60, what="quiet")
    assert (await asked(here, book)).facts == ()


async def test_a_range_that_is_none_is_said_in_a_sentence(here: World) -> None:
    with pytest.raises(ResyncError, match="Say which tickets"):
        await asked(here)
    with pytest.raises(ResyncError, match="No ticket is known"):
        await asked(here, "no such number")

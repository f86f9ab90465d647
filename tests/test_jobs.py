"""Jobs asked of the API and done beside the services: the past, what would be, both sides anew, the books again."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from bench.world import World, eventually, world
from hourbook_cli.jobs import Ended, Held, JobsSettings, Worker
from hourbook_cli.migrate import OWNERS, migrate_database
from hourbook_contracts.jobs import DropOldResult
from hourbook_kit import clock
from hourbook_kit import postgres as databases
from hourbook_reconciler.store import REBUILD_LOCK

pytestmark = [pytest.mark.anyio, pytest.mark.slow, pytest.mark.timeout(300)]

Json = dict[str, Any]


@pytest.fixture(scope="module")
async def here(folder: Path) -> AsyncIterator[World]:
    async with world(folder / "jobs") as up:
        yield up


async def asked(here: World, kind: str, **parameters: Any) -> str:
    job: Json = await here.api.post("/api/jobs", {"kind": kind} | parameters)
    return str(job["job"])


async def ended(here: World, job: str) -> Json:
    told: Json = {}

    async def is_over() -> bool:
        nonlocal told
        told = await here.api.get(f"/api/jobs/{job}")
        return told["ended_at"] is not None

    await eventually(is_over, seconds=90, what=f"the end of job {job}")
    return told


async def done(here: World, kind: str, **parameters: Any) -> Json:
    """The result of a job that was asked and came to its end."""
    told = await ended(here, await asked(here, kind, **parameters))
    assert (told["state"], told["failure"]) == ("done", None)
    assert told["progress"]["done"] == told["progress"]["total"]
    result: Json = told["result"]
    return result


@asynccontextmanager
async def nobody_switches(here: World) -> AsyncIterator[None]:
    """As while a batch is committed that does not come to its end."""
    connection = await asyncpg.connect(here.stack.admin_dsn)
    try:
        await connection.execute("SELECT pg_advisory_lock_shared($1)", REBUILD_LOCK)
        yield
    finally:
        await connection.close()


async def is_waiting_to_switch(here: World) -> bool:
    found = await here.rows(
        "SELECT FROM pg_locks WHERE locktype = 'advisory' AND mode = 'ExclusiveLock' AND NOT granted"
    )
    return bool(found)


async def an_old_one_is_kept(here: World) -> bool:
    (row,) = await here.rows("SELECT to_regnamespace('book_old') IS NOT NULL AS there")
    return bool(row["there"])


async def drop_the_old(here: World) -> None:
    assert await done(here, "drop_old") == {"kind": "drop_old", "dropped": True}
    assert not await an_old_one_is_kept(here)
    assert await done(here, "drop_old") == {"kind": "drop_old", "dropped": False}


# ------------------------------------------------------------------------------------- the past
async def test_the_past_is_told_as_it_was_and_compared_with_what_became_of_it(here: World) -> None:
    ticket = await here.new_ticket("Printer on fire")
    booked = await here.book(ticket, 30)
    await here.settled(booked)
    book = (await here.of_entry(booked))["book"]
    then = {"moment": clock.now().isoformat()}
    await here.edit(booked, 45)
    await here.settled(booked, lambda row: bool(row["duration"] == 45 * 60))

    past = await done(here, "as_of", at=then, of=book)
    assert [one["duration_seconds"] for one in past["entries"]] == [30 * 60]
    assert (past["summary"]["entries"], past["left_out"]) == (1, 0)
    now = await done(here, "as_of", of=book)
    assert now["entries"][0]["held"]["duration_seconds"] == 45 * 60
    assert (await done(here, "as_of", of=book, state=["asks"]))["entries"] == []

    told = await ended(here, await asked(here, "compare", first=then, of=book))
    (change,) = told["result"]["changes"]
    assert change["before"]["duration_seconds"] == 30 * 60
    assert change["after"]["duration_seconds"] == 45 * 60
    assert told["titles"] == {book: "Printer on fire"}
    moved = told["result"]["second"]["held_seconds"] - told["result"]["first"]["held_seconds"]
    assert moved == 15 * 60


async def test_what_a_change_of_settings_would_book_is_told_and_nothing_is_written(
    here: World,
) -> None:
    booked = await here.book(await here.new_ticket(), 30)
    await here.settled(booked)
    entry = await here.of_entry(booked)
    before = await here.writes()
    proposed = {
        "type": "mapping_set",
        "kind": "customer",
        "source": "desk",
        "source_key": "organization:2",
        "target": "hours",
        "target_id": 999,
    }
    found = await done(here, "what_if", of=entry["book"], policy=[proposed])
    (move,) = found["entries"]
    assert (move["entry"], move["after"]["project_id"]) == (entry["entry"], 999)
    assert sum(one["after_seconds"] for one in found["differences"]) == 30 * 60
    assert (await done(here, "what_if", of=entry["book"]))["moved"] == 0
    assert await here.writes() == before


async def test_a_place_that_the_ledger_does_not_have_is_said_in_a_sentence(here: World) -> None:
    told = await ended(here, await asked(here, "as_of", at={"place": "0/999999999"}))
    assert (told["state"], told["result"]) == ("failed", None)
    assert told["failure"].startswith("The ledger has no 0/999999999")


# ------------------------------------------------------------------------- the books once more
async def test_the_books_are_made_again_beside_and_a_worker_that_dies_is_followed_by_another(
    here: World,
) -> None:
    async with nobody_switches(here):
        job = await asked(here, "rebuild")
        await eventually(lambda: is_waiting_to_switch(here), seconds=90, what="a built second one")
        here.stack.kill("jobs")
    told = await ended(here, job)
    assert (told["state"], told["attempt"]) == ("done", 2)
    assert told["result"] | {"messages": 0} == {
        "kind": "rebuild",
        "switched": True,
        "messages": 0,
        "differing": [],
    }
    refused = await ended(here, await asked(here, "rebuild"))
    assert (refused["state"], "An old read model is kept" in refused["failure"]) == ("failed", True)
    await drop_the_old(here)


async def test_one_that_runs_is_cancelled_and_the_served_books_stay(here: World) -> None:
    async with nobody_switches(here):
        job = await asked(here, "rebuild")
        await eventually(lambda: is_waiting_to_switch(here), seconds=90, what="a built second one")

        async def is_told() -> bool:
            progress = (await here.api.get(f"/api/jobs/{job}"))["progress"]
            return bool(progress["sentence"] == "Folds the ledger into a second read model.")

        await eventually(is_told, seconds=30, what="its progress")
        await here.api.post(f"/api/jobs/{job}/cancel")
        told = await ended(here, job)
        assert (told["state"], told["result"]) == ("cancelled", None)
    assert not await an_old_one_is_kept(here)


async def test_a_worker_that_is_stopped_gives_its_job_back(here: World) -> None:
    async with nobody_switches(here):
        job = await asked(here, "rebuild")
        await eventually(lambda: is_waiting_to_switch(here), seconds=90, what="a built second one")
        here.stack.restart("jobs")

        async def is_given_back() -> bool:
            return bool((await here.api.get(f"/api/jobs/{job}"))["attempt"] == 2)

        await eventually(is_given_back, seconds=60, what="a second attempt")
    told = await ended(here, job)
    assert (told["state"], told["result"]["switched"]) == ("done", True)
    await drop_the_old(here)


# ------------------------------------------------------------------------------- both sides anew
async def test_a_plan_is_asked_for_refused_when_the_world_moved_and_applied_by_its_hash(
    here: World,
) -> None:
    booked = await here.book(await here.new_ticket(), 30)
    row = await here.settled(booked)
    await here.zammad.put("/_twin/webhook", json={"url": "http://127.0.0.1:1/", "secret": "x"})
    await here.poll_every(3600)
    await eventually(here.is_quiet, seconds=60, what="quiet")
    await here.edit(booked, 45)
    tickets = [(await here.of_entry(booked))["ticket_number"]]

    shown = await done(here, "resync_plan", tickets=tickets)
    assert [fact["type"] for fact in shown["plan"]["facts"]] == ["hourbook.entry_recorded.v1"]
    assert shown["plan"]["decisions"][0]["message"]["op"] == "update"
    end = datetime.fromisoformat(row["end"]) + timedelta(minutes=5)
    changed = await here.kimai.patch(f"/api/timesheets/{row['id']}", json={"end": end.isoformat()})
    changed.raise_for_status()

    by_hash = {"tickets": tickets, "hash": shown["plan"]["hash"]}
    refused = await ended(here, await asked(here, "resync_apply", **by_hash))
    assert (refused["state"], refused["result"]) == ("failed", None)
    assert refused["failure"].startswith("The world has moved")

    again = await done(here, "resync_plan", tickets=tickets)
    assert again["applied"] is False
    applied = await done(here, "resync_apply", **by_hash | {"hash": again["plan"]["hash"]})
    assert (applied["applied"], applied["plan"]["hash"]) == (True, again["plan"]["hash"])
    await here.asked(booked, "changed_on_both_sides")
    await here.poll_every(1)  # whoever comes next is heard again


# ---------------------------------------------------------------------------- who holds a job
@pytest.fixture
async def pool(postgres: str) -> AsyncIterator[asyncpg.Pool]:
    owner = await asyncpg.connect(postgres)
    await owner.execute('DROP DATABASE IF EXISTS "held_jobs" WITH (FORCE)')
    await owner.execute('CREATE DATABASE "held_jobs"')
    await owner.close()
    dsn = postgres.rsplit("/", 1)[0] + "/held_jobs"
    await migrate_database(dsn, {owner.role: owner.role for owner in OWNERS}, "pre")
    pool = await databases.pool(dsn, size=2)
    yield pool
    pool.terminate()


def worker(pool: asyncpg.Pool) -> Worker:
    told = {"kafka_bootstrap": "127.0.0.1:1", "admin_database_url": "x", "vault_key": "x"}
    return Worker(JobsSettings.model_validate(told), pool)


async def waits(pool: asyncpg.Pool, *kinds: str) -> None:
    for number, kind in enumerate(kinds):
        await pool.execute(
            "INSERT INTO control.jobs (job, kind, parameters, asked_by) VALUES ($1, $2, $3, 'user:a')",
            f"job-{number}",
            kind,
            f'{{"kind": "{kind}"}}',
        )


async def taken(pool: asyncpg.Pool) -> Held:
    held = await worker(pool).take()
    assert held is not None
    return held


async def its_worker_is_silent(pool: asyncpg.Pool) -> None:
    await pool.execute("UPDATE control.jobs SET alive_until = now() - interval '1 second'")


async def test_who_takes_a_job_up_has_what_was_kept_and_the_other_writes_no_more(
    pool: asyncpg.Pool,
) -> None:
    await waits(pool, "as_of")
    first = await taken(pool)
    first.put("00-17-abc", b"what was found")
    assert await worker(pool)._pulse(first)
    assert await worker(pool).take() is None
    await its_worker_is_silent(pool)
    second = await taken(pool)
    assert (second.attempt, second.get("00-17-abc")) == (2, b"what was found")
    assert not await worker(pool)._pulse(first)
    assert not await first.end(pool, Ended("done", DropOldResult(dropped=True)))
    assert await second.end(pool, Ended("done", DropOldResult(dropped=True)))
    assert await worker(pool).take() is None


async def test_two_never_make_the_books_again_at_once(pool: asyncpg.Pool) -> None:
    await waits(pool, "rebuild", "drop_old", "as_of")
    kinds = [(await taken(pool)).asked.kind for _ in range(2)]
    assert kinds == ["rebuild", "as_of"]
    assert await worker(pool).take() is None


@pytest.mark.parametrize(
    ("left", "state"), [("attempt = 10", "failed"), ("cancel_by = 'user:a'", "cancelled")]
)
async def test_what_nobody_can_do_or_wants_any_more_is_not_begun_again(
    pool: asyncpg.Pool, left: str, state: str
) -> None:
    await waits(pool, "drop_old")
    await taken(pool)
    await its_worker_is_silent(pool)
    await pool.execute(f"UPDATE control.jobs SET {left}")  # noqa: S608 -- one of the words above
    assert await worker(pool).take() is None
    assert await pool.fetchval("SELECT state FROM control.jobs") == state


async def test_a_kafka_that_stays_away_ends_a_job_in_a_sentence(
    pool: asyncpg.Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hourbook_cli.jobs.TRIES_MAX", 2)
    monkeypatch.setattr("hourbook_cli.jobs.TRY_SECONDS", 0)
    await waits(pool, "as_of")
    await worker(pool).carry_out(await taken(pool))
    row = await pool.fetchrow("SELECT state, failure FROM control.jobs")
    assert row is not None
    assert row["state"] == "failed"
    assert row["failure"].startswith("It waited too long. Waits: Kafka")

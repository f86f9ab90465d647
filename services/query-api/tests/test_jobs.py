"""Jobs are asked for by who may, kept until somebody does them, followed, told and dropped."""

import asyncio
import json
from contextlib import suppress
from typing import Any

import httpx
import pytest

from hourbook_contracts.audit import Standing, Summary
from hourbook_contracts.ids import BookId, EntryId
from hourbook_contracts.jobs import AsOfResult
from hourbook_contracts.privacy import KeysDestroyed, user_of
from hourbook_query_api.accesses import What
from hourbook_query_api.job_watch import forget_jobs
from hourbook_query_api.retention import Changeable, kept_for
from hourbook_query_api.testing import NOON, House, Shelf, sealed

pytestmark = pytest.mark.anyio

AS_OF: dict[str, Any] = {"kind": "as_of", "at": {"moment": "2026-03-30T14:00:00+02:00"}}
RESYNC = {"kind": "resync_plan", "tickets": ["65001"]}
MAPPED = {
    "type": "mapping_set",
    "kind": "customer",
    "source": "desk",
    "source_key": "organization:2",
    "target": "hours",
    "target_id": 8,
}
EVERYTHING: list[dict[str, Any]] = [
    AS_OF,
    {"kind": "compare", "first": {"place": "7/12"}},
    {"kind": "what_if", "policy": [MAPPED]},
    RESYNC,
    RESYNC | {"kind": "resync_apply", "hash": "0" * 32},
    {"kind": "rebuild"},
    {"kind": "drop_old"},
]


async def asked(client: httpx.AsyncClient, body: dict[str, Any]) -> dict[str, Any]:
    answer = await client.post("/api/jobs", json=body)
    assert answer.status_code == 202, answer.text
    job: dict[str, Any] = answer.json()
    assert answer.headers["Location"] == f"/api/jobs/{job['job']}"
    return job


@pytest.fixture(autouse=True)
async def no_job_before(house: House) -> None:
    await house.owner.execute("DELETE FROM control.jobs")


@pytest.mark.parametrize("body", EVERYTHING, ids=lambda body: str(body["kind"]))
async def test_what_is_asked_is_kept_for_a_worker_and_told_in_the_audit(
    house: House, client: httpx.AsyncClient, body: dict[str, Any]
) -> None:
    job = await asked(client, body)
    assert (job["kind"], job["state"], job["attempt"]) == (body["kind"], "waiting", 0)
    assert job["progress"] == {"done": 0, "total": None, "sentence": None}
    told = (await client.get(f"/api/jobs/{job['job']}")).json()
    assert (told["asked"], told["result"]) == (job["asked"], None)
    listed = (await client.get("/api/jobs", params={"kind": body["kind"]})).json()
    assert [one["job"] for one in listed["items"]] == [job["job"]]
    async with asyncio.timeout(20):
        while not (acts := await acts_about(client, job)):  # noqa: ASYNC110 -- asked as a person would
            await asyncio.sleep(0.1)
    assert (acts[0]["type"], acts[0]["by"]) == ("hourbook.job_asked.v1", job["asked_by"])
    assert acts[0]["message"]["parameters"] == json.loads(
        await house.owner.fetchval("SELECT parameters FROM control.jobs")
    )


async def acts_about(client: httpx.AsyncClient, job: dict[str, Any]) -> list[dict[str, Any]]:
    answer = await client.get("/api/audit", params={"subject": f"job/{job['job']}"})
    return list(answer.json()["items"])


@pytest.mark.parametrize(
    "body",
    [
        AS_OF | {"at": {"moment": "2026-03-30T14:00:00"}},
        AS_OF | {"at": {"moment": "2026-03-30T14:00:00Z", "place": "7/12"}},
        AS_OF | {"at": {"moment": "0001-01-01T00:00:00+02:00"}},
        AS_OF | {"of": "organisation:2"},
        {"kind": "resync_plan"},
        {"kind": "resync_plan", "first_on": "2026-03-30", "last_on": "2026-03-29"},
        RESYNC | {"kind": "resync_apply"},
        {"kind": "what_if", "policy": [MAPPED | {"target_id": "eight"}]},
        {"kind": "what_if", "policy": [{"type": "unit_confirmed"}]},
        {"kind": "what_if", "policy": [MAPPED | {"source_key": "\0"}]},
        {"kind": "undo_everything"},
    ],
)
async def test_what_nobody_could_do_is_refused_at_once(
    client: httpx.AsyncClient, body: dict[str, Any]
) -> None:
    answer = await client.post("/api/jobs", json=body)
    assert answer.status_code == 422, answer.text
    assert answer.json()["places"]
    assert (await client.get("/api/jobs")).json()["items"] == []


async def test_an_operator_looks_back_and_only_an_administrator_moves_anything(
    house: House, client: httpx.AsyncClient
) -> None:
    moving = (await asked(client, RESYNC))["job"]
    async with house.somebody("operator") as operator, house.somebody("viewer") as viewer:
        for body in EVERYTHING:
            reads = body["kind"] in {"as_of", "compare", "what_if"}
            answer = await operator.post("/api/jobs", json=body)
            assert answer.status_code == (202 if reads else 403), body
            assert (await viewer.post("/api/jobs", json=body)).status_code == 403
        for path in (f"/api/jobs/{moving}", f"/api/jobs/{moving}/cancel"):
            method = "POST" if path.endswith("cancel") else "GET"
            assert (await operator.request(method, path)).status_code == 403
            assert (await viewer.request(method, path)).status_code == 403
        assert (await viewer.get("/api/jobs")).status_code == 403


async def test_one_that_waits_is_cancelled_at_once_and_one_that_runs_when_its_worker_hears(
    house: House, client: httpx.AsyncClient
) -> None:
    waiting, running = [(await asked(client, AS_OF))["job"] for _ in range(2)]
    await house.owner.execute(
        "UPDATE control.jobs SET state = 'running', begun_at = now() WHERE job = $1", running
    )
    over = (await client.post(f"/api/jobs/{waiting}/cancel")).json()
    assert (over["state"], over["cancel_wanted"]) == ("cancelled", True)
    assert over["ended_at"]
    wanted = (await client.post(f"/api/jobs/{running}/cancel")).json()
    assert (wanted["state"], wanted["cancel_wanted"], wanted["ended_at"]) == ("running", True, None)
    again = await client.post(f"/api/jobs/{waiting}/cancel")
    assert (again.status_code, again.json()["type"]) == (409, "urn:hourbook:problem:ended")


async def test_a_result_opens_titles_now_and_tells_whose_hours_were_looked_at(
    house: House, client: httpx.AsyncClient, shelf: Shelf
) -> None:
    book = "zammad:past:88"
    title = await sealed(house, "Printer on fire", book, "title")
    await shelf.ticket(book, "00088", title)
    await shelf.entry("past", 88, 881, agent_id=77)
    job = (await asked(client, AS_OF))["job"]
    await done(house, job, EntryId("zammad:past:881"), BookId(book))
    told = (await client.get(f"/api/jobs/{job}")).json()
    assert told["result"]["entries"][0]["ticket_number"] == "00088"
    assert (told["result"]["left_out"], told["titles"]) == (3, {book: "Printer on fire"})
    whose = {"identity": user_of("past", 77)}
    looks = (await client.get("/api/privacy/accesses", params=whose)).json()["items"]
    past: What = "past"
    assert [(look["what"], look["times"]) for look in looks] == [(past, 1)]
    gone = KeysDestroyed(observed_at=NOON, by="user:a", erasure="e", subjects=(book,))
    await house.owner.execute("SELECT vault.destroy_keys($1)", [book])
    await house.desk.vault.hear(gone, 0)
    assert (await client.get(f"/api/jobs/{job}")).json()["titles"] == {book: None}


async def done(house: House, job: str, entry: EntryId, book: BookId) -> None:
    """As `hourbook jobs` would write it."""
    standing = Standing(
        entry=entry,
        book=book,
        ticket_number="00088",
        customer="organization:2",
        agent_id=77,
        day=NOON.date(),
        duration_seconds=900,
        net_seconds=900,
        state="settled",
        reason=None,
        want=None,
        held=None,
        sheet=None,
        decided=None,
        answered=None,
    )
    result = AsOfResult(
        summary=Summary(entries=4, states={"settled": 4}, net_seconds=3600, held_seconds=0),
        entries=(standing,),
        left_out=3,
    )
    await house.owner.execute(
        "UPDATE control.jobs SET state = 'done', ended_at = now(), result = $2 WHERE job = $1",
        job,
        result.model_dump_json(),
    )


async def test_who_listens_hears_of_each_step(house: House, client: httpx.AsyncClient) -> None:
    with house.desk.changes.listening() as listener:
        job = (await asked(client, AS_OF))["job"]
        heard: set[str] = set()
        async with asyncio.timeout(20):
            while job not in heard:
                await house.owner.execute("UPDATE control.jobs SET done = done + 1")
                with suppress(TimeoutError):  # the first look only learns how they stand
                    async with asyncio.timeout(1):
                        for moved in await listener.take():
                            heard |= set(moved.ids) if moved.kind == "jobs" else set()


async def test_too_many_that_wait_are_refused_and_old_ones_are_dropped(
    house: House, client: httpx.AsyncClient
) -> None:
    await house.owner.execute(
        "INSERT INTO control.jobs (job, kind, parameters, asked_by)"
        """ SELECT n, 'drop_old', '{"kind": "drop_old"}', 'user:old' FROM generate_series(1, 100) n"""
    )
    answer = await client.post("/api/jobs", json=AS_OF)
    assert answer.json()["type"] == "urn:hourbook:problem:too-many-jobs"
    await house.owner.execute(
        "UPDATE control.jobs SET state = 'done', ended_at = now() - interval '31 days'"
    )
    await house.owner.execute("INSERT INTO control.job_parts SELECT job, 'p', '' FROM control.jobs")
    await forget_jobs(house.desk.pool, kept_for(house.desk, Changeable.JOBS))
    assert await house.owner.fetchval("SELECT count(*) FROM control.job_parts") == 0
    await asked(client, AS_OF)

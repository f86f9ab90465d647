"""An answer is held, can be undone, and is then said once with the values that were shown."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any

import httpx
import pytest
from aiokafka import TopicPartition

from hourbook_contracts.codec import decode, header
from hourbook_contracts.ledger import ConflictResolved
from hourbook_contracts.topics import LEDGER
from hourbook_kit import kafka
from hourbook_query_api.saying import say
from hourbook_query_api.testing import NOON, House, Shelf, sealed

pytestmark = pytest.mark.anyio

WORK = {"place": None, "began_at": NOON.isoformat(), "duration_seconds": 900}
CANDIDATES = [
    {"sheet": f"kimai:hours:{number}", "work": WORK, "evidence": ["day"]} for number in (7, 8)
]


async def on_the_ledger(house: House) -> list[ConflictResolved]:
    """Every answer that stands there; others' tests put there what nobody can read."""
    reader = kafka.consumer(house.settings)
    await reader.start()
    try:
        places = [TopicPartition(LEDGER.name, partition) for partition in range(LEDGER.partitions)]
        reader.assign(places)
        ends = await reader.end_offsets(places)
        found = []
        while any([await reader.position(place) < ends[place] for place in places]):
            for records in (await reader.getmany(timeout_ms=500)).values():
                found += [
                    decode(record.headers, record.value)
                    for record in records
                    if header(record.headers, "ce_type") == ConflictResolved.TYPE
                ]
    finally:
        await reader.stop()
    return [message for message in found if isinstance(message, ConflictResolved)]


async def until(holds: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(10):
        while not await holds():  # noqa: ASYNC110 -- another process's rows
            await asyncio.sleep(0.05)


async def item(client: httpx.AsyncClient, resolution: str) -> dict[str, Any]:
    found = (await client.get(f"/api/resolutions/{resolution}")).json()["items"]
    return dict(found[0])


async def test_an_answer_is_said_when_its_delay_ends_and_never_before(
    house: House, client: httpx.AsyncClient, shelf: Shelf
) -> None:
    await shelf.conflict("zammad:desk:1/31", "changed_in_kimai", gen=4, want=WORK, held=None)
    body = {"choice": "zammad", "gen": 4, "comment": "I asked Anna."}
    answer = await client.post("/api/conflicts/zammad:desk:1~31/resolve", json=body)
    assert answer.status_code == 202
    resolution = answer.json()["resolution_id"]
    assert answer.headers["location"] == f"/api/resolutions/{resolution}"
    assert answer.json()["items"][0]["state"] == "held"
    shown = (await client.get("/api/conflicts/zammad:desk:1~31")).json()
    assert shown["on_its_way"]["choice"] == "zammad"
    assert shown["on_its_way"]["by_name"] == "Ada"
    assert shown["on_its_way"]["undo_until"] == answer.json()["undo_until"]
    await until(lambda: _is(client, resolution, "sent"))
    said = [one for one in await on_the_ledger(house) if one.posting == "zammad:desk:1/31"]
    assert len(said) == 1
    assert (said[0].gen, said[0].choice, said[0].by) == (4, "zammad", house.admin)
    assert said[0].observed_at >= datetime.fromisoformat(answer.json()["undo_until"])
    assert said[0].want is not None
    assert said[0].want.duration_seconds == 900
    assert said[0].comment is not None
    assert "Anna" not in said[0].model_dump_json()


async def _is(client: httpx.AsyncClient, resolution: str, state: str) -> bool:
    return bool((await item(client, resolution))["state"] == state)


async def test_what_is_undone_is_never_said(
    house: House, client: httpx.AsyncClient, shelf: Shelf
) -> None:
    await shelf.conflict("zammad:desk:1/32", "changed_in_kimai", gen=1)
    body = {"choice": "kimai", "gen": 1}
    path = "/api/conflicts/zammad:desk:1~32/resolve"
    first = (await client.post(path, json=body)).json()
    undone = await client.delete(first["look_at"])
    assert undone.status_code == 200
    assert undone.json()["items"][0]["state"] == "undone"
    assert (await client.delete(first["look_at"])).status_code == 200, "twice is once"
    again = await client.post(path, json=body)
    assert again.status_code == 202, "and may be answered anew"
    await until(lambda: _is(client, again.json()["resolution_id"], "sent"))
    late = await client.delete(again.json()["look_at"])
    assert late.json()["type"] == "urn:hourbook:problem:too-late"
    said = [one for one in await on_the_ledger(house) if one.posting == "zammad:desk:1/32"]
    assert len(said) == 1
    acts = (await client.get("/api/audit?type=hourbook.resolution_undone")).json()
    assert acts["items"][0]["by"] == house.admin


async def test_an_answer_outlives_the_process_that_took_it(
    house: House, client: httpx.AsyncClient, shelf: Shelf
) -> None:
    """It is a row: whoever looks next says it, and two who look at once say it once."""
    await shelf.conflict("zammad:desk:1/33", "changed_in_kimai", gen=1)
    await house.owner.execute(
        "INSERT INTO control.resolutions (resolution_id, said_by, choice, undo_until)"
        " VALUES ('before', $1, 'kimai', now() - interval '1 hour')",
        house.admin,
    )
    await house.owner.execute(
        "INSERT INTO control.resolved (resolution_id, subject, book, gen, state, undo_until)"
        " VALUES ('before', 'zammad:desk:1/33', 'zammad:desk:1', 1, 'held', now() - interval '1 hour')"
    )
    await asyncio.gather(say(house.desk), say(house.desk))
    await until(lambda: _is(client, "before", "sent"))
    said = [one for one in await on_the_ledger(house) if one.posting == "zammad:desk:1/33"]
    assert len(said) == 1


async def test_an_answer_to_what_has_moved_meanwhile_is_not_said(
    house: House, client: httpx.AsyncClient, shelf: Shelf
) -> None:
    await shelf.conflict("zammad:desk:1/34", "changed_in_kimai", gen=1)
    old = {"choice": "kimai", "gen": 1}
    path = "/api/conflicts/zammad:desk:1~34/resolve"
    answer = (await client.post(path, json=old)).json()
    await house.owner.execute(
        "UPDATE book.conflicts SET gen = 3 WHERE subject = 'zammad:desk:1/34'"
    )
    await until(lambda: _is(client, answer["resolution_id"], "overtaken"))
    assert not [one for one in await on_the_ledger(house) if one.posting == "zammad:desk:1/34"]
    moved = await client.post(path, json=old)
    assert moved.json()["type"] == "urn:hourbook:problem:moved"


async def test_the_first_answer_counts_and_says_so_to_the_second(
    house: House, client: httpx.AsyncClient, shelf: Shelf
) -> None:
    await shelf.conflict("zammad:desk:1/35", "changed_in_kimai", gen=1)
    path = "/api/conflicts/zammad:desk:1~35/resolve"
    async with house.somebody("operator") as other:
        answers = await asyncio.gather(
            client.post(path, json={"choice": "kimai", "gen": 1}),
            other.post(path, json={"choice": "zammad", "gen": 1}),
        )
    assert sorted(answer.status_code for answer in answers) == [202, 409]
    refused = next(answer for answer in answers if answer.status_code == 409)
    assert refused.json()["type"] == "urn:hourbook:problem:answered"


async def test_what_the_ledger_made_of_it_is_told(
    house: House, client: httpx.AsyncClient, shelf: Shelf
) -> None:
    await shelf.conflict("zammad:desk:1/36", "changed_in_kimai", gen=1)
    body = {"choice": "kimai", "gen": 1}
    answer = (await client.post("/api/conflicts/zammad:desk:1~36/resolve", json=body)).json()
    resolution = answer["resolution_id"]
    await until(lambda: _is(client, resolution, "sent"))
    await house.owner.execute(
        "INSERT INTO book.checkpoint (partition, next_offset, policy_version, revision)"
        " SELECT partition, offset_ + 1, 1, 1 FROM control.resolved WHERE resolution_id = $1"
        " ON CONFLICT (partition) DO UPDATE SET next_offset = excluded.next_offset",
        resolution,
    )
    assert (await item(client, resolution))["state"] == "overtaken", "another answer was first"
    await house.owner.execute(
        "UPDATE book.conflicts SET open = false, resolution = 'kimai', resolved_by = $1"
        " WHERE subject = 'zammad:desk:1/36'",
        house.admin,
    )
    assert (await item(client, resolution))["state"] == "counted"


async def test_only_what_is_offered_can_be_answered(
    client: httpx.AsyncClient, shelf: Shelf
) -> None:
    await shelf.conflict("zammad:desk:1/37", "locked_in_kimai", gen=1)
    path = "/api/conflicts/zammad:desk:1~37/resolve"
    for choice in ("zammad", "adopt", "anyway"):
        answer = await client.post(path, json={"choice": choice, "gen": 1})
        assert answer.json()["type"] == "urn:hourbook:problem:choice-not-offered"
    nowhere = "/api/conflicts/zammad:desk:1~99/resolve"
    assert (await client.post(nowhere, json={"choice": "kimai", "gen": 1})).status_code == 404


async def test_the_timesheet_that_is_adopted_comes_first(
    house: House, client: httpx.AsyncClient, shelf: Shelf
) -> None:
    subject = "zammad:desk:1/38"
    await shelf.conflict(subject, "possible_duplicate", gen=1, want=WORK, candidates=CANDIDATES)
    path = "/api/conflicts/zammad:desk:1~38/resolve"
    which = await client.post(path, json={"choice": "adopt", "gen": 1})
    assert which.json()["places"][0]["place"] == "body.sheet"
    body = {"choice": "adopt", "gen": 1, "sheet": "kimai:hours:8"}
    answer = await client.post(path, json=body)
    await until(lambda: _is(client, answer.json()["resolution_id"], "sent"))
    said = next(one for one in await on_the_ledger(house) if one.posting == subject)
    assert [candidate.sheet for candidate in said.candidates] == ["kimai:hours:8", "kimai:hours:7"]


async def test_many_are_previewed_and_answered_together(
    client: httpx.AsyncClient, shelf: Shelf
) -> None:
    for number in range(3):
        await shelf.conflict(
            f"zammad:many:1/{number}", "changed_in_kimai", gen=1, want=WORK, held=WORK
        )
    await shelf.conflict("zammad:many:1/8", "locked_in_kimai", gen=1, want=WORK, held=WORK)
    filtered = {"choice": "zammad", "filter": {"connection": "many"}}
    preview = (await client.post("/api/conflicts/preview", json=filtered)).json()
    assert preview["count"] == 4
    assert preview["outcomes"] == [{"outcome": "update", "count": 3, "seconds": 2700}]
    assert preview["skipped"] == [{"why": "choice_not_offered", "count": 1}]
    await shelf.conflict("zammad:many:1/9", "changed_in_kimai", gen=1)
    moved = await client.post("/api/conflicts/resolve", json=filtered | {"count": 4})
    assert moved.json()["type"] == "urn:hourbook:problem:count-moved"
    done = await client.post("/api/conflicts/resolve", json=filtered | {"count": 5})
    assert done.status_code == 202
    states = {one["conflict"]: (one["state"], one["why"]) for one in done.json()["items"]}
    assert states["zammad:many:1~8"] == ("skipped", "choice_not_offered")
    assert states["zammad:many:1~9"] == ("held", None)
    assert len(states) == 5
    left = (await client.get("/api/conflicts?connection=many&answered=false")).json()
    assert [one["conflict"] for one in left["items"]] == ["zammad:many:1~8"]
    undone = await client.delete(done.json()["look_at"])
    assert {one["state"] for one in undone.json()["items"]} == {"undone"}


async def test_what_was_chosen_is_answered_one_by_one(
    client: httpx.AsyncClient, shelf: Shelf
) -> None:
    await shelf.conflict("zammad:chosen:1/1", "changed_in_kimai", gen=2)
    await shelf.conflict("zammad:chosen:1/2", "changed_in_kimai", gen=2)
    chosen = [
        {"conflict": "zammad:chosen:1~1", "gen": 2},
        {"conflict": "zammad:chosen:1~2", "gen": 1},
        {"conflict": "zammad:chosen:1~3", "gen": 1},
    ]
    body = {"choice": "kimai", "conflicts": chosen, "count": 3}
    done = (await client.post("/api/conflicts/resolve", json=body)).json()
    states = {one["conflict"][-1]: (one["state"], one["why"]) for one in done["items"]}
    assert states == {"1": ("held", None), "2": ("skipped", "moved"), "3": ("skipped", "gone")}
    both = body | {"filter": {}}
    assert (await client.post("/api/conflicts/resolve", json=both)).status_code == 422


async def test_a_comment_is_opened_for_people_and_erased_with_its_authors_key(
    house: House, client: httpx.AsyncClient, shelf: Shelf
) -> None:
    note = await sealed(house, "I asked Anna.", house.admin, "comment")
    row = await shelf.entry("desk", 90, 39, state="asks", reason="changed_in_kimai")
    told = ConflictResolved(
        observed_at=NOON,
        book=row["book"],
        connection="desk",
        posting=row["posting"],
        gen=1,
        choice="kimai",
        want=None,
        held=None,
        by=house.admin,
        comment=note,
    )
    await shelf.message(told)
    step = (await client.get(f"/api/entries/{row['entry']}")).json()["story"][-1]
    assert (step["message"]["comment"], step["by_name"]) == ("I asked Anna.", "Ada")
    acts = (await client.get("/api/audit?subject=zammad:desk:90/39")).json()
    assert acts["items"][0]["message"]["comment"] == "I asked Anna."
    assert acts["items"][0]["by_name"] == "Ada"

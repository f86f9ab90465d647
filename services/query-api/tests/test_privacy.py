"""A person is told everything that is kept about them, and is forgotten when two administrators agree."""

import json
from collections.abc import AsyncIterator

import httpx
import pytest

from hourbook_contracts.ids import BookId, SubjectId
from hourbook_contracts.ledger import ConflictResolved
from hourbook_contracts.privacy import kimai_named, user_of
from hourbook_contracts.testing import mapping
from hourbook_query_api.accesses import forget_accesses
from hourbook_query_api.acts import act
from hourbook_query_api.destroying import destroy_late
from hourbook_query_api.retention import Changeable, kept_for
from hourbook_query_api.testing import NOON, House, Shelf, recorded, sealed, written

pytestmark = pytest.mark.anyio

MEIER = user_of("desk", 126)
TITLE, WORDS = "Mrs Meier's left leg", "Called Mrs Meier back"


@pytest.fixture
async def second(house: House) -> AsyncIterator[httpx.AsyncClient]:
    async with house.somebody("admin") as client:
        yield client


async def of_meier(house: House, shelf: Shelf, ticket: int, customer: int = 126) -> str:
    """A ticket of hers, with time, and a timesheet whose text names her."""
    row = await shelf.entry("desk", ticket, ticket * 10)
    book = str(row["book"])
    await shelf.ticket(book, f"{ticket:05}", await sealed(house, TITLE, book, "title"))
    await house.owner.execute(
        "UPDATE book.tickets SET customer_id = $2 WHERE book = $1", book, customer
    )
    await shelf.message(recorded(row))
    await shelf.message(
        written(row, f"kimai:hours:{ticket}", await sealed(house, WORDS, book, "description"))
    )
    return book


async def exported(client: httpx.AsyncClient, identity: str, **more: str) -> httpx.Response:
    answer = await client.get("/api/privacy/export", params={"identity": identity, **more})
    assert answer.status_code == 200, answer.text
    return answer


async def asked(client: httpx.AsyncClient, *identities: str) -> dict[str, object]:
    answer = await client.post("/api/privacy/erase", json={"identities": list(identities)})
    assert answer.status_code == 201, answer.text
    told: dict[str, object] = answer.json()
    return told


async def confirmed(client: httpx.AsyncClient, erasure: object) -> dict[str, object]:
    answer = await client.post(f"/api/privacy/erasures/{erasure}/confirm")
    assert answer.status_code == 200, answer.text
    told: dict[str, object] = answer.json()
    return told


async def test_a_customer_is_told_the_text_and_time_of_their_tickets(
    house: House, client: httpx.AsyncClient, shelf: Shelf
) -> None:
    await of_meier(house, shelf, 501)
    await of_meier(house, shelf, 502, customer=27)
    told = (await exported(client, MEIER)).json()
    assert [ticket["title"] for ticket in told["tickets"]] == [TITLE]
    assert [sheet["description"] for sheet in told["timesheet_texts"]] == [WORDS]
    assert [entry["entry"] for entry in told["time_spent_for_you"]] == ["zammad:desk:5010"]
    page = await exported(client, MEIER, format="html")
    assert page.headers["Content-Type"].startswith("text/html")
    assert "Mrs Meier&#x27;s left leg" in page.text
    assert "<script" not in page.text


async def test_that_a_person_was_exported_is_kept_without_what_was(
    house: House, client: httpx.AsyncClient, shelf: Shelf
) -> None:
    await of_meier(house, shelf, 503)
    await exported(client, MEIER)
    row = await house.owner.fetchrow(
        "SELECT * FROM control.events WHERE type = 'hourbook.person_exported.v1'"
        " ORDER BY offset_ DESC LIMIT 1"
    )
    assert row is not None
    assert row["said_by"] == house.admin
    assert json.loads(row["message"])["identities"] == [MEIER]


async def test_nobody_is_forgotten_by_the_one_who_asked_for_it(
    house: House, client: httpx.AsyncClient, shelf: Shelf, second: httpx.AsyncClient
) -> None:
    book = await of_meier(house, shelf, 504)
    erasure = (await asked(client, MEIER))["erasure"]
    alone = await client.post(f"/api/privacy/erasures/{erasure}/confirm")
    assert alone.status_code == 403
    assert (await exported(client, MEIER)).json()["tickets"][0]["title"] == TITLE
    told = await confirmed(second, erasure)
    assert (told["state"], told["asked_by"]) == ("erased", house.admin)
    assert (await house.desk.vault.keys_of([book]))[book] is None
    after = (await exported(client, MEIER)).json()
    assert after["tickets"][0]["title"] is None
    assert after["timesheet_texts"][0]["description"] is None
    assert after["time_spent_for_you"][0]["duration_seconds"] == 900


async def test_what_stays_is_said_with_its_reason(
    house: House, client: httpx.AsyncClient, shelf: Shelf, second: httpx.AsyncClient
) -> None:
    await of_meier(house, shelf, 505)
    who = {"identity": MEIER}
    before = (await client.get("/api/privacy/person", params=who)).json()
    assert (before["tickets"], before["keys"]) == (1, 1)
    told = await confirmed(second, (await asked(client, MEIER))["erasure"])
    stays = {stay["what"]: stay for stay in told["stays"]}  # type: ignore[attr-defined]  # JSON
    assert stays["time_spent_for"]["count"] == 1
    assert all(stay["why"] for stay in stays.values())
    assert stays.keys() >= {"tickets", "other_systems", "backups"}
    after = (await client.get("/api/privacy/person", params=who)).json()
    assert (after["tickets"], after["keys"]) == (1, 0)


async def test_a_ticket_that_was_hers_once_and_one_merged_into_hers_are_forgotten_too(
    house: House, client: httpx.AsyncClient, shelf: Shelf, second: httpx.AsyncClient
) -> None:
    moved, merged = (
        await of_meier(house, shelf, 506, customer=126),
        await of_meier(house, shelf, 507, customer=27),
    )
    await house.owner.execute(
        "UPDATE book.history SET message = jsonb_set(message, '{ticket,customer_id}', '28')"
        " WHERE book = $1 AND type = 'hourbook.entry_recorded.v1'",
        moved,
    )
    await house.owner.execute(
        "INSERT INTO book.history (partition, offset_, book, subject, type, ce_id, observed_at, message)"
        " VALUES (1, 1, $1, $1, 'hourbook.ticket_observed.v1', '', $2, $3)",
        merged,
        NOON,
        json.dumps({"merged_into": moved, "ticket": {"customer_id": 27}}),
    )
    await confirmed(second, (await asked(client, user_of("desk", 28)))["erasure"])
    assert await house.desk.vault.keys_of([moved, merged]) == {moved: None, merged: None}


async def test_her_ticket_that_comes_afterwards_loses_its_key_as_well(
    house: House, client: httpx.AsyncClient, shelf: Shelf, second: httpx.AsyncClient
) -> None:
    await confirmed(second, (await asked(client, user_of("desk", 29)))["erasure"])
    book = await of_meier(house, shelf, 508, customer=29)
    await destroy_late(house.desk)
    end = (await house.desk.ends.end_offsets(house.desk.ends.assignment())).items()
    control = next(at for place, at in end if place.topic == "hourbook.control.v1")
    assert await house.desk.projection.until(control - 1, seconds=10)
    assert (await house.desk.vault.keys_of([book]))[book] is None


async def test_whoever_signs_in_here_is_forgotten_with_account_addresses_and_comments(
    house: House, client: httpx.AsyncClient, shelf: Shelf, second: httpx.AsyncClient
) -> None:
    async with house.somebody("operator") as carl:
        me = (await carl.get("/api/me")).json()
        named = {"role": "operator", "active": True}
        repeated = {"Idempotency-Key": "role-of-carl"}
        url = f"/api/users/{me['user']}"
        assert me["name"] in (await client.put(url, json=named, headers=repeated)).text
        await shelf.message(
            ConflictResolved(
                observed_at=NOON,
                book=BookId("zammad:desk:509"),
                connection="desk",
                posting=SubjectId("zammad:desk:509/1"),
                gen=1,
                choice="kimai",
                want=None,
                held=None,
                by=me["user"],
                comment=await sealed(house, "I told her so", me["user"], "comment"),
            )
        )
        told = (await exported(client, me["user"])).json()
        assert told["account"][0]["name"] == me["name"]
        assert told["answers"][0]["comment"] == "I told her so"
        assert told["visits"]
        await confirmed(second, (await asked(client, me["user"]))["erasure"])
        assert (await carl.get("/api/me")).status_code == 401
        again = await client.put(url, json=named, headers=repeated)
        assert (again.status_code, again.text) == (204, "")
    after = (await exported(client, me["user"])).json()
    assert (after["account"], after["answers"][0]["comment"]) == ([], None)
    assert [visit["address"] for visit in after["visits"]] == [None] * len(told["visits"])


async def test_an_erasure_can_be_withdrawn_until_it_is_confirmed(
    client: httpx.AsyncClient, second: httpx.AsyncClient
) -> None:
    erasure = (await asked(client, user_of("desk", 30)))["erasure"]
    twice = await second.post("/api/privacy/erase", json={"identities": ["zammad:desk:user:30"]})
    assert (twice.status_code, twice.json()["type"]) == (409, "urn:hourbook:problem:exists")
    assert (await second.delete(f"/api/privacy/erasures/{erasure}")).status_code == 204
    late = await second.post(f"/api/privacy/erasures/{erasure}/confirm")
    assert (late.status_code, late.json()["type"]) == (409, "urn:hourbook:problem:ended")
    listed = (await client.get("/api/privacy/erasures")).json()["items"]
    assert {one["erasure"]: one["state"] for one in listed}[erasure] == "withdrawn"


async def test_the_last_administrator_cannot_be_forgotten(
    house: House, client: httpx.AsyncClient
) -> None:
    others = "UPDATE vault.users SET active = $2 WHERE role = 'admin' AND user_id <> $1"
    await house.owner.execute(others, house.admin, False)
    answer = await client.post("/api/privacy/erase", json={"identities": [house.admin]})
    assert (answer.status_code, answer.json()["type"]) == (
        409,
        "urn:hourbook:problem:last-administrator",
    )


async def test_a_worker_is_found_on_both_sides_by_the_mapping(
    house: House, client: httpx.AsyncClient, shelf: Shelf
) -> None:
    rule = mapping("worker", "41", 42)
    await act(house.desk, rule, "/")
    await shelf.entry(rule.source, 510, 5100, agent_id=41)
    await shelf.entry(rule.source, 511, 5110, agent_id=43, target=rule.target, user_id=42)
    told = (await exported(client, user_of(rule.source, 41))).json()
    assert kimai_named(rule.target, "user", 42) in told["identities"]
    assert len(told["time_you_booked"]) == 2
    assert [row["mapping"] for row in told["mappings"]] == [rule.mapping]


async def test_an_erasure_of_a_name_is_refused_with_what_to_send(client: httpx.AsyncClient) -> None:
    answer = await client.post("/api/privacy/erase", json={"identities": ["Mrs Meier"]})
    assert answer.status_code == 422
    assert "Meier" not in answer.text


async def test_who_looked_at_whose_hours_is_kept_and_told_to_whose_they_are(
    house: House, client: httpx.AsyncClient, shelf: Shelf
) -> None:
    await house.owner.execute("TRUNCATE control.accesses")
    await shelf.entry("desk", 520, 5200, agent_id=61)
    await shelf.entry("desk", 521, 5210, agent_id=62)
    await shelf.conflict("zammad:desk:521/5210", "changed_in_kimai")
    async with house.somebody("viewer") as vera:
        me = (await vera.get("/api/me")).json()["user"]
        for path in ("/api/entries?agent=61", "/api/entries/zammad:desk:5200") * 2:
            (await vera.get(path)).raise_for_status()
        (await vera.get("/api/entries.csv?agent=62")).raise_for_status()
        asked = "zammad:desk:521/5210"
        for path in ("/api/conflicts?agent=62", f"/api/conflicts/{asked.replace('/', '~')}"):
            (await vera.get(path)).raise_for_status()
        (await vera.get("/api/conflicts.csv?agent=62")).raise_for_status()
        assert (await vera.get("/api/privacy/accesses")).status_code == 403
    whose = {"identity": user_of("desk", 61)}
    looks = (await client.get("/api/privacy/accesses", params=whose)).json()["items"]
    assert {(look["looked_by"], look["what"], look["times"]) for look in looks} == {
        (me, "list", 2),
        (me, "entry", 2),
    }
    told = (await exported(client, user_of("desk", 62))).json()
    assert {(look["looked_by"], look["what"], look["times"]) for look in told["looks"]} == {
        (me, "export", 2),
        (me, "list", 1),
        (me, "entry", 1),
    }


async def test_how_long_things_are_kept_is_shown_and_can_be_changed(
    house: House, client: httpx.AsyncClient
) -> None:
    before = {
        kept["kind"]: kept for kept in (await client.get("/api/privacy/retention")).json()["items"]
    }
    assert (before["ledger"]["days"], before["ledger"]["changeable"]) == (None, False)
    assert (before["inbox"]["days"], before["dead_letters"]["days"]) == (30, 90)
    answer = await client.put("/api/privacy/retention/accesses", json={"days": 7})
    assert answer.status_code == 200, answer.text
    after = {kept["kind"]: kept["days"] for kept in answer.json()["items"]}
    assert after["accesses"] == 7
    assert (await client.put("/api/privacy/retention/ledger", json={"days": 7})).status_code == 422
    await house.owner.execute(
        "INSERT INTO control.accesses SELECT 'user:old', 'zammad:desk:user:63', 'list',"
        " now() - make_interval(days => age), 1 FROM unnest('{6, 8}'::int[]) AS age"
    )
    await forget_accesses(house.desk.pool, kept_for(house.desk, Changeable.ACCESSES))
    left = "SELECT count(*) FROM control.accesses WHERE looked_by = 'user:old'"
    assert await house.owner.fetchval(left) == 1

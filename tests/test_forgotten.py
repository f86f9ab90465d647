"""A person was erased: of all bytes that Hourbook holds, none tells of them any more.

Searched are every table (as the server hands it out, by a superuser), every file of every topic on the
broker's disk and every record as a consumer gets it, the services' logs, and a backup (the archive of the
ledger and the vault) made afterwards; for the text itself and for it as JSON, base64 and hexadecimal digits have it.
"""

import base64
import gzip
import io
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

import asyncpg
import httpx
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from bench.world import Json, World, eventually, world
from hourbook_cli.backup import OwnerSettings, backup
from hourbook_contracts.dead_letters import MessageParked
from hourbook_contracts.topics import DEAD_LETTERS, INBOX, TOPICS, Topic

pytestmark = [pytest.mark.anyio, pytest.mark.story, pytest.mark.slow, pytest.mark.timeout(900)]

TITLE = "Zoë Quitterie Übelacker cannot log in"
EDITED = "Rückruf bei Quitterie Übelacker, Hüfte operiert"
PARKED = "Ottilie-in-a-letter-nobody-can-read"
ANNA = "Annabella Unverwechselbar"
CARL = "Carl Nirgendsonst"
COMMENT = "Frau Übelacker rief an, Akte siebenundvierzig"
SERVICES = ("ingest-zammad", "reconciler", "push-kimai", "query-api")
PASSWORD = "correct horse battery"


def spellings(text: str) -> Iterator[bytes]:
    """As bytes may hold a text: itself, as JSON escapes it, in base64 wherever it begins, in hexadecimal."""
    for octets in {text.encode(), json.dumps(text)[1:-1].encode()}:
        yield octets
        yield octets.hex().encode()
        yield octets.hex().upper().encode()
        for before in range(3):
            coded = base64.b64encode(b"\0" * before + octets)
            yield coded[4 if before else 0 : -4]


def test_the_search_finds_a_text_however_it_is_written() -> None:
    for written in (
        EDITED.encode(),
        json.dumps({"d": EDITED}).encode(),
        b"\\x" + EDITED.encode().hex().encode(),
        *(base64.b64encode(b"." * n + json.dumps([EDITED]).encode()) for n in range(5)),
    ):
        assert any(spelling in written for spelling in spellings(EDITED)), written


@dataclass
class Everything:
    """All bytes, by where they are."""

    places: dict[str, bytes] = field(default_factory=dict)

    def holding(self, text: str) -> list[str]:
        known = set(spellings(text))
        return sorted(
            place for place, octets in self.places.items() if any(one in octets for one in known)
        )


async def everything(here: World) -> Everything:
    found = Everything()
    await _tables(here, found)
    for topic in TOPICS:
        found.places[f"topic {topic.name}"] = await _of_topic(here, topic)
    folder = here.stack.folder
    for file in (folder / "kafka").rglob("*"):
        if file.is_file() and "hourbook." in str(file.parent.name):
            found.places[f"segment {file.parent.name}/{file.name}"] = file.read_bytes()
    for name in SERVICES:
        for file in here.stack.logs.glob(f"{name}.log*"):
            found.places[f"log {file.name}"] = file.read_bytes()
    settings = OwnerSettings.model_validate(
        {"kafka_bootstrap": here.stack.bootstrap, "admin_database_url": here.stack.admin_dsn}
    )
    packed = io.BytesIO()
    await backup(settings, packed)
    found.places["backup"] = gzip.decompress(packed.getvalue())
    return found


async def _tables(here: World, found: Everything) -> None:
    connection = await asyncpg.connect(here.stack.admin_dsn)
    try:
        tables = await connection.fetch(
            "SELECT n.nspname AS schema, c.relname AS name FROM pg_class AS c"
            " JOIN pg_namespace AS n ON n.oid = c.relnamespace WHERE c.relkind = 'r'"
            " AND n.nspname NOT IN ('pg_catalog', 'information_schema')"
        )
        for table in tables:
            told = bytearray()

            async def take(chunk: bytes, told: bytearray = told) -> None:
                told.extend(chunk)

            await connection.copy_from_table(
                table["name"], schema_name=table["schema"], output=take
            )
            found.places[f"table {table['schema']}.{table['name']}"] = bytes(told)
    finally:
        await connection.close()


async def _of_topic(here: World, topic: Topic) -> bytes:
    """All its records as a consumer gets them."""
    told = bytearray()
    async with AIOKafkaConsumer(
        bootstrap_servers=here.stack.bootstrap, auto_offset_reset="earliest"
    ) as reader:
        places = [TopicPartition(topic.name, number) for number in range(topic.partitions)]
        reader.assign(places)
        await reader.seek_to_beginning(*places)
        left = sum((await reader.end_offsets(places)).values())
        while left:
            record = await reader.getone()
            left -= 1
            told += b" ".join([record.key or b"", record.value or b""])
            told += b" ".join(value for _, value in record.headers)
    return bytes(told)


@pytest.fixture(scope="module")
async def here(folder: Path) -> AsyncIterator[World]:
    async with world(folder / "forgotten") as up:
        yield up


@asynccontextmanager
async def somebody(here: World, name: str, role: str) -> AsyncIterator[httpx.AsyncClient]:
    """Signed in with this role."""
    invited = await here.api.post("/api/users", {"name": name, "role": role})
    async with httpx.AsyncClient(
        base_url=here.stack.url("query-api"), timeout=30, trust_env=False
    ) as client:
        body = {"token": invited["invitation"], "password": PASSWORD}
        answer = await client.post("/api/auth/invitation", json=body)
        answer.raise_for_status()
        client.headers["Authorization"] = f"Bearer {answer.json()['access_token']}"
        client.headers["X-User"] = invited["user"]["user"]
        yield client


async def quitterie(here: World) -> tuple[int, int]:
    """Her ticket with an hour on it, of which a person wrote more in Kimai; with her number in Zammad."""
    ticket = await here.new_ticket(TITLE)
    booked = await here.book(ticket, 60)

    async def stands() -> bool:
        row = await here.sheet_of(booked)
        return row is not None and TITLE in row["description"]

    await eventually(stands, seconds=60, what="her title in Kimai")
    row = await here.sheet_of(booked)
    assert row is not None
    path = f"/api/timesheets/{row['id']}"
    body = {"description": f"{EDITED} {row['description']}"}
    (await here.kimai.patch(path, json=body)).raise_for_status()
    sheet = f"kimai:hours:{row['id']}"

    async def is_observed() -> bool:
        seen = await here.rows(
            "SELECT 1 FROM book.history WHERE subject = $1 AND type LIKE '%timesheet_observed%'",
            sheet,
        )
        return bool(seen)

    await eventually(is_observed, seconds=60, what="the edited text observed")
    shown = next(one for one in await here.tickets() if one["id"] == ticket)
    return ticket, int(shown["customer_id"])


async def annabella(here: World) -> int:
    """Anna is called so in Kimai, and our directory has learned it."""
    users = (await here.kimai.get("/api/users")).json()
    anna = next(user["id"] for user in users if user["username"].startswith("anna"))
    (await here.kimai.patch(f"/_twin/users/{anna}", json={"alias": ANNA})).raise_for_status()
    await here.api.post("/api/sync/manual", {"what": "sweep"})

    async def is_known() -> bool:
        return bool(await here.rows("SELECT 1 FROM push.directory WHERE name = $1", ANNA))

    await eventually(is_known, seconds=60, what="her name in the directory")
    return int(anna)


async def answer_with_words(here: World, somebody: httpx.AsyncClient) -> None:
    """A question is answered by this person, with a comment; the fact stands."""
    booked = await here.book(await here.new_ticket(), 30)
    row = await here.settled(booked)
    end = datetime.fromisoformat(row["end"]) + timedelta(minutes=15)
    longer = {"end": end.isoformat()}
    (await here.kimai.patch(f"/api/timesheets/{row['id']}", json=longer)).raise_for_status()
    asked = await here.asked(booked, "changed_in_kimai")
    answer = {"choice": "kimai", "gen": asked["gen"], "comment": COMMENT}
    path = f"/api/conflicts/{asked['conflict']}/resolve"
    (await somebody.post(path, json=answer)).raise_for_status()
    await here.settled(booked)


async def park(here: World) -> None:
    """A message that nobody can read becomes a dead letter."""
    async with AIOKafkaProducer(bootstrap_servers=here.stack.bootstrap) as producer:
        headers = [("ce_type", b"hourbook.reread_requested.v1")]
        await producer.send_and_wait(INBOX.name, PARKED.encode(), headers=headers)

    async def is_parked() -> bool:
        return MessageParked.TYPE.encode() in await _of_topic(here, DEAD_LETTERS)

    await eventually(is_parked, seconds=60, what="a dead letter")


async def test_no_byte_tells_of_who_was_erased(here: World) -> None:
    ticket, number = await quitterie(here)
    anna = await annabella(here)
    await park(here)
    async with somebody(here, CARL, "operator") as carl, somebody(here, "Greta", "admin") as greta:
        await answer_with_words(here, carl)
        before = await everything(here)
        assert before.holding(ANNA) == ["table push.directory"]
        assert before.holding(CARL) == ["backup", "table vault.users"]
        assert before.holding(f"zammad:desk:{ticket}")  # the search finds what is there
        exported = await here.api.get("/api/privacy/export", identity=f"zammad:desk:user:{number}")
        assert TITLE in json.dumps(exported, ensure_ascii=False)
        assert EDITED in json.dumps(exported, ensure_ascii=False)

        his = await here.api.get("/api/privacy/export", identity=carl.headers["X-User"])
        assert COMMENT in json.dumps(his, ensure_ascii=False)
        before_it = _hours(exported)

        people = [
            [f"zammad:desk:user:{number}"],
            [f"kimai:hours:user:{anna}"],
            [carl.headers["X-User"]],
        ]
        for identities in people:
            asked = await here.api.post("/api/privacy/erase", {"identities": identities})
            path = f"/api/privacy/erasures/{asked['erasure']}"
            (await greta.post(f"{path}/confirm")).raise_for_status()
        await here.book(ticket, 15)  # life goes on, on the same ticket too
        await here.book(await here.new_ticket(TITLE), 15)
        await here.api.post("/api/sync/manual", {"what": "sweep"})
        await eventually(here.is_quiet, seconds=90, what="quiet")
        for name in SERVICES:  # what they knew, and what they would learn again at a start
            here.stack.restart(name)
        await here.stack.until_ready()
        await eventually(here.is_quiet, seconds=90, what="quiet")

        after = await everything(here)
        for text in (TITLE, EDITED, ANNA, CARL, COMMENT, "Quitterie", "Übelacker"):
            assert after.holding(text) == [], text
        told = [place for place in after.holding(PARKED) if INBOX.name not in place]
        assert told == []  # we put it into the inbox ourselves, which holds no text otherwise
        assert {place.split()[0] for place in after.places} == {
            *("table", "topic", "segment", "log", "backup")
        }

        async def all_is_unreadable() -> bool:
            told = await here.api.get("/api/privacy/export", identity=f"zammad:desk:user:{number}")
            texts = [row["title"] for row in told["tickets"]]
            texts += [row["description"] for row in told["timesheet_texts"]]
            hours = _hours(told)
            return (set(texts), hours) == ({None}, before_it + 30 * 60)

        what = "no text readable, the ticket that came afterwards included, and all hours there"
        await eventually(all_is_unreadable, seconds=90, what=what)


def _hours(exported: Json) -> int:
    """In seconds."""
    return sum(row["duration_seconds"] for row in exported["time_spent_for_you"])


async def test_a_rebuild_after_it_gives_the_same_read_model(here: World) -> None:
    await eventually(here.is_quiet, seconds=60, what="quiet")
    before = await here.read_model()
    code, said = await here.command("rebuild")
    assert code == 0, said
    assert await here.read_model() == before


async def test_the_keys_of_the_erased_are_in_no_row(here: World) -> None:
    """Whoever has the vault, its key and all that was ever said opens nothing of theirs."""
    rows = await here.rows("SELECT wrapped FROM vault.subject_keys WHERE destroyed_at IS NOT NULL")
    assert {row["wrapped"] for row in rows} == {None}

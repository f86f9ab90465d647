"""Two Zammads, two Kimais and a folder of CSV files in one installation: whose hours go where is policy."""

import hashlib
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from aiokafka import TopicPartition

from bench.world import MARKER, Json, World, eventually, world
from hourbook_contracts.codec import decode
from hourbook_contracts.dead_letters import MessageParked, RecordParked
from hourbook_contracts.message import Message
from hourbook_contracts.topics import DEAD_LETTERS
from hourbook_kit import clock
from hourbook_kit.kafka import consumer
from hourbook_kit.settings import KafkaSettings
from hourbook_local.children import free_port
from hourbook_simulators.kimai.app import build as kimai_app
from hourbook_simulators.kimai.memory import Memory as KimaiMemory
from hourbook_simulators.kimai.seeds import seeded
from hourbook_simulators.serving import server
from hourbook_simulators.zammad.app import build as zammad_app
from hourbook_simulators.zammad.memory import Memory as ZammadMemory
from hourbook_simulators.zammad.seeds import DEMO_TOKEN, plant

pytestmark = [pytest.mark.anyio, pytest.mark.story, pytest.mark.slow, pytest.mark.timeout(180)]

YESTERDAY = (clock.now() - timedelta(days=1)).replace(microsecond=0)
HEADER = "id,ticket,agent,units,made_at,organization,number,title"


@contextmanager
def served(app: Any) -> Iterator[str]:
    """On a port of its own, in a thread of its own."""
    port = free_port()
    serving = server(app, port)
    thread = threading.Thread(target=serving.run, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{port}"
    serving.should_exit = True
    thread.join(10)


@dataclass
class Several:
    """The demo's Zammad and Kimai (desk, hours), a second pair (shop, ledger), and a folder."""

    here: World
    shop: ZammadMemory
    shop_url: str
    ledger: KimaiMemory
    folder: Path

    def sheets(self) -> list[Json]:
        """Of the second Kimai, those of ours."""
        return [
            {
                "id": row.id,
                "user": row.user_id,
                "duration": row.duration_seconds,
                "text": row.description,
            }
            for row in self.ledger.timesheets.values()
            if MARKER in (row.description or "")
        ]

    async def book_in_shop(self, ticket: int, minutes: float) -> int:
        async with httpx.AsyncClient(base_url=self.shop_url, trust_env=False) as client:
            body = {"ticket_id": ticket, "agent_id": 3, "time_unit": str(minutes)}
            made = await client.post("/_twin/book", json=body)
            return int(made.raise_for_status().json()["id"])

    def write(self, *lines: str, finished: bool = True) -> None:
        text = "\n".join([HEADER, *lines]) + "\n"
        (self.folder / "november.csv").write_text(text)
        if finished:
            digest = hashlib.sha256(text.encode()).hexdigest()
            (self.folder / "SHA256SUMS").write_text(f"{digest}  november.csv\n")

    async def parked(self) -> list[Message]:
        """Every dead letter there is."""
        reader = consumer(KafkaSettings(kafka_bootstrap=self.here.stack.bootstrap))
        await reader.start()
        try:
            place = TopicPartition(DEAD_LETTERS.name, 0)
            reader.assign([place])
            await reader.seek_to_beginning(place)
            end = (await reader.end_offsets([place]))[place]
            records = [await reader.getone() for _ in range(end)]
        finally:
            await reader.stop()
        return [decode(record.headers, record.value) for record in records]

    async def entry(self, name: str) -> Json:
        return await self.here.api.find(f"/api/entries/{name}") or {}

    async def is_settled(self, name: str) -> bool:
        return (await self.entry(name)).get("state") == "settled"


def line(booking: int, ticket: int, minutes: str) -> str:
    return f"{booking},{ticket},3,{minutes},{YESTERDAY.isoformat()},2,{70000 + ticket},Painted the fence"


@pytest.fixture(scope="module")
async def several(folder: Path) -> AsyncIterator[Several]:
    shop, ledger = ZammadMemory(plant("demo")), seeded("demo")
    hours = folder / "csv-hours"
    hours.mkdir()
    with ExitStack() as running:
        shop_url = running.enter_context(served(zammad_app(shop)))
        ledger_url = running.enter_context(served(kimai_app(ledger)))
        async with world(folder / "several") as here:
            found = Several(here, shop, shop_url, ledger, hours)
            found.write()
            await connect(here, shop_url, ledger_url, hours)
            yield found


async def connect(here: World, shop_url: str, ledger_url: str, folder: Path) -> None:
    """As the first pair is, with its rules; the folder's hours go to the second Kimai too."""
    every = {"poll_seconds": 1, "sweep_seconds": 3}
    shop = {"name": "shop", "kind": "zammad", "base_url": shop_url, "token": DEMO_TOKEN}
    await here.api.post("/api/connectors", shop | every | {"webhook_secret": "of the shop"})
    fast = {"send_window_seconds": 1, "timeout_seconds": 1, "grace_seconds": 3}
    ledger = {"name": "ledger", "kind": "kimai", "base_url": ledger_url}
    await here.api.post("/api/connectors", ledger | every | fast | {"token": "kimai-demo-token"})
    papers = {"name": "papers", "kind": "source", "connector": "csv", "base_url": folder.as_uri()}
    await here.api.post("/api/connectors", papers | every)
    rules = (await here.api.get("/api/mappings?limit=200"))["items"]
    for source in ("shop", "papers"):
        for rule in rules:
            kept = ("kind", "source_key", "target_id", "time_zone")
            body = {name: rule[name] for name in kept if rule.get(name) is not None}
            await here.api.post("/api/mappings", body | {"source": source, "target": "ledger"})
        unit = {"unit": "minute", "seconds_per_unit": 60}
        await here.api.post(f"/api/connectors/{source}/unit", unit)
    await here.api.put("/api/connectors/ledger/writing", {"on": True, "start_on": None})


async def test_each_zammads_hours_go_to_the_kimai_its_rules_name(several: Several) -> None:
    here = several.here
    ticket = await here.new_ticket("Of the desk")
    at_desk = await here.book(ticket, 20)
    at_shop = await several.book_in_shop(1, 25)
    await eventually(lambda: several.is_settled(f"zammad:desk:{at_desk}"), what="the desk's hour")
    await eventually(lambda: several.is_settled(f"zammad:shop:{at_shop}"), what="the shop's hour")
    first = await here.sheet_of(at_desk)
    assert first is not None
    assert first["duration"] == 1200
    sheet = (await several.entry(f"zammad:shop:{at_shop}"))["sheet"]
    assert sheet.startswith("kimai:ledger:")
    seconds = {row["id"]: row["duration"] for row in several.sheets()}
    assert seconds[int(sheet.rsplit(":", 1)[1])] == 1500


async def test_the_same_number_in_two_zammads_is_two_entries(several: Several) -> None:
    """Both twins begin to count at the same number."""
    here = several.here
    ids = {row["id"] for row in await here.time_accountings()} & set(several.shop.books.accountings)
    assert ids
    both = max(ids)
    names = [f"zammad:{source}:{both}" for source in ("desk", "shop")]
    for name in names:
        await eventually(lambda name=name: several.is_settled(name), what=name)  # type: ignore[misc]  # bound at once
    sheets = {(await several.entry(name))["sheet"].split(":")[1] for name in names}
    assert sheets == {"hours", "ledger"}


async def test_an_hour_in_a_folder_is_booked_changed_and_deleted(several: Several) -> None:
    several.write(line(1, 12, "30"), line(2, 12, "45"))
    for booking in (1, 2):
        name = f"csv:papers:{booking}"
        await eventually(lambda name=name: several.is_settled(name), what=name)  # type: ignore[misc]  # bound at once
    assert sorted(of_fence(several)) == [1800, 2700]
    several.write(line(1, 12, "40"), line(2, 12, "45"), finished=False)
    several.write(line(1, 12, "35"), line(2, 12, "45"))
    await eventually(lambda: holds(several, [2100, 2700]), what="35 minutes")
    several.write(line(2, 12, "45"))
    await eventually(lambda: holds(several, [2700]), what="the deletion")


async def test_a_bad_line_is_told_and_changes_nothing(several: Several) -> None:
    several.write(line(3, 13, "15"), line(2, 12, "45"))
    await eventually(lambda: holds(several, [900, 2700]), what="15 minutes more")
    several.write(line(3, 13, "a lot"), line(2, 12, "45"), line(4, 14, "10"))
    await eventually(lambda: holds(several, [600, 900, 2700]), what="what can be read")

    async def is_told() -> bool:
        status = await several.here.api.get("/api/sync/status")
        (papers,) = [one for one in status["sources"] if one["name"] == "papers"]
        return any(
            "november.csv:2: its units are no decimal" in said for said in papers["obstacles"]
        )

    await eventually(is_told, what="file, line and reason")
    parked = [one for one in await several.parked() if isinstance(one, RecordParked)]
    assert [(one.connection, one.place) for one in parked] == [("papers", "november.csv:2")]
    code, said = await several.here.command("story", "csv:papers:3")
    assert code == 0, said
    several.write(line(3, 13, "20"), line(2, 12, "45"), line(4, 14, "10"))
    await eventually(lambda: holds(several, [600, 1200, 2700]), what="the line, mended")


async def test_a_booking_that_moves_to_another_ticket_is_not_counted_twice(
    several: Several,
) -> None:
    several.write(line(2, 12, "45"), line(4, 15, "10"), line(3, 13, "20"))

    async def is_parked() -> bool:
        said = [one.error for one in await several.parked() if isinstance(one, MessageParked)]
        return any("csv:papers:4 stands on csv:papers:15" in error for error in said)

    await eventually(is_parked, what="why it is not read")
    assert await holds(several, [600, 1200, 2700])


async def test_half_a_file_is_never_read_as_truth(several: Several) -> None:
    several.write(line(2, 12, "45"), finished=False)

    async def is_told() -> bool:
        status = await several.here.api.get("/api/sync/status")
        (papers,) = [one for one in status["sources"] if one["name"] == "papers"]
        return any("it is being written" in said for said in papers["obstacles"])

    await eventually(is_told, what="that somebody is writing")
    assert await holds(several, [600, 1200, 2700])


async def test_a_number_that_was_deleted_is_no_number_for_another_ticket(
    several: Several,
) -> None:
    several.write(line(2, 12, "45"), line(3, 13, "20"))
    await eventually(lambda: holds(several, [1200, 2700]), what="the deletion")
    several.write(line(2, 12, "45"), line(3, 13, "20"), line(4, 16, "10"))

    async def is_parked() -> bool:
        said = [one.error for one in await several.parked() if isinstance(one, MessageParked)]
        return any("csv:papers:4 stands on csv:papers:16" in error for error in said)

    await eventually(is_parked, what="why it is not read")
    assert await holds(several, [1200, 2700])


async def test_everything_folded_anew_gives_the_same(several: Several) -> None:
    before = await several.here.read_model()
    code, said = await several.here.command("rebuild")
    assert code == 0, said
    assert await several.here.read_model() == before


def of_fence(several: Several) -> list[int]:
    return [row["duration"] for row in several.sheets() if "Painted the fence" in row["text"]]


async def holds(several: Several, seconds: list[int]) -> bool:
    return sorted(of_fence(several)) == seconds

"""`hourbook demo`: fifteen minutes travel from Zammad to Kimai, and tell what became of them."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from typing import Any

import httpx
from rich.console import Console
from rich.table import Table

from hourbook_cli.api import Api, ApiError, opened, password_of
from hourbook_cli.demo_setup import (
    DESK,
    Prepared,
    Twins,
    first_administrator,
    prepare,
    setup_token,
)
from hourbook_cli.settings import DemoSettings
from hourbook_cli.story import duration, work
from hourbook_kit import clock

MINUTES = 15
_LOOK_SECONDS = 0.02
_QUIET_SECONDS = 10

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Booking:
    """What an agent did in Zammad."""

    ticket: Json
    agent: Json
    time_accounting_id: int
    began: datetime
    """When the agent pressed the button."""
    done: datetime

    @property
    def entry(self) -> str:
        return f"zammad:{DESK}:{self.time_accounting_id}"


class DemoError(Exception):
    """Why the story did not hold, in a sentence."""


async def run_demo(settings: DemoSettings, console: Console) -> bool:
    """Whether the story held; everything it finds is told on the console."""
    try:
        async with _twins(settings) as twins, opened(settings) as api:
            await _ready(api, settings)
            await first_administrator(api, settings)
            prepared = await prepare(api, twins, settings)
            console.print(f"Zammad and Kimai are connected, {prepared.mappings_made} mappings new.")
            if not await _quiet(api):
                console.print(
                    "What was booked before is still on its way: this hour may take longer."
                )
            booking = await _book(twins, prepared)
            entry, seen = await _follow(api, booking, settings.demo_patience_seconds)
            held = await _check(twins, entry)
    except (ApiError, DemoError, httpx.HTTPError) as error:
        console.print(f"The story did not hold: {error}", markup=False, style="red")
        return False
    _tell(console, booking, entry, seen, held)
    _addresses(console, settings, booking)
    return True


async def run_by_hand(settings: DemoSettings, console: Console) -> bool:
    """Whether nobody has set it up yet; tells what a person needs for it."""
    try:
        async with opened(settings) as api:
            await _ready(api, settings)
            token = await setup_token(api, settings)
    except ApiError as error:
        console.print(f"It cannot be set up: {error}", markup=False, style="red")
        return False
    if token is None:
        console.print("It is set up already: `make clean` makes it new.", style="red")
        return False
    _what_to_type(console, settings, token)
    return True


@asynccontextmanager
async def _twins(settings: DemoSettings) -> AsyncIterator[Twins]:
    zammad = {"Authorization": f"Token token={settings.zammad_token.get_secret_value()}"}
    kimai = {"Authorization": f"Bearer {settings.kimai_token.get_secret_value()}"}
    async with (
        httpx.AsyncClient(
            base_url=settings.zammad_url, headers=zammad, timeout=10, trust_env=False
        ) as of_zammad,
        httpx.AsyncClient(
            base_url=settings.kimai_url, headers=kimai, timeout=10, trust_env=False
        ) as of_kimai,
    ):
        yield Twins(of_zammad, of_kimai)


async def _ready(api: Api, settings: DemoSettings) -> None:
    """The API may still be starting."""
    deadline = clock.now().timestamp() + settings.demo_patience_seconds
    while True:
        try:
            await api.get("/api/health/ready")
        except ApiError:
            if clock.now().timestamp() > deadline:
                raise
            await asyncio.sleep(0.2)
        else:
            return


async def _quiet(api: Api) -> bool:
    """Whether what was booked before has arrived; an hour is not held up by it for long."""
    try:
        async with asyncio.timeout(_QUIET_SECONDS):
            while not _is_quiet(await api.get("/api/sync/status")):  # noqa: ASYNC110 -- another process
                await asyncio.sleep(0.1)
    except TimeoutError:
        return False
    return True


def _is_quiet(status: Json) -> bool:
    read = all(source["polled_at"] for source in status["sources"])
    waiting = sum(sum(target["writes"].values()) for target in status["targets"])
    return read and not waiting and not any(lag["lag"] for lag in status["lags"])


async def _book(twins: Twins, prepared: Prepared) -> Booking:
    """As an agent: the first mapped one who may, on the first ticket of a mapped customer."""
    tickets = await twins.of_zammad("/tickets?per_page=100")
    mapped = [one for one in tickets if one.get("organization_id") in prepared.organizations]
    for ticket in mapped or tickets:
        for agent in prepared.agents:
            began = clock.now()
            answer = await twins.zammad.post(
                f"/api/v1/tickets/{ticket['id']}/time_accountings",
                json={"time_unit": str(MINUTES)},
                headers={"From": agent["email"]},
            )
            if answer.status_code == HTTPStatus.CREATED:
                return Booking(ticket, agent, answer.json()["id"], began, clock.now())
    raise DemoError("No mapped agent may book on any ticket of Zammad.")


async def _follow(api: Api, booking: Booking, patience_seconds: float) -> tuple[Json, datetime]:
    """The entry once Kimai holds it, and when we saw that."""
    entry: Json | None = None
    try:
        async with asyncio.timeout(patience_seconds):
            while True:
                entry = await api.find(f"/api/entries/{booking.entry}")
                if entry and entry["state"] == "settled" and entry["sheet"]:
                    return entry, clock.now()
                if entry and entry["state"] == "asks":
                    raise DemoError(f"{booking.entry} asks a person: {entry['reason']}.")
                await asyncio.sleep(_LOOK_SECONDS)
    except TimeoutError:
        state = entry["state"] if entry else "not heard of"
        raise DemoError(
            f"{booking.entry} is {state} after {patience_seconds:g} s: look at /api/sync/status."
        ) from None


async def _check(twins: Twins, entry: Json) -> Json:
    """Kimai's own timesheet: fifteen minutes, on the right user, project and activity, once."""
    number = entry["timesheet"]["number"]
    held: Json = await twins.of_kimai(f"/timesheets/{number}")
    place = entry["want"]["place"]
    wrong = [
        name
        for name, found, wanted in (
            ("duration", held["duration"], MINUTES * 60),
            ("user", held["user"], place["user_id"]),
            ("project", held["project"], place["project_id"]),
            ("activity", held["activity"], place["activity_id"]),
        )
        if found != wanted
    ]
    if wrong:
        raise DemoError(f"Timesheet {number} has another {', '.join(wrong)} than we asked for.")
    marker = (held["description"] or "").rpartition("[")[2].partition(".")[0]
    same = await twins.of_kimai(f"/timesheets?user=all&term={marker}")
    if not marker or [one["id"] for one in same] != [number]:
        raise DemoError(f"Timesheet {number} is not the only one that carries its marker.")
    return held


def _tell(console: Console, booking: Booking, entry: Json, seen: datetime, held: Json) -> None:
    agent = f"{booking.agent['firstname']} {booking.agent['lastname']}".strip()
    table = Table(title=f"{MINUTES} minutes on their way", title_justify="left")
    for column in ("what", "where", "ms"):
        table.add_column(column, justify="right" if column == "ms" else "left", overflow="fold")
    last = booking.began
    for what, where, at in (
        (
            f"{agent} books {MINUTES} minutes on ticket {booking.ticket['number']}",
            f"Zammad, time accounting {booking.time_accounting_id}",
            booking.done,
        ),
        *_steps(entry),
        (f"seen by whoever asks: {entry['state']}", f"GET /api/entries/{entry['entry']}", seen),
    ):
        table.add_row(what, where, f"{(at - last).total_seconds() * 1000:.0f}")
        last = at
    console.print(table)
    total = (seen - booking.began).total_seconds() * 1000
    console.print(
        f"Kimai's timesheet {held['id']} holds {duration(held['duration'])}:"
        f" {held['description']} ({total:.0f} ms in all)",
        markup=False,  # a marker looks like one
    )


def _steps(entry: Json) -> list[tuple[str, str, datetime]]:
    names: dict[str, Callable[[Json], str]] = {
        "hourbook.entry_recorded.v1": lambda _: f"entry {entry['entry']} recorded",
        "hourbook.timesheet_requested.v1": lambda m: f"decided: {m['op']} {work(m['want'])}",
        "hourbook.timesheet_written.v1": lambda m: f"timesheet {m['sheet']} written",
    }
    return [
        (
            names[step["type"]](step["message"]),
            f"ledger, partition {step['partition']}, offset {step['offset']}",
            datetime.fromisoformat(step["at"]),
        )
        for step in entry["story"]
        if step["type"] in names
    ]


def _what_to_open(settings: DemoSettings) -> dict[str, str]:
    pages = settings.pages_shown_at or settings.api_url
    return {
        "Hourbook": pages,
        "Zammad twin: book, edit, delete": settings.zammad_shown_at or settings.zammad_url,
        "Kimai twin: see what arrives": settings.kimai_shown_at or settings.kimai_url,
        "the API": f"{pages}/api/docs",
    }


def _what_to_type(console: Console, settings: DemoSettings, token: str) -> None:
    """In the order in which it is asked for; as lines, because a table would cut what is to be copied."""
    told = _what_to_open(settings) | {
        "One-time token": token,
        "Zammad's address in Set up": settings.zammad_url,
        "Zammad's token": settings.zammad_token.get_secret_value(),
        "endpoint for its webhook, on its page": f"{settings.ingest_url}/api/webhook/zammad/{DESK}",
        "Kimai's address in Set up": settings.kimai_url,
        "Kimai's token": settings.kimai_token.get_secret_value(),
    }
    console.print("Open Hourbook and set it up:")
    for what, value in told.items():
        console.print(f"{what:>38}  {value}", markup=False, soft_wrap=True)


def _addresses(console: Console, settings: DemoSettings, booking: Booking) -> None:
    table = Table(title="Open", title_justify="left", show_header=False)
    for what, where in _what_to_open(settings).items():
        table.add_row(what, where)
    who, password = settings.user or "", password_of(settings)
    table.add_row("sign in as (for the demo only)", f"{who} / {password}")
    told = f"HOURBOOK_USER={who} HOURBOOK_PASSWORD={password} hourbook story {booking.entry}"
    table.add_row("this story", told)
    console.print(table)

"""What the tests of this API share: a running one, and rows as the reconciler would write them."""

import json
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import httpx
from fastapi import FastAPI

from hourbook_contracts.ids import REMAINDER, BookId, EntryId, SheetId, SubjectId
from hourbook_contracts.ledger import (
    EntryRecorded,
    LedgerMessage,
    Settled,
    Taken,
    TicketAttributes,
    TimesheetWritten,
    Trace,
)
from hourbook_contracts.sealed import Sealed
from hourbook_kit.sealing import seal
from hourbook_query_api.desk import Desk
from hourbook_query_api.settings import Settings

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
PASSWORD = "correct horse battery"  # noqa: S105 -- of people in tests


@dataclass
class House:
    """A running API, an administrator's client, and the database's owner."""

    desk: Desk
    app: FastAPI
    client: httpx.AsyncClient
    owner: asyncpg.Pool
    settings: Settings
    told: list[str]
    admin: str = ""
    """The administrator's id."""

    async def set_up(self) -> None:
        """Make the administrator, as a person does after the first start."""
        file = self.settings.setup_token_file
        body = {"token": file.read_text() if file else "", "name": "Ada", "password": PASSWORD}
        answer = await self.client.post("/api/auth/setup", json=body)
        answer.raise_for_status()
        self.admin = answer.json()["user"]
        self.client.headers["Authorization"] = f"Bearer {answer.json()['access_token']}"

    def stranger(self) -> httpx.AsyncClient:
        """Somebody who has not signed in."""
        return httpx.AsyncClient(
            transport=httpx.ASGITransport(app=self.app), base_url="https://api"
        )

    @asynccontextmanager
    async def somebody(self, role: str) -> AsyncIterator[httpx.AsyncClient]:
        """Signed in with this role, invited by the administrator."""
        name = f"{role}-{secrets.token_hex(4)}"
        invited = await self.client.post("/api/users", json={"name": name, "role": role})
        body = {"token": invited.json()["invitation"], "password": PASSWORD}
        async with self.stranger() as client:
            answer = await client.post("/api/auth/invitation", json=body)
            answer.raise_for_status()
            client.headers["Authorization"] = f"Bearer {answer.json()['access_token']}"
            yield client


def zammad(name: str, **more: Any) -> dict[str, Any]:
    return {
        "name": name,
        "kind": "zammad",
        "base_url": "http://127.0.0.1:1/",
        "token": "token-of-zammad-7c1d",
        "webhook_secret": "secret-of-webhook-5f2a",
    } | more


def kimai(name: str, **more: Any) -> dict[str, Any]:
    return {
        "name": name,
        "kind": "kimai",
        "base_url": "http://127.0.0.1:1",
        "token": "token-of-kimai-91be",
    } | more


async def connected(client: httpx.AsyncClient, *bodies: dict[str, Any]) -> None:
    for body in bodies:
        answer = await client.post("/api/connectors", json=body)
        answer.raise_for_status()


@dataclass
class Shelf:
    """Puts rows into the read model, as the reconciler would."""

    pool: asyncpg.Pool
    next_offset: int = 0

    async def ticket(self, book: str, number: str, title: Sealed | None) -> None:
        await self.pool.execute(
            "INSERT INTO book.tickets (book, number, title, tags) VALUES ($1, $2, $3, '{vip}')",
            book,
            number,
            None if title is None else title.model_dump_json(),
        )

    async def entry(
        self, connection: str, ticket: int, number: int, **columns: Any
    ) -> dict[str, Any]:
        book = f"zammad:{connection}:{ticket}"
        made = NOON + timedelta(minutes=number)
        row = {
            "entry": f"zammad:{connection}:{number}",
            "book": book,
            "posting": f"{book}/{number}",
            "connection": connection,
            "ticket_number": f"{ticket:05}",
            "agent_id": 3,
            "raw_units": "15.0",
            "seconds_per_unit": 60,
            "duration_seconds": 900,
            "net_seconds": 900,
            "created_at": made,
            "updated_at": made,
            "retracted": False,
            "state": "settled",
            "gen": 1,
            "day": made.date(),
            "changed_at": made,
            "partition": 0,
        } | columns
        names = ", ".join(row)
        places = ", ".join(f"${index}" for index in range(1, len(row) + 1))
        await self.pool.execute(
            f"INSERT INTO book.entries ({names}) VALUES ({places})",  # noqa: S608 -- our own columns
            *row.values(),
        )
        return row

    async def many(self, count: int, *, state: str = "settled") -> None:
        """As many entries, a ticket each, ten to a day."""
        await self.pool.execute(
            "INSERT INTO book.entries (entry, book, posting, connection, ticket_number, agent_id,"
            "  raw_units, seconds_per_unit, duration_seconds, net_seconds, created_at, updated_at,"
            "  retracted, state, gen, day, changed_at, partition)"
            " SELECT 'zammad:many:' || n, 'zammad:many:' || n, 'zammad:many:' || n || '/' || n, 'many',"
            "  lpad(n::text, 5, '0'), 3, '15.0', 60, 900, 900, at, at, false, $2, 1,"
            "  (at AT TIME ZONE 'UTC')::date, at, 0"
            " FROM generate_series(1, $1) AS n, LATERAL (SELECT $3::timestamptz - n / 10 * interval '1 day' AS at)",
            count,
            state,
            NOON,
        )

    async def message(self, told: LedgerMessage) -> None:
        await self.pool.execute(
            "INSERT INTO book.history (partition, offset_, book, subject, type, ce_id, observed_at, message)"
            " VALUES (0, $1, $2, $3, $4, '', $5, $6)",
            self.next_offset,
            told.book,
            told.subject,
            told.TYPE,
            told.observed_at,
            told.model_dump_json(),
        )
        self.next_offset += 1

    async def conflict(self, subject: str, reason: str, **columns: Any) -> None:
        await self.pool.execute(
            "INSERT INTO book.conflicts"
            " (subject, book, entry, gen, reason, candidates, opened_at, open, want, held)"
            " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
            subject,
            subject.partition("/")[0],
            entry_about(subject),
            columns.get("gen", 1),
            reason,
            json.dumps(columns.get("candidates", [])),
            columns.get("opened_at", NOON),
            columns.get("open", True),
            *(
                json.dumps(columns[side]) if columns.get(side) else None
                for side in ("want", "held")
            ),
        )


def entry_about(subject: str) -> str | None:
    """The entry a question is about; None for a copy or orphan."""
    book, _, number = subject.removesuffix(REMAINDER).partition("/")
    return f"{book.rsplit(':', 1)[0]}:{number}" if number.isdigit() else None


async def sealed(house: House, text: str, subject: str, field: str) -> Sealed:
    key = (await house.desk.vault.ensure_keys([subject]))[subject]
    if key is None:
        raise LookupError(subject)
    return seal(text, key=key, subject=subject, field=field)


def recorded(row: dict[str, Any]) -> EntryRecorded:
    return EntryRecorded(
        observed_at=row["created_at"],
        book=BookId(row["book"]),
        connection=row["connection"],
        entry=EntryId(row["entry"]),
        no=1,
        agent_id=3,
        raw_units="15.0",
        seconds_per_unit=60,
        duration_seconds=900,
        activity_type_id=None,
        created_at=row["created_at"],
        updated_at=row["created_at"],
        ticket=TicketAttributes(number=row["ticket_number"]),
    )


def written(row: dict[str, Any], sheet: str, description: Sealed) -> TimesheetWritten:
    return TimesheetWritten(
        observed_at=row["created_at"],
        book=BookId(row["book"]),
        connection="hours",
        posting=SubjectId(row["posting"]),
        gen=1,
        no=2,
        sheet=SheetId(sheet),
        asked=None,
        stored=None,
        sure=True,
        description=description,
    )


def settled(row: dict[str, Any], *, taken_by: dict[str, Any], seconds: int) -> Settled:
    """Nothing to do for this posting, after another entry took from it."""
    return Settled(
        observed_at=row["created_at"],
        book=BookId(row["book"]),
        connection=row["connection"],
        posting=SubjectId(row["posting"]),
        gen=2,
        policy=1,
        trace=Trace(
            raw_units=row["raw_units"],
            seconds_per_unit=row["seconds_per_unit"],
            net_seconds=row["net_seconds"],
            taken=(Taken(entry=EntryId(taken_by["entry"]), seconds=seconds),),
        ),
    )

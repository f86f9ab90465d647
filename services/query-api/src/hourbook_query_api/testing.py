"""What the tests of this API share: a running one, and rows as the reconciler would write them."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import httpx
from fastapi import FastAPI

from hourbook_contracts.ids import BookId, EntryId, SheetId, SubjectId
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


@dataclass
class House:
    """A running API, the operator's client, and the database's owner."""

    desk: Desk
    app: FastAPI
    client: httpx.AsyncClient
    owner: asyncpg.Pool
    settings: Settings
    told: list[str]

    @property
    def token(self) -> str:
        file = self.settings.operator_token_file
        return file.read_text().strip() if file else ""


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
            "INSERT INTO book.conflicts (subject, book, gen, reason, candidates, opened_at, open)"
            " VALUES ($1, $2, 1, $3, $4, $5, $6)",
            subject,
            subject.partition("/")[0],
            reason,
            json.dumps([]),
            columns.get("opened_at", NOON),
            columns.get("open", True),
        )


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

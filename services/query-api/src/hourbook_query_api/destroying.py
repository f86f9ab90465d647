"""The deed of an erasure: which keys go, told on the control topic; and what came too late for it."""

import asyncio
from collections.abc import Sequence
from typing import NoReturn

import structlog
from aiokafka.errors import KafkaError

from hourbook_contracts.privacy import SUBJECTS_MAX, UNREADABLE, KeysDestroyed
from hourbook_kit import clock
from hourbook_kit.postgres import TRANSIENT
from hourbook_query_api.acts import publish
from hourbook_query_api.desk import Desk
from hourbook_query_api.person_books import books_of, late_books
from hourbook_query_api.whose import by_table

log = structlog.get_logger()

LOOK_SECONDS = 10
_UNREADABLE = (
    "SELECT subject FROM vault.subject_keys WHERE subject LIKE $1 AND destroyed_at IS NULL"
)


async def destroy(desk: Desk, by: str, erasure: str, identities: Sequence[str]) -> None:
    """The person's own keys and those of all their tickets; also where there never was one.

    With them go those of dead letters that nobody could read: they may be about anybody.
    """
    theirs = by_table(identities)
    async with desk.pool.acquire() as connection, connection.transaction(readonly=True):
        books = await books_of(connection, theirs)
        unreadable = await connection.fetch(_UNREADABLE, f"{UNREADABLE}%")
    letters = [row["subject"] for row in unreadable]
    await _tell(desk, by, erasure, [*theirs.users, *books, *letters])


async def destroy_what_comes_late(desk: Desk) -> NoReturn:
    """Tickets of people who were erased that we met afterwards, or that were on their way meanwhile."""
    while True:
        try:
            await destroy_late(desk)
        except (*TRANSIENT, KafkaError) as error:
            log.info("destroying_waits", error=type(error).__name__)
        await asyncio.sleep(LOOK_SECONDS)


async def destroy_late(desk: Desk) -> None:
    rows = await desk.pool.fetch("SELECT * FROM control.erasures WHERE state = 'erased'")
    for row in rows:
        async with desk.pool.acquire() as connection:
            books = await late_books(connection, by_table(row["identities"]))
        if books:
            await _tell(desk, row["ended_by"], row["erasure"], books)


async def _tell(desk: Desk, by: str, erasure: str, subjects: Sequence[str]) -> None:
    for start in range(0, len(subjects), SUBJECTS_MAX):
        event = KeysDestroyed(
            observed_at=clock.now(),
            by=by,
            erasure=erasure,
            subjects=tuple(subjects[start : start + SUBJECTS_MAX]),
        )
        await publish(desk, event)

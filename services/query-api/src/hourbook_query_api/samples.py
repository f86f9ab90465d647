"""What was seen every minute: how far each connection was behind, and how many questions were open."""

import asyncio
from datetime import timedelta
from typing import NoReturn

import structlog
from aiokafka.errors import KafkaError

from hourbook_kit.postgres import TRANSIENT
from hourbook_query_api.desk import Desk
from hourbook_query_api.standings import standings

log = structlog.get_logger()

EVERY_SECONDS = 60
KEPT = timedelta(days=92)
QUESTIONS = "questions"


async def take_samples(desk: Desk) -> NoReturn:
    """By every process; the first of a minute counts."""
    while True:
        try:
            await sample(desk)
        except (KafkaError, *TRANSIENT) as error:
            log.info("no_sample", error=type(error).__name__)
        await asyncio.sleep(EVERY_SECONDS)


async def sample(desk: Desk) -> None:
    values = {
        one.name: one.behind_seconds
        for one in await standings(desk)
        if one.behind_seconds is not None
    }
    questions = await desk.pool.fetchval("SELECT count(*) FROM book.conflicts WHERE open")
    values[QUESTIONS] = float(questions)
    await desk.pool.execute(
        "INSERT INTO control.samples (at, of, value)"
        " SELECT date_trunc('minute', now()), * FROM unnest($1::text[], $2::float8[])"
        " ON CONFLICT DO NOTHING",
        [*values],
        [*values.values()],
    )
    await desk.pool.execute("DELETE FROM control.samples WHERE at < now() - $1::interval", KEPT)

"""Answers that are held: rows until their delay ends, then facts on the ledger.

The delay is the database's time, so a restart, a closed tab or another process changes nothing. What
is published twice is one answer: the first of a question's generation counts (protocol.md 1).
"""

import json
import secrets
from collections.abc import Sequence
from typing import Any, NamedTuple, Self

import asyncpg

from hourbook_contracts.sealed import Sealed
from hourbook_kit.sealing import seal
from hourbook_query_api.choices import Choice
from hourbook_query_api.conflicts import path_of
from hourbook_query_api.desk import Desk
from hourbook_query_api.entry_models import Conflict
from hourbook_query_api.people import Person
from hourbook_query_api.problems import Kind, ProblemError
from hourbook_query_api.resolution_models import Resolution, ResolutionItem


class Words(NamedTuple):
    """What is said, to all of them alike."""

    choice: Choice
    comment: str | None
    idempotency_key: str | None


class Answer(NamedTuple):
    """To one question, of the generation that was shown."""

    subject: str
    book: str
    gen: int
    sheet: str | None

    @classmethod
    def to(cls, conflict: Conflict, sheet: str | None = None) -> Self:
        if sheet is None and len(conflict.candidates) == 1:
            sheet = conflict.candidates[0].sheet
        return cls(conflict.subject, conflict.book, conflict.gen, sheet)


async def hold(
    desk: Desk, who: Person, words: Words, answers: Sequence[Answer]
) -> tuple[str, list[str]]:
    """Gives the resolution's id, and the subjects that somebody else was quicker to answer."""
    resolution = secrets.token_hex(12)
    comment = await _sealed(desk, who, words.comment)
    async with desk.pool.acquire() as connection, connection.transaction():
        undo_until = await connection.fetchval(
            "INSERT INTO control.resolutions"
            " (resolution_id, said_by, choice, comment, idempotency_key, undo_until)"
            " VALUES ($1, $2, $3, $4, $5, now() + $6 * interval '1 second') RETURNING undo_until",
            resolution,
            who.id,
            words.choice,
            comment and comment.model_dump_json(),
            words.idempotency_key,
            desk.settings.undo_seconds,
        )
        rows = await connection.fetch(
            "INSERT INTO control.resolved (resolution_id, subject, book, gen, sheet, state, undo_until)"
            " SELECT $1, a.subject, a.book, a.gen, a.sheet, 'held', $6"
            " FROM unnest($2::text[], $3::text[], $4::int[], $5::text[])"
            "  AS a (subject, book, gen, sheet) ORDER BY 2"
            " ON CONFLICT DO NOTHING RETURNING subject",
            resolution,
            *_columns(answers),
            undo_until,
        )
    desk.changes.tell("resolutions", [resolution])
    desk.held.set()
    held = {row["subject"] for row in rows}
    return resolution, [answer.subject for answer in answers if answer.subject not in held]


async def undo(desk: Desk, resolution: str, who: Person) -> bool:
    """Whether it was held still; what is due is not taken back, whoever is quicker."""
    async with desk.pool.acquire() as connection, connection.transaction():
        rows = await connection.fetch(
            "UPDATE control.resolved SET state = 'undone'"
            " WHERE resolution_id = $1 AND state = 'held' AND undo_until > now() RETURNING subject",
            resolution,
        )
        if not rows:
            return False
        await connection.execute(
            "UPDATE control.resolutions SET undone_at = now(), undone_by = $2"
            " WHERE resolution_id = $1",
            resolution,
            who.id,
        )
    desk.changes.tell("resolutions", [resolution])
    desk.changes.tell("conflicts", [path_of(row["subject"]) for row in rows])
    return True


async def resolution_of(desk: Desk, resolution: str) -> Resolution | None:
    row = await desk.pool.fetchrow(
        "SELECT r.*, u.name FROM control.resolutions AS r"
        " LEFT JOIN vault.users AS u ON u.user_id = r.said_by WHERE r.resolution_id = $1",
        resolution,
    )
    if row is None:
        return None
    items = await desk.pool.fetch(
        "SELECT r.*, c.entry, c.gen AS asked_gen, c.open, c.resolution, c.resolved_by,"
        " coalesce(p.next_offset > r.offset_, false) AS read FROM control.resolved AS r"
        " LEFT JOIN book.conflicts AS c ON c.subject = r.subject"
        " LEFT JOIN book.checkpoint AS p ON p.partition = r.partition"
        " WHERE r.resolution_id = $1 ORDER BY r.subject",
        resolution,
    )
    return Resolution(
        resolution_id=resolution,
        choice=row["choice"],
        by=row["said_by"],
        by_name=row["name"],
        made_at=row["made_at"],
        undo_until=row["undo_until"],
        undone_at=row["undone_at"],
        items=[_item(item, row["said_by"], row["choice"]) for item in items],
        look_at=f"/api/resolutions/{resolution}",
    )


def _item(row: asyncpg.Record, by: str, choice: str) -> ResolutionItem:
    state = row["state"]
    if state == "sent" and row["read"]:
        ours = (row["resolution"], row["resolved_by"]) == (choice, by)
        moved_on = row["asked_gen"] is not None and row["asked_gen"] > row["gen"]
        state = "counted" if ours or moved_on else "overtaken"
    return ResolutionItem(conflict=path_of(row["subject"]), entry=row["entry"], state=state)


async def _sealed(desk: Desk, who: Person, comment: str | None) -> Sealed | None:
    """Under its author's key: destroyed, the comment is erased."""
    if not comment:
        return None
    key = (await desk.vault.ensure_keys([who.id]))[who.id]
    if key is None:
        raise ProblemError(Kind.NOT_ALLOWED, "Leave the comment out: your text has been erased.")
    return seal(comment, key=key, subject=who.id, field="comment")


def _columns(answers: Sequence[Answer]) -> tuple[list[Any], ...]:
    return (
        [answer.subject for answer in answers],
        [answer.book for answer in answers],
        [answer.gen for answer in answers],
        [answer.sheet for answer in answers],
    )


def comment_of(text: str | None) -> Sealed | None:
    return None if text is None else Sealed.model_validate(json.loads(text))

"""Everything that is kept about a person, section by section, with all sealed text opened."""

import json
from collections.abc import Sequence
from typing import Any, NamedTuple

import asyncpg

from hourbook_kit.vault import Vault
from hourbook_query_api.opening import opened
from hourbook_query_api.person_books import books_of
from hourbook_query_api.whose import Identities, by_table

_ENTRIES = (
    "SELECT entry, book, ticket_number, connection, agent_id, activity_type_id, raw_units,"
    " duration_seconds, net_seconds, created_at, updated_at, retracted, day, state, reason,"
    " sheet, target, user_id FROM book.entries"
)


class Section(NamedTuple):
    name: str
    """Its key in the JSON."""
    says: str
    """Its heading for people."""
    rows: list[dict[str, Any]]


class _Look(NamedTuple):
    """What is asked of the database for a section; `{0}` … are the values by place."""

    name: str
    says: str
    sql: str
    values: tuple[Any, ...]


async def dossier(
    pool: asyncpg.Pool, vault: Vault, identities: Sequence[str]
) -> tuple[Section, ...]:
    """As of one moment; a section may be empty."""
    theirs = by_table(identities)
    async with pool.acquire() as connection, connection.transaction(isolation="repeatable_read"):
        books = await books_of(connection, theirs)
        looks = (*_as_customer(books), *_as_worker(theirs), *_as_user(theirs), *_named(identities))
        found = [Section(look.name, look.says, await _rows(connection, look)) for look in looks]
    return tuple([section._replace(rows=await opened(vault, section.rows)) for section in found])


async def _rows(connection: asyncpg.pool.PoolConnectionProxy, look: _Look) -> list[dict[str, Any]]:
    asked = f"SELECT to_jsonb(r) AS r FROM ({look.sql}) AS r"  # noqa: S608 -- one of the looks below
    rows = await connection.fetch(asked, *look.values)
    return [json.loads(row["r"]) for row in rows]


def _as_customer(books: list[str]) -> tuple[_Look, ...]:
    return (
        _Look(
            "tickets",
            "Tickets whose customer you are or were",
            "SELECT book, number, title, organization_id, customer_id, group_id, tags, merged_into"
            " FROM book.tickets WHERE book = ANY ($1) ORDER BY book",
            (books,),
        ),
        _Look(
            "time_spent_for_you",
            "Time that was booked on these tickets",
            _ENTRIES + " WHERE book = ANY ($1) ORDER BY created_at, entry",
            (books,),
        ),
        _Look(
            "timesheet_texts",
            "Texts of timesheets for these tickets, as Kimai had them",
            "SELECT observed_at, book, type, message->>'sheet' AS sheet,"
            " message->'description' AS description FROM book.history"
            " WHERE book = ANY ($1) AND jsonb_typeof(message->'description') = 'object'"
            " ORDER BY observed_at, offset_",
            (books,),
        ),
    )


def _as_worker(theirs: Identities) -> tuple[_Look, ...]:
    agents = (theirs.sources, theirs.source_users)
    users = (theirs.kimai_connections, theirs.kimai_users)
    return (
        _Look(
            "time_you_booked",
            "Time that you booked, or that was booked on your account in Kimai",
            _ENTRIES  # noqa: S608 -- our own words
            + " WHERE (connection, agent_id) IN (SELECT * FROM unnest($1::text[], $2::bigint[]))"
            " OR (target, user_id) IN (SELECT * FROM unnest($3::text[], $4::bigint[]))"
            " ORDER BY created_at, entry",
            (*agents, *users),
        ),
        _Look(
            "name_in_kimai",
            "Your name in Kimai, as it was last read",
            "SELECT target, kind, id, name, time_zone FROM push.directory"
            " WHERE (target, id) IN (SELECT * FROM unnest($1::text[], $2::bigint[]))"
            " AND kind = 'user'",
            users,
        ),
        _Look(
            "mappings",
            "Rules that name you",
            "SELECT * FROM control.mappings"
            " WHERE (source, source_key) IN (SELECT c, id::text FROM unnest($1::text[], $2::bigint[])"
            "   AS p (c, id)) AND kind = 'worker'"
            " OR (source, source_key) IN (SELECT c, 'customer:' || id FROM unnest($1::text[],"
            "   $2::bigint[]) AS p (c, id)) AND kind = 'customer'"
            " OR (target, target_id) IN (SELECT * FROM unnest($3::text[], $4::bigint[]))"
            "   AND kind = 'worker' ORDER BY mapping",
            (*agents, *users),
        ),
    )


def _as_user(theirs: Identities) -> tuple[_Look, ...]:
    return (
        _Look(
            "account",
            "Your account here",
            "SELECT user_id, name, role, active, made_at, preferences FROM vault.users"
            " WHERE user_id = ANY ($1)",
            (theirs.users,),
        ),
        _Look(
            "visits",
            "When you signed in, and where from",
            "SELECT at, what, address FROM vault.visits WHERE user_id = ANY ($1) ORDER BY at",
            (theirs.users,),
        ),
        _Look(
            "answers",
            "Questions that you answered",
            "SELECT observed_at, subject, message->>'choice' AS choice,"
            " message->'comment' AS comment FROM book.history"
            " WHERE type = 'hourbook.conflict_resolved.v1' AND message->>'by' = ANY ($1)"
            " ORDER BY observed_at",
            (theirs.users,),
        ),
        _Look(
            "jobs",
            "What you asked of the past and of both sides",
            "SELECT asked_at, kind, parameters, state, ended_at FROM control.jobs"
            " WHERE asked_by = ANY ($1) ORDER BY asked_at, job",
            (theirs.users,),
        ),
        _Look(
            "acts",
            "What you set, and what was set about your account",
            "SELECT observed_at, type, subject, message FROM control.events"
            " WHERE said_by = ANY ($1) OR subject = ANY (SELECT 'user/' || u FROM unnest($1) AS u)"
            " ORDER BY offset_",
            (theirs.users,),
        ),
    )


def _named(identities: Sequence[str]) -> tuple[_Look, ...]:
    return (
        _Look(
            "erasures",
            "Wishes to forget you",
            "SELECT * FROM control.erasures WHERE identities && $1::text[] ORDER BY asked_at",
            (list(identities),),
        ),
        _Look(
            "looks",
            "Who looked at your hours",
            "SELECT * FROM control.accesses WHERE whose = ANY ($1) ORDER BY hour",
            (list(identities),),
        ),
    )

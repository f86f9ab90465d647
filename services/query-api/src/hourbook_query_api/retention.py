"""How long records are kept, by kind; what an administrator may change, and why the rest stands fast."""

from datetime import timedelta
from enum import StrEnum
from typing import Annotated

from fastapi import Path
from pydantic import Field

from hourbook_contracts.privacy import RetentionSet
from hourbook_contracts.topics import DEAD_LETTERS, INBOX, Topic
from hourbook_kit import clock
from hourbook_query_api.acts import act
from hourbook_query_api.connector_models import Body
from hourbook_query_api.connectors import PENDING, Open
from hourbook_query_api.desk import Desk
from hourbook_query_api.guard import IdempotencyKey, guarded_router
from hourbook_query_api.people import Who
from hourbook_query_api.shown import Shown

router = guarded_router("/api/privacy", "privacy")


class Changeable(StrEnum):
    ACCESSES = "accesses"
    ADDRESSES = "addresses"
    JOBS = "jobs"


_HOLDS = {
    Changeable.ACCESSES: "Who looked at whose hours.",
    Changeable.ADDRESSES: "From where somebody signed in or was refused.",
    Changeable.JOBS: "What was asked of the past or of both sides, with what came of it: ids, days and hours.",
}
_ACCESS_DAYS = 180
_JOB_DAYS = 30
_MILLISECONDS_A_DAY = 86_400_000


def _days(topic: Topic) -> float:
    return int(topic.settings["retention.ms"]) / _MILLISECONDS_A_DAY


_FIXED: dict[str, tuple[float | None, str]] = {
    "ledger": (None, "Facts and decisions about hours, which invoices rest on; text is sealed."),
    "control": (None, "What people set; without it nobody could tell why something was billed."),
    "inbox": (_days(INBOX), "That tickets are to be read again: ids, no text. Set on the topic."),
    "dead_letters": (
        _days(DEAD_LETTERS),
        "Messages nobody could act on, sealed. Set on the topic.",
    ),
    "repeated_requests": (1, "Answers to requests that may come twice."),
}


class Kept(Shown):
    kind: str
    """An open string."""
    days: float | None
    """Null: for ever."""
    changeable: bool
    holds: str
    """What is kept, and why where it cannot be changed."""


class Retention(Shown):
    items: list[Kept]


class RetentionBody(Body):
    days: int = Field(ge=1, le=3650)


@router.get("/retention")
async def read_retention(desk: Open) -> Retention:
    return _retention(desk)


@router.put("/retention/{kind}", responses=PENDING)
async def change_retention(
    desk: Open,
    who: Who,
    kind: Annotated[Changeable, Path()],
    body: RetentionBody,
    key: IdempotencyKey,
) -> Retention:
    """In force within minutes; what is older is dropped then."""
    event = RetentionSet(
        observed_at=clock.now(), by=who.id, idempotency_key=key, kind=kind.value, days=body.days
    )
    await act(desk, event, "/api/privacy/retention")
    return _retention(desk)


def kept_for(desk: Desk, kind: Changeable) -> timedelta:
    unset = {
        Changeable.ACCESSES: _ACCESS_DAYS,
        Changeable.ADDRESSES: desk.settings.address_days,
        Changeable.JOBS: _JOB_DAYS,
    }
    return timedelta(days=desk.tail.installation.retention.get(kind.value, unset[kind]))


def _retention(desk: Desk) -> Retention:
    ours = [
        Kept(
            kind=kind.value,
            days=kept_for(desk, kind) / timedelta(days=1),
            changeable=True,
            holds=_HOLDS[kind],
        )
        for kind in Changeable
    ]
    fixed = [
        Kept(kind=kind, days=days, changeable=False, holds=holds)
        for kind, (days, holds) in _FIXED.items()
    ]
    return Retention(items=[*ours, *fixed])

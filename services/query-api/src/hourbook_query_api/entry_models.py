"""Entries, their stories, conflicts and tickets as people see them."""

from datetime import date, datetime
from typing import Any, Literal

from pydantic import BaseModel, Field

from hourbook_query_api.paging import Total

EntryState = Literal["held_back", "requested", "asks", "settled", "retracted"]


class WorkShown(BaseModel):
    """What one side holds; `place` null: no mapping fires."""

    place: dict[str, Any] | None
    began_at: datetime
    duration_seconds: int


class AgreedShown(BaseModel):
    want: WorkShown | None
    held: WorkShown | None
    by: str | None
    """`kimai` or `person`."""


class Entry(BaseModel):
    """Our copy of one time accounting, with where it stands in Kimai. Durations in seconds, moments in UTC."""

    entry: str
    book: str
    posting: str
    connection: str
    ticket_number: str
    ticket_title: str | None
    """Null where there is none or it was erased."""
    agent_id: int
    activity_type_id: int | None
    raw_units: str
    seconds_per_unit: int
    duration_seconds: int
    net_seconds: int
    """After netting; of a negative entry what nobody could bear."""
    created_at: datetime
    updated_at: datetime
    retracted: bool
    state: str = Field(json_schema_extra={"examples": ["settled"]})
    """`held_back`, `requested`, `asks`, `settled`, `retracted`; an open string."""
    reason: str | None
    target: str | None
    user_id: int | None
    day: date
    """In the worker's zone."""
    sheet: str | None
    gen: int
    want: WorkShown | None
    held: WorkShown | None
    agreed: AgreedShown | None
    changed_at: datetime


class Entries(BaseModel):
    items: list[Entry]
    next: str | None
    total: Total


class Step(BaseModel):
    """One message of the ledger."""

    partition: int
    offset: int
    at: datetime
    """When we heard of it or said it."""
    type: str
    subject: str
    message: dict[str, Any]
    """Sealed text is opened; null where it was erased."""
    traceparent: str | None


class Timesheet(BaseModel):
    """Kimai's side, as last heard of."""

    sheet: str
    target: str
    number: int
    held: WorkShown | None
    locked: bool
    billable: bool | None
    description: str | None


class Conflict(BaseModel):
    subject: str
    book: str
    entry: str | None
    gen: int
    reason: str
    want: WorkShown | None
    held: WorkShown | None
    candidates: list[dict[str, Any]]
    """The likeliest first, each with the evidence that speaks for it."""
    detail: str | None
    """Where Kimai, or we before it, refused: in a sentence what is in the way and what to change."""
    trace: dict[str, Any] | None
    opened_at: datetime
    open: bool
    resolution: str | None
    resolved_by: str | None
    resolved_at: datetime | None


class Conflicts(BaseModel):
    items: list[Conflict]
    next: str | None
    total: Total


class EntryStory(Entry):
    """An entry with everything the ledger says about it, in the ledger's order."""

    trace: dict[str, Any] | None
    """Of the last decision: raw units, factor, net, rules that fired or did not."""
    timesheet: Timesheet | None
    conflict: Conflict | None
    """The open one, else the last."""
    story: list[Step]


class Ticket(BaseModel):
    book: str
    number: str
    title: str | None
    organization_id: int | None
    customer_id: int | None
    group_id: int | None
    tags: list[str]
    merged_into: str | None
    entries: list[Entry]
    conflicts: list[Conflict]

"""Entries, their stories, conflicts and tickets as people see them."""

from datetime import date, datetime
from typing import Any, Literal

from pydantic import Field

from hourbook_query_api.choices import Choice
from hourbook_query_api.paging import Total
from hourbook_query_api.shown import Shown

EntryState = Literal["held_back", "requested", "asks", "settled", "retracted"]


class PlaceShown(Shown):
    """In Kimai's ids."""

    target: str
    user_id: int
    project_id: int
    activity_id: int


class WorkShown(Shown):
    """What one side holds; `place` null: no mapping fires."""

    place: PlaceShown | None
    began_at: datetime
    duration_seconds: int


class AgreedShown(Shown):
    want: WorkShown | None
    held: WorkShown | None
    by: str | None
    """`kimai` or `person`."""


class CandidateShown(Shown):
    """A timesheet in Kimai that is nobody's and might be the answer."""

    sheet: str
    work: WorkShown
    evidence: list[str] = Field(default=[])
    """What speaks for it: `ticket`, `day`, `duration`, `begin`, `project`, `activity`, `marker`; open strings."""


class RuleShown(Shown):
    kind: str
    key: str
    mapping: str | None
    """That fired; null: none does."""


class TakenShown(Shown):
    entry: str
    seconds: int


class TraceShown(Shown):
    """How a want came to be."""

    raw_units: str
    seconds_per_unit: int
    net_seconds: int
    taken: list[TakenShown] = Field(default=[])
    rules: list[RuleShown] = Field(default=[])
    placed_on: date | None = None
    """In the worker's zone."""


class Entry(Shown):
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
    state: EntryState
    """`held_back`: something differs, and nobody has said anything about it yet."""
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


class Entries(Shown):
    items: list[Entry]
    next: str | None
    total: Total


class Step(Shown):
    """One message of the ledger."""

    partition: int
    offset: int
    at: datetime
    """When we heard of it or said it."""
    type: str
    subject: str
    by: str | None
    """The person who said it, by id."""
    by_name: str | None
    message: dict[str, Any]
    """Sealed text is opened; null where it was erased."""
    traceparent: str | None


class Timesheet(Shown):
    """Kimai's side, as last heard of."""

    sheet: str
    target: str
    number: int
    held: WorkShown | None
    locked: bool
    billable: bool | None
    description: str | None


class OnItsWay(Shown):
    """A person's answer that is not seen yet."""

    resolution_id: str
    choice: Choice
    by: str
    by_name: str | None
    state: Literal["held", "sent"]
    """`held`: it can be undone until `undo_until`; `sent`: it stands on the ledger."""
    undo_until: datetime


class Conflict(Shown):
    """An open question to a person, or one that was answered."""

    conflict: str
    """Its name in paths: the subject with `~` for `/`."""
    subject: str
    book: str
    entry: str | None
    """Null: a copy or orphan in Kimai."""
    gen: int
    """An answer names it, so that what was shown is what is answered."""
    reason: str
    """Of the catalogue of reasons; an open string."""
    detail: str | None
    """Of a refusal: what is in the way and what to change."""
    connection: str
    ticket_number: str | None
    ticket_title: str | None
    agent_id: int | None
    target: str | None
    user_id: int | None
    day: date | None
    """In the worker's zone."""
    sheet: str | None
    locked: bool
    """The timesheet is exported."""
    want: WorkShown | None
    held: WorkShown | None
    agreed: AgreedShown | None
    candidates: list[CandidateShown]
    trace: TraceShown | None
    opened_at: datetime
    open: bool
    choices: list[Choice]
    """What may be answered, the usual one first; empty when it is closed."""
    on_its_way: OnItsWay | None
    resolution: str | None
    """A choice, or `withdrawn` when its ground was gone."""
    resolved_by: str | None
    resolved_by_name: str | None
    resolved_at: datetime | None


class Conflicts(Shown):
    items: list[Conflict]
    next: str | None
    total: Total


class Counted(Shown):
    key: str
    count: int


class ConflictCounts(Shown):
    """Of the same filters, without the one that is counted by."""

    total: Total
    reasons: list[Counted]
    connections: list[Counted]
    targets: list[Counted]
    agents: list[Counted]


class EntryStory(Entry):
    """An entry with everything the ledger says about it, in the ledger's order."""

    trace: TraceShown | None
    """Of the last decision: raw units, factor, net, rules that fired or did not."""
    timesheet: Timesheet | None
    conflict: Conflict | None
    """The open one, else the last."""
    story: list[Step]
    story_is_cut: bool = Field(default=False)
    """There is more than is told."""


class Ticket(Shown):
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

"""The ledger: what has happened, told in the past tense and never changed afterwards.

Three systems, three nouns: Zammad has *time accountings*, Kimai has *timesheets*, we have *entries*.
Durations are whole seconds. Every datetime is aware and in UTC. `None` for a `Work` means nothing.
These classes are the wire format of `hourbook.ledger.v1`: a field may be added with a default, and
none may be renamed, retyped or removed (ADR-0003).
"""

from datetime import date
from typing import ClassVar, Literal

from hourbook_contracts.ids import BookId, EntryId, SheetId, SubjectId
from hourbook_contracts.message import Message, Moment, Value
from hourbook_contracts.sealed import Sealed

INGEST, RECONCILER, PUSH, QUERY = (
    "/hourbook/ingest-zammad",
    "/hourbook/reconciler",
    "/hourbook/push-kimai",
    "/hourbook/query-api",
)


class Place(Value):
    """Where in Kimai an hour belongs, in Kimai's own ids of the connection `target`."""

    target: str
    user_id: int
    project_id: int
    activity_id: int


class Work(Value):
    """Exactly what is compared between the two sides; without a place no rule fires for it."""

    place: Place | None
    began_at: Moment
    duration_seconds: int


class Attribution(Value):
    """For whom the work on a ticket is, in Zammad's ids."""

    organization_id: int | None
    customer_id: int | None


class TicketAttributes(Value):
    """What rules may ask about a ticket: ids, never names."""

    number: str
    organization_id: int | None = None
    customer_id: int | None = None
    group_id: int | None = None
    tags: tuple[str, ...] = ()

    @property
    def attribution(self) -> Attribution:
        return Attribution(organization_id=self.organization_id, customer_id=self.customer_id)


class Candidate(Value):
    """A timesheet that is not ours and might be the answer to a posting."""

    sheet: SheetId
    work: Work
    evidence: tuple[str, ...] = ()
    """What speaks for it, open strings: `ticket`, `day`, `duration`, `begin`, `project`, `activity`, `marker`."""


class LedgerMessage(Message):
    """A fact or decision about one book; the book is the record's key."""

    book: BookId
    connection: str
    """Of the system that told us; for a decision, the book's."""

    @property
    def key(self) -> str:
        return self.book


# ---------------------------------------------------------------------------------- what Zammad says
class UnitDoubt(Value):
    """Of an entry that was edited after Zammad's unit had changed: what it is worth by the later one."""

    seconds_per_unit: int
    """In force at `updated_at`."""
    duration_seconds: int


class EntryRecorded(LedgerMessage):
    """Zammad holds this work, first seen or changed since."""

    TYPE: ClassVar = "hourbook.entry_recorded.v1"
    SOURCE: ClassVar = INGEST

    entry: EntryId
    no: int
    """Of the reading, taken before it began; a higher one is newer."""
    agent_id: int
    raw_units: str
    """As Zammad wrote them: a decimal of at most two places, without a unit."""
    seconds_per_unit: int
    """In force at `created_at`, confirmed by a person."""
    duration_seconds: int
    """May be negative: that is how agents correct."""
    activity_type_id: int | None
    article_id: int | None = None
    created_at: Moment
    updated_at: Moment
    ticket: TicketAttributes
    """At this reading; the book keeps the first."""
    doubt: UnitDoubt | None = None
    """Unless only its type changed, nobody but a person knows which unit was meant."""

    @property
    def subject(self) -> str:
        return self.entry

    @property
    def identity(self) -> str:
        return f"{self.entry}|{self.no}"


class EntryRetracted(LedgerMessage):
    """Zammad no longer holds this time accounting: a confirmed 404 while a control read answered."""

    TYPE: ClassVar = "hourbook.entry_retracted.v1"
    SOURCE: ClassVar = INGEST

    entry: EntryId
    no: int

    @property
    def subject(self) -> str:
        return self.entry

    @property
    def identity(self) -> str:
        return f"{self.entry}|{self.no}"


class TicketObserved(LedgerMessage):
    """Zammad's ticket looks like this: its text for people, its attributes for rules."""

    TYPE: ClassVar = "hourbook.ticket_observed.v1"
    SOURCE: ClassVar = INGEST

    no: int
    ticket: TicketAttributes
    title: Sealed | None = None
    merged_into: BookId | None = None
    """Its articles are there by now and its time accountings still here (zammad-api.md 0.8)."""
    merged_number: str | None = None
    """Of that ticket, as is its title: descriptions name it from then on."""
    merged_title: Sealed | None = None

    @property
    def subject(self) -> str:
        return self.book

    @property
    def identity(self) -> str:
        return f"{self.book}|{self.no}"


# ---------------------------------------------------------------------------------- what Kimai says
class TimesheetObserved(LedgerMessage):
    """Kimai holds this timesheet, whoever wrote it."""

    TYPE: ClassVar = "hourbook.timesheet_observed.v1"
    SOURCE: ClassVar = PUSH

    sheet: SheetId
    no: int
    work: Work
    locked: bool
    """Exported: Kimai's accounting has closed it."""
    billable: bool | None = None
    description: Sealed | None = None
    marker: str | None = None
    """`<create>.<write>` as it stands in the description, if one of ours does (marker.py)."""
    ended_at: Moment | None = None
    """As Kimai has it; None also while it runs."""
    break_seconds: int = 0
    rounded_from: Work | None = None
    """What it held before a save by which Kimai only rounded its times anew."""

    @property
    def subject(self) -> str:
        return self.sheet

    @property
    def identity(self) -> str:
        return f"{self.sheet}|{self.no}"


class TimesheetVanished(LedgerMessage):
    """Kimai no longer holds this timesheet: a confirmed 404 while a control read answered."""

    TYPE: ClassVar = "hourbook.timesheet_vanished.v1"
    SOURCE: ClassVar = PUSH

    sheet: SheetId
    no: int

    @property
    def subject(self) -> str:
        return self.sheet

    @property
    def identity(self) -> str:
        return f"{self.sheet}|{self.no}"


class Answer(LedgerMessage):
    """What became of one request; each gets exactly one, and the first on the ledger counts."""

    SOURCE: ClassVar = PUSH

    posting: SubjectId
    gen: int
    no: int
    """Of the reading it carries, taken after the write's answer had arrived."""

    @property
    def subject(self) -> str:
        return self.posting

    @property
    def identity(self) -> str:
        return f"{self.posting}|{self.gen}|answer"


class TimesheetWritten(Answer):
    """We asked Kimai to hold this work, and this is what it then held.

    The two differ where Kimai rounds: its answer is the truth, not our request.
    """

    TYPE: ClassVar = "hourbook.timesheet_written.v1"

    sheet: SheetId
    asked: Work | None
    stored: Work | None
    """None: the row is gone, as asked."""
    sure: bool
    """Whether it is what our own write left; a row found later with other values is not agreed."""
    locked: bool = False
    billable: bool | None = None
    """As it came back: a move to another project, activity or user resets it (kimai-api.md 0.12)."""
    description: Sealed | None = None
    marker: str | None = None
    ended_at: Moment | None = None
    break_seconds: int = 0


class PushRefused(Answer):
    """We did not write, and this is why; what Kimai held when we looked is told with it.

    `changed`, `gone`, `locked` and `unclear` are told by the reading itself; any other `why` (an open
    string: `closed`, `lockdown`, `invalid`, `possible_duplicate`, `missing_permission`, `overlap`,
    `day_full`, `project_closed`, `budget_used`) is remembered until a side moves or a person answers.
    """

    TYPE: ClassVar = "hourbook.push_refused.v1"

    why: str
    sheet: SheetId | None = None
    held: Work | None = None
    locked: bool = False
    candidates: tuple[Candidate, ...] = ()
    detail: str | None = None
    """In a sentence what is in the way and what to change, with Kimai's words; never a person's text."""
    rounded_from: Work | None = None
    """As in `TimesheetObserved`."""


# ---------------------------------------------------------------------------------- what people say
Choice = Literal["zammad", "kimai", "adopt", "anyway"]


class ConflictResolved(LedgerMessage):
    """A person answered a question, given the values that were shown."""

    TYPE: ClassVar = "hourbook.conflict_resolved.v1"
    SOURCE: ClassVar = QUERY

    posting: SubjectId
    gen: int
    """Of the `ConflictOpened` it answers."""
    choice: Choice
    want: Work | None
    held: Work | None
    candidates: tuple[Candidate, ...] = ()
    by: str
    comment: Sealed | None = None
    idempotency_key: str | None = None

    @property
    def subject(self) -> str:
        return self.posting

    @property
    def identity(self) -> str:
        return f"{self.posting}|{self.gen}|{self.by}|{self.idempotency_key or self.choice}"


# ---------------------------------------------------------------------------------- what we concluded
class Inputs(Value):
    """What a posting's place was concluded from; while they stay, a written posting keeps its place."""

    agent_id: int
    activity_type_id: int | None
    organization_id: int | None
    customer_id: int | None
    created_at: Moment
    seconds_per_unit: int

    @property
    def attribution(self) -> Attribution:
        """As at the entry's first reading, or as a person has taken it over since."""
        return Attribution(organization_id=self.organization_id, customer_id=self.customer_id)


class Placement(Value):
    """How a begin was found; kept with what is written, so that a changed setting moves nothing."""

    time_zone: str
    step_seconds: int
    packed: bool = False
    """Kimai forbids overlap: push chooses the begin within the day, and only the day is compared."""


class RuleTried(Value):
    """One look into the mappings: what was looked up, and which mapping fired (None: none does)."""

    kind: str
    key: str
    mapping: str | None


class Taken(Value):
    """Seconds that a negative entry took from this posting."""

    entry: EntryId
    seconds: int


class Trace(Value):
    """How a want came to be: raw units, factor, net, rules; for people and for a rebuild."""

    raw_units: str
    seconds_per_unit: int
    net_seconds: int
    taken: tuple[Taken, ...] = ()
    rules: tuple[RuleTried, ...] = ()
    placed_on: date | None = None
    """The day in the worker's zone."""


class DescriptionParts(Value):
    """What a timesheet's description is rendered from; each template names the ticket's number."""

    template: int
    ticket_number: str
    title: Sealed | None = None
    link: str | None = None
    formerly: str | None = None
    """Of a merged ticket, the number that was named before: it is put right, and no other word."""


class Decision(LedgerMessage):
    """A proposal while it is in the outbox; it counts when it is read from the ledger.

    The first with a posting's next generation counts, later and lower ones never (`accepts`).
    """

    SOURCE: ClassVar = RECONCILER

    posting: SubjectId
    gen: int
    policy: int
    """The version of the policy it was made with."""
    trace: Trace | None = None

    @property
    def subject(self) -> str:
        return self.posting

    @property
    def identity(self) -> str:
        without_time = self.model_dump_json(exclude={"observed_at"})
        return f"{self.posting}|{self.gen}|{without_time}"


Operation = Literal["create", "update", "delete", "adopt"]


class TimesheetRequested(Decision):
    """Kimai should hold `want` where it now holds `expected`; push owes exactly one answer."""

    TYPE: ClassVar = "hourbook.timesheet_requested.v1"

    op: Operation
    sheet: SheetId | None
    expected: Work | None
    want: Work | None
    inputs: Inputs | None
    placement: Placement | None = None
    not_these: tuple[SheetId, ...] = ()
    """Timesheets that a person said are others."""
    text: DescriptionParts | None = None


class ConflictOpened(Decision):
    """A person has to look: an open question with its reason and the values it is about."""

    TYPE: ClassVar = "hourbook.conflict_opened.v1"

    reason: str
    """A `Reason` where this version knows it; an open string on the wire."""
    want: Work | None
    held: Work | None
    candidates: tuple[Candidate, ...] = ()
    detail: str | None = None
    """Of a refusal: what push said about it; never a person's text."""
    attribution: Attribution | None = None
    """Of `customer_changed`: for whom the ticket is by now, which the answer `zammad` takes over."""
    instead: Work | None = None
    """Of the same, and of `unit_unconfirmed`: what `zammad` would want instead of `want`."""


class Settled(Decision):
    """Nothing to do; also withdraws a question whose ground is gone."""

    TYPE: ClassVar = "hourbook.settled.v1"


LEDGER_TYPES: tuple[type[LedgerMessage], ...] = (
    EntryRecorded,
    EntryRetracted,
    TicketObserved,
    TimesheetObserved,
    TimesheetVanished,
    TimesheetWritten,
    PushRefused,
    ConflictResolved,
    TimesheetRequested,
    ConflictOpened,
    Settled,
)


def accepts(gen: int, policy: int, decision: Decision) -> bool:
    """Whether a decision read from the ledger counts, given the posting's last generation and policy.

    Reconciler, rebuild and push use this one function (protocol.md 1, rules 2 and 10).
    """
    return decision.gen > gen and decision.policy >= policy

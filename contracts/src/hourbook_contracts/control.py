"""The control topic: what people and the clock did to the system, for ever, one partition.

Secrets never stand here: an event names the version under which the vault keeps them.
"""

from datetime import date
from typing import ClassVar, Literal

from pydantic import Field

from hourbook_contracts.ids import ConnectionName
from hourbook_contracts.kimai.lockdown import Lockdown
from hourbook_contracts.ledger import INGEST, PUSH, QUERY
from hourbook_contracts.message import Message, Moment


class ControlEvent(Message):
    """By whom is an id, never a name."""

    SOURCE: ClassVar = QUERY

    by: str
    idempotency_key: str | None = None

    @property
    def subject(self) -> str:
        return "installation"

    @property
    def identity(self) -> str:
        return f"{self.TYPE}|{self.model_dump_json()}"


class ConnectionEvent(ControlEvent):
    connection: ConnectionName

    @property
    def subject(self) -> str:
        return f"connection/{self.connection}"


class SourceConfigured(ConnectionEvent):
    """A Zammad to read from, as it is to be from now on (the whole of it, not a difference)."""

    TYPE: ClassVar = "hourbook.source_configured.v1"

    kind: str = "zammad"
    base_url: str
    """Without a trailing slash; `/api/v1` is added by the connector."""
    secret_version: int
    """Of `token` and `webhook_secret` in the vault."""
    poll_seconds: float = Field(default=30, gt=0)
    sweep_seconds: float = Field(default=3600, gt=0)
    time_zone: str = "UTC"


class TargetConfigured(ConnectionEvent):
    """A Kimai to write to, as it is to be from now on (the whole of it, not a difference)."""

    TYPE: ClassVar = "hourbook.target_configured.v1"

    kind: str = "kimai"
    base_url: str
    """Without a trailing slash; `/api` is added by the connector."""
    secret_version: int
    """Of `token` in the vault."""
    poll_seconds: float = Field(default=30, gt=0)
    sweep_seconds: float = Field(default=3600, gt=0)
    placement_step_seconds: int = Field(default=60, ge=1)
    """Begins are moved down to it, because Kimai floors begins and ceils ends (kimai-api.md 3.4)."""
    send_window_seconds: float = Field(default=5, gt=0)
    timeout_seconds: float = Field(default=10, gt=0)
    grace_seconds: float = Field(default=60, gt=0)
    """From the claim of a write to the look for what became of it: send window + time-out + latest commit + 1."""
    concurrent_writes: int = Field(default=8, ge=1, le=64)
    """At once, each on another user."""
    write_cap: int = Field(default=500, ge=1)
    """More queued writes than this wait for a person (promise 10)."""
    lockdown: Lockdown | None = None
    """Of this Kimai, as an administrator entered it: its API does not tell (kimai-api.md 2.1)."""
    creates: bool = False
    """Whether customers and projects may be created in it; off until an administrator switches it on."""


class ConnectionRemoved(ConnectionEvent):
    """It is read and written no more; its books stay."""

    TYPE: ClassVar = "hourbook.connection_removed.v1"


class TargetLearned(ConnectionEvent):
    """What we found out about a Kimai and what plans depend on (the whole of it, not a difference)."""

    TYPE: ClassVar = "hourbook.target_learned.v1"
    SOURCE: ClassVar = PUSH

    allows_overlap: bool = True
    """Whether a worker may have two timesheets at one time."""
    step_seconds: int = Field(default=1, ge=1)
    """To which it was seen to round begins and ends; 1: it was not seen to."""


class UnitConfirmed(ConnectionEvent):
    """A person confirmed what one unit of this Zammad's time accounting is worth."""

    TYPE: ClassVar = "hourbook.unit_confirmed.v1"

    unit: str
    """As Zammad calls it: `minute`, `quarter`, `hour`, `custom`."""
    seconds_per_unit: int = Field(ge=1)
    effective_from: Moment
    """By the entry's `created_at`; the first one ever confirmed also covers everything before it."""


class WritingSwitched(ConnectionEvent):
    """From now on this Kimai is written to, or not; nothing before `start_on` ever is."""

    TYPE: ClassVar = "hourbook.writing_switched.v1"

    on: bool
    start_on: date | None = None


UNIT_CHANGED = "unit_changed"
"""The alarm that Zammad's unit is another than the confirmed one; confirming one answers it."""

MappingKind = Literal["customer", "activity", "worker"]


class MappingSet(ControlEvent):
    """A rule of the policy: what stands in Zammad under `key` is `target_id` in the Kimai `target`.

    | kind | key | target_id |
    |---|---|---|
    | customer | `organization:<id>`, `customer:<id>` or `default`: tried in this order | project |
    | activity | `<activity type id>` or `none` | activity |
    | worker | `<agent id>` | user |
    """

    TYPE: ClassVar = "hourbook.mapping_set.v1"

    mapping: str
    """Its id; setting the same mapping again replaces it."""
    kind: MappingKind
    source: ConnectionName
    source_key: str
    target: ConnectionName
    target_id: int
    time_zone: str | None = None
    """Of a worker, as Kimai has it: days begin in it."""

    @property
    def subject(self) -> str:
        return f"mapping/{self.mapping}"


class MappingRemoved(ControlEvent):
    TYPE: ClassVar = "hourbook.mapping_removed.v1"

    mapping: str

    @property
    def subject(self) -> str:
        return f"mapping/{self.mapping}"


class PeriodClosed(ConnectionEvent):
    """These days of this Kimai are closed: refused from now on, in effect one grace later."""

    TYPE: ClassVar = "hourbook.period_closed.v1"

    first_on: date
    last_on: date


class PeriodReopened(ConnectionEvent):
    TYPE: ClassVar = "hourbook.period_reopened.v1"

    first_on: date
    last_on: date


class WritesReleased(ConnectionEvent):
    """A person looked at what is queued beyond the cap and lets it go."""

    TYPE: ClassVar = "hourbook.writes_released.v1"


class SyncRequested(ConnectionEvent):
    """A person or the schedule wants this side looked at now."""

    TYPE: ClassVar = "hourbook.sync_requested.v1"

    what: Literal["poll", "sweep"] = "poll"
    run: str | None = None
    """The run it is part of (house.py); one for all connections that were asked together."""
    due_at: Moment | None = None
    """When the schedule wanted it; None: a person did."""


class BackfillRequested(ConnectionEvent):
    """A person wants all tickets read again that hold time of these days, in the Zammad's own zone."""

    TYPE: ClassVar = "hourbook.backfill_requested.v1"

    first_on: date
    last_on: date


class AlarmRaised(ConnectionEvent):
    """A service stopped something rather than believe it, and says why."""

    TYPE: ClassVar = "hourbook.alarm_raised.v1"
    SOURCE: ClassVar = INGEST

    alarm: str
    """`suddenly_empty`, `unit_changed`; an open string."""
    missing: int = 0
    known: int = 0
    since: Moment | None = None
    """Of `unit_changed`: time booked from then on is not read before a person confirms the unit; None: no time is."""
    detail: str | None = None
    """In a sentence what was seen."""


class TargetAlarmRaised(AlarmRaised):
    """The same, said of a Kimai by the service that watches it."""

    TYPE: ClassVar = "hourbook.target_alarm_raised.v1"
    SOURCE: ClassVar = PUSH


class AlarmAnswered(ConnectionEvent):
    """A person looked: `believe` what the other side says, or wait until it is well (`wait`)."""

    TYPE: ClassVar = "hourbook.alarm_answered.v1"

    alarm: str
    choice: Literal["believe", "wait"]


CONTROL_TYPES: tuple[type[ControlEvent], ...] = (
    SourceConfigured,
    TargetConfigured,
    TargetLearned,
    ConnectionRemoved,
    UnitConfirmed,
    WritingSwitched,
    MappingSet,
    MappingRemoved,
    PeriodClosed,
    PeriodReopened,
    WritesReleased,
    SyncRequested,
    BackfillRequested,
    AlarmRaised,
    TargetAlarmRaised,
    AlarmAnswered,
)

POLICY_TYPES = (
    TargetConfigured,
    TargetLearned,
    ConnectionRemoved,
    WritingSwitched,
    MappingSet,
    MappingRemoved,
    PeriodClosed,
    PeriodReopened,
)
"""What changes the policy; its version is the offset after the last of these."""

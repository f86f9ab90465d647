"""Jobs: work that takes its time, asked of the API and done by `hourbook jobs`. Values only.

What is asked is kept as it was asked; a result is bounded, and says how much of it was left out.
Moments are UTC, durations seconds. Nothing here is ever written to a topic but what was asked.
"""

from collections.abc import Sequence
from datetime import date
from typing import Annotated, Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, model_validator

from hourbook_contracts.audit import Change, Difference, EntryMoved, Standing, Summary
from hourbook_contracts.message import Moment
from hourbook_contracts.resync import Plan

CHANNEL = "hourbook_jobs"
"""On which PostgreSQL wakes whoever does them."""
ROWS_MAX = 1000
"""Of a result: what a person can look through, and a row of a database can hold."""
TICKETS_MAX = 500
"""Of one plan: a person has to look through it, and their readings are locked meanwhile."""
T = TypeVar("T")

State = Literal["waiting", "running", "done", "failed", "cancelled"]
EntryState = Literal["held_back", "requested", "asks", "settled", "retracted"]
_ID = r"[a-z][a-z0-9]*:[a-z][a-z0-9-]{0,30}:\d{1,18}"
Of = Annotated[
    str, Field(max_length=100, pattern=rf"^({_ID}|(organization|customer):\d{{1,18}}|none)$")
]
"""A book (`zammad:desk:344`), or whom time counts for (`organization:2`, `customer:26`, `none`)."""
Customer = Annotated[str, Field(max_length=40, pattern=r"^(organization|customer):\d{1,18}$")]
Ticket = Annotated[str, Field(min_length=1, max_length=100, pattern=r"^[^\x00]*$")]


class _Asked(BaseModel):
    """A word we do not know is a mistake, not a wish to be ignored."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Until(_Asked):
    """Where to stop reading the ledger; neither: at its end."""

    moment: Moment | None = None
    place: Annotated[str, Field(pattern=r"^\d{1,4}/\d{1,18}$")] | None = None
    """`partition/offset`: that partition up to and with this record, the others up to its moment."""

    @model_validator(mode="after")
    def _one_of_them(self) -> "Until":
        if self.moment is not None and self.place is not None:
            raise ValueError("Send a moment or a place, not both.")
        return self


class AsOf(_Asked):
    """How entries stood at a place in the past, from the ledger alone; those that all of it holds for."""

    kind: Literal["as_of"]
    at: Until = Field(default_factory=Until)
    of: Of | None = None
    connection: Annotated[str, Field(max_length=40, pattern=r"^[^\x00]*$")] | None = None
    agent: Annotated[int, Field(ge=-(2**62), le=2**62)] | None = None
    state: tuple[EntryState, ...] = Field(default=(), max_length=5)
    from_day: date | None = None
    to_day: date | None = None

    def takes(self, one: Standing) -> bool:
        return (
            (self.connection is None or one.entry.split(":")[1] == self.connection)
            and (self.agent is None or one.agent_id == self.agent)
            and (not self.state or one.state in self.state)
            and (self.from_day is None or one.day >= self.from_day)
            and (self.to_day is None or one.day <= self.to_day)
        )


class Compare(_Asked):
    """Which entries stood otherwise at a second place."""

    kind: Literal["compare"]
    first: Until
    second: Until = Field(default_factory=Until)
    of: Of | None = None


class WhatIf(_Asked):
    """What the same history would have booked under other settings."""

    kind: Literal["what_if"]
    of: Of | None = None
    policy_of: Moment | None = None
    """Under the settings of this moment; null: of today."""
    policy: tuple[dict[str, Any], ...] = Field(default=(), max_length=200)
    """Settings to be tried on top: control events, `type` being `mapping_set`, `period_closed` and the like."""


class _Range(_Asked):
    tickets: tuple[Ticket, ...] = Field(default=(), max_length=TICKETS_MAX)
    """Numbers, or books (`zammad:desk:344`)."""
    customer: Customer | None = None
    first_on: date | None = None
    last_on: date | None = None
    """Both included; null: that one day."""

    @model_validator(mode="after")
    def _some(self) -> "_Range":
        if not self.tickets and self.customer is None and self.first_on is None:
            raise ValueError("Say which tickets: by number, by customer or by their days.")
        if self.last_on is not None and (self.first_on is None or self.last_on < self.first_on):
            raise ValueError("Send a first day that is not after the last.")
        return self


class ResyncPlan(_Range):
    """Both sides read anew for a range: what differs and what would be done about it; writes nothing."""

    kind: Literal["resync_plan"]


class ResyncApply(_Range):
    """Do the plan of this range that was shown with this hash: exactly it, or nothing."""

    kind: Literal["resync_apply"]
    hash: Annotated[str, Field(pattern=r"^[0-9a-f]{32}$")]


class Rebuild(_Asked):
    """A second read model beside the served one, compared and switched."""

    kind: Literal["rebuild"]
    even_if_different: bool = False


class DropOld(_Asked):
    """Drop the read model that a switch has kept."""

    kind: Literal["drop_old"]


AnyAsked = Annotated[
    AsOf | Compare | WhatIf | ResyncPlan | ResyncApply | Rebuild | DropOld,
    Field(discriminator="kind"),
]
ASKED: TypeAdapter[AnyAsked] = TypeAdapter(AnyAsked)


class _Result(BaseModel):
    model_config = ConfigDict(frozen=True, json_schema_serialization_defaults_required=True)


class AsOfResult(_Result):
    kind: Literal["as_of"] = "as_of"
    summary: Summary
    """Of all, also those left out."""
    entries: tuple[Standing, ...]
    left_out: int


class CompareResult(_Result):
    kind: Literal["compare"] = "compare"
    first: Summary
    second: Summary
    changes: tuple[Change, ...]
    left_out: int


class WhatIfResult(_Result):
    kind: Literal["what_if"] = "what_if"
    moved: int
    """Entries that would be booked otherwise, with those left out."""
    differences: tuple[Difference, ...]
    differences_left_out: int
    entries: tuple[EntryMoved, ...]
    entries_left_out: int


class ResyncResult(_Result):
    """Of a plan, and of one that was applied."""

    kind: Literal["resync"] = "resync"
    applied: bool
    plan: Plan
    """Its hash is that of the whole plan, whatever is left out here."""
    facts_left_out: int
    decisions_left_out: int


class RebuildResult(_Result):
    kind: Literal["rebuild"] = "rebuild"
    switched: bool
    messages: int
    differing: tuple[str, ...]
    """Tables in which the two differ."""


class DropOldResult(_Result):
    """None is kept any more."""

    kind: Literal["drop_old"] = "drop_old"
    dropped: bool | None = None
    """False: none was kept. Null: done by a version that did not say so."""


AnyResult = Annotated[
    AsOfResult | CompareResult | WhatIfResult | ResyncResult | RebuildResult | DropOldResult,
    Field(discriminator="kind"),
]
RESULT: TypeAdapter[AnyResult] = TypeAdapter(AnyResult)


def bounded(rows: Sequence[T], most: int = ROWS_MAX) -> tuple[tuple[T, ...], int]:
    """The first of them, and how many were left out."""
    return tuple(rows[:most]), max(0, len(rows) - most)

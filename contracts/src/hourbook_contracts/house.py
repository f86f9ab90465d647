"""The control topic's other half: who may come in, what was taken out, and what the clock did.

None of it changes the policy. Names, addresses and passwords never stand here: a person is an id.
"""

from datetime import datetime
from typing import Any, ClassVar, Literal

from pydantic import Field

from hourbook_contracts.control import ControlEvent
from hourbook_contracts.ids import uuid_of
from hourbook_contracts.message import Moment

RoleName = Literal["viewer", "operator", "admin"]
CLOCK = "schedule"
"""Said `by` where nobody asked but the clock."""


class UserChanged(ControlEvent):
    """Who may come in and as what, from now on (the whole of it, not a difference)."""

    TYPE: ClassVar = "hourbook.user_changed.v1"

    user: str
    """An id; the name stands in the vault."""
    role: RoleName
    active: bool
    what: str
    """`made`, `role`, `active`, `invited`, `password`; an open string."""

    @property
    def subject(self) -> str:
        return f"user/{self.user}"


class ListExported(ControlEvent):
    """Somebody took a list out; by which filters, without their values."""

    TYPE: ClassVar = "hourbook.list_exported.v1"

    of: str
    """`entries`, `conflicts` or `audit`; an open string."""
    filters: tuple[str, ...] = ()


class ScheduleSet(ControlEvent):
    """When all connections are to be looked at, whatever their own intervals (the whole of it)."""

    TYPE: ClassVar = "hourbook.schedule_set.v1"

    on: bool
    cron: str
    """Five fields: minute, hour, day of the month, month, weekday (0 and 7 are Sunday)."""
    time_zone: str
    """IANA; the fields are read in it."""
    what: Literal["poll", "sweep"]
    overlap: Literal["skip", "queue"]
    """What becomes of a run that is due while the one before it is not done."""


class RunMissed(ControlEvent):
    """Runs were due and did not begin."""

    TYPE: ClassVar = "hourbook.run_missed.v1"

    why: str
    """`down`: nobody was there; `overlap`: the one before was not done; an open string."""
    first_due_at: Moment
    last_due_at: Moment
    count: int = Field(ge=1)


class RunEnded(ControlEvent):
    """All connections of a run were looked at since, or it was given up."""

    TYPE: ClassVar = "hourbook.run_ended.v1"

    run: str
    outcome: str
    """`done`, `given_up`; an open string."""
    seconds: float
    """Since it was asked for."""
    waited_for: tuple[str, ...] = ()
    """The connections that did not come to their end."""


class JobEvent(ControlEvent):
    job: str
    """Its id."""

    @property
    def subject(self) -> str:
        return f"job/{self.job}"


class JobAsked(JobEvent):
    """Somebody asked for work that takes its time; what became of it stands beside, not here."""

    TYPE: ClassVar = "hourbook.job_asked.v1"

    kind: str
    """`as_of`, `resync_apply` and the like (`jobs.py`); an open string."""
    parameters: dict[str, Any]
    """In ids and moments, as they were asked."""


class JobCancelled(JobEvent):
    """Somebody wanted it to end; it may have been done by then."""

    TYPE: ClassVar = "hourbook.job_cancelled.v1"


def run_of(by: str, at: datetime) -> str:
    """A run's id: a function of who asked for it, or `CLOCK`, and of when it was asked for or due."""
    return str(uuid_of("run", by, at.isoformat()))


HOUSE_TYPES: tuple[type[ControlEvent], ...] = (
    UserChanged,
    ListExported,
    ScheduleSet,
    RunMissed,
    RunEnded,
    JobAsked,
    JobCancelled,
)

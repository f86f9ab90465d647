"""Plain records of a Kimai: accounts, catalogue, tags and timesheets.

Every instant is aware and in UTC; a timesheet carries the name of the zone it is shown in.
"""

from dataclasses import dataclass, field
from datetime import UTC, date, datetime

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(slots=True)
class User:
    id: int
    username: str
    email: str
    timezone: str = "Europe/Berlin"
    roles: list[str] = field(default_factory=list)
    enabled: bool = True
    system_account: bool = False
    alias: str | None = None
    title: str | None = None
    account_number: str | None = None
    language: str = "en"
    hourly_rate: float = 0.0
    internal_rate: float | None = None
    has_api_password: bool = False


@dataclass(slots=True)
class Token:
    token: str
    user_id: int
    expires_at: datetime | None = None


@dataclass(slots=True)
class Team:
    id: int
    name: str
    member_ids: list[int] = field(default_factory=list)
    """Those who lead it are members too."""
    lead_ids: list[int] = field(default_factory=list)
    color: str | None = None


@dataclass(slots=True)
class Rate:
    """What an hour, or with `is_fixed` a record, costs on one customer, project or activity."""

    kind: str
    """customers, projects or activities."""
    record_id: int
    rate: float
    internal_rate: float | None = None
    is_fixed: bool = False
    user_id: int | None = None


@dataclass(slots=True)
class Customer:
    id: int
    name: str
    number: str | None = None
    comment: str | None = None
    visible: bool = True
    billable: bool = True
    company: str | None = None
    country: str = "DE"
    currency: str = "EUR"
    timezone: str = "Europe/Berlin"
    color: str | None = None
    budget: float = 0.0
    time_budget_seconds: int = 0
    budget_type: str | None = None
    """`month`, or null for the whole of its life."""
    team_ids: list[int] = field(default_factory=list)
    """Empty: it is open to everybody."""


@dataclass(slots=True)
class Project:
    id: int
    name: str
    customer_id: int
    number: str | None = None
    comment: str | None = None
    visible: bool = True
    billable: bool = True
    global_activities: bool = True
    start: date | None = None
    end: date | None = None
    order_number: str | None = None
    color: str | None = None
    budget: float = 0.0
    time_budget_seconds: int = 0
    budget_type: str | None = None
    """`month`, or null for the whole of its life."""
    team_ids: list[int] = field(default_factory=list)
    """Empty: it is open to everybody."""


@dataclass(slots=True)
class Activity:
    id: int
    name: str
    project_id: int | None = None
    number: str | None = None
    comment: str | None = None
    visible: bool = True
    billable: bool = True
    color: str | None = None
    budget: float = 0.0
    time_budget_seconds: int = 0
    budget_type: str | None = None
    """`month`, or null for the whole of its life."""
    team_ids: list[int] = field(default_factory=list)
    """Empty: it is open to everybody."""


@dataclass(slots=True)
class Tag:
    id: int
    name: str
    visible: bool = False
    color: str | None = None


@dataclass(slots=True)
class Timesheet:
    id: int
    user_id: int
    project_id: int
    activity_id: int
    begin: datetime
    end: datetime | None
    zone: str
    duration_seconds: int = 0
    break_seconds: int = 0
    description: str | None = None
    rate: float = 0.0
    internal_rate: float | None = None
    fixed_rate: float | None = None
    hourly_rate: float | None = None
    exported: bool = False
    billable: bool = True
    tag_ids: list[int] = field(default_factory=list)
    modified_at: datetime = EPOCH
    committed_at: datetime = EPOCH
    """The same moment to the microsecond, while the twin runs: no Kimai has it, benches do."""

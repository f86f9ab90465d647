"""Connections as people send and see them; a secret goes in and never comes out."""

from datetime import UTC, date, datetime
from typing import Annotated, Any, Literal, Self
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    SecretStr,
    ValidationInfo,
    model_validator,
)

from hourbook_contracts.ids import ConnectionName
from hourbook_contracts.kimai.lockdown import GRAMMAR, Lockdown, moment
from hourbook_contracts.message import Moment
from hourbook_contracts.zammad.units import SECONDS_OF_UNIT
from hourbook_query_api.shown import Shown

MASK = "********"
"""Stands where a secret is kept; sent back, it keeps it."""
_ANY_DAY = datetime(2026, 11, 22, tzinfo=UTC)
_API_PATHS = ("/api", "/api/v1")


class Body(BaseModel):
    """What people send: a word we do not know is a mistake, not a wish to be ignored."""

    model_config = ConfigDict(extra="forbid")


def _base_url(text: str) -> str:
    text = text.strip().rstrip("/")
    try:
        parts = urlsplit(text)
        host = parts.hostname
        _ = parts.port
    except ValueError:
        host = None
    if not host or parts.scheme not in {"http", "https"}:
        raise ValueError("write it as https://host, with a path only where the system has one")
    if parts.username is not None or parts.password is not None or parts.query or parts.fragment:
        raise ValueError("leave out user, password, `?` and `#`: the token is sent on its own")
    if parts.path.endswith(_API_PATHS):
        raise ValueError("leave out /api: it is added by itself")
    return text


def iana_zone(name: str) -> str:
    """Only a name that the zone database knows."""
    try:
        ZoneInfo(name)
    except (ValueError, OSError, LookupError):
        raise ValueError("write an IANA zone such as Europe/Berlin") from None
    return name


BaseUrl = Annotated[str, Field(max_length=500), AfterValidator(_base_url)]
Zone = Annotated[str, Field(max_length=60), AfterValidator(iana_zone)]
Secret = Annotated[SecretStr, Field(max_length=500)]
Seconds = Annotated[float, Field(gt=0, le=86_400, allow_inf_nan=False)]


class ZammadBody(Body):
    kind: Literal["zammad"]
    base_url: BaseUrl
    token: Secret | None = None
    """Of an account with `admin.time_accounting` and `ticket.agent`."""
    webhook_secret: Secret | None = None
    """The `signature_token` of the webhook in Zammad."""
    poll_seconds: Seconds = 30
    sweep_seconds: Seconds = 3600
    time_zone: Zone = "UTC"


def _place(text: str) -> str:
    """Of a system that is neither: where its connector looks, such as a folder."""
    parts = urlsplit(text.strip())
    if not parts.scheme or parts.username is not None or parts.password is not None:
        raise ValueError("write it as file:///srv/hours or https://host, without user or password")
    return text.strip().rstrip("/")


class SourceBody(Body):
    """A system that is read by a connector of its own (docs/connectors.md)."""

    kind: Literal["source"]
    connector: Annotated[str, Field(pattern=r"^[a-z][a-z0-9]{0,30}$")]
    """By the name under which ingest has it installed, such as `csv`."""
    base_url: Annotated[str, Field(max_length=500), AfterValidator(_place)]
    token: Secret | None = None
    """Where the connector needs one."""
    poll_seconds: Seconds = 30
    sweep_seconds: Seconds = 3600
    time_zone: Zone = "UTC"

    @model_validator(mode="after")
    def _is_another(self) -> Self:
        if self.connector in SECRETS:
            raise ValueError(f"send kind {self.connector} instead: it has settings of its own")
        return self


def _php_date(text: str) -> str:
    """Only what we can reckon with: a lockdown that we misread would hold nothing."""
    if moment(text, _ANY_DAY) is None:
        raise ValueError(f"copy it from Kimai's settings; we can read {GRAMMAR}")
    return text


PhpDate = Annotated[str, Field(min_length=1, max_length=60), AfterValidator(_php_date)]


class LockdownBody(Body):
    """Kimai's settings `timesheet.rules.lockdown_…`, word for word: its API does not tell them."""

    period_start: PhpDate
    period_end: PhpDate
    time_zone: Zone | None = None
    """Null: each worker's own."""
    grace: PhpDate | None = None


def least_grace(send_window_seconds: float, timeout_seconds: float) -> float:
    """Seconds from a claim within which its request may still be under way, and one more.

    An unclear write that is looked for sooner may be committed after the look, and stand twice.
    """
    return send_window_seconds + timeout_seconds + 1


def _outlasts(grace_seconds: float, info: ValidationInfo) -> float:
    known = info.data  # without what is itself refused
    least = least_grace(known.get("send_window_seconds", 0), known.get("timeout_seconds", 0))
    if grace_seconds < least:
        raise ValueError(
            f"write at least {least:g}: send_window_seconds, timeout_seconds and one more, or what"
            " Kimai stores late may stand twice"
        )
    return grace_seconds


class KimaiBody(Body):
    kind: Literal["kimai"]
    base_url: BaseUrl
    token: Secret | None = None
    poll_seconds: Seconds = 30
    sweep_seconds: Seconds = 3600
    placement_step_seconds: int = Field(default=60, ge=1, le=86_400)
    send_window_seconds: Seconds = 5
    timeout_seconds: Seconds = 10
    grace_seconds: Annotated[Seconds, Field(validate_default=True), AfterValidator(_outlasts)] = 60
    concurrent_writes: int = Field(default=8, ge=1, le=64)
    write_cap: int = Field(default=500, ge=1, le=1_000_000)
    lockdown: LockdownBody | None = None
    creates: bool = False
    """Whether customers and projects may be created in it."""


class NewZammadBody(ZammadBody):
    name: ConnectionName


class NewKimaiBody(KimaiBody):
    name: ConnectionName


class NewSourceBody(SourceBody):
    name: ConnectionName


ConnectorBody = Annotated[ZammadBody | KimaiBody | SourceBody, Field(discriminator="kind")]
NewConnectorBody = Annotated[
    NewZammadBody | NewKimaiBody | NewSourceBody, Field(discriminator="kind")
]


class UnitBody(Body):
    unit: Literal["minute", "quarter", "hour", "custom"]
    """As Zammad calls it; `custom` also where agents count something else than its name says."""
    seconds_per_unit: int = Field(ge=1, le=86_400)
    """Of a minute 60, of a quarter 900, of an hour 3600; of `custom` whatever it is worth."""
    effective_from: Moment | None = None
    """By the time a time accounting was made. Left out: of the first unit the beginning, else now."""

    @model_validator(mode="after")
    def _worth_its_name(self) -> Self:
        worth = SECONDS_OF_UNIT.get(self.unit, self.seconds_per_unit)
        if worth != self.seconds_per_unit:
            raise ValueError(f"a {self.unit} has {worth} seconds: send these, or `custom`")
        return self


class WritingBody(Body):
    on: bool
    start_on: date | None = None
    """No timesheet before this day is ever written."""


class AlarmBody(Body):
    alarm: str = Field(min_length=1, max_length=100)
    choice: Literal["believe", "wait"]


class PeriodBody(Body):
    first_on: date
    last_on: date


class Unit(Shown):
    unit: str
    seconds_per_unit: int
    effective_from: datetime
    confirmed_by: str


class Alarm(Shown):
    alarm: str
    since: datetime
    missing: int
    known: int
    detail: str | None = None
    """In a sentence what was seen."""
    held_from: datetime | None = None
    """Of `unit_changed`: time booked from then on is not read; null: no time is."""


class Connector(Shown):
    """What every connection has; `secrets` are the names of those that are kept, masked."""

    name: str
    base_url: str
    secrets: dict[str, str]
    secret_version: int
    poll_seconds: float
    sweep_seconds: float
    changed_at: datetime
    changed_by: str
    offset: int
    """Of the control event that changed it last."""


class LearnedShown(Shown):
    allows_overlap: bool
    """False: begins are packed within the worker's day."""
    step_seconds: int
    """To which it rounds, as far as was seen."""


class ReadConnector(Connector):
    """One that is read, of whatever kind."""

    time_zone: str
    units: list[Unit]
    """By when they begin; empty: nothing is read until a person confirms one."""
    alarms: list[Alarm]


class ZammadConnector(ReadConnector):
    kind: Literal["zammad"]


class SourceConnector(ReadConnector):
    kind: Literal["source"]
    connector: str
    """The name of the connector by which it is read."""


class KimaiConnector(Connector):
    kind: Literal["kimai"]
    placement_step_seconds: int
    send_window_seconds: float
    timeout_seconds: float
    grace_seconds: float
    concurrent_writes: int
    write_cap: int
    lockdown: Lockdown | None = None
    """As an administrator entered it; null: none was."""
    creates: bool = False
    learned: LearnedShown | None = None
    """What its answers have taught; null: nothing yet."""
    writing: bool
    start_on: date | None
    closed_periods: list[PeriodBody]
    alarms: list[Alarm]
    """While one is open, nothing is believed to be deleted and nothing is written."""


OneConnector = ZammadConnector | KimaiConnector | SourceConnector
AnyConnector = Annotated[OneConnector, Field(discriminator="kind")]

SECRETS: dict[str, tuple[str, ...]] = {"zammad": ("token", "webhook_secret"), "kimai": ("token",)}
"""By kind, as the vault names them."""


def shown(row: dict[str, Any], configured: dict[str, Any], parts: dict[str, Any]) -> OneConnector:
    """A connection from its row; `parts` are the row's JSON columns, read."""
    common = {
        **configured,
        "name": row["name"],
        "secrets": dict.fromkeys(SECRETS.get(row["kind"], ()), MASK),
        "changed_at": row["changed_at"],
        "changed_by": row["changed_by"],
        "offset": row["offset_"],
    }
    alarms = [
        {**alarm, "since": alarm["observed_at"], "held_from": alarm.get("since")}
        for alarm in parts["alarms"]
    ]
    if row["kind"] == "zammad":
        units = [{**unit, "confirmed_by": unit["by"]} for unit in parts["units"]]
        return ZammadConnector.model_validate({**common, "units": units, "alarms": alarms})
    if row["kind"] != "kimai":
        units = [{**unit, "confirmed_by": unit["by"]} for unit in parts["units"]]
        read = {"kind": "source", "connector": row["kind"], "units": units, "alarms": alarms}
        return SourceConnector.model_validate({**common, **read})
    return KimaiConnector.model_validate(
        {
            **common,
            "writing": row["writing"],
            "start_on": row["start_on"],
            "closed_periods": parts["closed"],
            "alarms": alarms,
            "learned": parts["learned"],
        }
    )

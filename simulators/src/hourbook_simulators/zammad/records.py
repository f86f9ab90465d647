"""What Zammad holds, as plain records.

A time is the text that Zammad shows, UTC with milliseconds: such texts sort as the times do.
"""

from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

SYSTEM_USER = 1
ROLES: dict[int, tuple[str, frozenset[str]]] = {
    1: ("Admin", frozenset({"admin", "user_preferences", "report"})),
    2: ("Agent", frozenset({"ticket.agent", "user_preferences"})),
    3: ("Customer", frozenset({"ticket.customer", "user_preferences"})),
}
ADMIN, AGENT, CUSTOMER = 1, 2, 3
STATES = {1: "new", 2: "open", 3: "pending reminder", 4: "closed", 5: "merged", 7: "pending close"}
NEW, OPEN, MERGED = 1, 2, 5
STATE_TYPES = {1: 1, 2: 2, 3: 3, 4: 5, 5: 6, 7: 4}
"""By state its type: 6 is `merged`, whatever the state is called."""
PRIORITIES = {1: "1 low", 2: "2 normal", 3: "3 high"}
NOTE, BY_AGENT = 10, 1
ARTICLE_TYPES = {10: "note", 1: "email", 5: "phone", 11: "web"}
SENDERS = {1: "Agent", 2: "Customer", 3: "System"}

DEFAULT_SETTINGS: dict[str, Any] = {
    "time_accounting": True,
    "time_accounting_selector": {},
    "time_accounting_unit": "minute",
    "time_accounting_unit_custom": "",
    "time_accounting_types": True,
    "time_accounting_type_default": "",
    "api_token_access": True,
    "maintenance_mode": False,
    "timezone_default": "Europe/Berlin",
    "fqdn": "zammad.example.org",
    "version": "6.5.0",
}
"""Zammad's own but for `version`, which has this twin speak as an older one does (zammad-api.md 9)."""

UNKNOWNS: dict[str, tuple[Any, ...]] = {
    "delete_of_missing": (422, 404),
    "time_unit_trigger": (True, False),
    "sorting": ("works", "refused", "ignored"),
    "texts": ("known", "other"),
    "out_of_range": ("database", "validation"),
    "all_shows_time": (True, False),
    "etags": (True, False),
    "signshow_for_time_only": (True, False),
    "lists_heed_token": (False, True),
    "bearer_is_token": (True, False),
    "full_counts": (True, False),
    "page_cap": (1000, 500, 200, 100),
}
"""What nobody has seen a real Zammad do (zammad-api.md 12), and what it may; the first is what is supposed.

The last two are of proven pulls: a `full` list without its count, and lists that give fewer rows.
"""


@dataclass(slots=True)
class User:
    id: int
    login: str
    email: str
    firstname: str
    lastname: str
    created_at: str
    updated_at: str
    organization_id: int | None = None
    role_ids: list[int] = field(default_factory=lambda: [CUSTOMER])
    group_access: dict[int, list[str]] = field(default_factory=dict)
    """By group: read, create, change, overview or full."""
    active: bool = True

    @property
    def name(self) -> str:
        return f"{self.firstname} {self.lastname}".strip()

    def permissions(self) -> set[str]:
        return {permission for role in self.role_ids for permission in ROLES[role][1]}

    def may_in(self, group_id: int, access: str) -> bool:
        granted = self.group_access.get(group_id, ())
        return access in granted or "full" in granted


@dataclass(slots=True)
class Organization:
    id: int
    name: str
    created_at: str
    updated_at: str
    active: bool = True
    note: str = ""


@dataclass(slots=True)
class Group:
    id: int
    name: str
    created_at: str
    updated_at: str
    active: bool = True


@dataclass(slots=True)
class ActivityType:
    id: int
    name: str
    created_at: str
    updated_at: str
    active: bool = True
    note: str | None = None
    created_by_id: int = SYSTEM_USER
    updated_by_id: int = SYSTEM_USER


@dataclass(slots=True)
class Ticket:
    id: int
    number: str
    title: str
    group_id: int
    customer_id: int
    organization_id: int | None
    created_by_id: int
    updated_by_id: int
    created_at: str
    updated_at: str
    owner_id: int = SYSTEM_USER
    state_id: int = NEW
    priority_id: int = 2
    note: str | None = None
    type: str | None = None
    article_count: int = 0
    time_unit: Decimal | None = None
    preferences: dict[str, Any] = field(default_factory=dict)


@dataclass(slots=True)
class Article:
    id: int
    ticket_id: int
    body: str
    created_by_id: int
    created_at: str
    updated_at: str
    subject: str | None = None
    internal: bool = False
    type_id: int = NOTE
    sender_id: int = BY_AGENT
    author: str = ""


@dataclass(slots=True)
class TimeAccounting:
    id: int
    ticket_id: int
    ticket_article_id: int | None
    time_unit: Decimal
    type_id: int | None
    created_by_id: int
    created_at: str
    updated_at: str


@dataclass(slots=True)
class Link:
    """From a ticket to another one; of a merge, the target is the source's parent."""

    kind: str
    """As seen from `target`: `parent`, `child` or `normal`."""
    source_id: int
    target_id: int


@dataclass(slots=True)
class Token:
    user_id: int
    permissions: list[str] = field(default_factory=list)
    expires_on: str | None = None
    """A token that expires today has expired."""


@dataclass(slots=True)
class Webhook:
    """One trigger with its one webhook (4.4).

    `always`, `selective` = article.time_accounting is set, `time_unit` = ticket.time_unit has changed.
    """

    url: str = ""
    secret: str = ""
    mode: str = "always"
    retry_scale: float = 1.0
    trigger: str = "Tell Hourbook"


@dataclass(slots=True)
class Attempt:
    at: str
    status: int | None
    error: str | None = None


@dataclass(slots=True)
class Delivery:
    id: str
    ticket_id: int
    article_id: int | None
    created_at: str
    outcome: str = "waiting"
    """waiting, delivered, failed (dropped for good) or discarded (what it tells of has gone)."""
    attempts: list[Attempt] = field(default_factory=list)


@dataclass(slots=True)
class Books:
    """All of it: what the state file holds."""

    settings: dict[str, Any] = field(default_factory=lambda: dict(DEFAULT_SETTINGS))
    users: dict[int, User] = field(default_factory=dict)
    tokens: dict[str, Token] = field(default_factory=dict)
    organizations: dict[int, Organization] = field(default_factory=dict)
    groups: dict[int, Group] = field(default_factory=dict)
    types: dict[int, ActivityType] = field(default_factory=dict)
    tickets: dict[int, Ticket] = field(default_factory=dict)
    articles: dict[int, Article] = field(default_factory=dict)
    accountings: dict[int, TimeAccounting] = field(default_factory=dict)
    links: list[Link] = field(default_factory=list)
    webhook: Webhook = field(default_factory=Webhook)
    unknowns: dict[str, Any] = field(
        default_factory=lambda: {name: answers[0] for name, answers in UNKNOWNS.items()}
    )
    deliveries: list[Delivery] = field(default_factory=list)
    last_ids: dict[str, int] = field(default_factory=dict)
    clock_offset_seconds: float = 0.0

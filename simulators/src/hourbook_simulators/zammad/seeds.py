"""What a Zammad may hold at the start: `demo` tells a story, `bench` has a known size, `empty` only people."""

from datetime import datetime, time, timedelta
from decimal import Decimal

from hourbook_kit import clock
from hourbook_simulators.zammad.memory import Memory, shown
from hourbook_simulators.zammad.records import (
    ADMIN,
    AGENT,
    ActivityType,
    Books,
    Group,
    Organization,
    Token,
    User,
)

DEMO_TOKEN = "zammad-demo-token"  # noqa: S105 -- of a twin, and no secret
ADMIN_ID = 2
AGENTS = ("Anna Berg", "Ben Koch", "Clara Vogt", "David Lang", "Emma Roth")
CUSTOMERS = {
    "Alder & Sons": ("Julia Alder", "Jonas Alder"),
    "Birkwerk GmbH": ("Nora Birk",),
    "Cassiopeia Labs": ("Mats Holm", "Lea Prado"),
    "Dockside Logistics": ("Owen Shaw",),
}
TYPES = {
    "Support": True,
    "Consulting": True,
    "Development": True,
    "Travel": True,
    "Training": False,
}
"""By name, whether it is active."""

TICKETS = (
    ("Label printer answers nobody since the update", "Julia Alder"),
    ("Import of supplier prices stops at line 4,000", "Jonas Alder"),
    ("New branch office: telephones and network", "Nora Birk"),
    ("Invoice shows the wrong tax for Switzerland", "Nora Birk"),
    ("Which plan fits forty seats?", "Mats Holm"),
    ("Dashboard is empty for <guests> & partners", "Lea Prado"),
    ("Scanner app forgets its warehouse", "Owen Shaw"),
    ("Could you call me back?", "Owen Shaw"),
)
"""Title and customer."""

STORY = (
    (1, 4, 9, 0, "15", "Support"),
    (2, 4, 11, 2, "90", "Development"),
    (1, 4, 14, 0, "45", "Support"),
    (3, 3, 8, 3, "120", "Travel"),
    (1, 3, 10, 1, "20", "Consulting"),
    (3, 3, 13, 3, "180", "Consulting"),
    (2, 2, 9, 2, "60", "Development"),
    (5, 2, 11, 1, "25", "Consulting"),
    (4, 2, 15, 4, "30", "Support"),
    (4, 1, 9, 4, "-10", "Support"),
    (6, 1, 10, 2, "75", "Development"),
    (6, 1, 14, 0, "12.5", "Support"),
    (7, 1, 16, 3, "40", "Support"),
    (7, 0, 7, 3, "15", "Support"),
    (7, 0, 8, 1, "20", "Development"),
)
"""Ticket, days ago, hour (UTC) it was booked at, agent, minutes, type: in the order of their ids."""

BENCH_TICKETS, BENCH_DAYS, BENCH_A_DAY = 100, 20, 3


def plant(seed: str) -> Books:
    """Raises KeyError for a name that is none of these."""
    return {"demo": _demo, "bench": _bench, "empty": _people}[seed]()


def _people() -> Books:
    at = shown(clock.now() - timedelta(days=30))
    memory = Memory(Books())
    books = memory.books
    _add_user(memory, "- ", at, roles=[], login="-").active = False
    _add_user(memory, "Alex Admin", at, roles=[ADMIN, AGENT], login="admin")
    for name in AGENTS:
        _add_user(memory, name, at, roles=[AGENT])
    for company, people in CUSTOMERS.items():
        organization = Organization(memory.next_id("organization"), company, at, at)
        books.organizations[organization.id] = organization
        for name in people:
            _add_user(memory, name, at).organization_id = organization.id
    books.groups[1] = Group(memory.next_id("group"), "Support", at, at)
    for name, active in TYPES.items():
        type_id = memory.next_id("type")
        books.types[type_id] = ActivityType(type_id, name, at, at, active)
    books.tokens[DEMO_TOKEN] = Token(ADMIN_ID, ["admin", "ticket.agent"])
    return books


def _add_user(
    memory: Memory, name: str, at: str, *, roles: list[int] | None = None, login: str | None = None
) -> User:
    first, _, last = name.partition(" ")
    login = login or f"{first}.{last}".lower()
    email = "" if login == "-" else f"{login}@example.org"
    user = User(memory.next_id("user"), login, email, first, last, at, at)
    if roles is not None:
        user.role_ids = roles
        user.group_access = {1: ["full"]} if AGENT in roles else {}
    memory.books.users[user.id] = user
    return user


def agent_ids(books: Books) -> list[int]:
    return [user.id for user in books.users.values() if user.role_ids == [AGENT]]


def _at(days_ago: int, hour: int, minute: int = 0, second: int = 0) -> str:
    """Of a past day the hour (UTC); of today some hours ago, for it may be early."""
    now = clock.now()
    if days_ago == 0:
        return shown(now - timedelta(hours=10 - hour, minutes=minute))
    day = now.date() - timedelta(days=days_ago)
    return shown(datetime.combine(day, time(hour, minute, second), tzinfo=now.tzinfo))


def _demo() -> Books:
    memory = Memory(_people())
    books = memory.books
    agents = agent_ids(books)
    by_name = {user.name: user for user in books.users.values()}
    types = {one.name: one.id for one in books.types.values()}
    for turn, (title, customer_name) in enumerate(TICKETS):
        customer = by_name[customer_name]
        memory.open_ticket(
            title,
            customer.id,
            at=_at(5, 8, 5 * turn),
            group_id=1,
            customer_id=customer.id,
            organization_id=customer.organization_id,
        )
    for ticket_id, days_ago, hour, agent, minutes, kind in STORY:
        ticket, at = books.tickets[ticket_id], _at(days_ago, hour, 7, 23)
        memory.book(ticket, Decimal(minutes), agents[agent], type_id=types[kind], at=at)
        ticket.updated_at = at
    return books


def _bench() -> Books:
    """Three entries a worker and day, at 10, 13 and 16 o'clock, none longer than the time between them."""
    memory = Memory(_people())
    books = memory.books
    agents = agent_ids(books)
    customers = [user for user in books.users.values() if user.organization_id is not None]
    for number in range(BENCH_TICKETS):
        customer = customers[number % len(customers)]
        memory.open_ticket(
            f"Bench ticket {number + 1}",
            ADMIN_ID,
            at=_at(BENCH_DAYS + 1, 8, number % 60),
            group_id=1,
            customer_id=customer.id,
            organization_id=customer.organization_id,
        )
    tickets = list(books.tickets.values())
    for number in range(BENCH_DAYS * BENCH_A_DAY * len(agents)):
        slot, agent = divmod(number, len(agents))
        day, turn = divmod(slot, BENCH_A_DAY)
        at = _at(BENCH_DAYS - day, 10 + 3 * turn, agent, number % 60)
        minutes = Decimal(15 + 5 * (number % 16))
        ticket = tickets[number % BENCH_TICKETS]
        memory.book(ticket, minutes, agents[agent], type_id=1 + number % 4, at=at)
        ticket.updated_at = at
    return books

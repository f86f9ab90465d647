"""What a fresh twin holds: a small company for the demo, a bigger one for benches, or only accounts.

Tokens here open nothing but a twin.
"""

from hourbook_simulators.kimai.memory import Memory
from hourbook_simulators.kimai.permissions import LEAST_PRIVILEGE
from hourbook_simulators.kimai.records import Activity, Customer, Project, Token, User

WORKERS = ("anna.berg", "ben.koch", "clara.vogt", "david.lang", "emma.roth")
NEW_YORKER = "emma.roth"
ACTIVITIES = ("Support", "Consulting", "Development", "Travel")
COMPANIES = {
    "Nordwind Logistik GmbH": ("Helpdesk", "Warehouse move"),
    "Kaffeerösterei Adler": ("Support",),
    "Stadtwerke Seetal": ("Service desk", "Network 2026"),
    "Praxis Dr. Sommer": ("Support",),
}
BENCH_WORKERS, BENCH_CUSTOMERS = 50, 40


def seeded(name: str) -> Memory:
    """`demo`, `bench` or `empty`; every one has the accounts `hourbook` and `admin`."""
    memory = Memory()
    memory.roles["ROLE_HOURBOOK"] = sorted(LEAST_PRIVILEGE)
    add_user(memory, "admin", roles=["ROLE_SUPER_ADMIN"])
    bot = add_user(memory, "hourbook", roles=["ROLE_HOURBOOK"])
    bot.system_account = True
    memory.add_token(Token("kimai-admin-token", memory.users[1].id))
    memory.add_token(Token("kimai-demo-token", bot.id))
    match name:
        case "demo":
            _fill(memory, WORKERS, COMPANIES)
        case "bench":
            workers = (f"worker{number:02}" for number in range(1, BENCH_WORKERS + 1))
            companies = {
                f"Customer {number:02}": ("Support",) for number in range(1, BENCH_CUSTOMERS + 1)
            }
            _fill(memory, (*WORKERS, *workers), COMPANIES | companies)
        case "empty":
            pass
        case _:
            raise ValueError(f"there is no seed {name!r}: demo, bench or empty")
    return memory


def _fill(memory: Memory, workers: tuple[str, ...], companies: dict[str, tuple[str, ...]]) -> None:
    for name in workers:
        zone = "America/New_York" if name == NEW_YORKER else "Europe/Berlin"
        add_user(memory, name, timezone=zone)
    for company, projects in companies.items():
        customer = Customer(memory.next_id("customer"), company)
        customer.number = f"{customer.id + 1:04}"
        memory.customers[customer.id] = customer
        for title in projects:
            project = Project(memory.next_id("project"), title, customer.id)
            project.number = f"{project.id + 1:04}"
            memory.projects[project.id] = project
    for title in ACTIVITIES:
        activity = Activity(memory.next_id("activity"), title)
        activity.number = f"{activity.id + 1:04}"
        memory.activities[activity.id] = activity


def add_user(
    memory: Memory, name: str, *, roles: list[str] | None = None, timezone: str = "Europe/Berlin"
) -> User:
    """Their alias is what people read, as in `Anna Berg`."""
    alias = " ".join(part.capitalize() for part in name.split("."))
    user = User(
        memory.next_id("user"),
        name,
        f"{name}@example.org",
        alias=alias,
        roles=roles or [],
        timezone=timezone,
    )
    memory.users[user.id] = user
    return user

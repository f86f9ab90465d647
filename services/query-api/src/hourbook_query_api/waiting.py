"""Entries that wait for a place in Kimai, in groups that all rules see alike; and where rules would put them.

Only what is not written yet waits: a written posting keeps its place whatever the rules become.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime

from hourbook_contracts.installation import Policy
from hourbook_contracts.ledger import Inputs, Place
from hourbook_contracts.reasons import Reason
from hourbook_contracts.rules import activity_key, customer_keys, mapped
from hourbook_query_api.desk import Desk

_ANY_TIME = datetime(2026, 1, 1, tzinfo=UTC)
"""Rules ask about no time yet."""

_GROUPS = """
SELECT e.connection, e.agent_id, e.activity_type_id, t.organization_id, t.customer_id,
    count(*) AS entries, sum(e.net_seconds)::bigint AS seconds, min(e.day) AS first_on, max(e.day) AS last_on
FROM book.entries AS e LEFT JOIN book.tickets AS t ON t.book = e.book
WHERE e.state IN ('held_back', 'asks') AND NOT e.retracted AND e.net_seconds > 0 AND e.sheet IS NULL
    AND (e.reason IS NULL OR e.reason LIKE 'unmapped%')
    AND ($1::date IS NULL OR e.day >= $1) AND ($2::text IS NULL OR e.connection = $2)
GROUP BY 1, 2, 3, 4, 5
"""


@dataclass(frozen=True, slots=True)
class Group:
    source: str
    inputs: Inputs
    entries: int
    seconds: int
    first_on: date
    last_on: date

    def keys(self, kind: str) -> list[str]:
        """That rules of this kind look up, in their order."""
        match kind:
            case "worker":
                return [str(self.inputs.agent_id)]
            case "activity":
                return [activity_key(self.inputs)]
            case _:
                return customer_keys(self.inputs)

    def lacks(self, policy: Policy, kind: str) -> bool:
        """Whether no rule of this kind fires for it."""
        return not any((kind, self.source, key) in policy.mappings for key in self.keys(kind))

    def place(self, policy: Policy) -> tuple[Place | None, Reason | None]:
        place, _, missing = mapped(self.inputs, policy, self.source)
        return place, missing


async def groups(
    desk: Desk, *, since: date | None = None, source: str | None = None
) -> list[Group]:
    """For whom a ticket is, is as it was last read; an entry keeps its first (protocol.md 3)."""
    rows = await desk.pool.fetch(_GROUPS, since, source)
    return [
        Group(
            source=row["connection"],
            inputs=Inputs(
                agent_id=row["agent_id"],
                activity_type_id=row["activity_type_id"],
                organization_id=row["organization_id"],
                customer_id=row["customer_id"],
                created_at=_ANY_TIME,
                seconds_per_unit=1,
            ),
            entries=row["entries"],
            seconds=row["seconds"],
            first_on=row["first_on"],
            last_on=row["last_on"],
        )
        for row in rows
    ]


def entries_in(found: Iterable[Group]) -> int:
    return sum(group.entries for group in found)


def seconds_in(found: Iterable[Group]) -> int:
    return sum(group.seconds for group in found)

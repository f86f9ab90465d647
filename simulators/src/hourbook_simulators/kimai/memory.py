"""What this Kimai holds: its records, and the few indexes that keep a busy list cheap.

Whoever changes a record says so with `touch`, and with `rest` where Kimai would not notice
(a bulk export, kimai-api.md 7).
"""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

import orjson

from hourbook_simulators.kimai.permissions import DEFAULT_ROLES
from hourbook_simulators.kimai.records import (
    EPOCH,
    Activity,
    Customer,
    Project,
    Rate,
    Tag,
    Team,
    Timesheet,
    Token,
    User,
)
from hourbook_simulators.kimai.settings import DEFAULTS

NUMBER = re.compile(r"(?<![0-9a-z])[0-9]+(?![0-9a-z])")


@dataclass(slots=True)
class _Place:
    """Where a timesheet is found; kept apart, for the record itself may have changed since."""

    user_id: int
    day: int
    folded: str
    numbers: tuple[str, ...]


def _nobody() -> None:
    """Who hears of a change as long as nobody listens."""


class Memory:
    def __init__(self) -> None:
        self.users: dict[int, User] = {}
        self.tokens: dict[str, Token] = {}
        self.customers: dict[int, Customer] = {}
        self.projects: dict[int, Project] = {}
        self.activities: dict[int, Activity] = {}
        self.tags: dict[int, Tag] = {}
        self.teams: dict[int, Team] = {}
        self.rates: list[Rate] = []
        self.timesheets: dict[int, Timesheet] = {}
        self.roles: dict[str, list[str]] = {
            name: sorted(may) for name, may in DEFAULT_ROLES.items()
        }
        self.settings: dict[str, Any] = {}
        self.clock_offset_seconds = 0.0
        self.last_ids: dict[str, int] = {}
        self.changed: Callable[[], None] = _nobody
        self.shown: dict[tuple[int, str], str] = {}
        """Rendered rows of lists; a touched timesheet loses its own."""
        self._places: dict[int, _Place] = {}
        self._by_day: dict[int, dict[int, dict[int, Timesheet]]] = {}
        self._by_number: dict[str, set[int]] = {}
        self._by_change: dict[int, None] = {}
        self._changes_in_order = True
        self.longest = timedelta(0)
        self._last_change = EPOCH

    # Records

    def next_id(self, kind: str) -> int:
        """Never given twice, also not after a deletion or a refused insert."""
        self.last_ids[kind] = self.last_ids.get(kind, 0) + 1
        return self.last_ids[kind]

    def setting(self, key: str) -> Any:
        value = self.settings.get(key)
        return DEFAULTS.get(key) if value is None else value

    def user_of(self, token: str, now: datetime) -> User | None:
        """Found whatever the case (kimai-api.md 0.14)."""
        found = self.tokens.get(token.casefold())
        if found is None or (found.expires_at is not None and found.expires_at <= now):
            return None
        user = self.users.get(found.user_id)
        return user if user is not None and user.enabled else None

    def add_token(self, token: Token) -> None:
        self.tokens[token.token.casefold()] = token
        self.changed()

    def tag_named(self, name: str) -> Tag | None:
        folded = name.casefold()
        return next((tag for tag in self.tags.values() if tag.name.casefold() == folded), None)

    # Timesheets

    def touch(self, timesheet: Timesheet, now: datetime) -> None:
        """It was inserted or changed the way Kimai notices: `modified_at` in whole seconds."""
        timesheet.committed_at = now
        timesheet.modified_at = now.replace(microsecond=0)
        if timesheet.modified_at < self._last_change:
            self._changes_in_order = False  # the clock was set back: lists by change scan all
        self._last_change = timesheet.modified_at
        self._by_change.pop(timesheet.id, None)
        self._by_change[timesheet.id] = None
        self.rest(timesheet)

    def rest(self, timesheet: Timesheet) -> None:
        """It is what it is now, and when it was modified stays untold."""
        self._displace(timesheet.id)
        self.timesheets[timesheet.id] = timesheet
        folded = (timesheet.description or "").lower()
        numbers = tuple(set(NUMBER.findall(folded)))
        place = _Place(timesheet.user_id, timesheet.begin.toordinal(), folded, numbers)
        self._places[timesheet.id] = place
        days = self._by_day.setdefault(place.user_id, {})
        days.setdefault(place.day, {})[timesheet.id] = timesheet
        for number in numbers:
            self._by_number.setdefault(number, set()).add(timesheet.id)
        if timesheet.end is not None:
            self.longest = max(self.longest, timesheet.end - timesheet.begin)
        self.changed()

    def forget(self, timesheet_id: int) -> None:
        self._displace(timesheet_id)
        del self.timesheets[timesheet_id]
        self._by_change.pop(timesheet_id, None)
        self.changed()

    def drop(self, kind: str, record_id: int) -> None:
        """A customer, project or activity, and with it everything that stands on it (2.3)."""
        if kind == "customers":
            for project in [row for row in self.projects.values() if row.customer_id == record_id]:
                self.drop("projects", project.id)
        elif kind == "projects":
            for activity in [
                row for row in self.activities.values() if row.project_id == record_id
            ]:
                self.drop("activities", activity.id)
        owner = {"projects": "project_id", "activities": "activity_id"}.get(kind)
        if owner is not None:
            for row in list(self.timesheets.values()):
                if getattr(row, owner) == record_id:
                    self.forget(row.id)
        getattr(self, kind).pop(record_id, None)
        self.changed()

    def _displace(self, timesheet_id: int) -> None:
        for shape in ("plain", "rated"):
            self.shown.pop((timesheet_id, shape), None)
        place = self._places.pop(timesheet_id, None)
        if place is None:
            return
        del self._by_day[place.user_id][place.day][timesheet_id]
        if not self._by_day[place.user_id][place.day]:
            del self._by_day[place.user_id][place.day]
        for number in place.numbers:
            self._by_number[number].discard(timesheet_id)
            if not self._by_number[number]:
                del self._by_number[number]

    def folded(self, timesheet_id: int) -> str:
        """Its description in lower case, "" for none."""
        return self._places[timesheet_id].folded

    def of_users(
        self, user_ids: Iterable[int], began: datetime | None, ended: datetime | None
    ) -> list[Timesheet]:
        """Those which begin on a day from `began` to `ended`: at least the ones in between."""
        found: list[Timesheet] = []
        first = began.toordinal() if began else None
        last = ended.toordinal() if ended else None
        for user_id in user_ids:
            days = self._by_day.get(user_id, {})
            if first is not None and last is not None and last - first < len(days):
                wanted: Iterable[int] = (day for day in range(first, last + 1) if day in days)
            else:
                wanted = (
                    day
                    for day in days
                    if (first is None or day >= first) and (last is None or day <= last)
                )
            for day in wanted:
                found.extend(days[day].values())
        return found

    def with_number(self, number: str) -> list[Timesheet]:
        """Those whose description has this number standing alone."""
        return [self.timesheets[found] for found in self._by_number.get(number, ())]

    def changed_since(self, since: datetime) -> list[Timesheet]:
        """Modified at that second or later."""
        if not self._changes_in_order:
            return [row for row in self.timesheets.values() if row.modified_at >= since]
        found = []
        for timesheet_id in reversed(self._by_change):
            timesheet = self.timesheets[timesheet_id]
            if timesheet.modified_at < since:
                break
            found.append(timesheet)
        return found

    def running(self, user_id: int) -> list[Timesheet]:
        mine = self.of_users([user_id], None, None)
        return sorted((row for row in mine if row.end is None), key=lambda row: (row.begin, row.id))

    def export(self, ids: Iterable[int], *, exported: bool) -> None:
        """As an invoice or an export does it: in bulk, and `modified_at` is not touched."""
        for timesheet_id in ids:
            timesheet = self.timesheets.get(timesheet_id)
            if timesheet is not None:
                timesheet.exported = exported
                self.rest(timesheet)

    # As a whole

    def picture(self) -> bytes:
        return orjson.dumps(
            {
                "users": list(self.users.values()),
                "tokens": list(self.tokens.values()),
                "customers": list(self.customers.values()),
                "projects": list(self.projects.values()),
                "activities": list(self.activities.values()),
                "tags": list(self.tags.values()),
                "teams": list(self.teams.values()),
                "rates": self.rates,
                "timesheets": list(self.timesheets.values()),
                "roles": self.roles,
                "settings": self.settings,
                "clock_offset_seconds": self.clock_offset_seconds,
                "last_ids": self.last_ids,
            }
        )

    @classmethod
    def from_picture(cls, picture: bytes) -> "Memory":
        kept = orjson.loads(picture)
        memory = cls()
        memory.users = {row["id"]: User(**row) for row in kept["users"]}
        memory.customers = {row["id"]: Customer(**row) for row in kept["customers"]}
        memory.projects = {row["id"]: Project(**_dated(row)) for row in kept["projects"]}
        memory.activities = {row["id"]: Activity(**row) for row in kept["activities"]}
        memory.tags = {row["id"]: Tag(**row) for row in kept["tags"]}
        memory.teams = {row["id"]: Team(**row) for row in kept.get("teams", ())}
        memory.rates = [Rate(**row) for row in kept.get("rates", ())]
        for row in kept["tokens"]:
            memory.add_token(Token(**_timed(row, "expires_at")))
        timesheets = [
            Timesheet(**_timed(row, "begin", "end", "modified_at", "committed_at"))
            for row in kept["timesheets"]
        ]
        for timesheet in sorted(timesheets, key=lambda row: row.modified_at):
            memory.touch(timesheet, timesheet.committed_at)
        memory.timesheets = {row.id: row for row in sorted(timesheets, key=lambda row: row.id)}
        memory.roles = kept["roles"]
        memory.settings = kept["settings"]
        memory.clock_offset_seconds = kept["clock_offset_seconds"]
        memory.last_ids = kept["last_ids"]
        return memory

    def become(self, other: "Memory") -> None:
        """Forget everything and hold what the other held; those who listen stay."""
        listener = self.changed
        self.__dict__.update(other.__dict__)
        self.changed = listener
        self.changed()

    def now(self, real: datetime) -> datetime:
        """What time it is for this Kimai."""
        return real + timedelta(seconds=self.clock_offset_seconds)


def _timed(row: dict[str, Any], *names: str) -> dict[str, Any]:
    for name in names:
        if row.get(name) is not None:
            row[name] = datetime.fromisoformat(row[name])
    return row


def _dated(row: dict[str, Any]) -> dict[str, Any]:
    for name in ("start", "end"):
        if row[name] is not None:
            row[name] = date.fromisoformat(row[name])
    return row

"""GET /api/timesheets: its parameters, its fail-open filters and its pages (kimai-api.md 2.4)."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from hourbook_simulators.kimai.memory import Memory
from hourbook_simulators.kimai.permissions import Caller
from hourbook_simulators.kimai.records import EPOCH, Tag, Timesheet, User
from hourbook_simulators.kimai.refusals import masked
from hourbook_simulators.kimai.teams import (
    Restricted,
    led_by,
    reaches,
    reaches_user,
    reaches_work,
)
from hourbook_simulators.kimai.zones import read_in_query

PATTERNS = {
    "user": r"\d+|all",
    "customer": r"\d+",
    "project": r"\d+",
    "activity": r"\d+",
    "page": r"\d+",
    "size": r"\d+",
    "orderBy": r"id|begin|end|rate",
    "order": r"ASC|DESC",
    "exported": r"[01]",
    "active": r"[01]",
    "billable": r"[01]",
    "full": r"0|1|true|false",
}
RECENT = {"size": r"\d+", "begin": r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d"}
LISTS = ("users", "customers", "projects", "activities", "tags")
SIZE, SIZE_MAX = 50, 500
INNER_NUMBER = re.compile(r"(?<=[^0-9a-z])[0-9]+(?=[^0-9a-z])")


class Query:
    """Parameters as PHP reads them: the last of several wins, `name[]` makes a list."""

    def __init__(self, pairs: Iterable[tuple[str, str]], patterns: dict[str, str]) -> None:
        self.one: dict[str, str] = {}
        self.many: dict[str, list[str]] = {}
        for name, value in pairs:
            if name.endswith("[]"):
                self.many.setdefault(name[:-2], []).append(value)
            else:
                self.one[name] = value
        for name, pattern in patterns.items():
            value = self.one.get(name, "")
            if name in self.many or (value and re.fullmatch(pattern, value) is None):
                raise masked(400)

    def get(self, name: str) -> str | None:
        """An empty value counts as absent."""
        return self.one.get(name) or None

    def numbers(self, name: str) -> list[int]:
        values = self.many.get(name, [])
        if any(re.fullmatch(r"\d+", value) is None for value in values):
            raise masked(400)
        return [int(value) for value in values]


@dataclass(frozen=True, slots=True)
class Page:
    rows: list[Timesheet]
    number: int
    size: int
    total: int

    @property
    def headers(self) -> dict[str, str]:
        return {
            "X-Page": str(self.number),
            "X-Total-Count": str(self.total),
            "X-Total-Pages": str(pages_of(self.total, self.size)),
            "X-Per-Page": str(self.size),
        }


def pages_of(total: int, size: int) -> int:
    return max(1, -(-total // size))


def page_of(query: Query, memory: Memory, caller: Caller, now: datetime) -> Page:
    number = max(1, int(query.get("page") or 1))
    size = min(int(query.get("size") or SIZE) or SIZE, SIZE_MAX)
    found = _ordered(_found(query, memory, caller, now), query)
    if number > pages_of(len(found), size):
        raise masked(404)
    return Page(found[(number - 1) * size : number * size], number, size, len(found))


def recent(query: Query, memory: Memory, caller: Caller) -> list[Timesheet]:
    """The caller's newest of each project and activity, by their end; running ones last."""
    since = _moment(query, "begin", caller.timezone)
    newest: dict[tuple[int, int], Timesheet] = {}
    for row in sorted(memory.of_users([caller.user_id], since, None), key=lambda row: row.id):
        if since is None or row.begin >= since:
            newest[row.project_id, row.activity_id] = row
    ended = sorted(newest.values(), key=lambda row: row.end or EPOCH, reverse=True)
    return ended[: int(query.get("size") or 10)]


def _found(query: Query, memory: Memory, caller: Caller, now: datetime) -> list[Timesheet]:
    for name in LISTS:
        if name in query.one:
            raise masked(400)  # a list parameter is `name[]`
    users = _users(query, memory, caller)
    began, ended = (_moment(query, name, caller.timezone) for name in ("begin", "end"))
    since = _moment(query, "modified_after", "UTC")
    if since is None and query.one.get("modified_after") == "":
        since = now  # an empty value means now, here alone
    words = (query.get("term") or "").lower().split()
    rows = _candidates(memory, users, began, ended, since, words)
    if users is not None:
        rows = [row for row in rows if row.user_id in users]
    if began is not None:
        rows = [row for row in rows if row.begin >= began]
    if ended is not None:
        rows = [row for row in rows if row.begin <= ended]  # the start, also here
    if since is not None:
        rows = [row for row in rows if row.modified_at >= since]
    if memory.teams and not caller.may("view_all_data"):
        rows = [
            row for row in rows if reaches_work(caller, memory, row.project_id, row.activity_id)
        ]
    rows = _of_catalogue(rows, query, memory, caller)
    return _with_words(_with_flags(rows, query), words, memory)


def _moment(query: Query, name: str, zone_name: str) -> datetime | None:
    text = query.get(name)
    if text is None:
        return None
    at = read_in_query(text, zone_name)
    if at is None:
        raise masked(400)
    return at


def _users(query: Query, memory: Memory, caller: Caller) -> set[int] | None:
    """None: everybody. Without the right to see others it is silently oneself."""
    mine = {caller.user_id}
    asked = query.get("user")
    several = query.numbers("users")
    if not caller.may("view_other_timesheet"):
        return mine
    if asked == "all":
        return None if caller.may("view_all_data") else led_by(caller, memory)
    wanted = [int(asked)] if asked else []
    known = {user_id for user_id in wanted + several if user_id in memory.users}
    for user_id in known:
        if not _is_accessible(memory.users[user_id], caller, memory):
            raise masked(403)
    return known or mine


def _is_accessible(user: User, caller: Caller, memory: Memory) -> bool:
    """Super admins are accessible to their like only (recording 05: user=1 by a teamlead)."""
    if not caller.may("view_all_data") and "ROLE_SUPER_ADMIN" in user.roles:
        return False
    return reaches_user(caller, memory, user.id)


def _candidates(
    memory: Memory,
    users: set[int] | None,
    began: datetime | None,
    ended: datetime | None,
    since: datetime | None,
    words: list[str],
) -> Iterable[Timesheet]:
    """The fewest rows that surely hold all that is asked for."""
    for word in words:
        is_plain = not word.startswith("!") and not set(word) & set("%_:")
        for number in INNER_NUMBER.findall(word) if is_plain else ():
            return memory.with_number(number)
    if since is not None:
        return memory.changed_since(since)
    if users is not None or began is not None or ended is not None:
        owners = memory.users if users is None else users
        return memory.of_users(owners, began, ended)
    return memory.timesheets.values()


def _of_catalogue(
    rows: Iterable[Timesheet], query: Query, memory: Memory, caller: Caller
) -> Iterable[Timesheet]:
    """An id that does not exist is ignored: the filter fails open (0.4)."""
    customers = _known(query, "customer", "customers", memory.customers, caller)
    projects = _known(query, "project", "projects", memory.projects, caller)
    activities = _known(query, "activity", "activities", memory.activities, caller)
    if customers:
        rows = [row for row in rows if memory.projects[row.project_id].customer_id in customers]
    if projects:
        rows = [row for row in rows if row.project_id in projects]
    if activities:
        rows = [row for row in rows if row.activity_id in activities]
    if "tags" in query.many:
        tags = {tag.id for tag in _visible_tags(query.many["tags"], memory)}
        if not tags:
            raise masked(400)
        rows = [row for row in rows if tags.intersection(row.tag_ids)]
    return rows


def _known(
    query: Query, one: str, many: str, records: Mapping[int, Restricted], caller: Caller
) -> set[int]:
    asked = query.get(one)
    wanted = ([int(asked)] if asked else []) + query.numbers(many)
    known = {record_id for record_id in wanted if record_id in records}
    if not reaches(caller, *(records[record_id] for record_id in known)):
        raise masked(403)
    return known


def _visible_tags(names: list[str], memory: Memory) -> Iterable[Tag]:
    found = (memory.tag_named(name) for name in names)
    return (tag for tag in found if tag is not None and tag.visible)


def _with_flags(rows: Iterable[Timesheet], query: Query) -> Iterable[Timesheet]:
    if (exported := query.get("exported")) is not None:
        rows = [row for row in rows if row.exported == (exported == "1")]
    if (active := query.get("active")) is not None:
        rows = [row for row in rows if (row.end is None) == (active == "1")]
    if (billable := query.get("billable")) is not None:
        rows = [row for row in rows if row.billable == (billable == "1")]
    return rows


def _with_words(rows: Iterable[Timesheet], words: list[str], memory: Memory) -> list[Timesheet]:
    """All words, anywhere in the description; `!word` excludes, `name:value` asks a meta field."""
    for word in words:
        wanted = not word.startswith("!")
        part = word.removeprefix("!")
        if not part:
            continue
        if ":" in part.strip('"'):  # and no record here has meta fields
            rows = [] if wanted else rows
        elif "%" in part or "_" in part:
            like = _like(part)  # no description is like nothing, also not like %
            texts = ((row, memory.folded(row.id)) for row in rows)
            rows = [row for row, text in texts if bool(text and like.search(text)) == wanted]
        else:
            rows = [row for row in rows if (part in memory.folded(row.id)) == wanted]
    return list(rows)


def _like(part: str) -> re.Pattern[str]:
    wild = {"%": ".*", "_": "."}
    return re.compile("".join(wild.get(each) or re.escape(each) for each in part), re.DOTALL)


def _ordered(rows: list[Timesheet], query: Query) -> list[Timesheet]:
    """Ties are broken by id in the same direction; a running record ends before all others."""
    order_by = query.get("orderBy") or "begin"
    falling = (query.get("order") or "DESC") == "DESC"
    match order_by:
        case "id":
            rows.sort(key=lambda row: row.id, reverse=falling)
        case "begin":
            rows.sort(key=lambda row: (row.begin, row.id), reverse=falling)
        case "end":
            rows.sort(
                key=lambda row: (row.end is not None, row.end or row.begin, row.id), reverse=falling
            )
        case _:
            rows.sort(key=lambda row: (row.rate, row.id), reverse=falling)
    return rows

"""What blocks entries for lack of a mapping, with what it likely is; and what a mapping would release."""

from collections import defaultdict
from datetime import date

import asyncpg

from hourbook_contracts.installation import Policy, learn
from hourbook_query_api.connector_models import ZammadConnector
from hourbook_query_api.connectors import Open, connector_of
from hourbook_query_api.desk import Desk
from hourbook_query_api.guard import guarded_router
from hourbook_query_api.likely import Choice, likeliest
from hourbook_query_api.mappings import MappingBody, MappingKind, check, mapping_id, setting
from hourbook_query_api.names import names_of
from hourbook_query_api.people import Who
from hourbook_query_api.shown import Shown
from hourbook_query_api.waiting import Group, entries_in, groups, seconds_in

router = guarded_router("/api/mappings", "mappings")

_KINDS: tuple[MappingKind, ...] = ("worker", "customer", "activity")
_DIRECTORY: dict[MappingKind, str] = {
    "worker": "user",
    "customer": "project",
    "activity": "activity",
}
_NAMED = {"organization": "organization", "customer": "customer"}


class Suggestion(Shown):
    target: str
    target_id: int
    name: str
    """In Kimai."""
    time_zone: str | None
    """Of a worker, as Kimai has it."""


class Unmapped(Shown):
    kind: MappingKind
    source: str
    source_key: str
    """The most particular key that no rule has; `organization:<id>` before `customer:<id>`."""
    name: str | None
    """In Zammad; null where it tells none or is away."""
    entries: int
    """That wait, for this among other things."""
    seconds: int
    first_on: date
    last_on: date
    suggestion: Suggestion | None
    """By its name; a person decides."""


class UnmappedKeys(Shown):
    """Those that block most come first."""

    items: list[Unmapped]
    entries: int
    """That wait for any mapping."""
    seconds: int


class MappingPreview(Shown):
    touches: int
    """Waiting entries that this rule would fire for."""
    releases: int
    """Of them those that wait for nothing else."""
    seconds: int
    """Of those released."""
    still_wait: dict[str, int]
    """The others, by the reason that is left."""


@router.get("/unmapped")
async def list_unmapped(desk: Open) -> UnmappedKeys:
    policy = desk.tail.installation.policy
    waiting = [group for group in await groups(desk) if group.place(policy)[0] is None]
    blocked: dict[tuple[MappingKind, str, str], list[Group]] = defaultdict(list)
    for group in waiting:
        for kind in _KINDS:
            if group.lacks(policy, kind):
                blocked[kind, group.source, group.keys(kind)[0]].append(group)
    names = await _names(desk, list(blocked))
    choices = await _choices(desk)
    items = [
        Unmapped(
            kind=kind,
            source=source,
            source_key=key,
            name=names.get((kind, source, key)),
            entries=entries_in(found),
            seconds=seconds_in(found),
            first_on=min(group.first_on for group in found),
            last_on=max(group.last_on for group in found),
            suggestion=_suggested(names.get((kind, source, key)), choices[_DIRECTORY[kind]]),
        )
        for (kind, source, key), found in blocked.items()
    ]
    items.sort(key=lambda one: (-one.entries, one.kind, one.source_key))
    return UnmappedKeys(items=items, entries=entries_in(waiting), seconds=seconds_in(waiting))


@router.post("/preview")
async def preview_mapping(desk: Open, who: Who, body: MappingBody) -> MappingPreview:
    """What would be released if this was mapped; nothing is said or kept."""
    await check(desk, body)
    now = desk.tail.installation
    mapping = mapping_id(body.kind, body.source, body.source_key)
    then = learn(now, setting(who, mapping, body, None), now.offset).policy
    return _released(await groups(desk, source=body.source), now.policy, then)


def _released(found: list[Group], now: Policy, then: Policy) -> MappingPreview:
    waiting = [group for group in found if group.place(now)[0] is None]
    touched = [
        group
        for group in waiting
        if any(group.lacks(now, k) != group.lacks(then, k) for k in _KINDS)
    ]
    released = [group for group in touched if group.place(then)[0] is not None]
    still: dict[str, int] = defaultdict(int)
    for group in touched:
        _, missing = group.place(then)
        if missing:
            still[missing.value] += group.entries
    return MappingPreview(
        touches=entries_in(touched),
        releases=entries_in(released),
        seconds=seconds_in(released),
        still_wait=still,
    )


async def _names(
    desk: Desk, keys: list[tuple[MappingKind, str, str]]
) -> dict[tuple[MappingKind, str, str], str]:
    """What Zammad calls them."""
    wanted: dict[tuple[str, str], dict[int, tuple[MappingKind, str, str]]] = defaultdict(dict)
    for kind, source, key in keys:
        what, _, number = key.rpartition(":")
        of = {"worker": "agent", "activity": "activity"}.get(kind) or _NAMED.get(what)
        if of and number.isdigit():
            wanted[source, of][int(number)] = (kind, source, key)
    found: dict[tuple[MappingKind, str, str], str] = {}
    for (source, of), ids in wanted.items():
        connector = await _zammad(desk, source)
        names = await names_of(desk, connector, of, ids) if connector else {}
        found |= {ids[one]: name for one, name in names.items() if one in ids}
    return found


async def _zammad(desk: Desk, name: str) -> ZammadConnector | None:
    """None where it was removed: its books stay."""
    if name not in desk.tail.installation.sources:
        return None
    found = await connector_of(desk, name)
    return found if isinstance(found, ZammadConnector) else None


async def _choices(desk: Desk) -> dict[str, list[asyncpg.Record]]:
    """Kimai's names by kind; a project is also known by its customer's."""
    rows = await desk.pool.fetch(
        "SELECT d.kind, d.target, d.id, d.name, d.time_zone, p.name AS parent"
        " FROM push.directory AS d LEFT JOIN push.directory AS p"
        "  ON p.target = d.target AND p.kind = 'customer' AND p.id = d.parent_id AND d.kind = 'project'"
        " WHERE d.visible AND d.kind IN ('user', 'project', 'activity') ORDER BY d.id"
    )
    found: dict[str, list[asyncpg.Record]] = {kind: [] for kind in _DIRECTORY.values()}
    for row in rows:
        found[row["kind"]].append(row)
    return found


def _suggested(name: str | None, rows: list[asyncpg.Record]) -> Suggestion | None:
    if name is None:
        return None
    by_own = [Choice(place, row["name"]) for place, row in enumerate(rows)]
    by_parent = [Choice(place, row["parent"]) for place, row in enumerate(rows) if row["parent"]]
    chosen = likeliest(name, by_own) or likeliest(name, by_parent)
    if chosen is None:
        return None
    row = rows[chosen.id]
    return Suggestion(
        target=row["target"], target_id=row["id"], name=row["name"], time_zone=row["time_zone"]
    )
